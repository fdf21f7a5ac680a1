"""Good and bad cases for the accuracy page, drawn faces only: what was drawn beside what was measured."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from wrinklecv.assessment import assess
from wrinklecv.draw import draw_lines, encode_jpeg
from wrinklecv.phantom import Person, Shot, disturbed, draw_phantom, random_lines
from wrinklecv.records import Bytes

CASES: tuple[tuple[str, str, str | None], ...] = (
    ("accuracy_good.jpg", "Good: every drawn line is found, none beside; the topmost reads too long", None),
    (
        "accuracy_hair.jpg",
        "Bad: loose hairs that lie level across the forehead read as lines",
        "hair: level strands",
    ),
    (
        "accuracy_glasses.jpg",
        "Bad: the bridge and the temples of thin glasses read as lines",
        "glasses: thin metal",
    ),
)
"""File name, what it shows, and what is in the way."""
_SEED = 31_000
_WIDTH_PX = 1200


def draw_cases(folder: Path) -> None:
    """Write every case as a JPEG: the photo, and the same photo with the measured lines."""
    for name, _, disturbance in CASES:
        (folder / name).write_bytes(encode_jpeg(_side_by_side(disturbance)))


def _side_by_side(disturbance: str | None) -> Bytes:
    lines = random_lines(np.random.default_rng(_SEED)) if disturbance is None else ()
    person = Person(seed=_SEED, lines=lines, skin_tone=0.3)
    shot = Shot(px_per_mm=6.0, width_px=1260, height_px=1560, jpeg_quality=92)
    if disturbance is not None:
        person, shot = disturbed(disturbance, person, shot)
    photo = draw_phantom(person, shot, seed=_SEED).photo
    measured = draw_lines(photo, assess(photo))
    top, bottom = round(photo.height_px * 0.12), round(photo.height_px * 0.62)
    both = np.hstack([photo.pixels[top:bottom], measured[top:bottom]])
    size = (_WIDTH_PX, round(both.shape[0] * _WIDTH_PX / both.shape[1]))
    return np.asarray(cv2.resize(both, size, interpolation=cv2.INTER_AREA))
