"""Lines of a region to its numbers, checked by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from wrinklecv.measures import measure_region
from wrinklecv.records import Line, Region, RegionMeasures


def a_line(length_mm: float, contrast: float, *, width_mm: float = 1.0, scale_sd: float = 0.0) -> Line:
    """Return a line whose own errors are 0.3 mm and 0.01, beside the scale's."""
    return Line(
        region=Region.GLABELLA,
        path_mm=np.zeros((2, 2)),
        path_xy=np.zeros((2, 2)),
        length_mm=length_mm,
        length_se_mm=math.hypot(0.3, length_mm * scale_sd),
        width_mm=width_mm,
        width_se_mm=0.1,
        contrast=contrast,
        contrast_se=0.01,
        max_contrast=contrast * 1.5,
        angle_deg=90.0,
        signal_to_noise=contrast / 0.01,
        likelihood=0.9,
    )


def measured(
    *lines: Line,
    area_mm2: float = 400.0,
    scale_sd: float = 0.0,
    undecided_mm: float = 0.0,
    undecided_depth_mm: float = 0.0,
) -> RegionMeasures:
    return measure_region(
        Region.GLABELLA,
        lines,
        coverage=0.8,
        area_mm2=area_mm2,
        detection_limit=0.02,
        undecided_mm=undecided_mm,
        undecided_depth_mm=undecided_depth_mm,
        scale_relative_sd=scale_sd,
        least_length_mm=LEAST_MM,
    )


LEAST_MM = 8.0
UNSEEN = LEAST_MM * 0.3 * 0.02 * 100 / 4  # one line below the detection limit, in index points
TWO = (a_line(20.0, 0.10, width_mm=0.8), a_line(10.0, 0.25, width_mm=1.4))


def test_the_wrinkle_index_is_length_times_contrast_in_percent_per_square_centimetre() -> None:
    result = measured(*TWO)
    assert result.wrinkle_index == pytest.approx((20 * 10 + 10 * 25) / 4)  # 112.5
    assert result.density_mm_per_cm2 == pytest.approx(30 / 4)
    assert result.line_count == 2
    assert result.total_length_mm == pytest.approx(30)
    assert result.longest_length_mm == 20
    assert result.max_contrast == pytest.approx(0.375)


def test_means_are_weighted_by_length() -> None:
    result = measured(*TWO)
    assert result.mean_contrast == pytest.approx((20 * 0.10 + 10 * 0.25) / 30)
    assert result.mean_width_mm == pytest.approx((20 * 0.8 + 10 * 1.4) / 30)


def test_no_lines_give_zeros_and_never_nan() -> None:
    values = dataclasses.asdict(measured())
    assert (values.pop("coverage"), values.pop("area_mm2"), values.pop("detection_limit")) == (0.8, 400, 0.02)
    assert values.pop("region") is Region.GLABELLA
    assert values.pop("wrinkle_index_se") == pytest.approx(UNSEEN)  # "none" is not certain
    assert values.pop("total_length_se_mm") == LEAST_MM
    assert set(values.values()) == {0}


@pytest.mark.parametrize("area_mm2", [0.0, -1.0])
def test_without_area_there_is_nothing_to_divide_by(area_mm2: float) -> None:
    with pytest.raises(ValueError, match="without seen skin"):
        measured(*TWO, area_mm2=area_mm2)


def test_the_index_does_not_depend_on_the_order_of_lines() -> None:
    assert measured(*TWO).wrinkle_index == pytest.approx(measured(*TWO[::-1]).wrinkle_index)


def test_a_line_cut_in_two_keeps_the_index() -> None:
    whole, parts = measured(a_line(20, 0.1)), measured(a_line(12, 0.1), a_line(8, 0.1))
    assert parts.wrinkle_index == pytest.approx(whole.wrinkle_index)
    assert parts.line_count == whole.line_count + 1


def test_the_errors_of_a_photos_lines_go_together() -> None:
    result = measured(*TWO)
    # Blur and shape err alike for all lines: L·0.01 add up, c·0.3 add up, and more lines do not help.
    by_contrast, by_length = (20 * 0.01 + 10 * 0.01) * 100 / 4, (0.10 * 0.3 + 0.25 * 0.3) * 100 / 4
    by_hand = math.hypot(by_contrast, by_length, UNSEEN)
    assert result.wrinkle_index_se == pytest.approx(by_hand)
    assert result.total_length_se_mm == pytest.approx(math.hypot(0.6, LEAST_MM))
    assert result.mean_contrast_se == pytest.approx(0.01)


def test_the_scales_error_is_common_to_all_lines_and_counted_once() -> None:
    lines = [a_line(20.0, 0.10, scale_sd=0.04), a_line(10.0, 0.25, scale_sd=0.04)]
    result, exact = measured(*lines, scale_sd=0.04), measured(*TWO)
    # A scale 4 % off puts the sum of lengths 4 % off: the errors do not average out over lines.
    assert result.total_length_se_mm == pytest.approx(math.hypot(exact.total_length_se_mm, 30 * 0.04))
    assert result.wrinkle_index_se == pytest.approx(
        math.hypot(exact.wrinkle_index_se, result.wrinkle_index * 0.04)
    )
    assert result.mean_contrast_se == pytest.approx(exact.mean_contrast_se)  # contrast knows no mm


def test_the_errors_formula_agrees_with_drawing_lots() -> None:
    rng = np.random.default_rng(0)
    scale = 1 + 0.04 * rng.standard_normal(40_000)
    common_length, common_contrast = rng.standard_normal((2, scale.size))
    sums = sum(
        (line.length_mm + 0.3 * common_length) * (line.contrast + 0.01 * common_contrast) for line in TWO
    )
    index = sums * scale * 100 / (4 * scale**2)  # mm grow with the scale, cm² with its square
    index += UNSEEN * rng.standard_normal(scale.size)
    lines = [a_line(20.0, 0.10, scale_sd=0.04), a_line(10.0, 0.25, scale_sd=0.04)]
    assert measured(*lines, scale_sd=0.04).wrinkle_index_se == pytest.approx(index.std(), rel=0.03)


def test_lines_near_the_decision_widen_the_errors_and_move_no_number() -> None:
    sure, unsure = measured(*TWO), measured(*TWO, undecided_mm=6.0, undecided_depth_mm=1.2)
    assert unsure.total_length_se_mm == pytest.approx(math.hypot(sure.total_length_se_mm, 6.0))
    assert unsure.wrinkle_index_se == pytest.approx(math.hypot(sure.wrinkle_index_se, 1.2 * 100 / 4))
    narrowed = dataclasses.replace(
        unsure, total_length_se_mm=sure.total_length_se_mm, wrinkle_index_se=sure.wrinkle_index_se
    )
    assert narrowed == sure
