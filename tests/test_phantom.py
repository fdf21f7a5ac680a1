"""Is what the drawn faces claim about themselves true, measured on their own pixels?"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from wrinklecv import chart, head, phantom
from wrinklecv.face import find_face
from wrinklecv.model import canonical_face
from wrinklecv.phantom import (
    DISTURBANCES,
    Glasses,
    Person,
    Phantom,
    PhantomLine,
    ShadowEdge,
    Shot,
    TrueLine,
    disturbed,
    draw_phantom,
    random_lines,
    samples,
)
from wrinklecv.phantom.camera import Camera
from wrinklecv.phantom.folds import fold_colour, folded
from wrinklecv.phantom.lines import surface_length
from wrinklecv.phantom.person import linear, skin_colour
from wrinklecv.phantom.render import _camera
from wrinklecv.phantom.shape import Movement
from wrinklecv.phantom.strokes import Stroke, draw_strokes
from wrinklecv.records import Expression, Float, Region

LEVEL = PhantomLine(
    region=Region.FOREHEAD, path_mm=np.array([[-20, -72], [0, -74], [22, -71]]), width_mm=1.0, contrast=0.2
)
UPRIGHT = PhantomLine(
    region=Region.GLABELLA, path_mm=np.array([[5, -32], [5.5, -40], [6, -48]]), width_mm=0.7, contrast=0.3
)
CROW = PhantomLine(
    region=Region.CROWS_FEET_LEFT,
    path_mm=np.array([[63, -25], [72, -22], [80, -18]]),
    width_mm=1.4,
    contrast=0.1,
)
LINES = (LEVEL, UPRIGHT, CROW)
PLAIN = Person(seed=5, lines=LINES, pores=0, blotches=0)
STILL = Shot(noise_sd=0, blur_px=0, px_per_mm=8.0, width_px=1400, height_px=900, eyes_at_share=(0.5, 0.75))


@functools.cache
def drawn(name: str = "line") -> Phantom:
    """Draw the plain person with her lines, or without."""
    person = PLAIN if name == "line" else replace(PLAIN, lines=())
    return draw_phantom(person, STILL)


LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def across(line: TrueLine, offsets_mm: Float) -> Float:
    """Read ln(light without the line / light with it) at offsets across a line's middle, (offsets,).

    Averaged over the middle half of the line; offsets are taken on the skin, along its normal.
    """
    lit, plain = (linear(drawn(name).photo.pixels) @ LUMINANCE for name in ("line", "plain"))
    middle = slice(len(line.path_mm) // 4, 3 * len(line.path_mm) // 4)
    places = line.path_mm[middle]
    points = head.surface(places)
    tangent = np.gradient(points, axis=0)
    step = 0.1
    side_u, side_v = (
        (head.surface(places + d) - head.surface(places - d)) / (2 * step)
        for d in (np.array([step, 0]), np.array([0, step]))
    )
    normal = np.cross(side_u, side_v)
    aside = np.cross(normal, tangent)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    camera = camera_of(drawn())
    ratios = []
    for offset in offsets_mm:
        xy = camera.project(points + offset * aside)
        before, after = (map_coordinates(light, (xy[:, 1], xy[:, 0]), order=1) for light in (plain, lit))
        ratios.append(np.log(before / after).mean())
    return np.array(ratios)


def camera_of(photo: Phantom) -> Camera:
    """Return the camera of the still, frontal shot."""
    return _camera(PLAIN, STILL)


@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_line_is_as_dark_and_as_wide_as_it_says(number: int) -> None:
    line = drawn().lines[number]
    offsets = np.linspace(-2, 2, 81)
    depth = across(line, offsets)
    # 8-bit pixels and bilinear reading over one pixel of 0.125 mm leave about 1 %.
    sd = line.width_mm / 2.3548
    pixel = (0.125**2 / 12) * 2
    blurred = line.contrast * sd / np.sqrt(sd**2 + pixel)
    assert depth.max() == pytest.approx(blurred, rel=0.025)
    assert abs(offsets[depth.argmax()]) <= 0.05
    area = np.trapezoid(depth, offsets)
    assert area == pytest.approx(line.contrast * sd * np.sqrt(2 * np.pi), rel=0.03)


def test_the_length_is_that_on_the_surface_and_ends_are_half_deep() -> None:
    line = drawn().lines[0]
    dense = phantom_path(line)
    assert line.length_mm == pytest.approx(surface_length(head.surface(dense)), rel=1e-3)
    lit, plain = (linear(drawn(name).photo.pixels) @ LUMINANCE for name in ("line", "plain"))
    for end in (0, -1):
        x, y = line.path_xy[end]
        before, after = (map_coordinates(light, [[y], [x]], order=1)[0] for light in (plain, lit))
        assert np.log(before / after) == pytest.approx(line.contrast / 2, abs=0.02)


def phantom_path(line: TrueLine) -> Float:
    """Return the line's path ten times denser."""
    old = np.linspace(0, 1, len(line.path_mm))
    new = np.linspace(0, 1, 10 * len(line.path_mm))
    return np.stack([np.interp(new, old, line.path_mm[:, k]) for k in (0, 1)], axis=1)


def test_the_size_of_the_person_scales_lengths_and_not_the_irises() -> None:
    shot = Shot(px_per_mm=2, width_px=400, height_px=500)
    small = draw_phantom(PLAIN, shot)
    large = draw_phantom(replace(PLAIN, mm_per_canonical_mm=1.1), shot)
    assert large.lines[0].length_mm == pytest.approx(1.1 * small.lines[0].length_mm, rel=1e-6)
    for photo in (small, large):
        iris_px = np.linalg.norm(photo.landmarks_xy[469] - photo.landmarks_xy[471])
        assert iris_px * photo.mm_per_px == pytest.approx(11.7, rel=0.002)


def test_the_same_call_draws_the_same_pixels() -> None:
    shot = Shot(px_per_mm=3, width_px=600, height_px=700, jpeg_quality=80)
    one, two = (draw_phantom(PLAIN, shot, seed=3) for _ in range(2))
    other = draw_phantom(PLAIN, shot, seed=4)
    assert one.jpeg == two.jpeg
    assert one.jpeg != other.jpeg


def test_thin_lines_keep_their_integral_in_small_photos() -> None:
    thin = PhantomLine(region=Region.FOREHEAD, path_mm=LEVEL.path_mm, width_mm=0.4, contrast=0.3)
    shot = Shot(px_per_mm=3, width_px=600, height_px=500, noise_sd=0, blur_px=0, eyes_at_share=(0.5, 0.6))
    lit, plain = (
        linear(draw_phantom(replace(PLAIN, lines=lines), shot).photo.pixels) @ LUMINANCE
        for lines in ((thin,), ())
    )
    missing = (1 - lit / plain).sum() / 9  # px² to mm²; the forehead slopes, so the photo shows less
    profile = np.exp(-(np.linspace(-2, 2, 4001) ** 2) / (2 * (0.4 / 2.3548) ** 2))
    one_mm = np.trapezoid(1 - np.exp(-0.3 * profile), np.linspace(-2, 2, 4001))
    line = draw_phantom(replace(PLAIN, lines=(thin,)), shot).lines[0]
    steps = np.diff(line.path_xy, axis=0)
    seen_length = np.linalg.norm(steps, axis=1).sum() / 3
    assert 0.8 * one_mm * seen_length < missing < 1.03 * one_mm * seen_length


@pytest.mark.parametrize("expression", [e for e in Expression if e is not Expression.UNKNOWN])
def test_lines_keep_their_identity_and_place_in_every_expression(expression: Expression) -> None:
    movement = Movement(expression, 8.0)
    line = draw_phantom(PLAIN, Shot(px_per_mm=2, width_px=400, height_px=500, expression=expression)).lines[0]
    assert np.allclose(line.skin_path_mm, drawn().lines[0].skin_path_mm)
    u, v = np.meshgrid(np.linspace(-90, 90, 61), np.linspace(-104, 60, 61))
    skin = np.stack([u, v], axis=-1)
    assert np.allclose(movement.skin(movement.place(skin)), skin, atol=1e-6)
    # No fold: neighbouring pieces of skin stay in order.
    placed = movement.place(skin)
    assert (np.diff(placed[..., 0], axis=1) > 0).all()
    assert (np.diff(placed[..., 1], axis=0) > 0).all()


def test_the_brows_rise_by_the_travel_asked_for() -> None:
    shot = Shot(px_per_mm=2, width_px=400, height_px=500)
    rest = draw_phantom(PLAIN, shot)
    raised = draw_phantom(
        PLAIN, Shot(px_per_mm=2, width_px=400, height_px=500, expression=Expression.BROW_RAISE)
    )
    rise = (rest.landmarks_xy - raised.landmarks_xy)[[105, 334], 1] * rest.mm_per_px
    assert rise == pytest.approx(5.0, abs=0.5)


@pytest.mark.parametrize("seed", range(4))
def test_random_lines_stay_apart_and_inside_their_regions(seed: int) -> None:
    lines = random_lines(np.random.default_rng(seed), min_separation_mm=3.0)
    assert {line.region for line in lines} == set(Region)
    for line in lines:
        place = chart.mm_to_px(line.path_mm).round().astype(int)
        assert chart.region_mask(line.region)[place[:, 1], place[:, 0]].all()
    for one, other in combinations(lines, 2):
        assert cKDTree(one.path_mm).query(other.path_mm)[0].min() > 2.5


@pytest.mark.parametrize("tone", [0.0, 1.0])
def test_a_drawn_face_is_found_where_it_was_drawn(tone: float) -> None:
    person = Person(seed=7, skin_tone=tone, lines=LINES)
    photo = draw_phantom(person, Shot(px_per_mm=5, width_px=1050, height_px=1300))
    face = find_face(photo.photo)
    upper = np.append(np.flatnonzero(head.unroll(canonical_face()[0])[:, 1] < 25), [468, 473])
    error = np.linalg.norm(face.points_xy - photo.landmarks_xy, axis=1)[upper].mean()
    between = np.linalg.norm(photo.landmarks_xy[468] - photo.landmarks_xy[473])
    assert error / between < 0.04
    assert face.scale.mm_per_px == pytest.approx(photo.mm_per_px, rel=0.05)
    assert max(abs(face.yaw_deg), abs(face.pitch_deg), abs(face.roll_deg)) < 4


def test_skin_is_exposed_within_the_pixels_range() -> None:
    for tone, low in ((0.0, 40), (1.0, 30)):
        photo = draw_phantom(Person(skin_tone=tone), Shot(px_per_mm=3, width_px=630, height_px=780))
        x, y = photo.landmarks_xy[[151, 9, 50, 280, 101, 330]].round().astype(int).T
        skin = photo.photo.pixels[y, x]
        assert skin.min() > low
        assert skin.max() < 235


def test_bare_skin_has_no_ridges() -> None:
    light = np.log(linear(draw_phantom(Person(seed=5, pores=1, blotches=1), STILL).photo.pixels)[..., 1])
    x, y = drawn().lines[0].path_xy.mean(axis=0).astype(int)
    patch = light[y - 110 : y + 110, x - 180 : x + 180]
    for sigma in (2.0, 4.0, 8.0):  # 0.25 to 1 mm
        yy, xx, xy = (
            gaussian_filter(patch, sigma, order=o)[40:-40, 40:-40] for o in ((2, 0), (0, 2), (1, 1))
        )
        steepest = (xx + yy) / 2 + np.hypot((xx - yy) / 2, xy)
        contrast = sigma**2 * np.maximum(steepest, 0) / 0.385
        assert np.sqrt((contrast**2).mean()) < 0.01


def test_sample_files_are_named_by_the_protocol_and_tell_their_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = draw_phantom(PLAIN, Shot(px_per_mm=2, width_px=400, height_px=500, jpeg_quality=80))
    monkeypatch.setattr(samples, "draw_phantom", lambda person, shot, seed: small)
    files = phantom.write_samples(tmp_path)
    photos = [path.name for path in files if path.suffix == ".jpg"]
    assert len(photos) == 16
    pattern = r"sub-00[12]_ses-\d{8}_expr-(rest|brow_raise|frown|smile)_run-1\.jpg"
    assert all(re.fullmatch(pattern, name) for name in photos)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert sorted(truth) == sorted(photos)
    assert truth[photos[0]]["mm_per_px"] == pytest.approx(0.5)


def test_the_head_is_never_held_quite_the_same_in_two_sample_photos() -> None:
    shots = [samples._sample_shot(f"{name}.jpg", Expression.REST) for name in ("a", "b")]
    assert shots[0].yaw_deg != shots[1].yaw_deg


def test_sample_lines_weaken_after_treatment_and_dynamic_ones_hide_at_rest() -> None:
    base, late = (phantom.sample_person("sub-001", visit=n) for n in (0, 1))
    for expression in phantom.EXPRESSIONS:
        for before, after in zip(base.lines_in(expression), late.lines_in(expression), strict=True):
            assert after.contrast < before.contrast
    assert len(base.lines_in(Expression.SMILE)) > len(base.lines)


def test_impossible_persons_and_shots_are_refused() -> None:
    with pytest.raises(ValueError, match="skin_tone"):
        Person(skin_tone=1.2)
    with pytest.raises(ValueError, match="turned"):
        Shot(yaw_deg=40)


# -- what gets in the way --------------------------------------------------------------------------

SMALL = Shot(px_per_mm=4, width_px=840, height_px=1040, noise_sd=0, blur_px=0)


@functools.cache
def bare(name: str = "") -> Phantom:
    """Draw the person with her lines in a small photo, with one disturbance or without."""
    person, shot = disturbed(name, PLAIN, SMALL) if name else (PLAIN, SMALL)
    return draw_phantom(person, shot)


def change(name: str) -> Float:
    """Return how much brighter a disturbance makes each pixel, (H, W) in linear light."""
    before, after = (linear(photo.photo.pixels)[..., 1] for photo in (bare(), bare(name)))
    return np.asarray(after - before)


def test_nothing_in_the_way_is_drawn_as_if_it_had_never_been_thought_of() -> None:
    nothing = replace(
        PLAIN,
        freckles=0.0,
        loose_hairs=0,
        level_hairs=0,
        fringe_mm=0.0,
        glasses=Glasses.NONE,
        stubble=0.0,
        shine=0.0,
    )
    again = draw_phantom(nothing, replace(SMALL, shadow_edge=None))
    assert np.array_equal(again.photo.pixels, bare().photo.pixels)


@pytest.mark.parametrize(
    ("name", "top_mm", "bottom_mm"),
    [
        ("hair: few strands", -100, -8),
        ("hair: many strands", -100, -8),
        ("hair: level strands", -85, -28),
        ("hair: fringe", -125, -30),
        ("glasses: thin metal", -35, 80),
        ("glasses: dark plastic", -35, 80),
        ("stubble", -45, 130),
        ("shadow edge: level", -140, 25),
    ],
)
def test_a_disturbance_changes_its_own_part_of_the_face_only(
    name: str, top_mm: float, bottom_mm: float
) -> None:
    eyes_y = bare().landmarks_xy[[468, 473], 1].mean()
    rows = (np.arange(SMALL.height_px) - eyes_y) / SMALL.px_per_mm
    changed = np.abs(change(name)) > 0.002
    if name.startswith("shadow"):  # it falls on the wall behind too, at another height
        changed[:, : SMALL.width_px // 4] = changed[:, -SMALL.width_px // 4 :] = False
    assert changed.sum() > 300
    places = rows[changed.any(axis=1)]
    assert places.min() > top_mm
    assert places.max() < bottom_mm


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_moves_neither_landmarks_nor_lines(name: str) -> None:
    assert np.array_equal(bare(name).landmarks_xy, bare().landmarks_xy)
    for one, other in zip(bare(name).lines, bare().lines, strict=True):
        assert np.array_equal(one.path_xy, other.path_xy)


@pytest.mark.parametrize("angle_deg", [0.0, 33.0, 90.0])
@pytest.mark.parametrize("width_mm", [0.06, 0.12, 3.0])
def test_a_stroke_takes_as_much_light_as_it_is_wide(angle_deg: float, width_mm: float) -> None:
    light = np.ones((400, 400, 3), np.float32)
    camera = replace(camera_of(drawn()), centre_xy=np.array([200.0, 200.0]), distance_mm=1e9)
    turn = np.deg2rad(angle_deg)
    along = np.linspace(-12, 12, 50)[:, None] * np.array([np.cos(turn), np.sin(turn), 0.0])
    stroke = Stroke(points_mm=camera.eyes_mm + along, width_mm=np.full(50, width_mm), colour=np.zeros(3))
    draw_strokes(light, (stroke,), camera)
    assert (1 - light[..., 0]).sum() / camera.px_per_mm**2 == pytest.approx(24 * width_mm, rel=0.02)
    assert light.min() >= -1e-6


def test_a_shadow_edge_lies_where_it_says_and_leaves_the_lit_side_alone() -> None:
    edge = ShadowEdge(through_mm=(0.0, -75.0), towards_deg=90.0, penumbra_mm=1.0)
    shadowed = draw_phantom(PLAIN, replace(SMALL, shadow_edge=edge))
    x, y = _camera(PLAIN, SMALL).project(edge.point_mm()[None])[0].round().astype(int)
    ratio = (
        linear(shadowed.photo.pixels)[y - 40 : y + 40, x, 1]
        / linear(bare().photo.pixels)[y - 40 : y + 40, x, 1]
    )
    assert np.allclose(ratio[-30:], 1)
    assert ratio[:30].max() < 0.6
    middle = (1 + ratio[30]) / 2
    assert abs(np.argmin(np.abs(ratio - middle)) - 40) <= 1
    # From nine tenths to one tenth of the light within the penumbra, seen on a sloping forehead.
    passing = (ratio < 0.98) & (ratio > ratio[30] + 0.02)
    assert 2 <= passing.sum() <= 6


def test_shine_only_brightens_and_wanders_with_the_lamp() -> None:
    assert change("shine").min() >= -0.002  # one grey level of rounding
    centres = []
    for azimuth_deg in (-25.0, 25.0):
        shot = replace(SMALL, light_azimuth_deg=azimuth_deg)
        dull, oily = (draw_phantom(replace(PLAIN, shine=s), shot).photo.pixels for s in (0.0, 1.0))
        gain = (linear(oily) - linear(dull))[..., 1]
        centres.append((gain.sum(axis=0) * np.arange(gain.shape[1])).sum() / gain.sum())
        assert (oily.min(axis=2) >= 250).sum() > 200
    assert centres[1] - centres[0] > 5 * SMALL.px_per_mm


def test_unknown_disturbances_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="known: hair"):
        disturbed("fog", PLAIN, SMALL)


def test_a_fold_loses_exactly_its_share_of_light_and_least_of_it_red() -> None:
    skin = np.broadcast_to(np.array([0.6, 0.35, 0.25]), (2, 3, 3))
    share = np.array([[1.0, 0.9, 0.7], [0.5, 0.3, 0.1]])
    dark = folded(skin, share, fold_colour(skin[0, 0]))
    np.testing.assert_allclose(dark @ LUMINANCE, share * (skin @ LUMINANCE), rtol=1e-5)
    left = dark / skin
    assert (left[1, :, 0] > left[1, :, 1]).all() and (left[1, :, 1] > left[1, :, 2]).all()
    np.testing.assert_allclose(left[0, 0], 1, atol=1e-6)


def test_folds_of_very_dark_skin_are_hardly_coloured() -> None:
    light, dark = (fold_colour(skin_colour(tone)) for tone in (0.0, 1.0))
    assert np.ptp(light) > 0.5 > 0.1 > np.ptp(dark)
