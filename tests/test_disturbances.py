"""Is what lies before the skin told, and is none of it taken for lines? Drawn faces without any line."""

from __future__ import annotations

import functools

import pytest

from wrinklecv.assessment import assess
from wrinklecv.codes import Code
from wrinklecv.face import find_face, with_scale
from wrinklecv.phantom import Person, Shot, disturbed, draw_phantom
from wrinklecv.records import Assessment, Face, Photo, Region, Verdict

SHOT = Shot(px_per_mm=5, width_px=1050, height_px=1300, jpeg_quality=92)
LIGHT = Person(seed=31_201, skin_tone=0.2)
DARK = Person(seed=31_202, skin_tone=0.8, hair_srgb=(34, 27, 25))
PERSONS = {"light": LIGHT, "dark": DARK}


@functools.cache
def measured(skin: str, name: str = "") -> Assessment:
    """Draw one face, with a disturbance or without, and measure it with the drawn scale given."""
    person, shot = disturbed(name, PERSONS[skin], SHOT) if name else (PERSONS[skin], SHOT)
    phantom = draw_phantom(person, shot, seed=1)

    def find(photo: Photo) -> Face:
        return with_scale(find_face(photo), phantom.mm_per_px)

    return assess(phantom.photo, find=find)


def false_mm_per_cm2(assessment: Assessment) -> float:
    """Return the length of lines, none of which was drawn, per area of skin that was seen."""
    area_cm2 = sum(region.area_mm2 for region in assessment.regions) / 100
    return sum(line.length_mm for line in assessment.lines) / area_cm2 if area_cm2 else 0.0


def is_told(before: Assessment, after: Assessment) -> bool:
    """Tell whether coverage fell by a hundredth anywhere, a region was refused or a doubt was raised."""
    seen = {region.region: region.coverage for region in after.regions}
    fell = any(seen.get(r.region, 0.0) <= r.coverage - 0.01 for r in before.regions)
    doubts, known = (
        {(f.code, f.region, f.verdict) for f in a.quality if f.verdict is not Verdict.PASS}
        for a in (after, before)
    )
    return fell or bool(doubts - known)


# What the detector does not hold yet is no case here but a missed bar in the truth bench: strands of
# hair that lie level as lines do, pieces of many strands, the shade beside a thin metal bridge.
HELD = (
    ("hair: few strands", "light"),
    ("hair: few strands", "dark"),
    ("hair: fringe", "light"),
    ("hair: fringe", "dark"),
    ("glasses: thin metal", "dark"),
    ("glasses: dark plastic", "light"),
    ("glasses: dark plastic", "dark"),
    ("stubble", "light"),
    ("stubble", "dark"),
    ("freckles", "light"),
    ("freckles", "dark"),
    ("shine", "light"),
    # Between shining places on this one face 0.30 mm/cm² since folds are drawn in skin's colour: missed.
    pytest.param("shine", "dark", marks=pytest.mark.xfail(raises=AssertionError, strict=True)),
    ("shadow edge: level", "light"),
    ("shadow edge: level", "dark"),
    ("shadow edge: upright", "light"),
    ("shadow edge: upright", "dark"),
)


@pytest.mark.parametrize(("name", "skin"), HELD)
def test_what_lies_before_the_skin_is_told_and_is_no_line(name: str, skin: str) -> None:
    before, after = measured(skin), measured(skin, name)
    assert false_mm_per_cm2(before) <= 0.05
    assert false_mm_per_cm2(after) <= 0.2
    assert is_told(before, after)


@pytest.mark.parametrize("skin", ["light", "dark"])
def test_hair_is_named_where_there_is_some_and_not_on_a_bare_face(skin: str) -> None:
    def named(name: str = "") -> set[str | None]:
        return {f.region for f in measured(skin, name).quality if f.code is Code.HAIR_OR_FRAME}

    assert Region.FOREHEAD in named("hair: few strands")
    assert not named()
    assert not named("shadow edge: upright")


def test_shine_on_dark_skin_is_told() -> None:
    assert is_told(measured("dark"), measured("dark", "shine"))
