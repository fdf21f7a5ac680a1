"""Which face of a photo is meant: what the detector sees, and the landmarks of it, still rough."""

from __future__ import annotations

import math

import numpy as np

from .codes import Code
from .errors import ManyFacesError, NoFaceError
from .landmarker import SIGHT_PX, Square, View, detect_faces
from .looks import MESH, UNPLACED, mapped, place, square_on
from .records import Finding, Float, Verdict

MIN_FACE_PX = 100.0
"""A narrower face has less than 1 px per mm: no line can be seen."""
DOMINANT_AREA = 2.0
"""Someone in the background has less than half the face area of the one who is meant."""
SURE_SCORE = 0.88
"""An upright face scores 0.886 or more, one on its head 0.81 at most (40 photos). One on its side may
score as high, but then the landmarks turn the crop upright all the same."""
_FIELD_PER_BOX = 1.82
"""The detector's box: 165 ± 6 canonical mm wide, its middle 12 mm below that of the canonical face."""


def choose_face(view: View) -> tuple[Float, tuple[Finding, ...]]:
    """Return the landmarks (478, 2) px, still rough, of the face that is meant.

    Raises NoFaceError, ManyFacesError.
    """
    candidates = sorted(_see(view), key=lambda square: -square.side_px)
    if not candidates:
        raise NoFaceError(
            Code.NO_FACE,
            f"No face was found in the photo ({view.width_px} × {view.height_px} px). Take it from the "
            "front, sharp and well lit, with the face filling a third to two thirds of its width.",
        )
    placed: list[tuple[Square, Float]] = []
    for candidate in candidates:
        if len(placed) < 2 and not any(square.holds(candidate) for square, _ in placed):
            landmarks = place(view, candidate, mirrored=False)
            if landmarks is not None:
                placed.append((square_on(landmarks.points_xy), landmarks.points_xy))
    if not placed:
        raise NoFaceError(Code.NO_FACE, UNPLACED)
    if len(placed) == 1:
        return placed[0][1], ()
    return _dominant(view, placed)


def _dominant(view: View, placed: list[tuple[Square, Float]]) -> tuple[Float, tuple[Finding, ...]]:
    """Choose between the two largest faces, or raise ManyFacesError when neither is clearly meant."""
    (first, points), (second, _) = sorted(placed, key=lambda one: -one[0].side_px)
    middle = view.whole()
    ratio = (first.side_px / second.side_px) ** 2
    nearer = math.hypot(first.x - middle.x, first.y - middle.y) <= math.hypot(
        second.x - middle.x, second.y - middle.y
    )
    if ratio < DOMINANT_AREA or not nearer:
        raise ManyFacesError(
            Code.MANY_FACES,
            f"More than one face was found; the largest has {ratio:.1f} × the area of the next (it must have "
            f"{DOMINANT_AREA:.0f} × and be nearer to the middle). Crop the photo to the face that is meant.",
        )
    advice = "Another, smaller face is in the photo; the large one was measured. Crop the photo to it."
    return points, (Finding(Code.MANY_FACES, Verdict.WARN, advice, None, ratio, DOMINANT_AREA, "× area"),)


def check_size(points: Float) -> None:
    """Raise NoFaceError when the face with (478, 2) px `points` is too narrow."""
    turn = math.radians(square_on(points).turn_deg)
    width_px = float(np.ptp(points[:MESH] @ np.array([math.cos(turn), math.sin(turn)])))
    if width_px < MIN_FACE_PX:
        raise NoFaceError(
            Code.FACE_TOO_SMALL,
            f"The face is {width_px:.0f} px wide; at least {MIN_FACE_PX:.0f} px are needed to place it and "
            "about 600 px to see lines. Move closer or use the original photo.",
        )


# -- seeing: which squares of the photo hold a face ------------------------------------------------


def _see(view: View) -> list[Square]:
    """Return a square on each face: whole photo, then with a border (close-ups), then tiles (small faces)."""
    whole = view.whole()
    for square in (whole, whole.moved(0, 0, 2.0)):  # close-ups are found with a border of half their size
        if seen := _seen_upright(view, square):
            return [face for _, face in seen]
    for parts in (2, 4):
        found: list[Square] = []
        for tile in _tiles(view, whole.side_px / parts):
            for _, face in _seen(view, tile):
                if not any(face.holds(known) for known in found):
                    found += [upright for _, upright in _seen_upright(view, face)[:1]]
        if found:
            return found
    return []


def _tiles(view: View, side_px: float) -> list[Square]:
    """Cover the photo with squares of `side_px` that overlap by half."""
    xs, ys = (
        np.linspace(
            side_px / 2, max(size - side_px / 2, side_px / 2), max(1, math.ceil(2 * size / side_px) - 1)
        )
        for size in (view.width_px, view.height_px)
    )
    return [Square(float(x), float(y), side_px) for y in ys for x in xs]


def _seen(view: View, square: Square) -> list[tuple[float, Square]]:
    """Return (score, square on the face) of each face in `square`, best first."""
    to_photo = square.to_photo(SIGHT_PX)
    found = []
    for face in detect_faces(view.crop(square, SIGHT_PX)):
        (x, y), right_eye, left_eye = mapped(np.stack([face.centre_xy, *face.key_points_xy[:2]]), to_photo)
        side_px = face.width_px * square.side_px / SIGHT_PX * _FIELD_PER_BOX
        turn = math.degrees(math.atan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0]))
        found.append((face.score, Square(float(x), float(y), side_px, turn)))
    return found


def _seen_upright(view: View, square: Square) -> list[tuple[float, Square]]:
    """Look at `square` in four rotations; return what the one with the best score shows.

    The detector also sees a face that stands on its head, with its landmarks in the wrong places, but
    with a lower score than once it is upright (89 photos, without exception).
    """
    upright = _seen(view, square)
    if upright and upright[0][0] >= SURE_SCORE:
        return upright
    turns = [upright, *(_seen(view, square.turned(turn)) for turn in (90.0, 180.0, 270.0))]
    return max(turns, key=lambda seen: seen[0][0] if seen else 0.0)
