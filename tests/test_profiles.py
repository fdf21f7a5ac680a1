"""The profile across a line: drawn Gaussian valleys on sloping, noisy ground."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from wrinklecv.paths import resample
from wrinklecv.profiles import FWHM, Profile, measure_profile
from wrinklecv.records import Float
from wrinklecv.settings import DEFAULTS

PX_PER_MM = 6.0
START_MM, STOP_MM, LEVEL_MM = 6.0, 26.0, 6.04
"""The line drawn below: from where to where, and at which height, in a picture of 32 × 12 mm."""


def mm_grid() -> tuple[Float, Float]:
    y, x = np.mgrid[: int(12 * PX_PER_MM), : int(32 * PX_PER_MM)].astype(float)
    return x / PX_PER_MM, y / PX_PER_MM


def valley(width_mm: float, contrast: float, *, noise: float = 0.0, seed: int = 0) -> Float:
    """Return log light of one level line; its ends fade over 1 mm and are half deep at the true ends."""
    x, y = mm_grid()
    to_end = np.minimum(x - START_MM, STOP_MM - x)
    fade = 0.5 + 0.5 * np.sin(np.pi * np.clip(to_end, -0.5, 0.5))
    ground = 0.03 * (y - 6) + 0.01 * (x - 16) - 1.5
    line = contrast * fade * np.exp(-((y - LEVEL_MM) ** 2) / (2 * (width_mm / FWHM) ** 2))
    return ground - line + noise * np.random.default_rng(seed).standard_normal(x.shape)


def measured(
    light: Float, *, blur_mm: float = 0.0, off_mm: float = 0.1, start: float = 7.5, stop: float = 25.0
) -> Profile:
    """Measure along a path that starts too late, stops too early and lies beside the floor."""
    path = np.array([[start, LEVEL_MM + off_mm], [stop, LEVEL_MM + off_mm]]) * PX_PER_MM
    return measure_profile(
        light.astype(np.float32),
        resample(path, 0.25 * PX_PER_MM),
        px_per_mm=PX_PER_MM,
        extend_mm=DEFAULTS.end_search_mm,
        blur_mm2=blur_mm**2 - 1 / 15 / PX_PER_MM**2,
    )


def depth_of(profile: Profile) -> float:
    """Return the mean contrast without the ends, where the line fades."""
    return float(profile.depths[6:-6].mean())


@pytest.mark.parametrize("width_mm", [0.4, 0.6, 0.8, 1.2, 1.6])
@pytest.mark.parametrize("contrast", [0.08, 0.3])
def test_contrast_and_width_are_those_that_were_drawn(width_mm: float, contrast: float) -> None:
    profile = measured(valley(width_mm, contrast, noise=0.01))
    # The bars for drawn truth: contrast ± 3 %, width ± 10 %. Not met by thin lines: reading the chart
    # between its pixels flattens a line of 0.6 mm by 3 %, one of 0.4 mm by 5 %, beside 1 % of noise.
    share = {0.4: 0.06, 0.6: 0.045}.get(width_mm, 0.03)
    assert depth_of(profile) == pytest.approx(contrast, rel=share)
    assert profile.sigma_mm * FWHM == pytest.approx(width_mm, rel=0.10)


@pytest.mark.parametrize("width_mm", [0.4, 0.8, 1.6])
@pytest.mark.parametrize(("start", "stop"), [(7.5, 25.0), (6.0, 26.0), (4.5, 27.5)])
def test_the_ends_are_found_from_too_short_and_too_long_a_path(
    width_mm: float, start: float, stop: float
) -> None:
    path = measured(valley(width_mm, 0.2, noise=0.01), start=start, stop=stop).path_px / PX_PER_MM
    assert path[0, 0] == pytest.approx(START_MM, abs=0.35)  # what the length's error promises
    assert path[-1, 0] == pytest.approx(STOP_MM, abs=0.35)


def test_the_path_moves_onto_the_floor() -> None:
    path = measured(valley(0.8, 0.2, noise=0.01), off_mm=0.15).path_px / PX_PER_MM
    assert np.abs(path[:, 1] - LEVEL_MM).max() < 0.05


@pytest.mark.parametrize("blur_mm", [0.1, 0.2])
@pytest.mark.parametrize("width_mm", [0.6, 1.0, 1.6])
def test_blur_is_taken_off_width_and_depth(width_mm: float, blur_mm: float) -> None:
    sharp = valley(width_mm, 0.2)
    blurred = gaussian_filter(sharp, (blur_mm * PX_PER_MM, 0), mode="nearest")
    seen, corrected = measured(blurred), measured(blurred, blur_mm=blur_mm)
    assert depth_of(corrected) == pytest.approx(0.2, rel=0.05)
    assert corrected.sigma_mm * FWHM == pytest.approx(width_mm, rel=0.10)
    assert depth_of(seen) < depth_of(corrected)
    assert seen.sigma_mm > corrected.sigma_mm


def test_more_blur_than_line_is_not_made_up_into_a_spike() -> None:
    profile = measured(valley(0.5, 0.2), blur_mm=1.0)
    assert np.isfinite(profile.depths).all()
    assert depth_of(profile) < 0.2 / 0.5


@pytest.mark.parametrize("width_mm", [0.4, 0.8, 1.6])
def test_a_valley_is_even(width_mm: float) -> None:
    _, y = mm_grid()
    level = valley(width_mm, 0.2) - 0.03 * y
    assert measured(level).evenness > 0.8
    assert measured(level + 0.03 * y).evenness > 2 * DEFAULTS.min_evenness


@pytest.mark.parametrize("soft_mm", [0.15, 0.3, 0.6])
def test_a_step_edge_is_not_even(soft_mm: float) -> None:
    """The ridge filter answers on the dark foot of an edge; only its evenness gives it away."""
    _, y = mm_grid()
    edge = 0.3 * 0.5 * (1 + erf((y - LEVEL_MM - soft_mm) / (np.sqrt(2) * soft_mm)))
    assert measured(edge, off_mm=0.0).evenness < DEFAULTS.min_evenness / 2


def test_depth_follows_the_line_along_its_length() -> None:
    x, y = mm_grid()
    fading = np.interp(x, [6, 26], [0.1, 0.3])
    light = -fading * np.exp(-((y - LEVEL_MM) ** 2) / (2 * (0.8 / FWHM) ** 2))
    profile = measured(light)
    at_mm = profile.path_px[:, 0] / PX_PER_MM
    inner = (at_mm > 8) & (at_mm < 24)
    assert profile.depths[inner] == pytest.approx(np.interp(at_mm[inner], [6, 26], [0.1, 0.3]), rel=0.05)


def test_brightness_changes_nothing() -> None:
    light = valley(0.8, 0.2, noise=0.01)
    plain, bright = measured(light), measured(light + 0.7)
    assert depth_of(bright) == pytest.approx(depth_of(plain), rel=1e-3)
    assert bright.sigma_mm == pytest.approx(plain.sigma_mm, rel=1e-3)


def test_a_deep_line_four_millimetres_away_changes_little() -> None:
    _, y = mm_grid()
    other = -1.0 * np.exp(-((y - LEVEL_MM - 4.0) ** 2) / (2 * (1.0 / FWHM) ** 2))
    light = valley(0.8, 0.1)
    alone, beside = measured(light), measured(light + other)
    assert depth_of(beside) == pytest.approx(depth_of(alone), rel=0.03)
    assert beside.sigma_mm == pytest.approx(alone.sigma_mm, rel=0.10)


def test_a_bright_thread_beside_the_valley_is_told_and_skin_between_lines_is_not() -> None:
    _, y = mm_grid()
    for aside_mm in (1.2, -1.2):
        thread = 0.3 * np.exp(-((y - LEVEL_MM - aside_mm) ** 2) / (2 * 0.1**2))
        assert measured(valley(1.0, 0.1) + thread).bright_beside > 0.15
    for apart_mm in (1.2, 1.5, 2.0, 3.0):  # a faint line beside a deep one is a line
        deep = 0.45 * np.exp(-((y - LEVEL_MM - apart_mm) ** 2) / (2 * (0.5 / FWHM) ** 2))
        assert measured(valley(0.5, 0.12) - deep).bright_beside < 0.15
    assert measured(valley(1.0, 0.3)).bright_beside < 0.1
