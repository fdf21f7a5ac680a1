"""Contrast read where a line is expected: valleys of known depth and width, and texture without any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from wrinklecv import chart as face_chart
from wrinklecv.chart import px_to_mm
from wrinklecv.forced import Reading, at_patches, mean_profile, normals, read_beside, texture_contrast
from wrinklecv.paths import resample
from wrinklecv.profiles import FWHM
from wrinklecv.records import Chart, Float, Mask

MIDDLE_MM = np.array([5.0, -75.0])
ALL = np.ones(face_chart.PATCH_SHAPE, bool)
WIDTH_MM = 1.0
SIGMA_MM = WIDTH_MM / FWHM


def grid_mm() -> Float:
    """Return the place of every chart pixel, (H, W, 2) mm."""
    rows, columns = np.indices(face_chart.SHAPE)
    return px_to_mm(np.stack([columns, rows], axis=-1))


def chart_of(light: Float, *, stretch: float = 1.0) -> Chart:
    """Return a chart that shows this log light, `stretch` mm of skin per chart mm."""
    return Chart(
        light=light.astype(np.float32),
        colour=np.zeros((*face_chart.PATCH_SHAPE, 3), np.uint8),
        resolution_px_per_mm=np.full(face_chart.NODE_SHAPE, 6.0),
        view_angle_deg=np.zeros(face_chart.NODE_SHAPE),
        photo_xy=np.zeros((*face_chart.NODE_SHAPE, 2)),
        metric=np.broadcast_to(stretch * np.eye(2), (*face_chart.NODE_SHAPE, 2, 2)),
        blur_mm2=0.0,
    )


def ground() -> Float:
    """Return the log light of smooth skin that is brighter to one side."""
    return np.asarray(-1.2 + 0.005 * grid_mm()[..., 0] - 0.003 * grid_mm()[..., 1])


def path(
    angle_deg: float = 0.0, length_mm: float = 30.0, *, bow_mm: float = 0.0, aside_mm: float = 0.0
) -> Float:
    """Return a path with a point each half millimetre, through the forehead's middle."""
    along = np.linspace(-length_mm / 2, length_mm / 2, 201)
    across = aside_mm + bow_mm * (1 - (2 * along / length_mm) ** 2)
    turn = np.deg2rad(angle_deg)
    frame = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return resample(MIDDLE_MM + np.column_stack([along, across]) @ frame, 0.5)


def valley(course: Float, contrast: float, *, width_mm: float = WIDTH_MM, fade_mm: float = 0.0) -> Float:
    """Return how much darker a line makes each pixel: a Gaussian across, fading at its ends or endless."""
    dense = resample(course, 0.02)
    reach = np.concatenate([dense[:1] + (dense[:1] - dense[1:2]) * np.arange(200, 0, -1)[:, None], dense])
    reach = np.concatenate([reach, dense[-1:] + (dense[-1:] - dense[-2:-1]) * np.arange(1, 201)[:, None]])
    near = (np.abs(grid_mm() - MIDDLE_MM) < 24).all(axis=-1)
    away, nearest = cKDTree(reach).query(grid_mm()[near])
    depths = contrast * np.exp(-(away**2) / (2 * (width_mm / FWHM) ** 2))
    if fade_mm:
        to_end = 0.02 * np.minimum(nearest - 200, len(reach) - 200 - nearest)
        depths *= np.clip(0.5 + to_end / fade_mm, 0, 1)
    darker = np.zeros(face_chart.SHAPE)
    darker[near] = depths
    return darker


def noise(seed: int, sd: float = 0.03) -> Float:
    return np.asarray(sd * np.random.default_rng(seed).standard_normal(face_chart.SHAPE))


def read(chart: Chart, course: Float, *, sigma_mm: float = SIGMA_MM, visible: Mask = ALL) -> Reading:
    return read_beside(chart, course, sigma_mm, visible)


def depth(reading: Reading, aside_mm: float = 0.0) -> float:
    """Return the contrast along the path, moved aside as a whole."""
    return reading.contrast(np.array(aside_mm))


def patch_places() -> Float:
    rows, columns = np.indices(face_chart.PATCH_SHAPE)
    return px_to_mm((np.stack([columns, rows], axis=-1) + 0.5) * face_chart.PATCH_PX - 0.5)


# -- depth -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 135.0])
@pytest.mark.parametrize("contrast", [0.03, 0.4])
def test_a_valley_is_read_at_its_contrast(angle_deg: float, contrast: float) -> None:
    course = path(angle_deg)
    reading = read(chart_of(ground() - valley(course, contrast)), course)
    assert depth(reading) == pytest.approx(contrast, rel=0.02)


@pytest.mark.parametrize("width_mm", [0.6, 1.0, 2.0])
def test_valleys_of_every_width_are_read_at_their_contrast(width_mm: float) -> None:
    course = path(20.0)
    chart = chart_of(ground() - valley(course, 0.2, width_mm=width_mm))
    assert depth(read(chart, course, sigma_mm=width_mm / FWHM)) == pytest.approx(0.2, rel=0.04)


def test_a_bent_line_is_followed() -> None:
    course = path(bow_mm=3.0)
    reading = read(chart_of(ground() - valley(course, 0.2)), course)
    assert depth(reading) == pytest.approx(0.2, rel=0.02)
    assert abs(depth(reading, 4.0)) < 0.005


@pytest.mark.parametrize("aside_mm", [-6.5, -4.0, 4.0, 6.5])
def test_beside_a_line_there_is_none(aside_mm: float) -> None:
    course = path(10.0)
    assert abs(depth(read(chart_of(ground() - valley(course, 0.4)), course), aside_mm)) < 0.004


def test_smooth_skin_has_no_contrast_and_a_bright_line_has_less_than_none() -> None:
    course = path()
    assert abs(depth(read(chart_of(ground()), course), 0.0)) < 1e-4
    assert depth(read(chart_of(ground() + valley(course, 0.2)), course)) == pytest.approx(-0.2, rel=0.02)


def test_brightness_changes_nothing() -> None:
    course = path()
    dark, bright = (read(chart_of(ground() - valley(course, 0.2) + k), course) for k in (-1.0, 1.0))
    assert depth(dark) == pytest.approx(depth(bright, 0.0), rel=1e-4)


@pytest.mark.parametrize("aside_mm", [-1.0, 0.5, 2.0])
def test_a_line_that_lies_aside_is_read_there(aside_mm: float) -> None:
    """To the side that the path's normal points to: tangent (1, 0) has the normal (0, 1), downwards."""
    course = path()
    reading = read(chart_of(ground() - valley(path(aside_mm=aside_mm), 0.2)), course)
    assert depth(reading, aside_mm) == pytest.approx(0.2, rel=0.05)
    assert depth(reading, -aside_mm) < 0.1


def test_each_point_can_be_moved_aside_on_its_own() -> None:
    course = path(length_mm=20.0)
    reading = read(chart_of(ground() - valley(path(3.0, length_mm=20.0), 0.2)), course)
    tilt = (course[:, 0] - MIDDLE_MM[0]) * np.tan(np.deg2rad(3.0))
    assert reading.contrast(tilt) == pytest.approx(0.2, rel=0.05)
    assert reading.contrast(-tilt) < 0.15


def test_fading_ends_do_not_make_a_line_fainter() -> None:
    course = path(length_mm=9.0)
    chart = chart_of(ground() - valley(course, 0.2, fade_mm=2.0))
    assert depth(read(chart, course), 0.0) == pytest.approx(0.2, rel=0.02)


def test_a_very_short_path_is_read_all_the_same() -> None:
    course = path(length_mm=1.5)
    assert depth(read(chart_of(ground() - valley(path(), 0.2)), course)) == pytest.approx(0.2, rel=0.03)


def test_the_length_is_that_of_the_path() -> None:
    assert read(chart_of(ground()), path(37.0, 23.0)).length_mm == pytest.approx(23.0, abs=1e-6)


# -- what was seen ---------------------------------------------------------------------------------


def test_unseen_skin_is_counted_and_left_out() -> None:
    """The line is there on the left half only, and only that half was seen."""
    left = patch_places()[..., 0] < MIDDLE_MM[0]
    half = np.where(grid_mm()[..., 0] < MIDDLE_MM[0] + 1, valley(path(), 0.2), 0.0)
    reading = read(chart_of(ground() - half), path(), visible=left)
    assert reading.seen_share == pytest.approx(0.5, abs=0.03)
    assert depth(reading) == pytest.approx(0.2, rel=0.02)
    assert depth(read(chart_of(ground() - half), path()), 0.0) < 0.12


def test_nothing_seen_and_everything_seen_are_shares_of_none_and_one() -> None:
    assert read(chart_of(ground()), path()).seen_share == 1.0
    nothing = read(chart_of(ground()), path(), visible=~ALL)
    assert nothing.seen_share == 0.0
    assert np.isfinite(depth(nothing, 0.0))


def test_what_lies_beyond_the_chart_was_not_seen() -> None:
    places = np.array([[0.0, -75.0], [-500.0, -75.0], [0.0, 500.0]])
    assert list(at_patches(ALL, places)) == [True, False, False]
    beyond = MIDDLE_MM + np.column_stack([np.linspace(70, 110, 81), np.zeros(81)])
    assert 0.3 < read(chart_of(ground()), beyond).seen_share < 0.7


def test_normals_are_unit_vectors_across_the_path() -> None:
    course = path(25.0, bow_mm=2.0)
    across, along = normals(course), np.gradient(course, axis=0)
    assert np.linalg.norm(across, axis=1) == pytest.approx(1.0)
    assert (across * along).sum(axis=1) == pytest.approx(0.0, abs=1e-9)
    assert (along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0] > 0).all()


# -- texture ---------------------------------------------------------------------------------------


def spread_of_readings(course: Float, sd: float) -> float:
    """Return how much the contrast read along a path spreads over many fields of white noise."""
    values = [
        read(chart_of(noise(seed, sd)), course).depths[:, aside].mean()
        for seed in range(30)
        for aside in (7, 28, 49, 70)
    ]
    return float(np.std(values))


def readings(light: Float, courses: list[Float]) -> list[tuple[Reading, Float]]:
    return [(read(chart_of(light), course), course) for course in courses]


@pytest.mark.parametrize("sd", [0.01, 0.04])
def test_texture_is_the_spread_of_white_noise_read_along_a_path_of_ten_millimetres(sd: float) -> None:
    courses = [
        path(angle, 10.0, aside_mm=aside) for angle in (0.0, 90.0) for aside in (-30.0, -15.0, 0.0, 15.0)
    ]
    told = texture_contrast(readings(noise(100, sd), courses), (), ALL)
    assert told == pytest.approx(spread_of_readings(courses[2], sd), rel=0.25)


def test_long_and_short_paths_tell_the_same_texture() -> None:
    told = []
    for length_mm in (10.0, 40.0):
        courses = [path(0.0, length_mm, aside_mm=aside) for aside in (-15.0, 0.0, 15.0)]
        told.append(texture_contrast(readings(noise(7), courses), (), ALL))
    assert told[0] is not None
    assert told[0] == pytest.approx(told[1], rel=0.35)


def test_places_near_lines_say_nothing_about_texture() -> None:
    """Deep lines, all of them found: the texture stays the skin's own."""
    lines = [path(aside_mm=aside) for aside in (-8.0, -5.0, 5.0, 8.0)]
    skin = ground() + noise(3)
    lined = skin - sum(valley(line, 0.4) for line in lines)
    bare = texture_contrast(readings(skin, lines), (), ALL)
    told = texture_contrast(readings(lined, lines), lines, ALL)
    blind = texture_contrast(readings(lined, lines), (), ALL)
    assert bare is not None
    assert told is not None
    assert blind is not None
    assert told == pytest.approx(bare, rel=0.5)
    assert blind > 2 * told


def test_where_too_little_bare_skin_is_left_texture_is_not_told() -> None:
    course = path()
    reading = readings(noise(3), [course])
    everywhere = [path(aside_mm=aside) for aside in np.arange(-9.0, 9.5, 2.0)]
    assert texture_contrast(reading, everywhere, ALL) is None
    assert texture_contrast(reading, (), ~ALL) is None
    assert texture_contrast([], (), ALL) is None
    assert texture_contrast(reading, (), ALL) is not None


def test_unseen_skin_says_nothing_about_texture() -> None:
    """What is hidden is much rougher: hair."""
    courses = [path(aside_mm=aside) for aside in (-4.0, 4.0, 5.0, 6.0)]
    seen = patch_places()[..., 1] < MIDDLE_MM[1] + 2
    hairy = noise(3) + np.where(grid_mm()[..., 1] > MIDDLE_MM[1] + 2, noise(4, 0.5), 0.0)
    bare = texture_contrast(readings(noise(3), courses), (), ALL)
    told = texture_contrast(readings(hairy, courses), (), seen)
    blind = texture_contrast(readings(hairy, courses), (), ALL)
    assert told == pytest.approx(bare, rel=0.5)
    assert blind is not None
    assert told is not None
    assert blind > 1.5 * told


# -- for people to see -----------------------------------------------------------------------------


@pytest.mark.parametrize("stretch", [1.0, 0.8])
def test_the_mean_profile_shows_the_valley_as_it_was_drawn(stretch: float) -> None:
    course = path(15.0)
    aside, light = mean_profile(chart_of(-1 - valley(course, 0.3) + noise(1, 0.01), stretch=stretch), course)
    assert aside.shape == light.shape
    assert abs(float(aside[light.argmin()])) < 0.1
    wanted = -0.3 * np.exp(-((aside / stretch) ** 2) / (2 * SIGMA_MM**2))
    assert light == pytest.approx(wanted, abs=0.015)


def test_a_chart_is_not_changed_by_reading() -> None:
    chart = chart_of(ground() - valley(path(), 0.2))
    before = chart.light.copy()
    read(chart, path())
    assert np.array_equal(chart.light, before)
    twin = read(replace(chart), path())
    assert np.array_equal(twin.depths, read(chart, path()).depths)
