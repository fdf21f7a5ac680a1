"""What the lines of a region say together, in a pair."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .kinds import Contrast, share_of
from .pairs import ComparedLine, Comparison, KindTotal, RegionComparison, RunAverage
from .records import Assessment, Finding, LineKind, Region, RegionMeasures, Verdict
from .settings import DEFAULTS

_NORMAL_90 = 1.645
_COMMON_SD = 0.04
"""What blur, light and the shape of the face may do alike to all static shares of a pair."""


def sum_up(
    rest: Assessment,
    expression: Assessment,
    region: Region,
    lines: Sequence[ComparedLine],
    residual_mm: float,
    *,
    own: bool,
    scale_ratio: float,
) -> RegionComparison:
    """Sum up one region that was measured in both photos.

    scale_ratio: mm of the expression photo's own scale that one mm of the rest photo's scale is there.
    """
    here = [line for line in lines if line.region is region]
    before, after = (_measures(assessment, region) for assessment in (rest, expression))
    # mm × % / cm² goes with one over the scale.
    index, index_se = after.wrinkle_index * scale_ratio, after.wrinkle_index_se * scale_ratio
    scale_sd = rest.face.scale.relative_sd
    gap, gap_se = _gap(here, before.area_mm2 / 100)
    share = _mean_share(here)
    return RegionComparison(
        region=region,
        own=own,
        residual_mm=residual_mm,
        totals=tuple(_total(kind, here) for kind in LineKind),
        rest_index=before.wrinkle_index,
        rest_index_se=before.wrinkle_index_se,
        expression_index=index,
        expression_index_se=index_se,
        dynamic_gap=gap,
        dynamic_gap_se=math.hypot(gap_se, gap * scale_sd),
        static_share=share[0],
        static_share_low=share[1],
        static_share_high=share[2],
    )


def verdict_of(comparison: Comparison, region: Region) -> Verdict:
    """Return the worst of what is held against a region in a pair; REFUSE also where it was not measured."""
    if all(compared.region is not region for compared in comparison.regions):
        return Verdict.REFUSE
    order = (Verdict.PASS, Verdict.WARN, Verdict.REFUSE)
    found = [f.verdict for f in comparison.findings if f.region in (None, region)]
    return max(found, key=order.index, default=Verdict.PASS)


def reasons_of(comparison: Comparison, region: Region) -> list[Finding]:
    """Return what is held against a region in the pair, and where a photo refused it, its reasons too."""
    found = [f for f in comparison.findings if f.region in (None, region)]
    for assessment in (comparison.rest, comparison.expression):
        if all(m.region is not region for m in assessment.regions):
            found += [
                f
                for f in assessment.quality
                if f.region in (None, region) and f.verdict is Verdict.REFUSE and f not in found
            ]
    return found


def average_runs(comparisons: Sequence[Comparison]) -> tuple[RunAverage, ...]:
    """Average several pairs of one expression and visit, region by region; refused regions do not count."""
    return tuple(_average(region, comparisons) for region in Region)


def _average(region: Region, comparisons: Sequence[Comparison]) -> RunAverage:
    fit = [c for c in comparisons if verdict_of(c, region) is not Verdict.REFUSE]
    here = [next(r for r in c.regions if r.region is region) for c in fit]
    shares = [r.static_share for r in here if r.static_share is not None]
    return RunAverage(
        region,
        len(here),
        len(shares),
        *_mean_and_sd([r.expression_index for r in here]),
        *_mean_and_sd([r.dynamic_gap for r in here]),
        *_mean_and_sd(shares),
    )


def _mean_and_sd(values: Sequence[float]) -> tuple[float | None, float | None]:
    mean = float(np.mean(values)) if values else None
    return mean, float(np.std(values, ddof=1)) if len(values) > 1 else None


def _measures(assessment: Assessment, region: Region) -> RegionMeasures:
    return next(m for m in assessment.regions if m.region is region)


def _gap(lines: Sequence[ComparedLine], area_cm2: float) -> tuple[float, float]:
    """Return Σ length (mm) × deepening (%) / area over the lines that could be read in both; its error."""
    read = [line for line in lines if line.is_read]
    length = np.array([line.length_mm for line in read]) * 100 / area_cm2
    deeper = np.array([line.expression_contrast - line.rest_contrast for line in read])
    noise = np.array([math.hypot(line.rest_contrast_se, line.expression_contrast_se) for line in read])
    common = _COMMON_SD * float((length * np.array([abs(line.rest_contrast) for line in read])).sum())
    return float((length * deeper).sum()), math.hypot(float(np.linalg.norm(length * noise)), common)


def _total(kind: LineKind, lines: Sequence[ComparedLine]) -> KindTotal:
    of_kind = [line.length_mm for line in lines if line.kind is kind]
    return KindTotal(kind, len(of_kind), float(sum(of_kind)))


def _share_se(line: ComparedLine) -> float:
    """Return the standard error of a line's static share by its two contrasts."""
    rest = Contrast(line.rest_contrast, line.rest_contrast_se, line.rest_limit)
    expression = Contrast(line.expression_contrast, line.expression_contrast_se, line.expression_limit)
    return share_of(rest, expression, DEFAULTS.contrast_share_sd)[1]


def _mean_share(lines: Sequence[ComparedLine]) -> tuple[float | None, float | None, float | None]:
    """Return the static share of the lines that were told, by length, and its 90 % interval."""
    told = [line for line in lines if line.kind is not LineKind.INDETERMINATE]
    if not told:
        return None, None, None
    length = np.array([line.length_mm for line in told])
    share = np.array([line.static_share for line in told])
    half = _NORMAL_90 * np.array([_share_se(line) for line in told])
    mean = float((length * share).sum() / length.sum())
    own = float(np.linalg.norm(length * half) / length.sum())
    wide = math.hypot(own, _NORMAL_90 * _COMMON_SD)
    return mean, max(0.0, mean - wide), min(1.0, mean + wide)
