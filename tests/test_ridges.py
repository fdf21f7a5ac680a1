"""The ridge filter against theory, against scikit-image, and against everything that must not change it."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter
from skimage.filters import sato

from wrinklecv.chart import linear_light
from wrinklecv.records import Float
from wrinklecv.ridges import PEAK_RESPONSE, across, find_ridges, hessian_at, normal_of
from wrinklecv.settings import DEFAULTS

PX_PER_MM = 6.0
SIZE = 240
"""A whole number of the coarsest filter's samples, so that turned pictures have the same grid."""
ROUNDING = 1e-4
"""Of float32: σ² of up to 17 px² times the last bit of a light of -3; 0.0003 of contrast."""


def response(light: Float, *sigmas_mm: float) -> Float:
    sigmas = sigmas_mm or DEFAULTS.sigmas_mm
    return find_ridges(light.astype(np.float32), sigmas_mm=sigmas, px_per_mm=PX_PER_MM).response


def line(contrast: float, sd_mm: float, *, turn_deg: float = 0.0, at_px: float = SIZE / 2) -> Float:
    """Return log light (SIZE, SIZE) of an endless Gaussian line through (middle, `at_px`)."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    turn = np.deg2rad(turn_deg)
    aside_mm = ((y - at_px) * np.cos(turn) - (x - SIZE / 2) * np.sin(turn)) / PX_PER_MM
    return np.asarray(-contrast * np.exp(-(aside_mm**2) / (2 * sd_mm**2)) - 1.0)


def skin(seed: int = 0) -> Float:
    """Return log light of some texture: noise at several scales."""
    rng = np.random.default_rng(seed)
    layers = [gaussian_filter(rng.standard_normal((SIZE, SIZE)), s) * s for s in (1, 3, 8)]
    return np.asarray(0.02 * np.sum(layers, axis=0) - 1.0)


def astronaut() -> Float:
    """Return log light of a real face."""
    face = skimage.data.astronaut()[20:260, 100:340]  # type: ignore[no-untyped-call]
    linear = linear_light()[face]
    return np.asarray(np.log(linear @ np.array([0.2126, 0.7152, 0.0722]) + 1 / 4096))


@pytest.mark.parametrize("picture", [skin(), astronaut()], ids=["texture", "astronaut"])
@pytest.mark.parametrize("sigma_mm", DEFAULTS.sigmas_mm)
def test_it_agrees_with_sato(picture: Float, sigma_mm: float) -> None:
    # At the rim the two repeat the picture differently; it is the chart's margin, where no line is sought.
    ours = response(picture, sigma_mm)[30:-30, 30:-30]
    theirs = sato(picture, sigmas=[sigma_mm * PX_PER_MM], mode="reflect")  # type: ignore[no-untyped-call]
    theirs = theirs[30:-30, 30:-30]
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] >= 0.998
    assert (ours * theirs).sum() / (theirs**2).sum() == pytest.approx(1, abs=0.03)


def test_a_flat_picture_gives_nothing() -> None:
    assert response(np.full((SIZE, SIZE), -2.0)).max() < 1e-5


def test_a_constant_slope_gives_nothing() -> None:
    y, x = np.mgrid[:SIZE, :SIZE]
    slope = 0.5 * x / SIZE - 0.8 * y / SIZE
    inside = response(slope)[30:-30, 30:-30]  # at the rim the reflected slope is a fold
    assert inside.max() < 1e-4


@pytest.mark.parametrize("turn_deg", [0.0, 22.5, 45.0, 80.0, 90.0])
@pytest.mark.parametrize("sigma_mm", DEFAULTS.sigmas_mm)
def test_a_line_answers_with_its_contrast_at_its_best_scale(sigma_mm: float, turn_deg: float) -> None:
    picture = line(0.2, sigma_mm / np.sqrt(2), turn_deg=turn_deg)
    # A line of 0.85 px sd is at the grid's own limit: the three-point differences then err by 6 %.
    share = 0.07 if sigma_mm < 0.3 else 0.03
    assert response(picture, sigma_mm)[SIZE // 2, SIZE // 2] / PEAK_RESPONSE == pytest.approx(0.2, rel=share)


def test_the_best_scale_is_root_two_times_the_lines_width() -> None:
    sigmas = np.linspace(0.3, 1.2, 19)
    picture = line(0.2, 0.5)
    at_middle = [response(picture, s)[SIZE // 2, SIZE // 2] for s in sigmas]
    assert sigmas[int(np.argmax(at_middle))] == pytest.approx(0.5 * np.sqrt(2), abs=0.051)


def test_turning_or_mirroring_the_picture_turns_or_mirrors_the_response() -> None:
    picture = skin(1) + line(0.1, 0.3, turn_deg=25)
    plain = response(picture)
    for change in (np.fliplr, np.flipud, np.rot90, np.transpose):
        changed = response(np.ascontiguousarray(change(picture)))
        assert np.abs(changed - change(plain)).max() < ROUNDING


def test_a_deep_line_elsewhere_changes_nothing() -> None:
    faint = skin(2) + line(0.05, 0.3, at_px=60)
    both = faint + line(2.0, 0.4, at_px=180) + 1.0
    assert np.abs(response(both)[:100] - response(faint)[:100]).max() <= 1e-6
    assert response(both)[170:190].max() > 20 * response(faint)[:100].max()


def test_a_bright_line_gives_nothing_on_its_crest() -> None:
    bright = response(-line(0.2, 0.4))
    assert bright[SIZE // 2].max() < 1e-4
    # Beside it the light is a valley's flank on one side only: far less than a line's answer.
    assert bright.max() < 0.5 * response(line(0.2, 0.4)).max()


def test_exposure_changes_nothing() -> None:
    picture = skin(3) + line(0.1, 0.3)
    for stops in (-2.0, 1.0):
        assert np.abs(response(picture + stops * np.log(2)) - response(picture)).max() < ROUNDING


@pytest.mark.parametrize("sigma_mm", [0.3, 0.68, 1.0])
@pytest.mark.parametrize("turn_deg", [0.0, 30.0, 60.0, 120.0])
def test_the_normal_points_across_the_valley(sigma_mm: float, turn_deg: float) -> None:
    picture = line(0.2, 0.4, turn_deg=turn_deg).astype(np.float32)
    scale = find_ridges(picture, sigmas_mm=(sigma_mm,), px_per_mm=PX_PER_MM).scales[0]
    middle = np.array([[SIZE / 2, SIZE / 2]])
    hessian = hessian_at(scale, middle)
    tangent_deg = np.rad2deg(normal_of(hessian))[0] - 90
    assert abs((tangent_deg - turn_deg + 90) % 180 - 90) < 1
    assert across(hessian, normal_of(hessian))[0] > 20 * abs(
        across(hessian, normal_of(hessian) + np.pi / 2)[0]
    )


def test_at_least_one_scale_is_needed() -> None:
    with pytest.raises(ValueError, match="scale"):
        find_ridges(np.zeros((9, 9), np.float32), sigmas_mm=(), px_per_mm=PX_PER_MM)
