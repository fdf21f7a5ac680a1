"""Is the detection limit that a photo states the truth? Usual lines drawn at multiples of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from wrinklecv.lines import USUAL_LINE_MM
from wrinklecv.phantom import Person, Phantom, PhantomLine, Shot, TrueLine, draw_phantom
from wrinklecv.records import Assessment, Float, Region
from wrinklecv.regions import CANTHUS_MM

from .disturbed import assess_drawn
from .table import Table

MULTIPLES = (0.5, 1.0, 1.5, 2.0)
_TARGETS = {1.0: 0.9, 1.5: 1.0}
"""For all regions together: nine of ten at the limit is what it says; all of them from half as much more on
is the bar."""
_FIRST_SEED = 64_100
"""Used nowhere else; the limit was set on faces 720 to 726 and 64 000 to 64 011."""
_SIZES_PX_PER_MM = (4.0, 6.0, 8.0, 12.0)
_TONES = (0.1, 0.5, 0.9)
_WIDTH_MM = 1.06
_NEAR_MM = 1.2
_ALL = "all"
_EYE_DEG, _EYE_MM = (-10.0, 10.0, 30.0), 15.0
"""Directions from the outer canthus, downwards, and how far from it the middle of a line is."""


@dataclass(frozen=True, slots=True)
class Case:
    """One face without lines, and then with lines at each multiple of its own limits."""

    seed: int
    tone: float
    px_per_mm: float


@dataclass(frozen=True, slots=True)
class Found:
    """How many usual lines of one region were drawn at a multiple of its limit, and how many found."""

    region: Region
    multiple: float
    drawn: int
    found: int


def cases() -> list[Case]:
    """Every size in every tone."""
    every = [(tone, size) for size in _SIZES_PX_PER_MM for tone in _TONES]
    return [Case(_FIRST_SEED + n, tone, size) for n, (tone, size) in enumerate(every)]


def lines_at(contrasts: Mapping[Region, float]) -> tuple[PhantomLine, ...]:
    """Draw usual lines in every region that has a contrast."""
    half = USUAL_LINE_MM / 2
    level, upright = np.array([[-half, 0.3], [0.0, -0.3], [half, 0.3]]), np.array([[0.0, -half], [0.0, half]])
    places = [
        *((Region.FOREHEAD, level + np.array([u, v])) for u in (-24.0, 0.0, 24.0) for v in (-86.0, -77.0)),
        *((Region.GLABELLA, upright + np.array([u, -57.0])) for u in (-9.0, 9.0)),
        *((Region.CROWS_FEET_LEFT, _ray(turn_deg)) for turn_deg in _EYE_DEG),
        *((Region.CROWS_FEET_RIGHT, _ray(turn_deg) * (-1, 1)) for turn_deg in _EYE_DEG),
    ]
    return tuple(
        PhantomLine(region=region, path_mm=path_mm, width_mm=_WIDTH_MM, contrast=contrasts[region])
        for region, path_mm in places
        if region in contrasts
    )


def _ray(turn_deg: float) -> Float:
    outwards = np.array([np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))])
    along = np.linspace(-USUAL_LINE_MM / 2, USUAL_LINE_MM / 2, 3)[:, None] + _EYE_MM
    return np.asarray(CANTHUS_MM + along * outwards)


def measure(case: Case) -> tuple[Found, ...]:
    """Ask the face without lines for its limits, then draw lines at multiples of them."""
    bare = assess_drawn(_draw(case, {}))
    assert bare is not None, f"the bare face {case.seed} was not found"
    limits = {measures.region: measures.detection_limit for measures in bare.regions}
    result = []
    for multiple in MULTIPLES:
        phantom = _draw(case, {region: multiple * limit for region, limit in limits.items()})
        assessment = assess_drawn(phantom)
        assert assessment is not None, f"the face {case.seed} with lines was not found"
        for region in limits:
            drawn = [line for line in phantom.lines if line.region is region]
            found = sum(_is_found(line, assessment, case.px_per_mm) for line in drawn)
            result.append(Found(region, multiple, len(drawn), found))
    return tuple(result)


def _draw(case: Case, contrasts: Mapping[Region, float]) -> Phantom:
    size = case.px_per_mm
    shot = Shot(px_per_mm=size, width_px=round(210 * size), height_px=round(260 * size), jpeg_quality=92)
    person = Person(seed=case.seed, skin_tone=case.tone, lines=lines_at(contrasts))
    return draw_phantom(person, shot, seed=case.seed)


def _is_found(line: TrueLine, assessment: Assessment, px_per_mm: float) -> bool:
    """Tell whether a line that was found passes by the middle of the drawn one."""
    middle = line.path_xy[len(line.path_xy) // 2]
    gaps = [np.linalg.norm(one.path_xy - middle, axis=1).min() for one in assessment.lines_in(line.region)]
    return min(gaps, default=np.inf) <= _NEAR_MM * px_per_mm


def tables(pool: Executor) -> tuple[Table, ...]:
    """Measure every face, and set the shares found side by side."""
    faces = cases()
    results = [found for face in pool.map(measure, faces) for found in face]
    groups = {_ALL: tuple(Region), **{region.value.replace("_", " "): (region,) for region in Region}}
    rows = tuple(
        _row(name, multiple, [r for r in results if r.region in regions and r.multiple == multiple])
        for name, regions in groups.items()
        for multiple in MULTIPLES
    )
    note = (
        f"Lines of {USUAL_LINE_MM:.0f} mm, {_WIDTH_MM} mm wide, at multiples of the limit that the same face "
        f"states without them; {len(faces)} faces of three skin tones at 4, 6, 8 and 12 px per mm, JPEG 92."
    )
    head = ("region", "contrast over the stated limit", "lines found", "target", "")
    return (Table("Stated detection limit", head, rows, note),)


def _row(name: str, multiple: float, results: Sequence[Found]) -> tuple[str, ...]:
    drawn, found = sum(r.drawn for r in results), sum(r.found for r in results)
    target = _TARGETS.get(multiple) if name == _ALL else None
    met = "" if target is None else "met" if found >= target * drawn else "**missed**"
    wanted = "" if target is None else f"≥ {target:.0%}"
    return (name, f"{multiple:g} ×", f"{found / max(drawn, 1):.0%} of {drawn}", wanted, met)
