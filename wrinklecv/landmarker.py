"""The landmark model behind a strict wrapper, and the crops it is fed: the only room that imports mediapipe.

What goes wrong inside mediapipe 0.10.31 and is kept in here: one refused picture poisons an
instance; strides are ignored; an instance inherited by a forked child hangs; one that nobody closed
can deadlock in ``__del__``; lines of noise on stderr that no variable silences.

A face is recognised, and its landmarks are steady, when it is upright and always of the same size in
the picture: `View` cuts such a `Square` out of a large photo. Points are px on the picture that was
given, (0, 0) the centre of its top-left pixel.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import vision
from mediapipe.tasks.python.core.base_options import BaseOptions

from .errors import ModelError
from .model import bundled_file, model_bytes
from .records import Bytes, Float

MIN_DETECTOR_SCORE = 0.5
"""The model card's own threshold; 89 upright photos score 0.87 to 0.99."""
MAX_FACES = 2
"""Per crop: a neighbour's face in the same crop must not be taken for the one in its middle."""
SIGHT_PX = 256
"""Side of the picture for the detector, whose own input has 128 px."""
GREY = (127, 127, 127)


@dataclass(frozen=True, slots=True)
class Square:
    """A square of the photo: its middle (x, y) px, its side px, turned clockwise."""

    x: float
    y: float
    side_px: float
    turn_deg: float = 0.0

    def to_photo(self, size_px: int) -> Float:
        """Return the (2, 3) matrix from a crop of `size_px` × `size_px` to the photo, pixel centres both."""
        zoom = self.side_px / size_px
        cos, sin = zoom * math.cos(math.radians(self.turn_deg)), zoom * math.sin(math.radians(self.turn_deg))
        middle = (size_px - 1) / 2
        return np.array(
            [[cos, -sin, self.x - (cos - sin) * middle], [sin, cos, self.y - (sin + cos) * middle]]
        )

    def moved(self, right: float, down: float, size: float) -> Square:
        """Return the square shifted along its own sides (shares of the side), then resized."""
        turn = math.radians(self.turn_deg)
        return Square(
            self.x + self.side_px * (right * math.cos(turn) - down * math.sin(turn)),
            self.y + self.side_px * (right * math.sin(turn) + down * math.cos(turn)),
            self.side_px * size,
            self.turn_deg,
        )

    def turned(self, by_deg: float) -> Square:
        """Return the square turned clockwise about its middle."""
        return dataclasses.replace(self, turn_deg=self.turn_deg + by_deg)

    def holds(self, other: Square) -> bool:
        """Tell whether the middle of `other` lies well inside: then both are on one face."""
        return math.hypot(self.x - other.x, self.y - other.y) < self.side_px / 4


class View:
    """The photo at full, half, quarter, … size: a small crop of a large photo is cheap and not aliased."""

    def __init__(self, pixels: Bytes) -> None:
        self.height_px, self.width_px = pixels.shape[:2]
        self._levels = [pixels]
        while max(self._levels[-1].shape[:2]) > 2 * SIGHT_PX and min(self._levels[-1].shape[:2]) > 1:
            last = self._levels[-1]
            height, width = last.shape[0] // 2, last.shape[1] // 2
            half = cv2.resize(last[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
            self._levels.append(half.astype(np.uint8, copy=False))

    def whole(self) -> Square:
        """Return the square around the photo."""
        return Square(
            (self.width_px - 1) / 2, (self.height_px - 1) / 2, float(max(self.width_px, self.height_px))
        )

    def crop(self, square: Square, size_px: int) -> Bytes:
        """Cut `square` out, upright, as (size_px, size_px, 3); grey where the photo ends."""
        zoom = square.side_px / size_px
        level = min(math.floor(math.log2(max(zoom, 1.0))), len(self._levels) - 1)
        matrix = square.to_photo(size_px) / 2**level
        matrix[:, 2] += 0.5 / 2**level - 0.5  # the middle of a coarse pixel lies between those of fine ones
        crop = cv2.warpAffine(
            self._levels[level],
            matrix,
            (size_px, size_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=GREY,
        )
        return crop.astype(np.uint8, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face seen by the detector.

    score: 0–1. key_points_xy: (6, 2) px: the subject's right eye, left eye, nose tip, mouth, right
    ear, left ear. centre_xy: (2,) px and width_px: of the square box from the brows to the chin.
    """

    score: float
    key_points_xy: Float
    centre_xy: Float
    width_px: float


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """One face: points_xy (478, 2) px and 51 expression strengths, name → 0–1 (without "_neutral")."""

    points_xy: Float
    expression: Mapping[str, float]


def detect_faces(pixels: Bytes) -> tuple[Detection, ...]:
    """Find upright faces, best score first: about 3 ms for `pixels` (H, W, 3) uint8 RGB.

    Faces narrower than about a tenth of the long side are not seen. Raises ModelError.
    """
    size = np.array(pixels.shape[1::-1])
    found = []
    for seen in _detector.detect(pixels).detections:
        box = seen.bounding_box
        found.append(
            Detection(
                score=float(seen.categories[0].score),
                key_points_xy=np.array([(k.x, k.y) for k in seen.keypoints]) * size - 0.5,
                centre_xy=np.array([box.origin_x + box.width / 2, box.origin_y + box.height / 2]) - 0.5,
                width_px=float(box.width),
            )
        )
    return tuple(sorted(found, key=lambda detection: -detection.score))


def find_landmarks(pixels: Bytes) -> tuple[Landmarks, ...]:
    """Place the landmarks of the faces in `pixels` (H, W, 3) uint8 RGB: about 15 ms. Raises ModelError."""
    size = np.array(pixels.shape[1::-1])
    result = _landmarker.detect(pixels)
    return tuple(
        Landmarks(
            points_xy=np.array([(p.x, p.y) for p in points]) * size - 0.5,
            expression={s.category_name: float(s.score) for s in strengths if s.category_name != "_neutral"},
        )
        for points, strengths in zip(result.face_landmarks, result.face_blendshapes, strict=True)
    )


def close() -> None:
    """Discard the model's instances; the next call makes new ones."""
    _detector.close()
    _landmarker.close()


class _Tool:
    """One mediapipe task of this process: made when first needed, discarded after any exception.

    Threads may share it: a lock lets one call in at a time, and each gets its own picture's answer.
    """

    _lock = threading.Lock()
    """One for all tools: two that silence stderr at the same time would leave it silent for ever."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._task: Any = None
        # A forked child must neither use nor close its parent's instance (both hang): it makes its own.
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._task = None
        _Tool._lock = threading.Lock()  # at the fork another thread may have held the old one

    def detect(self, pixels: Bytes) -> Any:
        """Return mediapipe's result for `pixels` (H, W, 3) uint8 RGB; raise ModelError when it fails."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            raise ValueError(f"wanted (H, W, 3) uint8 pixels, not {pixels.dtype} {pixels.shape}")
        # mediapipe ignores strides: it reads a flipped or cropped view as other pixels, silently.
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))
        with self._lock:
            try:
                if self._task is None:
                    with _silent_stderr():
                        self._task = self._make()
                        self._task.detect(_blank())
                return self._task.detect(image)
            except BaseException as error:
                self._discard()
                if isinstance(error, RuntimeError | ValueError):
                    raise ModelError(
                        f"The landmark model failed ({error}). Reinstall wrinklecv if this happens again."
                    ) from error
                raise

    def close(self) -> None:
        """Discard the instance; the next call makes a new one."""
        with self._lock:
            self._discard()

    def _discard(self) -> None:
        """Close the instance: after one exception it would answer every later picture with another."""
        task, self._task = self._task, None
        if task is not None:
            with contextlib.suppress(RuntimeError, ValueError):
                task.close()


def _blank() -> mp.Image:
    """Make a picture without a face, for the first and noisy call."""
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.full((64, 64, 3), 127, np.uint8))


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send the process's stderr, its C++ parts too, nowhere for a while."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a service may run without stderr: nothing to silence
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _make_detector() -> Any:
    model = BaseOptions(model_asset_buffer=bundled_file("face_detector.tflite"))
    options = vision.FaceDetectorOptions(base_options=model, min_detection_confidence=MIN_DETECTOR_SCORE)
    return vision.FaceDetector.create_from_options(options)


def _make_landmarker() -> Any:
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=model_bytes()),
        num_faces=MAX_FACES,
        output_face_blendshapes=True,
    )
    return vision.FaceLandmarker.create_from_options(options)


# An instance in a reference cycle deadlocks in its __del__, and mediapipe's thread ends before any
# atexit function could close it: without __del__ it may stay open until the process ends, in silence.
vision.FaceLandmarker.__del__ = lambda self: None
vision.FaceDetector.__del__ = lambda self: None

_detector = _Tool(_make_detector)
_landmarker = _Tool(_make_landmarker)
