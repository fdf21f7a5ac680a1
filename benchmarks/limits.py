"""Is the detection limit that a photo states the truth? Usual lines at multiples of it, on drawn faces and
drawn onto photos of real ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from wrinklecv.assessment import assess
from wrinklecv.chart import mm_to_patches, to_photo
from wrinklecv.errors import PhotoError
from wrinklecv.lines import USUAL_LINE_MM
from wrinklecv.phantom import Person, Phantom, PhantomLine, Shot, draw_phantom
from wrinklecv.photo import read_photo
from wrinklecv.profiles import FWHM
from wrinklecv.records import Assessment, Float, Mask, Photo, Region
from wrinklecv.regions import CANTHUS_MM
from wrinklecv.settings import DEFAULTS
from wrinklecv.skin import find_skin

from .changes import with_line
from .disturbed import assess_drawn
from .photos import photos_in
from .table import WORDS, Table

MULTIPLES = (0.5, 1.0, 1.5, 2.0)
_LEAST = {1.0: 0.9, 1.5: 1.0}
"""Nine of ten at the limit is what it says; all of them from half as much more on is the bar."""
_MOST = {0.5: 0.8}
"""A limit at half of which most lines are found is too high: it would call what it does not know unseen."""
_FIRST_SEED = 64_200
"""Used nowhere else; the limit was set on faces 65 000 to 65 008, and looked at on 64 000 to 64 111."""
_SIZES_PX_PER_MM = (4.0, 6.0, 8.0, 12.0)
_TONES = (0.1, 0.5, 0.9)
_WIDTH_MM = 1.06
_NEAR_MM = 1.2
_EYE_DEG, _EYE_MM = (-10.0, 10.0, 30.0), 15.0
"""Directions from the outer canthus, downwards, and how far from it the middle of a line is."""
_MOST_PHOTOS = 30
_SAMPLE_SEED = 9700


@dataclass(frozen=True, slots=True)
class Case:
    """One drawn face without lines, and then with lines at each multiple of its own limits."""

    seed: int
    tone: float
    px_per_mm: float


@dataclass(frozen=True, slots=True)
class Found:
    """Whether one usual line, drawn at a multiple of its region's limit, was found."""

    region: Region
    multiple: float
    found: bool


def run(data: Path) -> tuple[Table, ...]:
    """Ask faces for their limits and draw lines at multiples of them: drawn faces, and photos in `data`."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return (*_drawn(pool), *_real(pool, data))


def usual_lines() -> Iterator[tuple[Region, Float]]:
    """Yield usual lines all over the regions: each its region and path (3, 2), chart mm."""
    half = USUAL_LINE_MM / 2
    level, upright = (
        np.array([[-half, 0.3], [0.0, -0.3], [half, 0.3]]),
        np.array([[0, -half], [0, 0], [0, half]]),
    )
    yield from ((Region.FOREHEAD, level + np.array([u, v])) for u in (-24, 0, 24) for v in (-86, -77))
    yield from ((Region.GLABELLA, upright + np.array([u, -57])) for u in (-9, 9))
    for turn_deg in _EYE_DEG:
        outwards = np.array([np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))])
        ray = CANTHUS_MM + (np.array([-half, 0, half])[:, None] + _EYE_MM) * outwards
        yield Region.CROWS_FEET_LEFT, ray
        yield Region.CROWS_FEET_RIGHT, ray * (-1, 1)


def _limits(assessment: Assessment) -> dict[Region, float]:
    return {measures.region: measures.detection_limit for measures in assessment.regions}


def _is_near(place_xy: Float, assessment: Assessment, region: Region, near_px: float) -> bool:
    """Tell whether a line that was found passes by a place of the photo."""
    lines = assessment.lines_in(region)
    return any(np.linalg.norm(line.path_xy - place_xy, axis=1).min() <= near_px for line in lines)


# -- drawn faces ---------------------------------------------------------------------------------------


def cases() -> list[Case]:
    """Every size in every tone."""
    every = [(tone, size) for size in _SIZES_PX_PER_MM for tone in _TONES]
    return [Case(_FIRST_SEED + n, tone, size) for n, (tone, size) in enumerate(every)]


def measure(case: Case) -> tuple[Found, ...]:
    """Ask the face without lines for its limits, then draw it with lines at multiples of them."""
    bare = assess_drawn(_draw(case, {}))
    assert bare is not None, f"the bare face {case.seed} was not found"
    limits = _limits(bare)
    result = []
    for multiple in MULTIPLES:
        phantom = _draw(case, {region: multiple * limit for region, limit in limits.items()})
        assessment = assess_drawn(phantom)
        assert assessment is not None, f"the face {case.seed} with lines was not found"
        for line in phantom.lines:
            middle_xy = line.path_xy[len(line.path_xy) // 2]
            found = _is_near(middle_xy, assessment, line.region, _NEAR_MM * case.px_per_mm)
            result.append(Found(line.region, multiple, found))
    return tuple(result)


def _draw(case: Case, contrasts: Mapping[Region, float]) -> Phantom:
    size = case.px_per_mm
    shot = Shot(px_per_mm=size, width_px=round(210 * size), height_px=round(260 * size), jpeg_quality=92)
    lines = tuple(
        PhantomLine(region=region, path_mm=path_mm, width_mm=_WIDTH_MM, contrast=contrasts[region])
        for region, path_mm in usual_lines()
        if region in contrasts
    )
    return draw_phantom(Person(seed=case.seed, skin_tone=case.tone, lines=lines), shot, seed=case.seed)


def _drawn(pool: Executor) -> tuple[Table, ...]:
    faces = cases()
    note = (
        f"Lines of {USUAL_LINE_MM:.0f} mm, {_WIDTH_MM} mm wide, at multiples of the limit that the same face "
        f"states without them; {len(faces)} faces of three skin tones at 4, 6, 8 and 12 px per mm, JPEG 92."
    )
    return (_table("Stated detection limit: drawn faces", list(pool.map(measure, faces)), note),)


# -- real photos ---------------------------------------------------------------------------------------


def measure_real(path: Path) -> tuple[Found, ...]:
    """Draw lines onto one photo at multiples of its limits; empty when it cannot be measured.

    Lines count where they lie on visible skin (a brow or hair hides any) that shows no line of its own.
    """
    try:
        photo = read_photo(path)
        before = assess(photo)
    except PhotoError:
        return ()
    limits, chart = _limits(before), before.chart
    assert chart is not None, "a photo measured here keeps its chart"
    usable = find_skin(chart, settings=DEFAULTS).usable
    placed = [
        (region, to_photo(chart, _smaller(path_mm)))
        for region, path_mm in usual_lines()
        if region in limits and _is_skin(usable, path_mm)
    ]
    result = []
    for multiple in MULTIPLES:
        pixels = photo.pixels
        for region, path_xy in placed:
            px_per_mm = _px_per_mm(path_xy)
            pixels = with_line(
                pixels, path_xy, sd_px=_WIDTH_MM / FWHM * px_per_mm, contrast=multiple * limits[region]
            )
        try:
            after = assess(Photo(pixels, ""))
        except PhotoError:
            continue
        seen = _limits(after)
        for region, path_xy in placed:
            near_px = _NEAR_MM * _px_per_mm(path_xy)
            if region in seen and not _is_near(path_xy[1], before, region, near_px):
                result.append(Found(region, multiple, _is_near(path_xy[1], after, region, near_px)))
    return tuple(result)


def _is_skin(usable: Mask, path_mm: Float) -> bool:
    """Tell whether ends and middle of a path lie on usable skin, a patch mask."""
    columns, rows = np.rint(mm_to_patches(path_mm)).astype(int).T
    return bool(usable[rows, columns].all())


def _smaller(path_mm: Float) -> Float:
    """Take half a width off both ends: the round ends of a line that is drawn so reach as far again."""
    return np.asarray(path_mm[1] + (path_mm - path_mm[1]) * (1 - _WIDTH_MM / USUAL_LINE_MM))


def _px_per_mm(path_xy: Float) -> float:
    """Return the photo's pixels per chart mm along a line that was placed on it."""
    steps = np.linalg.norm(np.diff(path_xy, axis=0), axis=1)
    return float(steps.sum() / (USUAL_LINE_MM - _WIDTH_MM))


def _real(pool: Executor, data: Path) -> tuple[Table, ...]:
    """Draw lines onto some photos in `data`: of the development photos, those at rest."""
    every = [
        path for path in photos_in(data) if "drawn_lines" not in path.parts and "smile.jpg" not in path.name
    ]
    if not every:
        return ()
    lot = random.Random(_SAMPLE_SEED)  # noqa: S311 - a sample, not a secret
    some = sorted(lot.sample(every, min(len(every), _MOST_PHOTOS)))
    results = list(pool.map(measure_real, some))
    note = (
        f"The same lines drawn onto {sum(bool(r) for r in results)} real photos of {data.name}, drawn by lot "
        "(seed fixed), at multiples of the limit that the photo itself states, where it shows skin and no "
        "line of its own. The limit was set on photos of these sets. Lines drawn so darken all colours "
        "alike: short ones of more contrast than 0.5 or so are taken for hair now and then."
    )
    return (_table("Stated detection limit: real photos", results, note),)


# -- tables --------------------------------------------------------------------------------------------


def _table(title: str, faces: Sequence[tuple[Found, ...]], note: str) -> Table:
    """Set the shares found side by side."""
    results = [found for face in faces for found in face]
    groups = {"all": tuple(Region), **{region.value.replace("_", " "): (region,) for region in Region}}
    rows = tuple(
        _row(name, multiple, [r for r in results if r.region in regions and r.multiple == multiple])
        for name, regions in groups.items()
        for multiple in MULTIPLES
    )
    return Table(title, ("region", "contrast over the stated limit", "lines found", "target", ""), rows, note)


def _row(name: str, multiple: float, results: Sequence[Found]) -> tuple[str, ...]:
    drawn, found = len(results), sum(r.found for r in results)
    share = found / drawn if drawn else float("nan")
    least, most = (bars.get(multiple) if drawn else None for bars in (_LEAST, _MOST))
    wanted, met = "", None
    if least is not None:
        wanted, met = f"≥ {least:.0%}", share >= least
    if most is not None:
        wanted, met = f"≤ {most:.0%}", share <= most
    return (name, f"{multiple:g} ×", f"{share:.0%} of {drawn}" if drawn else "–", wanted, WORDS[met])
