"""The face chart: a face projected by a known camera must come back in its own millimetres."""

from __future__ import annotations

import functools
import time

import cv2
import numpy as np
import pytest

from wrinklecv import chart
from wrinklecv.chart import (
    REGION_OUTLINES_MM,
    at_nodes,
    make_chart,
    mm_to_px,
    node_places,
    px_to_mm,
    region_mask,
    region_share,
    to_photo,
)
from wrinklecv.head import surface, unroll
from wrinklecv.model import canonical_face
from wrinklecv.records import Bytes, Chart, Face, Float, Photo, Region, Scale

PX_PER_MM = 5.0
SIZE = (1100, 1300)  # width, height
EYES_XY = np.array([550.0, 650.0])
EYES_MM = np.array([0.0, 26.0, 35.0])
DISTANCE_MM = 1500.0

PLACES_MM = np.array(
    [[0, -55], [0, -75], [35, -70], [-35, -70], [5, -40], [65, -25], [-65, -25], [72, -12], [30, -10]]
)


def turned(points_mm: Float, yaw_deg: float) -> Float:
    """Turn the head to the subject's own left, which is to the right of the picture."""
    cos, sin = np.cos(np.deg2rad(yaw_deg)), np.sin(np.deg2rad(yaw_deg))
    x, y, z = np.asarray(points_mm - EYES_MM).T
    return np.asarray(np.column_stack([cos * x + sin * z, y, cos * z - sin * x]))


def project(points_mm: Float, yaw_deg: float = 0.0) -> Float:
    """See canonical points (N, 3) mm through a pinhole, as a portrait from 1.5 m: (N, 2) px."""
    x, y, z = turned(points_mm, yaw_deg).T
    zoom = PX_PER_MM * DISTANCE_MM / (DISTANCE_MM - z)
    return np.asarray(np.column_stack([x * zoom, -y * zoom]) + EYES_XY)


def canonical(yaw_deg: float = 0.0, *, mm_per_px: float = 1 / PX_PER_MM) -> Face:
    """Return the canonical face as seen by `project`; nothing else is known about it."""
    points = np.zeros((478, 2))
    points[:468] = project(canonical_face()[0], yaw_deg)
    return Face(points, 0.0, yaw_deg, 0.0, 0.0, Scale(mm_per_px, "given", 0.0), {})


def photo(pixels: Bytes | None = None) -> Photo:
    grey = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    return Photo(grey if pixels is None else pixels, "0" * 64)


@functools.cache
def seen(yaw_deg: float = 0.0) -> Chart:
    return make_chart(photo(), canonical(yaw_deg))


# -- coordinates ---------------------------------------------------------------------------------


def test_millimetres_and_pixels_are_each_others_inverse() -> None:
    places = np.random.default_rng(0).uniform(-100, 100, (50, 2))
    assert px_to_mm(mm_to_px(places)) == pytest.approx(places)
    step = mm_to_px(np.array([1.0, 0.0])) - mm_to_px(np.array([0.0, 0.0]))
    assert step == pytest.approx([chart.PX_PER_MM, 0])


def test_the_first_pixels_corner_is_the_charts_corner() -> None:
    assert px_to_mm(np.array([-0.5, -0.5])) == pytest.approx([chart.U_RANGE_MM[0], chart.V_RANGE_MM[0]])
    rows, columns = chart.SHAPE
    last = px_to_mm(np.array([columns - 0.5, rows - 0.5]))
    assert last == pytest.approx([chart.U_RANGE_MM[1], chart.V_RANGE_MM[1]])


def test_a_patch_is_found_at_its_centre() -> None:
    side_mm = chart.PATCH_PX / chart.PX_PER_MM
    corner = np.array([chart.U_RANGE_MM[0], chart.V_RANGE_MM[0]])
    places = corner + side_mm * (np.array([[0, 0], [3, 7]]) + 0.5)
    assert chart.mm_to_patches(places) == pytest.approx(np.array([[0.0, 0.0], [3.0, 7.0]]))


def test_nodes_are_read_at_their_own_places() -> None:
    places = node_places()
    inside = np.random.default_rng(1).uniform((-94, -104), (94, 0), (100, 2))
    assert np.abs(at_nodes(places, inside) - inside).max() < 1e-9


# -- regions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", Region)
def test_a_region_lies_inside_the_chart(region: Region) -> None:
    mask = region_mask(region)
    assert mask.shape == chart.SHAPE
    assert mask.any()
    assert not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def test_regions_overlap_by_a_border_at_most() -> None:
    total = sum(region_mask(region).astype(int) for region in Region)
    assert (np.asarray(total) > 1).sum() < 300  # pixels: the outline that forehead and glabella share


def middle_mm(region: Region) -> Float:
    rows, columns = np.nonzero(region_mask(region))
    return px_to_mm(np.array([columns.mean(), rows.mean()]))


def test_the_forehead_is_above_the_glabella_and_both_are_in_the_middle() -> None:
    forehead, glabella = middle_mm(Region.FOREHEAD), middle_mm(Region.GLABELLA)
    assert forehead[1] < glabella[1]
    assert abs(forehead[0]) < 0.1
    assert abs(glabella[0]) < 0.1


def test_crows_feet_are_mirror_images_and_left_is_the_subjects_own() -> None:
    left, right = (region_mask(r) for r in (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT))
    # Corners are rounded to whole pixels: the outlines (870 px around) may differ by one pixel.
    assert (left != right[:, ::-1]).sum() < 870
    assert left.sum() == pytest.approx(right.sum(), rel=0.005)
    assert middle_mm(Region.CROWS_FEET_LEFT)[0] > 50
    landmark = canonical_face()[0][263]  # outer corner of the subject's left eye
    assert unroll(landmark[None])[0, 0] > 0


def test_shares_of_patches_add_up_to_the_region() -> None:
    for region in Region:
        area = region_share(region).sum() * (chart.PATCH_PX / chart.PX_PER_MM) ** 2
        outline = np.array(REGION_OUTLINES_MM[region], np.float32)
        assert area == pytest.approx(cv2.contourArea(outline), rel=0.02)


# -- a face seen by a known camera ---------------------------------------------------------------


def lifted(chart_mm: Float) -> Float:
    """Bring chart places (N, 2) mm to the canonical face (N, 3) mm."""
    return surface(np.asarray(chart_mm, dtype=float))


@pytest.mark.parametrize("yaw_deg", [0.0, 8.0, -8.0])
def test_chart_places_land_where_the_camera_sees_them(yaw_deg: float) -> None:
    away_px = to_photo(seen(yaw_deg), PLACES_MM) - project(lifted(PLACES_MM), yaw_deg)
    # The camera is fitted as an affine one; landmarks nearby take up most of the perspective.
    assert np.linalg.norm(away_px, axis=1).max() / PX_PER_MM < 0.1


PATHS_MM = {
    "across the forehead": np.column_stack([np.linspace(-40, 40, 81), np.full(81, -72.0)]),
    "up the forehead": np.column_stack([np.full(41, 10.0), np.linspace(-95, -60, 41)]),
    "glabella": np.column_stack([np.full(31, 5.0), np.linspace(-50, -32, 31)]),
    "left crow's foot": np.column_stack([np.linspace(62, 78, 31), np.linspace(-26, -15, 31)]),
    "right crow's foot": np.column_stack([np.linspace(-62, -78, 31), np.linspace(-26, -30, 31)]),
}


def length_mm(what: Chart, path: Float) -> float:
    return float(np.linalg.norm(chart.on_skin(what, path)[0], axis=1).sum())


@pytest.mark.parametrize("yaw_deg", [0.0, 6.0])
@pytest.mark.parametrize("name", PATHS_MM)
def test_lengths_are_those_on_the_skin(name: str, yaw_deg: float) -> None:
    path = PATHS_MM[name]
    true_mm = np.linalg.norm(np.diff(lifted(path), axis=0), axis=1).sum()
    assert length_mm(seen(yaw_deg), path) == pytest.approx(true_mm, rel=0.02)


def test_a_person_with_a_larger_face_has_longer_lines() -> None:
    path = PATHS_MM["across the forehead"]
    larger = make_chart(photo(), canonical(mm_per_px=1.1 / PX_PER_MM))
    ratio = length_mm(larger, path) / length_mm(seen(), path)
    assert ratio == pytest.approx(1.1, rel=1e-5)


def test_the_area_of_a_region_is_that_on_the_skin() -> None:
    share = region_share(Region.FOREHEAD)
    area = (chart.skin_per_patch_mm2(seen()) * share).sum()
    step = 0.01
    v, u = np.nonzero(share > 0)
    places = px_to_mm((np.column_stack([u, v]) + 0.5) * chart.PATCH_PX - 0.5)
    along_u, along_v = (
        (lifted(places + d) - lifted(places - d)) / (2 * step) for d in (np.diag([step, step]))
    )
    true = (np.linalg.norm(np.cross(along_u, along_v), axis=1) * share[v, u]).sum()
    assert area == pytest.approx(true, rel=0.02)


def true_view_deg(places_mm: Float, yaw_deg: float) -> Float:
    step = 0.5
    ahead_u, ahead_v = (
        turned(lifted(places_mm + d), yaw_deg) - turned(lifted(places_mm - d), yaw_deg)
        for d in np.diag([step, step])
    )
    normal = np.cross(ahead_u, ahead_v)
    return np.asarray(np.rad2deg(np.arccos(np.abs(normal[:, 2]) / np.linalg.norm(normal, axis=1))))


@pytest.mark.parametrize("yaw_deg", [0.0, 10.0])
def test_the_view_angle_is_that_between_skin_and_sight(yaw_deg: float) -> None:
    angles = at_nodes(seen(yaw_deg).view_angle_deg, PLACES_MM)
    assert angles == pytest.approx(true_view_deg(PLACES_MM, yaw_deg), abs=1.5)


def test_skin_that_faces_the_lens_is_seen_at_no_angle() -> None:
    angles = seen().view_angle_deg
    row, column = np.unravel_index(angles.argmin(), angles.shape)
    assert angles.min() < 3
    assert abs(node_places()[row, column, 0]) < 5
    turn = at_nodes(seen(10.0).view_angle_deg, np.array([[65.0, -25.0], [-65.0, -25.0]]))
    assert turn[0] > turn[1] + 15  # turned to the left, the left side is seen at a steeper angle


def test_resolution_is_photo_pixels_per_millimetre_of_skin() -> None:
    for yaw_deg in (0.0, 8.0):
        found = at_nodes(seen(yaw_deg).resolution_px_per_mm, PLACES_MM)
        # The root of px² per mm²: slanting skin shows cos(angle) of its area; what is nearer is larger.
        nearer = 1 + turned(lifted(PLACES_MM), yaw_deg)[:, 2] / DISTANCE_MM
        true = PX_PER_MM * nearer * np.sqrt(np.cos(np.deg2rad(true_view_deg(PLACES_MM, yaw_deg))))
        assert found == pytest.approx(true, rel=0.05)


def test_what_lies_outside_the_photo_has_no_resolution() -> None:
    top = int(project(lifted(np.array([[0.0, -80.0]])))[0, 1])
    points = canonical().points_xy - (0, top)
    face = Face(points, 0.0, 0.0, 0.0, 0.0, canonical().scale, {})
    cut = make_chart(Photo(np.array(photo().pixels[top:]), "0" * 64), face)
    v = node_places()[..., 1]
    middle = np.abs(node_places()[..., 0]) < 30
    assert (cut.resolution_px_per_mm[middle & (v < -84)] == 0).all()
    assert (cut.resolution_px_per_mm[middle & (v > -76)] > 0).all()


# -- the picture on the chart --------------------------------------------------------------------


def dotted(places_mm: Float, yaw_deg: float) -> Bytes:
    """Paint a dark round spot at each chart place, where the camera sees it."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    dark = np.zeros(x.shape, np.float32)
    for px, py in project(lifted(places_mm), yaw_deg):
        dark += np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 4.0**2))
    return np.repeat(np.rint(200 - 120 * dark).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("yaw_deg", [0.0, 8.0])
def test_painted_places_come_back_at_their_place_on_the_chart(yaw_deg: float) -> None:
    painted = make_chart(photo(dotted(PLACES_MM, yaw_deg)), canonical(yaw_deg))
    for place in PLACES_MM:
        column, row = np.rint(mm_to_px(place)).astype(int)
        window = painted.light[row - 18 : row + 19, column - 18 : column + 19]
        weight = window.max() - window
        y, x = np.mgrid[-18:19, -18:19]
        found = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum() + (column, row)
        assert np.linalg.norm(px_to_mm(found) - place) < 0.15


def test_light_is_the_logarithm_of_linear_luminance() -> None:
    for grey, linear in ((255, 1.0), (188, 0.5029), (128, 0.2159)):
        flat = np.full((SIZE[1], SIZE[0], 3), grey, np.uint8)
        light = make_chart(photo(flat), canonical()).light
        assert light[300, 500] == pytest.approx(np.log(linear), abs=0.002)
        assert np.ptp(light) < 1e-4
    green = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    green[..., 1] = 255
    assert make_chart(photo(green), canonical()).light[300, 500] == pytest.approx(np.log(0.7152), abs=0.002)


@pytest.mark.parametrize("px_per_mm", [2.5, 5.0, 9.0, 16.0, 31.0])
def test_the_chart_is_the_same_whatever_the_photos_size(px_per_mm: float) -> None:
    """A wave of 8 mm keeps its place and depth: averaging down is centred."""
    size = (np.array(SIZE) * px_per_mm / PX_PER_MM).astype(int)
    scaled = (canonical().points_xy + 0.5) * px_per_mm / PX_PER_MM - 0.5
    face = Face(scaled, 0.0, 0.0, 0.0, 0.0, Scale(1 / px_per_mm, "given", 0.0), {})
    x = (np.arange(size[0]) + 0.5) / px_per_mm
    row = np.rint(128 + 60 * np.sin(2 * np.pi * x / 8)).astype(np.uint8)
    pixels = np.repeat(np.broadcast_to(row, (size[1], size[0]))[..., None], 3, axis=2)
    result = make_chart(Photo(pixels, "0" * 64), face)
    row_px = round(mm_to_px(np.array([0.0, -70.0]))[1])
    places = px_to_mm(np.column_stack([np.arange(400, 750), np.full(350, row_px)]))
    phase = 2 * np.pi * (to_photo(result, places)[:, 0] + 0.5) / px_per_mm / 8
    wanted = np.interp(128 + 60 * np.sin(phase), np.arange(256), chart.linear_light())
    assert np.exp(result.light[row_px, 400:750]) == pytest.approx(wanted, abs=0.02)
    assert result.light.shape == chart.SHAPE


def test_a_chart_leaves_the_other_cores_alone() -> None:
    """One large matrix product would wake BLAS's threads, which spin long after and slow other workers."""
    pixels, face, threads = photo(), canonical(), cv2.getNumThreads()
    cv2.setNumThreads(1)
    make_chart(pixels, face)
    time.sleep(0.3)  # threads that something before has woken go to sleep
    mine, every = time.thread_time(), time.process_time()
    for _ in range(5):
        make_chart(pixels, face)
    time.sleep(0.1)
    mine, every = time.thread_time() - mine, time.process_time() - every
    cv2.setNumThreads(threads)
    assert every < 1.3 * mine
