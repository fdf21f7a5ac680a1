"""Draw a face with known lines, measure it, and set truth beside measurement.

The same comparison serves `wrinklecv selftest`, the benchmarks and the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .assessment import assess
from .face import find_face, with_scale
from .phantom import Person, Phantom, Shot, TrueLine, draw_phantom, random_lines
from .records import Assessment, Face, Line, Photo, Region

_NEAR_MM = 1.5
"""A measured line belongs to a drawn one when its middle half lies within this of it, on the photo."""

_LENGTH_SHARE, _CONTRAST_SHARE = 0.04, 0.05
"""What a sound installation keeps by a wide margin (README: accuracy)."""


@dataclass(frozen=True, slots=True)
class LineCheck:
    """One drawn line and what was measured of it.

    pieces: how many measured lines lie on it (0: missed, 1: right). The measured values are those of
    the longest piece, 0 where it was missed. Angles on the skin, `turn_deg` their difference.
    """

    region: Region
    pieces: int
    true_length_mm: float
    length_mm: float
    length_se_mm: float
    true_width_mm: float
    width_mm: float
    width_se_mm: float
    true_contrast: float
    contrast: float
    contrast_se: float
    turn_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A drawn face against its measurement; `extra` are measured lines that nobody drew."""

    lines: tuple[LineCheck, ...]
    extra: tuple[Line, ...]
    seen_cm2: float
    scale_ratio: float

    @property
    def found_once(self) -> int:
        """How many drawn lines were measured as exactly one line."""
        return sum(line.pieces == 1 for line in self.lines)

    @property
    def passed(self) -> bool:
        """Whether every line was found once, none beside, and the typical length and contrast are right."""
        if self.extra or self.found_once < len(self.lines):
            return False
        lengths = [abs(line.length_mm / line.true_length_mm - 1) for line in self.lines]
        contrasts = [abs(line.contrast / line.true_contrast - 1) for line in self.lines]
        return bool(np.median(lengths) <= _LENGTH_SHARE and np.median(contrasts) <= _CONTRAST_SHARE)

    @property
    def false_mm_per_cm2(self) -> float:
        """Length of lines that nobody drew, per area of skin that was seen."""
        return sum(line.length_mm for line in self.extra) / self.seen_cm2 if self.seen_cm2 else 0.0


def run_selftest(*, seed: int = 1) -> Check:
    """Draw one face with random lines, measure it with the drawn scale given, and compare."""
    lines = random_lines(np.random.default_rng(seed))
    phantom = draw_phantom(Person(seed=seed, lines=lines), Shot(jpeg_quality=92), seed=seed)
    return check_phantom(phantom)


def check_phantom(phantom: Phantom, *, scale_given: bool = True) -> Check:
    """Measure a drawn face and compare with its truth.

    scale_given: take mm per px from the drawing, so that lengths are judged apart from the iris.
    Raises NoFaceError when the landmark model does not find the drawn face.
    """
    face = find_face(phantom.photo)
    ratio = face.scale.mm_per_px / phantom.mm_per_px
    used = with_scale(face, phantom.mm_per_px) if scale_given else face

    def find(_: Photo) -> Face:
        return used

    assessment = assess(phantom.photo, find=find)
    return compare_lines(phantom.lines, assessment, scale_ratio=ratio)


def compare_lines(drawn: tuple[TrueLine, ...], assessment: Assessment, *, scale_ratio: float) -> Check:
    """Set drawn lines beside measured ones; regions that were refused count as missed."""
    near_px = _NEAR_MM / assessment.face.scale.mm_per_px
    left = list(assessment.lines)
    checks = []
    for true in drawn:
        tree = cKDTree(true.path_xy)
        on_it = [m for m in left if m.region is true.region and _off_px(tree, m) < near_px]
        left = [m for m in left if not any(m is found for found in on_it)]
        checks.append(_check(true, on_it))
    seen_cm2 = sum(region.area_mm2 for region in assessment.regions) / 100
    return Check(tuple(checks), tuple(left), seen_cm2, scale_ratio)


def _off_px(tree: cKDTree, line: Line) -> float:
    return float(np.median(tree.query(line.path_xy)[0]))


def _check(true: TrueLine, found: list[Line]) -> LineCheck:
    best = max(found, key=lambda line: line.length_mm, default=None)
    turn = (best.angle_deg - true.angle_deg + 90) % 180 - 90 if best else 0.0
    return LineCheck(
        region=true.region,
        pieces=len(found),
        true_length_mm=true.length_mm,
        length_mm=best.length_mm if best else 0.0,
        length_se_mm=best.length_se_mm if best else 0.0,
        true_width_mm=true.width_mm,
        width_mm=best.width_mm if best else 0.0,
        width_se_mm=best.width_se_mm if best else 0.0,
        true_contrast=true.contrast,
        contrast=best.contrast if best else 0.0,
        contrast_se=best.contrast_se if best else 0.0,
        turn_deg=turn,
    )
