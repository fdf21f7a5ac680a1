"""Lines of a region → its numbers. Higher = more lines."""

from __future__ import annotations

import numpy as np

from .records import Line, Region, RegionMeasures

_UNSEEN_SHARE = 0.3
"""Contrast, over the detection limit, of a line that is there and was not found (root mean square): half of
the lines are found from 0.4 to 0.7 of the limit on, and below that any contrast is as likely as another."""


def measure_region(
    region: Region,
    lines: tuple[Line, ...],
    *,
    coverage: float,
    area_mm2: float,
    detection_limit: float,
    undecided_mm: float,
    undecided_depth_mm: float,
    scale_relative_sd: float,
    least_length_mm: float,
) -> RegionMeasures:
    """Sum up the `lines` of one region over the skin that was seen.

    wrinkle_index = Σ(length_mm × contrast in %) / area in cm² (docs/measurement.md).
    Its standard error adds: the lines' own errors, taken to go together, because blur and the shape of
    the face err alike for all lines of a photo; the scale's (mm / cm² goes with 1 / scale); one line of
    `least_length_mm` that is there and was not found (`_UNSEEN_SHARE`), so that "none" is not certain
    either; and what hangs on lines near the decision (`undecided_…`: see `lines.Detected`).
    Raises ValueError when no area was seen: there is nothing to divide by.
    """
    if area_mm2 <= 0:
        raise ValueError("a region without seen skin has no measures")
    area_cm2 = area_mm2 / 100
    lengths = np.array([line.length_mm for line in lines])
    contrasts = np.array([line.contrast for line in lines])
    errors = np.array([line.contrast_se for line in lines])
    widths = np.array([line.width_mm for line in lines])
    # Without the scale's share, which is added once below.
    own = np.sqrt([max(n.length_se_mm**2 - (n.length_mm * scale_relative_sd) ** 2, 0.0) for n in lines])
    total = float(lengths.sum())
    mean = float((lengths * contrasts).sum() / total) if lines else 0.0
    to_index = 100 / area_cm2
    index = float((lengths * contrasts).sum()) * to_index
    by_contrast = float((lengths * errors).sum()) * to_index
    by_length = float((own * contrasts).sum()) * to_index
    unseen = least_length_mm * _UNSEEN_SHARE * detection_limit * to_index
    undecided = undecided_depth_mm * to_index
    return RegionMeasures(
        region=region,
        coverage=coverage,
        area_mm2=area_mm2,
        line_count=len(lines),
        total_length_mm=total,
        total_length_se_mm=float(
            np.linalg.norm((own.sum(), total * scale_relative_sd, least_length_mm, undecided_mm))
        ),
        longest_length_mm=float(lengths.max(initial=0.0)),
        density_mm_per_cm2=total / area_cm2,
        mean_contrast=mean,
        mean_contrast_se=float((lengths * errors).sum() / total) if lines else 0.0,
        max_contrast=max((line.max_contrast for line in lines), default=0.0),
        mean_width_mm=float((lengths * widths).sum() / total) if lines else 0.0,
        wrinkle_index=index,
        wrinkle_index_se=float(
            np.linalg.norm((by_contrast, by_length, index * scale_relative_sd, unseen, undecided))
        ),
        detection_limit=detection_limit,
    )
