"""What is a line and what a hair: narrow deep folds stay; what is too thin, or steep and grey, goes."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from wrinklecv.assessment import assess
from wrinklecv.codes import Code
from wrinklecv.face import find_face, with_scale
from wrinklecv.lines import _is_strand
from wrinklecv.phantom import Person, PhantomLine, Shot, disturbed, draw_phantom
from wrinklecv.profiles import Profile
from wrinklecv.records import Assessment, Face, Line, Photo, Region, RegionMeasures
from wrinklecv.settings import DEFAULTS

SHOT = Shot(px_per_mm=8, width_px=1520, height_px=1880, jpeg_quality=92)
PATH_MM = np.array([[-9.0, -80.0], [0.0, -81.0], [9.0, -80.0]])


@functools.cache
def measured(width_mm: float, contrast: float, *, glasses: bool = False) -> Assessment:
    """Measure a drawn face with one line across its forehead, with or without thin metal glasses."""
    line = PhantomLine(region=Region.FOREHEAD, path_mm=PATH_MM, width_mm=width_mm, contrast=contrast)
    person, shot = Person(seed=5, lines=(line,), skin_tone=0.05 if glasses else 0.3), SHOT
    if glasses:
        person, shot = disturbed("glasses: thin metal", person, shot)
    phantom = draw_phantom(person, shot)

    def find(photo: Photo) -> Face:
        return with_scale(find_face(photo), phantom.mm_per_px)

    return assess(phantom.photo, find=find)


def hair_in(assessment: Assessment) -> set[Region | None]:
    return {f.region for f in assessment.quality if f.code is Code.HAIR_OR_FRAME}


@pytest.mark.parametrize(("width_mm", "contrast"), [(0.4, 0.6), (0.5, 0.75), (1.0, 0.9)])
def test_a_narrow_deep_fold_of_skins_own_colour_is_a_line(width_mm: float, contrast: float) -> None:
    assessment = measured(width_mm, contrast)
    (line,) = assessment.lines
    assert line.length_mm == pytest.approx(18.4, rel=0.08)
    assert line.contrast == pytest.approx(contrast, rel=0.15)
    assert not hair_in(assessment)


def test_the_bridge_of_thin_glasses_is_left_out_and_said_and_the_line_stays() -> None:
    assessment = measured(1.0, 0.3, glasses=True)
    assert Region.GLABELLA in hair_in(assessment)
    assert [line.region for line in assessment.lines if line.contrast > 0.6] == []
    assert sum(line.region is Region.FOREHEAD for line in assessment.lines) == 1


def a_strand(line: Line, *, bright: float = 0.0, unlike: float = 0.0) -> bool:
    profile = Profile(np.zeros((5, 2)), np.full(5, line.contrast), line.width_mm / 2.35, 1.0, bright)
    return _is_strand(line, profile, unlike, DEFAULTS)


def test_each_mark_of_a_hair_is_enough() -> None:
    line = dataclasses.replace(measured(1.0, 0.9).lines[0], width_mm=0.5, contrast=0.9)
    assert not a_strand(line)
    assert a_strand(line, unlike=0.4)  # darker than a fold so thin, and grey
    assert not a_strand(dataclasses.replace(line, contrast=0.5), unlike=0.4)
    assert not a_strand(dataclasses.replace(line, width_mm=1.0), unlike=0.4)
    assert a_strand(dataclasses.replace(line, width_mm=0.25))
    faint = dataclasses.replace(line, contrast=0.2)
    assert a_strand(faint, bright=0.18)  # the gap beside a light hair
    assert not a_strand(faint, bright=0.14) and not a_strand(line, bright=0.5)


@functools.cache
def one_line(
    contrast: float, min_likelihood: float, *, from_mm: float = -9.0, to_mm: float = 9.0
) -> Assessment:
    """Measure a drawn face with one level line over its forehead, decided at another likelihood."""
    path_mm = np.column_stack([np.linspace(from_mm, to_mm, 3), [-80.0, -81.0, -80.0]])
    line = PhantomLine(region=Region.FOREHEAD, path_mm=path_mm, width_mm=1.4, contrast=contrast)
    phantom = draw_phantom(Person(seed=5, lines=(line,), skin_tone=0.3), SHOT)
    settings = dataclasses.replace(DEFAULTS, min_likelihood=min_likelihood)
    return assess(
        phantom.photo, find=lambda photo: with_scale(find_face(photo), phantom.mm_per_px), settings=settings
    )


def forehead_of(assessment: Assessment) -> RegionMeasures:
    return next(measures for measures in assessment.regions if measures.region is Region.FOREHEAD)


def test_a_line_near_the_decision_widens_the_error_of_its_region_counted_or_not() -> None:
    (line,) = one_line(0.2, DEFAULTS.min_likelihood).lines
    depth = 100 * line.length_mm * line.contrast / (forehead_of(one_line(0.2, 0.4)).area_mm2 / 100)
    sure = forehead_of(one_line(0.2, 0.1))
    counted = forehead_of(one_line(0.2, line.likelihood - 0.001))
    missed = forehead_of(one_line(0.2, line.likelihood + 0.001))
    assert (sure.line_count, counted.line_count, missed.line_count) == (1, 1, 0)
    # At the decision itself it is there or not by chance: half of it is its standard deviation.
    assert sure.wrinkle_index_se < 0.25 * depth
    assert missed.wrinkle_index_se == pytest.approx(0.5 * depth, rel=0.15)
    assert counted.wrinkle_index_se == pytest.approx(np.hypot(0.5 * depth, sure.wrinkle_index_se), rel=0.1)


def test_a_dark_line_on_one_side_of_the_forehead_is_counted_and_doubted() -> None:
    lock, furrow = one_line(0.8, 0.4, from_mm=18.0, to_mm=44.0), one_line(0.8, 0.4, from_mm=-13.0, to_mm=13.0)
    assert forehead_of(lock).line_count == forehead_of(furrow).line_count == 1
    assert (hair_in(lock), hair_in(furrow)) == ({Region.FOREHEAD}, set())


def test_a_faint_line_beside_a_deep_one_stays_a_line() -> None:
    lines = tuple(
        PhantomLine(
            region=Region.FOREHEAD,
            path_mm=PATH_MM + np.array([0.0, down_mm]),
            width_mm=0.5,
            contrast=contrast,
        )
        for down_mm, contrast in ((0.0, 0.5), (2.2, 0.14))
    )
    phantom = draw_phantom(Person(seed=5, lines=lines, skin_tone=0.3), SHOT)
    assessment = assess(phantom.photo, find=lambda photo: with_scale(find_face(photo), phantom.mm_per_px))
    assert len(assessment.lines) == 2
    assert not hair_in(assessment)
