"""Two assessments of one face side by side: how far its index moved, and which lines came or went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from wrinklecv.codes import Code
from wrinklecv.records import Assessment, Float, Line, Region, RegionMeasures, Verdict

from .changes import DEEP_LINE, DEEP_LINE_PLACE_V_MM, MIRRORED

LEAST_RATIO = 0.01
"""A region that lost all its lines counts with this ratio: it must not vanish from the figure."""
SAME_LINE_MM = 1.5
"""A line is the same one when at least half of it lies within this of one of the others."""
_CLEAR_V_MM = DEEP_LINE_PLACE_V_MM - 2.5
"""Forehead lines below it may merge with the deep line that is drawn there."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The index (mm·% per cm²) of the same skin in the unchanged and the changed photo.

    se: standard error of the difference by what the two measurements say of themselves, without that of the
    scale, which is the same face's in both; None where that is not told.
    same_gate: the changed photo's resolution got the same verdict (pass or warn) as the unchanged one's.
    same_lines: no line was lost and none is new, so the rest is how they were measured.
    """

    before: float
    after: float
    same_gate: bool
    same_lines: bool
    se: float | None = None

    @property
    def log_ratio(self) -> float:
        """ln(after / before), no less than ln `LEAST_RATIO`; `before` must be above 0."""
        return float(np.log(max(self.after / self.before, LEAST_RATIO)))

    @property
    def errors(self) -> float | None:
        """The difference in standard errors, 0 or more; None where those are not told."""
        return None if self.se is None else abs(self.after - self.before) / max(self.se, 1e-9)


@dataclass(frozen=True, slots=True)
class Compared:
    """One change of one photo.

    face: all regions that both photos measured, None where there is none. refused: how many regions only
    the unchanged photo measured. *_mm: length of all lines there, and of those that the other lacks.
    """

    change: str
    regions: tuple[Pair, ...]
    face: Pair | None
    refused: int
    before_mm: float = 0.0
    lost_mm: float = 0.0
    after_mm: float = 0.0
    new_mm: float = 0.0


def compare(change: str, first: Assessment, second: Assessment | None) -> Compared:
    """Compare two assessments of one face; `second` is None where its face was not found."""
    before = _seen(first, deep_line=change == DEEP_LINE)
    after = _seen(second, deep_line=change == DEEP_LINE, mirrored=change == MIRRORED) if second else {}
    both = [region for region in before if region in after]
    lost = [_lengths_mm(before[r].lines, after[r].lines) for r in both]
    new = [_lengths_mm(after[r].lines, before[r].lines) for r in both]
    pairs = tuple(
        Pair(
            _index([before[r]]),
            _index([after[r]]),
            same_gate=before[r].low_resolution == after[r].low_resolution,
            same_lines=gone[1] + come[1] == 0.0,
            # The measures count the deep line that was drawn, too.
            se=None if change == DEEP_LINE else float(np.hypot(before[r].index_se, after[r].index_se)),
        )
        for r, gone, come in zip(both, lost, new, strict=True)
    )
    return Compared(
        change,
        pairs,
        _whole_face([before[r] for r in both], [after[r] for r in both], pairs),
        len(before) - len(both),
        before_mm=sum(every for every, _ in lost),
        lost_mm=sum(missing for _, missing in lost),
        after_mm=sum(every for every, _ in new),
        new_mm=sum(missing for _, missing in new),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One region of one photo, brought to the unchanged photo's sides; `lines`: (path_mm, length_mm).

    weight: length × contrast in % of its lines, mm·%; index_se: standard error of the index without the
    scale's.
    """

    weight: float
    index_se: float
    area_mm2: float
    low_resolution: bool
    lines: tuple[tuple[Float, float], ...]


def _seen(assessment: Assessment, *, deep_line: bool, mirrored: bool = False) -> dict[Region, _Seen]:
    result = {}
    for measures in assessment.regions:
        lines = [
            line for line in assessment.lines_in(measures.region) if not (deep_line and _near_deep(line))
        ]
        region = _MIRROR.get(measures.region, measures.region) if mirrored else measures.region
        side = (-1, 1) if mirrored else (1, 1)
        result[region] = _Seen(
            sum(line.length_mm * line.contrast * 100 for line in lines),
            _without_scale(measures, assessment.face.scale.relative_sd),
            measures.area_mm2,
            _low_resolution(assessment, measures),
            tuple((line.path_mm * side, line.length_mm) for line in lines),
        )
    return result


_MIRROR = {
    Region.CROWS_FEET_LEFT: Region.CROWS_FEET_RIGHT,
    Region.CROWS_FEET_RIGHT: Region.CROWS_FEET_LEFT,
}


def _near_deep(line: Line) -> bool:
    return line.region is Region.FOREHEAD and float(line.path_mm[:, 1].mean()) > _CLEAR_V_MM


def _low_resolution(assessment: Assessment, measures: RegionMeasures) -> bool:
    return any(
        finding.code is Code.LOW_RESOLUTION and finding.verdict is Verdict.WARN
        for finding in assessment.quality
        if finding.region is measures.region
    )


def _index(seen: Sequence[_Seen]) -> float:
    """Return Σ length × contrast over Σ area, mm·% per cm²."""
    return 100 * sum(s.weight for s in seen) / sum(s.area_mm2 for s in seen)


def _without_scale(measures: RegionMeasures, relative_sd: float) -> float:
    """Take the scale's share off the standard error of an index."""
    own = measures.wrinkle_index_se**2 - (measures.wrinkle_index * relative_sd) ** 2
    return float(np.sqrt(max(own, 0.0)))


def _whole_face(before: list[_Seen], after: list[_Seen], pairs: Sequence[Pair]) -> Pair | None:
    """Compare all regions together that both photos measured."""
    if not pairs:
        return None
    gates, lines = (p.same_gate for p in pairs), (p.same_lines for p in pairs)
    return Pair(_index(before), _index(after), same_gate=all(gates), same_lines=all(lines))


def _lengths_mm(
    lines: Sequence[tuple[Float, float]], others: Sequence[tuple[Float, float]]
) -> tuple[float, float]:
    """Return the length of all `lines` and of those of which less than half lies on one of `others`."""
    every, missing = 0.0, 0.0
    tree = cKDTree(np.concatenate([_dense(path) for path, _ in others])) if others else None
    for path, length_mm in lines:
        every += length_mm
        near = (tree.query(_dense(path))[0] <= SAME_LINE_MM).mean() if tree else 0.0
        missing += length_mm if near < 0.5 else 0.0
    return every, missing


def _dense(path: Float) -> Float:
    """Put places 0.2 mm apart on a chart path (N, 2) mm."""
    along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
    places = np.linspace(0, along[-1], int(along[-1] / 0.2) + 2)
    return np.column_stack([np.interp(places, along, path[:, k]) for k in (0, 1)])
