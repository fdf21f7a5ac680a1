"""How sharp a photo is, told by the borders around the eyes, in mm."""

from __future__ import annotations

import cv2
import numpy as np

from . import chart as face_chart
from .records import Chart, Float
from .settings import Settings

_EYES_MM = ((-60.0, -48.0, -12.0, -14.0), (12.0, -48.0, 60.0, -14.0))
"""Where the sharpest borders of a face lie: lashes, iris, brows; as (u0, v0, u1, v1)."""
_FINE_PX, _COARSE_PX = 1.0, 2.5
_LEAST_DOUBT = 0.03
"""Spread of contrast errors on drawn faces whose blur is the assumed one."""
_TYPICAL_LINE_MM = 0.34
"""Standard deviation of a line of 0.8 mm full width at half depth."""
_STRONGEST = 100
"""One place in this many has an edge strong enough to be judged."""


def edge_blur_mm(chart: Chart) -> float | None:
    """Measure how soft the sharpest borders around the eyes are: standard deviation in chart mm.

    An edge of softness s smoothed by t has a gradient that falls with 1/√(s² + t²); two smoothings
    tell s, whatever the edge's height. None where the eyes were not seen.
    """
    gradients = []
    for u0, v0, u1, v1 in _EYES_MM:
        (left, top), (right, bottom) = (
            face_chart.mm_to_px(np.array(corner)).astype(int) for corner in ((u0, v0), (u1, v1))
        )
        piece = cv2.exp(chart.light[top:bottom, left:right])
        nodes = chart.resolution_px_per_mm[
            top // face_chart.NODE_PX : bottom // face_chart.NODE_PX + 1,
            left // face_chart.NODE_PX : right // face_chart.NODE_PX + 1,
        ]
        if (nodes > 0).all():
            gradients.append([_gradient(piece, t) for t in (_FINE_PX, _COARSE_PX)])
    if not gradients:
        return None
    fine = np.concatenate([pair[0].ravel() for pair in gradients])
    coarse = np.concatenate([pair[1].ravel() for pair in gradients])
    count = len(fine) // _STRONGEST
    strongest = np.argpartition(fine, -count)[-count:]
    ratio = (fine[strongest] / np.maximum(coarse[strongest], 1e-9)) ** 2
    squared = (_COARSE_PX**2 - ratio * _FINE_PX**2) / np.maximum(ratio - 1, 1e-3)
    return float(np.sqrt(max(np.quantile(squared, 0.25), 0.0))) / face_chart.PX_PER_MM


def _gradient(light: Float, sigma_px: float) -> Float:
    smooth = cv2.GaussianBlur(light, (0, 0), sigma_px)
    return cv2.magnitude(
        cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1)
    )


def camera_blur_mm(px_per_chart_mm: float, edge_mm: float | None, *, settings: Settings) -> float:
    """Return the blur (standard deviation, chart mm) that the camera put on a region.

    That of an ordinary camera (`Settings.camera_blur_px`), but no more than the photo's own sharpest
    edges show: a photo that was made smaller or sharpened has less.
    """
    ordinary = settings.camera_blur_px / max(px_per_chart_mm, 0.1)
    return ordinary if edge_mm is None else min(ordinary, edge_mm)


def blur_doubt_share(camera_mm: float, edge_mm: float | None) -> float:
    """Return what share of a line's contrast the blur leaves in doubt, the same for all lines of a photo.

    The sharpest edges are soft by themselves, so their softness is only the most that the camera may
    have blurred. Were it the camera's, a line of 0.8 mm would be darker by the share returned here.
    """
    if edge_mm is None or edge_mm <= camera_mm:
        return _LEAST_DOUBT
    line_mm2 = _TYPICAL_LINE_MM**2
    lost = 1 - np.sqrt((line_mm2 + camera_mm**2) / (line_mm2 + edge_mm**2))
    return float(np.hypot(_LEAST_DOUBT, lost))
