"""Looks at one face: its landmarks on small upright crops, plain and mirrored, in px of the photo.

The crops are always of the same size in face millimetres, and differ a little; half of them are mirrored, so
that a mirrored photo gives the mirrored face.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .landmarker import Landmarks, Square, View, find_landmarks
from .model import canonical_face
from .records import Float

MESH = 468
"""Landmarks of the face mesh; the irises follow."""
CANTHI = (33, 133, 362, 263)
"""Corners of the eyes: right outer and inner, left inner and outer (the subject's own sides)."""
_ANCHORS = (*CANTHI, 168, 6, 127, 356)
"""Bony places that no expression moves: they hold the crop, so rest and smile are seen alike."""
_IRIS_MIRROR = (473, 476, 475, 474, 477, 468, 471, 470, 469, 472)
"""Mirror images of 468 to 477: middle, end to the picture's right, top, end to the picture's left, bottom."""

_FIELD_MM = 300.0
_CROP_PX = 310
"""One px of the crop is one px of the model's own input (247 canonical mm on 256 px): no resampling on
the way, and its half-pixel offset vanishes. Crops of 260, 360 or 512 px are 10 to 30 % less steady."""
_FIELD_DOWN_MM = 12.0
"""The crop's middle lies so far below that of the canonical face, as that of the detector's box does."""
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
UNPLACED = (
    "Something like a face was seen, but its landmarks could not be placed: it may be turned to the side, "
    "covered or blurred. Take a sharp photo from the front."
)


def look_at(view: View, square: Square) -> list[Landmarks]:
    """Place the landmarks once per look of `_LOOKS`; empty when any look shows no face."""
    seen = [place(view, square.moved(*look[:3]), mirrored=look[3]) for look in _LOOKS]
    looks = [look for look in seen if look is not None]
    return looks if len(looks) == len(_LOOKS) else []


def disagreement(looks: Sequence[Landmarks]) -> float:
    """Return how far the plain and the mirrored look lie apart, mean over landmarks in canonical mm."""
    if not looks:
        return math.inf
    first, second = (look.points_xy for look in looks[:2])
    apart = float(np.linalg.norm(first - second, axis=1).mean())
    return apart * _FIELD_MM / square_on((first + second) / 2).side_px


def jitter(looks: Sequence[Landmarks]) -> float:
    """Return how far landmarks moved between the crops, standard deviation of one crop in px.

    The model's own difference between a face and its mirror image is counted in: a cautious figure.
    """
    points = np.array([look.points_xy for look in looks])
    return math.sqrt(float(points.var(axis=0, ddof=1).sum(axis=1).mean()))


def place(view: View, square: Square, *, mirrored: bool) -> Landmarks | None:
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
    return Landmarks(mapped(points, square.to_photo(_CROP_PX)), expression)


def mapped(points: Float, matrix: Float) -> Float:
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


def square_on(points: Float) -> Square:
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
