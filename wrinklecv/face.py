"""Photo → Face: where the landmarks are, how the head is turned, what the face does, how large it is.

A detector finds the face in the whole photo. The landmarks are then placed on small upright crops
around it, always of the same size in face millimetres, and averaged over crops that differ a
little. Half of them are mirrored, so that a mirrored photo gives the mirrored face.
How large the face is, the irises tell (`iris.py`).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from .codes import Code
from .errors import ManyFacesError, NoFaceError, SettingsError
from .iris import iris_shape, measure_scale
from .landmarker import SIGHT_PX, Landmarks, Square, View, detect_faces, find_landmarks
from .model import canonical_face
from .records import Face, Finding, Float, Photo, Scale, Verdict

NARROWEST_IRIS, WIDEST_IRIS = 0.75, 1.5
"""Width over height; 1.0 to 1.23 in 54 photos."""
MOST_LOST_SHARE = 0.8
"""Of a photo in which no face was found: white or black beyond it is the reason."""
CLOSED_STRENGTH = 0.6
"""The eyes of 102 studio photos, at rest and smiling, reach 0.30 at most."""
MIN_FACE_PX = 100.0
"""A narrower face has less than 1 px per mm: no line can be seen."""
MAX_YAW_DEG = 45.0
"""Beyond it the far half is hidden and its landmarks are invented."""
TURNED_DEG = 45.0
"""From here on it is the photo that lies on its side: nobody leans that far for a frontal photo."""
DOMINANT_AREA = 2.0
"""Someone in the background has less than half the face area of the one who is meant."""

UPSIDE_DOWN_DEG = 90.0
MAX_DISAGREEMENT = 2.2
"""Canonical mm between the plain and the mirrored look. On 60 real and drawn photos, whole and cut off
35 to 75 mm below the eyes: 0.4 to 2.0 the right way up (one drawn face 3.6), 2.3 to 50 upside down."""
NO_FACE_DISAGREEMENT = 3.0
"""Beyond it nothing is measured: cartoons and statues, which the model takes for faces, end here."""
_UPPER_FACE_MM = -25.0
"""Canonical height above which the landmarks hold the measured regions: from the nose's base up."""
SURE_SCORE = 0.88
"""An upright face scores 0.886 or more, one on its head 0.81 at most (40 photos). One on its side may
score as high, but then the landmarks turn the crop upright all the same."""
MESH = 468
"""Landmarks of the face mesh; the irises follow."""
CANTHI = (33, 133, 362, 263)
"""Corners of the eyes: right outer and inner, left inner and outer (the subject's own sides)."""
_NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358)
_TEMPLES = (127, 356, 234, 454)
_ANCHORS = (*CANTHI, 168, 6, 127, 356)
"""Bony places that no expression moves: they hold the crop, so rest and smile are seen alike."""
_IRIS_MIRROR = (473, 476, 475, 474, 477, 468, 471, 470, 469, 472)
"""Mirror images of 468 to 477: middle, end to the picture's right, top, end to the picture's left, bottom."""

_FIELD_MM = 300.0
_CROP_PX = 310
"""One px of the crop is one px of the model's own input (247 canonical mm on 256 px): no resampling on
the way, and its half-pixel offset vanishes. Crops of 260, 360 or 512 px are 10 to 30 % less steady."""
_FIELD_DOWN_MM = 12.0
_FIELD_PER_BOX = 1.82
"""The detector's box: 165 ± 6 canonical mm wide, its middle 12 mm below that of the canonical face."""
_LOOKS = (
    (0.03, 0.0, 1.0, False),
    (-0.03, 0.0, 1.0, True),
)
"""Per crop: right, down (shares of the side), size, mirrored. A crop and its mirror image make the mean
mirror-true (one plain crop: 1.3 mm off; these: 0.09). When the photo is shifted, turned and resized,
one crop moves by 0.10 mm, two by 0.08, four by 0.05, eight by 0.035 (root mean square): two, because
each costs 14 ms and the lines' own ends are known to 0.3 mm."""
_WIDER = (1.0, 1.2, 1.7)
"""Fields tried in turn: a close-up of forehead and eyes is recognised only with more grey around it."""


def find_face(photo: Photo) -> Face:
    """Find the one face in `photo` and measure its pose, expression and scale.

    A photo stored sideways or upside down is measured all the same, with a finding.

    Raises NoFaceError when there is none, or it is too small, cut through the eyes, or seen from
    the side; ManyFacesError when it is not clear which face is meant; ModelError when the landmark
    model is missing or damaged.
    """
    view = View(photo.pixels)
    try:
        rough, findings = _choose(view)
        _check_size(rough)
        seen = _look_closely(view, rough)
    except NoFaceError as error:
        _check_light(photo, error)
        raise
    points = np.mean([look.points_xy for look in seen], axis=0)
    expression = {name: float(np.mean([s.expression[name] for s in seen])) for name in seen[0].expression}
    yaw, pitch, roll = head_pose(points)
    if abs(yaw) > MAX_YAW_DEG:
        raise NoFaceError(
            Code.NO_FACE,
            f"The head is turned {abs(yaw):.0f}° to the side, more than {MAX_YAW_DEG:.0f}°: half of the face "
            "is hidden. Take the photo from the front.",
        )
    blink = max(expression["eyeBlinkLeft"], expression["eyeBlinkRight"])
    findings += _turned(roll) + _unsteady(seen) + _cut(points, photo) + _closed(blink)
    findings += () if blink > CLOSED_STRENGTH else _stretched(points)
    return Face(
        points_xy=points,
        points_sd_px=_jitter(seen),
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        scale=measure_scale(photo.pixels, points, closed=blink > CLOSED_STRENGTH),
        expression=expression,
        findings=findings,
    )


def _look_closely(view: View, rough: Float) -> list[Landmarks]:
    """Look at a face found roughly at `rough` (478, 2) px, plain and mirrored.

    A face that seems to stand on its head is also looked at the other way up, and the way on which
    the two looks agree better is taken: photos that end under the nose are often seen upside down.
    Raises NoFaceError when the landmarks cannot be placed, or not surely.
    """
    square = _square_on(rough)
    looks = _looks(view, square)
    if abs((square.turn_deg + 180.0) % 360.0 - 180.0) > UPSIDE_DOWN_DEG:
        flipped = _place(view, square.turned(180.0), mirrored=False)
        other = _looks(view, _square_on(flipped.points_xy)) if flipped else []
        looks, worst = min(((way, _disagreement(way)) for way in (looks, other)), key=lambda pair: pair[1])
        if worst > MAX_DISAGREEMENT:
            raise NoFaceError(Code.FACE_ROTATED, _UNSURE)
    if not looks:
        raise NoFaceError(Code.NO_FACE, _UNPLACED)
    return looks


def _looks(view: View, square: Square) -> list[Landmarks]:
    """Place the landmarks once per look of `_LOOKS`; empty when any look shows no face."""
    seen = [_place(view, square.moved(*look[:3]), mirrored=look[3]) for look in _LOOKS]
    looks = [look for look in seen if look is not None]
    return looks if len(looks) == len(_LOOKS) else []


def _disagreement(looks: Sequence[Landmarks]) -> float:
    """Return how far the plain and the mirrored look lie apart, mean over landmarks in canonical mm."""
    if not looks:
        return math.inf
    first, second = (look.points_xy for look in looks[:2])
    apart = float(np.linalg.norm(first - second, axis=1).mean())
    return apart * _FIELD_MM / _square_on((first + second) / 2).side_px


def _unsteady(looks: Sequence[Landmarks]) -> tuple[Finding, ...]:
    value = _disagreement(looks)
    if value <= MAX_DISAGREEMENT:
        return ()
    text = (
        f"Two looks at the face place the landmarks {value:.1f} mm apart (limit {MAX_DISAGREEMENT} mm): "
        "show the whole face from the front, sharp and well lit."
    )
    refused = value > NO_FACE_DISAGREEMENT
    verdict, limit = (Verdict.REFUSE, NO_FACE_DISAGREEMENT) if refused else (Verdict.WARN, MAX_DISAGREEMENT)
    return (Finding(Code.LANDMARKS_UNSTEADY, verdict, text, None, value, limit, "mm"),)


def with_scale(face: Face, mm_per_px: float) -> Face:
    """Return `face` with a scale that is known (a ruler, a fixed rig) instead of the iris's.

    Raises SettingsError when `mm_per_px` is not a positive number.
    """
    if not (math.isfinite(mm_per_px) and mm_per_px > 0):
        raise SettingsError(f"The scale is {mm_per_px!r} mm per px: wanted a positive number.")
    return dataclasses.replace(face, scale=Scale(float(mm_per_px), "given", 0.0))


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
        (x, y), right_eye, left_eye = _mapped(np.stack([face.centre_xy, *face.key_points_xy[:2]]), to_photo)
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


_UNPLACED = (
    "Something like a face was seen, but its landmarks could not be placed: it may be turned to the side, "
    "covered or blurred. Take a sharp photo from the front."
)


_UNSURE = (
    "It is not clear which way up the face is: show the whole face, chin and hairline included, or turn "
    "the photo upright."
)


def _choose(view: View) -> tuple[Float, tuple[Finding, ...]]:
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
            landmarks = _place(view, candidate, mirrored=False)
            if landmarks is not None:
                placed.append((_square_on(landmarks.points_xy), landmarks.points_xy))
    if not placed:
        raise NoFaceError(Code.NO_FACE, _UNPLACED)
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


def _check_size(points: Float) -> None:
    """Raise NoFaceError when the face with (478, 2) px `points` is too narrow."""
    turn = math.radians(_square_on(points).turn_deg)
    width_px = float(np.ptp(points[:MESH] @ np.array([math.cos(turn), math.sin(turn)])))
    if width_px < MIN_FACE_PX:
        raise NoFaceError(
            Code.FACE_TOO_SMALL,
            f"The face is {width_px:.0f} px wide; at least {MIN_FACE_PX:.0f} px are needed to place it and "
            "about 600 px to see lines. Move closer or use the original photo.",
        )


# -- placing: landmarks on one crop ------------------------------------------------------------------


def _place(view: View, square: Square, *, mirrored: bool) -> Landmarks | None:
    """Place the landmarks of the face in the middle of `square`, in photo px; None when there is none."""
    for wider in _WIDER:
        field = square.moved(0, 0, wider)
        crop = view.crop(field, _CROP_PX)
        faces = find_landmarks(crop[:, ::-1] if mirrored else crop)
        if faces:
            return _on_photo(min(faces, key=_off_middle), field, mirrored=mirrored)
    return None


def _off_middle(face: Landmarks) -> float:
    """Return how far a face is from the middle of its crop, in px."""
    return float(np.linalg.norm(face.points_xy[:MESH].mean(axis=0) - (_CROP_PX - 1) / 2))


def _on_photo(face: Landmarks, square: Square, *, mirrored: bool) -> Landmarks:
    """Take landmarks from the crop of `square` to the photo, and back to the subject's own sides."""
    points, expression = face.points_xy, face.expression
    if mirrored:
        points = points[mirror_order()] * (-1, 1) + (_CROP_PX - 1, 0)
        expression = {_other_side(name): strength for name, strength in expression.items()}
    return Landmarks(_mapped(points, square.to_photo(_CROP_PX)), expression)


def _mapped(points: Float, matrix: Float) -> Float:
    """Apply the (2, 3) `matrix` to (N, 2) `points`."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


@functools.cache
def mirror_order() -> npt.NDArray[np.int64]:
    """Return (478,): which landmark is the mirror image of each, by the canonical face's own symmetry."""
    vertices, _ = canonical_face()
    distance = np.linalg.norm((vertices * (-1, 1, 1))[:, None] - vertices[None], axis=2)
    order = np.concatenate([distance.argmin(axis=1), _IRIS_MIRROR])
    order.flags.writeable = False
    return order


def _other_side(name: str) -> str:
    """Return the name of the same expression on the other side: ``eyeBlinkLeft`` → ``eyeBlinkRight``."""
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


def _square_on(points: Float) -> Square:
    """Return the square that holds the face with (478, 2) `points`, eyes level, always the same field in mm.

    A similarity from the canonical face to the photo, least squares over the anchors, in complex numbers.
    """
    canonical = canonical_face()[0][list(_ANCHORS), :2] @ (1, -1j)
    seen = points[list(_ANCHORS)] @ (1, 1j)
    spread = canonical - canonical.mean()
    zoom = complex(np.vdot(spread, seen - seen.mean()) / np.vdot(spread, spread))
    middle = complex(seen.mean() + zoom * (_FIELD_DOWN_MM * 1j - canonical.mean()))
    turn = math.degrees(math.atan2(zoom.imag, zoom.real))
    return Square(middle.real, middle.imag, abs(zoom) * _FIELD_MM, turn)


# -- what follows from the landmarks -------------------------------------------------------------------


def head_pose(points: Float) -> tuple[float, float, float]:
    """Return yaw, pitch, roll in degrees (signs: `records.Face`) from (478, 2) `points`.

    The rotation R (x right, y up, z to the camera) and zoom under which the canonical face, seen from
    far away, fits the eyes and the nose best: Gauss-Newton over a rotation vector. The temples count
    by their sideways position only, for contour landmarks slide up and down when the head nods.
    R = roll · yaw · pitch, so that turning the photo changes the roll alone.

    On real photos turned by a known angle it reads 0.94 to 0.96 of the yaw and 0.7 to 0.9 of the
    pitch; the model's own matrix 0.7 to 0.8 of the yaw. Faces differ: ± 2° yaw, ± 4° pitch.
    """
    turn_deg = _square_on(points).turn_deg
    level = Square(0.0, 0.0, 1.0, -turn_deg).to_photo(1)[:, :2]
    indices = [*CANTHI, *_NOSE, *_TEMPLES]
    weight = np.ones((len(indices), 2))
    weight[-len(_TEMPLES) :, 1] = 0.0
    body = canonical_face()[0][indices]
    body = body - body.mean(axis=0)
    seen = points[indices] @ level.T * (1, -1)
    shift, zoom = seen.mean(axis=0), float(np.ptp(seen[:, 0]) / np.ptp(body[:, 0]))
    rotation: Float = np.eye(3)
    for _ in range(10):
        x, y, z = (body @ rotation.T).T
        none, one = np.zeros_like(x), np.ones_like(x)
        by_x = np.stack([none, zoom * z, -zoom * y, x, one, none], axis=1)
        by_y = np.stack([-zoom * z, none, zoom * x, y, none, one], axis=1)
        slope = np.stack([by_x, by_y], axis=1) * weight[:, :, None]
        rest = (seen - zoom * np.stack([x, y], axis=1) - shift) * weight
        step = np.linalg.lstsq(slope.reshape(-1, 6), rest.ravel(), rcond=None)[0]
        rotation = cv2.Rodrigues(step[:3])[0] @ rotation
        zoom, shift = zoom + float(step[3]), shift + step[4:]
    yaw = math.degrees(math.asin(max(-1.0, min(1.0, -rotation[2, 0]))))
    pitch = math.degrees(math.atan2(-rotation[2, 1], rotation[2, 2]))
    roll = turn_deg - math.degrees(math.atan2(rotation[1, 0], rotation[0, 0]))
    return yaw, pitch, (roll + 180.0) % 360.0 - 180.0


def _jitter(looks: Sequence[Landmarks]) -> float:
    """Return how far landmarks moved between the crops, standard deviation of one crop in px.

    The model's own difference between a face and its mirror image is counted in: a cautious figure.
    """
    points = np.array([look.points_xy for look in looks])
    return math.sqrt(float(points.var(axis=0, ddof=1).sum(axis=1).mean()))


def _turned(roll_deg: float) -> tuple[Finding, ...]:
    """Doubt a photo that lies on its side or stands on its head."""
    if abs(roll_deg) <= TURNED_DEG:
        return ()
    advice = f"The face is turned by {roll_deg:.0f}° in the photo: save it upright."
    return (Finding(Code.FACE_ROTATED, Verdict.WARN, advice, None, roll_deg, TURNED_DEG, "deg"),)


def _stretched(points: Float) -> tuple[Finding, ...]:
    """Refuse a photo whose irises are ovals: its width or height was changed, and all lengths with it."""
    shape = iris_shape(points)
    if NARROWEST_IRIS <= shape <= WIDEST_IRIS:
        return ()
    advice = (
        f"The irises are {shape:.1f} times as wide as high: the photo was stretched. Send the original file."
    )
    limit = WIDEST_IRIS if shape > WIDEST_IRIS else NARROWEST_IRIS
    return (Finding(Code.STRETCHED, Verdict.REFUSE, advice, None, shape, limit, "× height"),)


def _check_light(photo: Photo, error: NoFaceError) -> None:
    """Raise instead of `error` where a face could not be seen because the photo is nearly white or black."""
    if error.code not in (Code.NO_FACE, Code.FACE_ROTATED):
        return
    brightest = photo.pixels.max(axis=2)
    if brightest.std() < 1:  # an empty picture, whatever its shade
        return
    for code, share, words in (
        (Code.OVER_EXPOSED, float((brightest == 255).mean()), "white: expose less"),
        (Code.UNDER_EXPOSED, float((brightest < 16).mean()), "black: use more light"),
    ):
        if share > MOST_LOST_SHARE:
            raise NoFaceError(code, f"No face can be told: {share:.0%} of the photo is {words}.") from error


def _cut(points: Float, photo: Photo) -> tuple[Finding, ...]:
    """Doubt a face that leaves the photo; raise NoFaceError when an eye does."""
    size = np.array([photo.width_px, photo.height_px])
    outside = np.any((points < -0.5) | (points > size - 0.5), axis=1)
    if outside[list(CANTHI)].any():
        raise NoFaceError(
            Code.FACE_CUT,
            f"The photo's edge cuts the face: {outside[:MESH].mean():.0%} of it and an eye lie outside. "
            "Take the photo with the whole face in it.",
        )
    if not outside[:MESH].any():
        return ()
    advice = "The photo's edge cuts the face: take it with the whole face and some margin in it."
    # Landmarks are pressed together at the edge, and with them the regions; the chin matters to none.
    upper = canonical_face()[0][:, 1] > _UPPER_FACE_MM
    verdict = Verdict.REFUSE if outside[:MESH][upper].any() else Verdict.WARN
    return (Finding(Code.FACE_CUT, verdict, advice, None, float(outside[:MESH].mean()), 0.0, "share"),)


def _closed(blink: float) -> tuple[Finding, ...]:
    """Doubt the scale when a lid hides an iris."""
    if blink <= CLOSED_STRENGTH:
        return ()
    advice = (
        "The eyes are nearly closed, so millimetres are less certain: use a photo with open eyes for scale."
    )
    return (Finding(Code.EYES_CLOSED, Verdict.WARN, advice, None, blink, CLOSED_STRENGTH, "strength 0–1"),)
