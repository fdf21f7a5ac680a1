"""Photo → Face: where the landmarks are, how the head is turned, what the face does, how large it is.

A detector finds the face that is meant (`candidates.py`). Its landmarks are the mean of several looks
(`looks.py`); they tell how the head is turned (`pose.py`), and the irises how large the face is (`iris.py`).
Here is the order of the steps, and what is in doubt of a face.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from .candidates import check_size, choose_face
from .codes import Code
from .errors import NoFaceError, SettingsError
from .iris import iris_shape, measure_scale
from .landmarker import Landmarks, View
from .looks import CANTHI, MESH, UNPLACED, disagreement, jitter, look_at, place, square_on
from .model import canonical_face
from .pose import head_pose
from .records import Face, Finding, Float, Photo, Scale, Verdict

NARROWEST_IRIS, WIDEST_IRIS = 0.75, 1.5
"""Width over height; 1.0 to 1.23 in 54 photos."""
MOST_LOST_SHARE = 0.8
"""Of a photo in which no face was found: white or black beyond it is the reason."""
CLOSED_STRENGTH = 0.6
"""The eyes of 102 studio photos, at rest and smiling, reach 0.30 at most."""
MAX_YAW_DEG = 45.0
"""Beyond it the far half is hidden and its landmarks are invented."""
TURNED_DEG = 45.0
"""From here on it is the photo that lies on its side: nobody leans that far for a frontal photo."""

UPSIDE_DOWN_DEG = 90.0
MAX_DISAGREEMENT = 2.2
"""Canonical mm between the plain and the mirrored look. On 60 real and drawn photos, whole and cut off
35 to 75 mm below the eyes: 0.4 to 2.0 the right way up (one drawn face 3.6), 2.3 to 50 upside down."""
NO_FACE_DISAGREEMENT = 3.0
"""Beyond it nothing is measured: cartoons and statues, which the model takes for faces, end here."""
_UPPER_FACE_MM = -25.0
"""Canonical height above which the landmarks hold the measured regions: from the nose's base up."""
_UNSURE = (
    "It is not clear which way up the face is: show the whole face, chin and hairline included, or turn "
    "the photo upright."
)


def find_face(photo: Photo) -> Face:
    """Find the one face in `photo` and measure its pose, expression and scale.

    A photo stored sideways or upside down is measured all the same, with a finding.

    Raises NoFaceError when there is none, or it is too small, cut through the eyes, or seen from
    the side; ManyFacesError when it is not clear which face is meant; ModelError when the landmark
    model is missing or damaged.
    """
    view = View(photo.pixels)
    try:
        rough, findings = choose_face(view)
        check_size(rough)
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
        points_sd_px=jitter(seen),
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
    square = square_on(rough)
    looks = look_at(view, square)
    if abs((square.turn_deg + 180.0) % 360.0 - 180.0) > UPSIDE_DOWN_DEG:
        flipped = place(view, square.turned(180.0), mirrored=False)
        other = look_at(view, square_on(flipped.points_xy)) if flipped else []
        looks, worst = min(((way, disagreement(way)) for way in (looks, other)), key=lambda pair: pair[1])
        if worst > MAX_DISAGREEMENT:
            raise NoFaceError(Code.FACE_ROTATED, _UNSURE)
    if not looks:
        raise NoFaceError(Code.NO_FACE, UNPLACED)
    return looks


def _unsteady(looks: Sequence[Landmarks]) -> tuple[Finding, ...]:
    value = disagreement(looks)
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
