"""Records on pixels: arrays in, arrays out."""

from __future__ import annotations

import cv2
import numpy as np

from .records import Assessment, Bytes, Line, Photo, Region

REGION_COLOURS: dict[Region, tuple[int, int, int]] = {
    Region.FOREHEAD: (86, 180, 233),
    Region.GLABELLA: (240, 228, 66),
    Region.CROWS_FEET_LEFT: (213, 94, 0),
    Region.CROWS_FEET_RIGHT: (0, 158, 115),
}
"""sRGB; the colour-blind-safe palette of Okabe and Ito (2008)."""
_HALO = (20, 20, 20)
_SUBPIXEL_BITS = 4
_LONG_SIDE_PER_THICKNESS = 900
"""Photo pixels per pixel of line thickness: the drawing looks the same at every size."""


def draw_lines(photo: Photo, assessment: Assessment, *, marked: Line | None = None) -> Bytes:
    """Draw every line of `assessment` on a copy of the photo: (H, W, 3) uint8 sRGB.

    marked: one line to make stand out (drawn white and thicker).
    Raises ValueError when the assessment is of another photo.
    """
    if photo.sha256 != assessment.photo_sha256:
        raise ValueError("this assessment belongs to another photo")
    picture = photo.pixels.copy()
    thickness = max(1, round(max(picture.shape) / _LONG_SIDE_PER_THICKNESS))
    for line in assessment.lines:
        _draw_path(picture, line, REGION_COLOURS[line.region], thickness)
    if marked is not None:
        _draw_path(picture, marked, (255, 255, 255), 2 * thickness)
    return picture


def _draw_path(picture: Bytes, line: Line, colour: tuple[int, int, int], thickness: int) -> None:
    """Draw one path with a thin dark halo, so that it shows on any skin; changes `picture`."""
    points = np.rint(line.path_xy * 2**_SUBPIXEL_BITS).astype(np.int32)
    for ink, width in ((_HALO, thickness + 2), (colour, thickness)):
        cv2.polylines(picture, [points], False, ink, width, cv2.LINE_AA, _SUBPIXEL_BITS)
