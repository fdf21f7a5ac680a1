"""Lines of a region → its numbers. Higher = more lines."""

from __future__ import annotations

import numpy as np

from .records import Line, Region, RegionMeasures


def measure_region(
    region: Region,
    lines: tuple[Line, ...],
    *,
    coverage: float,
    area_mm2: float,
    detection_limit: float,
    scale_relative_sd: float,
) -> RegionMeasures:
    """Sum up the `lines` of one region over the skin that was seen.

    wrinkle_index = Σ(length_mm × contrast in %) / area in cm² (measurement.md section 1).
    Its standard error adds the lines' own errors (independent) and the scale's (common: mm / cm²
    goes with 1 / scale).
    Raises ValueError when no area was seen: there is nothing to divide by.
    """
    if area_mm2 <= 0:
        raise ValueError("a region without seen skin has no measures")
    area_cm2 = area_mm2 / 100
    lengths = np.array([line.length_mm for line in lines])
    # Without the scale's share, which is common to all lines and added once below.
    own = np.array(
        [np.sqrt(max(line.length_se_mm**2 - (line.length_mm * scale_relative_sd) ** 2, 0)) for line in lines]
    )
    contrasts = np.array([line.contrast for line in lines])
    errors = np.array([line.contrast_se for line in lines])
    widths = np.array([line.width_mm for line in lines])
    total = float(lengths.sum())
    mean = float((lengths * contrasts).sum() / total) if lines else 0.0
    index = float((lengths * contrasts).sum()) * 100 / area_cm2
    index_own = float(np.sqrt(((lengths * errors) ** 2 + (own * contrasts) ** 2).sum())) * 100 / area_cm2
    return RegionMeasures(
        region=region,
        coverage=coverage,
        area_mm2=area_mm2,
        line_count=len(lines),
        total_length_mm=total,
        total_length_se_mm=float(np.hypot(np.sqrt((own**2).sum()), total * scale_relative_sd)),
        longest_length_mm=float(lengths.max(initial=0.0)),
        density_mm_per_cm2=total / area_cm2,
        mean_contrast=mean,
        mean_contrast_se=float(np.sqrt(((lengths * errors) ** 2).sum()) / total) if lines else 0.0,
        max_contrast=max((line.max_contrast for line in lines), default=0.0),
        mean_width_mm=float((lengths * widths).sum() / total) if lines else 0.0,
        wrinkle_index=index,
        wrinkle_index_se=float(np.hypot(index_own, index * scale_relative_sd)),
        detection_limit=detection_limit,
    )
