"""The nouns of a pair: what a rest photo and an expression photo of one face say together.

Static share and contrasts are those of one and the same stretch of skin, read in both photos in the same
way, whether or not a line was found there in each of them.
"""

from __future__ import annotations

import copyreg
from dataclasses import dataclass

import numpy as np

from .records import Assessment, Expression, Finding, Float, LineKind, Region, by_fields, frozen_array

SPEAKS_FOR: dict[Expression, tuple[Region, ...]] = {
    Expression.BROW_RAISE: (Region.FOREHEAD,),
    Expression.FROWN: (Region.GLABELLA,),
    Expression.SMILE: (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT),
}
"""Which regions' muscles an expression uses; what it says of other regions is labelled so."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedLine:
    """One line of a face in both photos of a pair.

    kind: what it is; confidence: 0–1, how sure; reason: why it is INDETERMINATE, a sentence, else empty.
    rest_path_mm, expression_path_mm: (N, 2) chart mm, the same N pieces of skin, in order;
    rest_path_xy, expression_path_xy: (N, 2) px of the photos.
    rest_line, expression_line: place in the assessments' `lines`, -1 where no line was found there.
    length_mm, width_mm: on the skin, by the rest photo's scale.
    rest_contrast, expression_contrast: read along the path; below 0 is brighter than beside. rest_limit,
    expression_limit: the contrast from which a line would have been seen at that place in that photo.
    static_share: contrast at rest over contrast in expression, 0–1, with its 90 % interval; None where the
    photos do not tell it.
    """

    region: Region
    kind: LineKind
    confidence: float
    reason: str
    rest_path_mm: Float
    expression_path_mm: Float
    rest_path_xy: Float
    expression_path_xy: Float
    rest_line: int
    expression_line: int
    length_mm: float
    width_mm: float
    rest_contrast: float
    rest_contrast_se: float
    rest_limit: float
    expression_contrast: float
    expression_contrast_se: float
    expression_limit: float
    static_share: float | None
    static_share_low: float | None
    static_share_high: float | None

    def __post_init__(self) -> None:
        points = len(self.rest_path_mm)
        for name in ("rest_path_mm", "expression_path_mm", "rest_path_xy", "expression_path_xy"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float32, (points, 2), name))

    @property
    def is_read(self) -> bool:
        """Whether both photos say something about it, be it too little to tell its kind."""
        return self.static_share is not None


@dataclass(frozen=True, slots=True)
class KindTotal:
    """How many lines of one kind, and how long they are together."""

    kind: LineKind
    count: int
    length_mm: float


@dataclass(frozen=True, slots=True)
class RegionComparison:
    """What a pair says about one region; `totals` holds every kind once.

    own: whether the expression uses this region's muscles. residual_mm: how far the two photos' skin may
    lie from where it was laid together. Indices: each photo's own, by the rest photo's scale.
    dynamic_gap: Σ(length_mm × deepening in %) / area in cm² over the lines that could be read in both
    photos, so a line just below one photo's limit does not count as none there.
    static_share: mean over lines that were told, weighted by length, with its 90 % interval; None where no
    line was told.
    """

    region: Region
    own: bool
    residual_mm: float
    totals: tuple[KindTotal, ...]
    rest_index: float
    rest_index_se: float
    expression_index: float
    expression_index_se: float
    dynamic_gap: float
    dynamic_gap_se: float
    static_share: float | None
    static_share_low: float | None
    static_share_high: float | None

    def total(self, kind: LineKind) -> KindTotal:
        """Return the lines of one kind."""
        return next(total for total in self.totals if total.kind is kind)


@dataclass(frozen=True, slots=True)
class Travel:
    """How far a part of the face moved from rest to expression, in the head's own frame, mm.

    up_mm: towards the crown; in_mm: towards the middle of the face. side "left" or "right" is the
    subject's own.
    """

    part: str
    side: str
    up_mm: float
    in_mm: float


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly the landmark model sees one movement, 0–1, in both photos."""

    name: str
    rest: float
    expression: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All that two photos of one face say together.

    name: which expression it is. Regions that were refused in either photo are absent from `regions`;
    `findings` says why, and every doubt about the pair. se_mm: how well `travels` are known.
    """

    rest: Assessment
    expression: Assessment
    name: Expression
    lines: tuple[ComparedLine, ...]
    regions: tuple[RegionComparison, ...]
    travels: tuple[Travel, ...]
    travel_se_mm: float
    strengths: tuple[Strength, ...]
    findings: tuple[Finding, ...]

    def lines_in(self, region: Region) -> tuple[ComparedLine, ...]:
        """Return the lines of one region."""
        return tuple(line for line in self.lines if line.region is region)


@dataclass(frozen=True, slots=True)
class RunAverage:
    """What several pairs of one expression and visit say about a region: mean and standard deviation.

    runs: how many pairs could be compared there; told: in how many of them a static share was told. A mean
    of none is None, and so is the standard deviation of fewer than two.
    """

    region: Region
    runs: int
    told: int
    expression_index: float | None
    expression_index_sd: float | None
    dynamic_gap: float | None
    dynamic_gap_sd: float | None
    static_share: float | None
    static_share_sd: float | None


copyreg.pickle(ComparedLine, by_fields)
