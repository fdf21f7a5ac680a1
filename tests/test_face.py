"""Where the face is: the numbers must not care how the photo was stored, and the model must not be fooled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np
import pytest
import skimage.data
from PIL import Image

from wrinklecv import landmarker, model
from wrinklecv.codes import Code
from wrinklecv.errors import ManyFacesError, ModelError, NoFaceError, SettingsError
from wrinklecv.face import find_face, with_scale
from wrinklecv.iris import iris_px
from wrinklecv.landmarker import find_landmarks
from wrinklecv.looks import MESH, mirror_order
from wrinklecv.model import canonical_face
from wrinklecv.pose import head_pose
from wrinklecv.records import Bytes, Face, Float, Photo, Verdict

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the development photos {DATA} are not here")


def photo(pixels: Bytes) -> Photo:
    return Photo(np.array(pixels, order="C"), sha256="0" * 64)


def resized(pixels: Bytes, zoom: float) -> Bytes:
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=way), dtype=np.uint8)


def off_mm(face: Face, points: Float, where: Face) -> float:
    """Root mean square distance in mm between two sets of landmarks."""
    return float(np.sqrt(((face.points_xy - points) ** 2).sum(axis=1).mean()) * where.scale.mm_per_px)


@pytest.fixture(scope="module")
def astronaut() -> Bytes:
    """A real face, 183 px wide in 1024 × 1024 px."""
    return resized(skimage.data.astronaut(), 2.0)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def face(astronaut: Bytes) -> Face:
    return find_face(photo(astronaut))


def test_a_real_face_is_found_where_it_is(face: Face) -> None:
    pupils_by_eye = [(406.8, 201.4), (492.3, 206.9)]
    assert np.allclose(face.points_xy[[468, 473]], pupils_by_eye, atol=1.5)
    assert not face.findings
    assert abs(face.yaw_deg) < 5
    assert 0 < face.roll_deg < 6  # she leans a little to her left shoulder
    assert face.points_sd_px * face.scale.mm_per_px < 1.3  # the model's own mirror difference is in it
    assert len(face.expression) == 51
    assert face.expression["mouthSmileLeft"] > 0.5
    assert face.scale.source == "iris"
    assert 100 < np.ptp(face.points_xy[:MESH, 0]) * face.scale.mm_per_px < 150  # a head's width in mm
    assert 0.5 / 11.7 <= face.scale.relative_sd < 0.06


def test_the_same_photo_twice_gives_the_same_face(astronaut: Bytes, face: Face) -> None:
    again = find_face(photo(astronaut))
    assert np.array_equal(again.points_xy, face.points_xy)
    assert (again.expression, again.scale) == (face.expression, face.scale)


def test_a_mirrored_photo_gives_the_mirrored_face(astronaut: Bytes, face: Face) -> None:
    mirrored = find_face(photo(astronaut[:, ::-1]))
    back = mirrored.points_xy[mirror_order()] * (-1, 1) + (astronaut.shape[1] - 1, 0)
    assert off_mm(face, back, face) < 0.25  # two looks; four gave 0.16 at twice the time
    assert mirrored.yaw_deg == pytest.approx(-face.yaw_deg, abs=0.3)
    assert mirrored.roll_deg == pytest.approx(-face.roll_deg, abs=0.3)
    assert mirrored.pitch_deg == pytest.approx(face.pitch_deg, abs=0.5)
    assert mirrored.scale.mm_per_px == pytest.approx(face.scale.mm_per_px, rel=0.01)
    for name, strength in face.expression.items():
        swapped = name.replace("Left", "?").replace("Right", "Left").replace("?", "Right")
        assert mirrored.expression[swapped] == pytest.approx(strength, abs=0.05), name


def test_the_mirror_order_is_its_own_inverse_and_swaps_the_eyes() -> None:
    order = mirror_order()
    assert np.array_equal(order[order], np.arange(478))
    assert (order[33], order[133], order[1], order[468], order[469]) == (263, 362, 1, 473, 476)


@pytest.mark.parametrize(("right", "down"), [(64, 32), (37, 91)])
def test_a_border_moves_the_points_by_its_width(astronaut: Bytes, face: Face, right: int, down: int) -> None:
    moved = find_face(photo(np.pad(astronaut, ((down, 0), (right, 0), (0, 0)), constant_values=99)))
    assert off_mm(moved, face.points_xy + np.array([right, down]), face) < 0.2
    assert np.abs((moved.points_xy - face.points_xy).mean(axis=0) - (right, down)).max() < 0.15


@pytest.mark.parametrize("zoom", [1.5, 3.0])
def test_a_larger_copy_gives_the_same_face(astronaut: Bytes, face: Face, zoom: float) -> None:
    larger = find_face(photo(resized(astronaut, zoom)))
    assert off_mm(face, (larger.points_xy + 0.5) / zoom - 0.5, face) < 0.15
    assert larger.scale.mm_per_px * zoom == pytest.approx(face.scale.mm_per_px, rel=0.005)


def test_a_tilted_photo_changes_the_roll_alone(astronaut: Bytes, face: Face) -> None:
    matrix = cv2.getRotationMatrix2D((450.0, 240.0), -20.0, 1.0)  # clockwise, as it is seen
    tilted = find_face(photo(cv2.warpAffine(astronaut, matrix, (1024, 1024)).astype(np.uint8)))
    assert off_mm(tilted, face.points_xy @ matrix[:, :2].T + matrix[:, 2], face) < 0.3
    assert tilted.roll_deg == pytest.approx(face.roll_deg + 20.0, abs=0.5)
    assert tilted.yaw_deg == pytest.approx(face.yaw_deg, abs=0.7)
    assert tilted.pitch_deg == pytest.approx(face.pitch_deg, abs=1.0)


@pytest.mark.parametrize(
    ("quarters", "to_upright"),
    [
        (1, lambda p: np.stack([1023 - p[:, 1], p[:, 0]], axis=1)),
        (2, lambda p: 1023 - p),
        (3, lambda p: np.stack([p[:, 1], 1023 - p[:, 0]], axis=1)),
    ],
)
def test_a_photo_on_its_side_or_head_is_measured_upright_and_says_so(
    astronaut: Bytes, face: Face, quarters: int, to_upright: Callable[[Float], Float]
) -> None:
    turned = find_face(photo(np.rot90(astronaut, quarters)))
    assert [(f.code, f.verdict) for f in turned.findings] == [(Code.FACE_ROTATED, Verdict.WARN)]
    assert off_mm(face, to_upright(turned.points_xy), face) < 0.1
    assert turned.scale.mm_per_px == pytest.approx(face.scale.mm_per_px, rel=0.01)
    assert (turned.roll_deg - face.roll_deg + 90 * quarters + 180) % 360 - 180 == pytest.approx(0, abs=0.3)


def test_a_grey_picture_has_no_face_and_does_not_poison_the_next(astronaut: Bytes, face: Face) -> None:
    with pytest.raises(NoFaceError, match="No face was found") as caught:
        find_face(photo(np.full((600, 800, 3), 127, np.uint8)))
    assert caught.value.code is Code.NO_FACE
    assert np.array_equal(find_face(photo(astronaut)).points_xy, face.points_xy)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (3000, 2, 3)])
def test_the_oddest_shapes_have_no_face(shape: tuple[int, int, int]) -> None:
    with pytest.raises(NoFaceError):
        find_face(photo(np.full(shape, 200, np.uint8)))


def test_two_equal_faces_are_refused(astronaut: Bytes) -> None:
    with pytest.raises(ManyFacesError, match="Crop the photo") as caught:
        find_face(photo(np.hstack([astronaut, astronaut])))
    assert caught.value.code is Code.MANY_FACES


def test_a_clearly_larger_face_in_the_middle_is_taken_with_a_warning(astronaut: Bytes) -> None:
    head = astronaut[60:440, 300:620]
    canvas = np.full((900, 1200, 3), 127, np.uint8)
    large = resized(head, 2.0)
    canvas[100 : 100 + large.shape[0], 300 : 300 + large.shape[1]] = large
    canvas[:380, 940:1200] = head[:, :260]
    found = find_face(photo(canvas))
    assert [(f.code, f.verdict) for f in found.findings] == [(Code.MANY_FACES, Verdict.WARN)]
    assert 300 < found.points_xy[1, 0] < 300 + large.shape[1]


def test_a_face_of_80_px_is_refused_with_its_size(astronaut: Bytes) -> None:
    with pytest.raises(NoFaceError, match=r"face is (7|8)\d px wide; at least 100 px") as caught:
        find_face(photo(resized(astronaut, 80 / 183)))
    assert caught.value.code is Code.FACE_TOO_SMALL


def test_a_small_face_in_a_large_photo_is_found(astronaut: Bytes) -> None:
    canvas = np.full((3000, 4000, 3), 110, np.uint8)
    canvas[1700:2417, 2300:3017] = resized(astronaut, 0.7)
    pupil = (2300 + 0.7 * 406.8, 1700 + 0.7 * 201.4)
    assert np.allclose(find_face(photo(canvas)).points_xy[468], pupil, atol=2)


def test_a_close_up_of_forehead_eyes_and_nose_is_found(astronaut: Bytes, face: Face) -> None:
    close = find_face(photo(resized(astronaut[110:285, 350:552], 2.0)))
    assert [f.code for f in close.findings] == [Code.FACE_CUT]
    eyes = [33, 133, 362, 263]
    assert np.allclose((close.points_xy[eyes] + 0.5) / 2 - 0.5 + (350, 110), face.points_xy[eyes], atol=3)


def test_half_a_face_is_refused(astronaut: Bytes) -> None:
    for half in (astronaut[:, :452], astronaut[:, 452:]):
        with pytest.raises(NoFaceError):
            find_face(photo(half))


def test_the_canonical_face_looks_straight_ahead_and_turns_as_it_is_turned() -> None:
    def seen(yaw_deg: float, pitch_deg: float) -> Float:
        yaw, pitch = np.radians([yaw_deg, pitch_deg])
        nod = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        body = canonical_face()[0] @ (turn @ nod).T
        return np.concatenate([body[:, :2] * (3.0, -3.0) + 500, np.zeros((10, 2))])

    for yaw, pitch in [(0, 0), (15, 0), (-15, 5), (0, 12), (8, -12)]:
        assert head_pose(seen(yaw, pitch))[:2] == pytest.approx((yaw, pitch), abs=0.1)


@pytest.mark.parametrize("radius_px", [9.0, 16.0, 40.0])
def test_the_edge_of_a_drawn_iris_is_found_where_the_model_is_wrong(radius_px: float) -> None:
    rows, columns = np.mgrid[:160, :160]
    edge = np.clip(radius_px - np.hypot(columns - 80.3, rows - 79.6) + 0.5, 0, 1)
    drawn = np.repeat((220 - 150 * edge)[..., None], 3, axis=2).astype(np.uint8)
    drawn[: int(80 - 0.6 * radius_px)] = 150  # the upper lid
    points = np.zeros((478, 2))
    for wrong in (0.9, 1.15):
        points[469], points[471] = [(80.0 + side * wrong * radius_px, 80.0) for side in (1, -1)]
        assert iris_px(drawn, points, 469, 471) == pytest.approx(2 * radius_px, rel=0.015)
    assert np.isnan(iris_px(np.full_like(drawn, 130), points, 469, 471))


def test_a_known_scale_replaces_the_iris(face: Face) -> None:
    known = with_scale(face, 0.1)
    assert (known.scale.mm_per_px, known.scale.source, known.scale.relative_sd) == (0.1, "given", 0.0)
    assert known.points_xy is face.points_xy
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(SettingsError, match="positive"):
            with_scale(face, wrong)


def test_strides_are_not_ignored(astronaut: Bytes) -> None:
    view = np.concatenate([astronaut, astronaut], axis=1)[:, ::-1][:, :1024]
    copied = np.array(view, order="C")
    assert np.array_equal(find_landmarks(view)[0].points_xy, find_landmarks(copied)[0].points_xy)


@pytest.mark.parametrize("wrong", [np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.uint16)])
def test_pixels_that_would_crash_the_model_never_reach_it(wrong: Bytes) -> None:
    with pytest.raises(ValueError, match="uint8"):
        find_landmarks(wrong)


def test_an_instance_that_failed_is_replaced(
    astronaut: Bytes, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = mp.Image(mp.ImageFormat.GRAY8, np.zeros((64, 64), np.uint8))
    with monkeypatch.context() as patch:
        patch.setattr(mp, "Image", lambda **_: broken)
        with pytest.raises(ModelError, match="failed"):
            find_landmarks(astronaut)
    assert np.array_equal(find_face(photo(astronaut)).points_xy, face.points_xy)


def test_a_damaged_model_is_refused(
    astronaut: Bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = bytearray(model.model_bytes())
    content[1000] ^= 1
    (tmp_path / model.MODEL_NAME).write_bytes(content)
    landmarker.close()
    model.model_bytes.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(model, "data_folder", lambda _: tmp_path)
        with pytest.raises(ModelError, match="not the expected file"):
            find_face(photo(astronaut))
    model.model_bytes.cache_clear()
    assert find_face(photo(astronaut)).points_xy.shape == (478, 2)


def test_threads_each_get_the_answer_for_their_own_photo(astronaut: Bytes) -> None:
    photos = [photo(np.roll(astronaut, 64 * i, axis=1)) for i in range(4)]
    alone = [find_face(p).points_xy for p in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: (i % 4, find_face(photos[i % 4]).points_xy), range(12)))
    assert all(np.array_equal(points, alone[i]) for i, points in together)


_SCRIPT = """
import os, sys
import numpy as np, skimage.data
from wrinklecv.face import find_face
from wrinklecv.records import Photo
pixels = np.ascontiguousarray(skimage.data.astronaut().repeat(2, 0).repeat(2, 1))
here = find_face(Photo(pixels, "x")).points_xy
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(find_face(Photo(pixels, "x")).points_xy, here) else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_it_is_silent_ends_cleanly_and_works_in_a_forked_child() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _pixels(path: Path) -> Bytes:
    return np.array(Image.open(path).convert("RGB"))


@needs_data
def test_studio_photos_are_found() -> None:
    # Every fourth, for time; all 116 were found when this was written.
    everyone = sorted((DATA / "rest_smile").glob("*.jpg"))[::4]
    for path in [
        *everyone,
        *(DATA / "smooth_skin").glob("*.jpg"),
        *(DATA / "one_person_four_photos").iterdir(),
    ]:
        found = find_face(photo(_pixels(path)))
        assert abs(found.yaw_deg) < 10, path
        assert abs(found.roll_deg) < 45, path
        assert found.points_sd_px * found.scale.mm_per_px < 1.5, path


@needs_data
def test_a_profile_is_refused() -> None:
    with pytest.raises(NoFaceError, match="from the front") as caught:
        find_face(photo(_pixels(DATA / "drawn_lines" / "photos" / "0000232.png")))
    assert caught.value.code is Code.NO_FACE
