"""How large a face is: mm per photo pixel, from the visible edge of the irises."""

from __future__ import annotations

import math

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from .records import Bytes, Float, Scale

IRIS_MM = 11.7
IRIS_SD_MM = 0.5
"""Horizontal visible iris diameter of adults, and its spread between people (docs/measurement.md)."""
MODEL_IRIS = 1.03
MODEL_IRIS_SD = 0.05
"""The model's iris diameter over the visible one, mean and sd of 70 studio photos."""
MAX_EYE_DIFFERENCE = 0.06
"""The visible diameters of a person's two irises differ by 1.2 to 1.7 % (sd): here an edge was missed."""
MIN_EDGE_RISE = 70.0
"""Grey levels per radius: half of the faintest limbus in 18 studio photos (141, median 435)."""
EDGE_SD_PX = 0.25
"""Turned, resized and mirrored copies of an iris 16 px wide change its diameter by 0.1 to 0.25 px."""
CLOSED_RELATIVE_SD = 0.10
"""Behind a lid the iris is a guess: taken as twice the error that the model makes on open eyes."""
_IRISES = ((469, 471), (474, 476))
"""The two ends of each horizontal diameter, right and left; lids hide the vertical one."""
_HEIGHTS = ((470, 472), (475, 477))
"""The two ends of each vertical diameter."""
_ARC = np.radians(np.arange(-20.0, 33.0, 4.0))
_RADIUS_STEP = 0.005
_RADII = np.arange(0.65, 1.30, _RADIUS_STEP)
"""Where the edge of an iris is sought: angles from its horizontal, radii as shares of the model's radius."""
_EDGE_BLUR = 0.03
_EDGE_BLUR_PX = 1.0
"""Blur along the ray before the steepest place is sought: a share of the radius, at least one px."""


def measure_scale(pixels: Bytes, points: Float, *, closed: bool) -> Scale:
    """Return mm per px from the horizontal diameter of both irises, (H, W, 3) `pixels`, (478, 2) `points`.

    The model's own iris is too large by 3 ± 5 %, always by the same amount in the same person, and
    differs from the edge that can be seen; so the edge is sought, and the model's iris used where none
    is found. No correction for a turned head: the eyes look at the camera, so the iris faces it. Were
    they fixed in the head, 10° of yaw would make the diameter 1.5 % too small.
    """
    models = np.array([np.linalg.norm(points[a] - points[b]) for a, b in _IRISES])
    seen = np.array([iris_px(pixels, points, a, b) for a, b in _IRISES])
    trusted = not closed and bool(abs(seen[0] - seen[1]) < MAX_EYE_DIFFERENCE * seen.mean())
    diameters = seen if trusted else models / MODEL_IRIS
    mean = float(diameters.mean())
    spread = [IRIS_SD_MM / IRIS_MM, float(abs(diameters[0] - diameters[1])) / 2 / mean]
    spread += [EDGE_SD_PX / mean if trusted else MODEL_IRIS_SD]
    spread += [CLOSED_RELATIVE_SD] if closed else []
    return Scale(IRIS_MM / mean, "iris", math.hypot(*spread))


def iris_shape(points: Float) -> float:
    """Return how many times as wide as high the irises of (478, 2) `points` are, both together.

    1.0 to 1.23 in 54 photos: lids make the model's circles a little flat.
    """
    wide = sum(float(np.linalg.norm(points[a] - points[b])) for a, b in _IRISES)
    high = sum(float(np.linalg.norm(points[a] - points[b])) for a, b in _HEIGHTS)
    return wide / max(high, 1e-9)


def iris_px(pixels: Bytes, points: Float, one: int, other: int) -> float:
    """Return the diameter between the limbus edges on both sides of one iris, in px; NaN when unseen.

    `one` and `other` are its landmarks to the subject's left and right.

    The edge is the steepest rise of brightness along the median of rays to either side (Daugman's
    integro-differential operator, IEEE PAMI 15 (1993) 1148, on the two arcs that lids leave free).
    """
    middle, along = (points[one] + points[other]) / 2, (points[one] - points[other]) / 2
    across = np.array([-along[1], along[0]])  # towards the chin, where the lid leaves more free
    radius = float(np.linalg.norm(along))
    # Between pixels brightness is interpolated: without a blur of a pixel the edge would snap to them.
    blur_steps = max(_EDGE_BLUR, _EDGE_BLUR_PX / radius) / _RADIUS_STEP
    margin = min(math.ceil(blur_steps), len(_RADII) // 4)
    diameter = 0.0
    for side in (along, -along):
        rays = np.cos(_ARC)[:, None, None] * side + np.sin(_ARC)[:, None, None] * across
        places = (middle + rays * _RADII[None, :, None]).astype(np.float32)
        light = cv2.remap(pixels, places[..., 0], places[..., 1], cv2.INTER_CUBIC).mean(axis=2)
        rise = np.gradient(gaussian_filter1d(np.median(light, axis=0), blur_steps))
        at = int(rise[margin:-margin].argmax()) + margin
        if rise[at] < MIN_EDGE_RISE * _RADIUS_STEP:
            return math.nan
        diameter += float(_RADII[at]) * radius
    return diameter
