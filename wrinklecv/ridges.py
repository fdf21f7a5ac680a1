"""Contrast and direction of dark lines: second derivatives of log light, at scales in mm.

For a Gaussian line of contrast c and standard deviation s, the σ²-normalised second derivative
across it peaks at 0.3849·c for σ = √2·s (measurement.md section 1), so a response says a contrast
and the best scale a width. Nothing is normalised by the picture: a deep line elsewhere changes
no other line's response.

References: Lindeberg (1998), "Edge detection and ridge detection with automatic scale selection",
eq. 44-46; Sato et al. (1998); checked against `skimage.filters.sato` in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .records import Float

PEAK_RESPONSE = 2 / 3**1.5
"""0.3849: σ²·|∂²/∂n²| of a unit Gaussian line at its best scale σ = √2·s."""
_HALVE_FROM_PX = 4.2
"""From this σ on the picture is halved first: coarse lines need no fine grid."""

_SECOND = np.array([1.0, -2.0, 1.0], np.float32)
_FIRST = np.array([-0.5, 0.0, 0.5], np.float32)
_BESIDE = np.array([1.0, 10.0, 1.0], np.float32) / 12
"""Along the line: the 1/6 px² of smoothing that the second difference does across it."""
_DIFFERENCE_PX2 = 0.25
"""What the three-point differences smooth by themselves (1/6 to 1/3 px²); taken off σ²."""


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The second derivatives at one scale.

    parts: σ²-normalised ∂xx, ∂xy, ∂yy of log light, each (H / step, W / step) float32.
    step: chart pixels per sample (1, 2, 4, …).
    """

    sigma_mm: float
    step: int
    parts: tuple[Float, Float, Float]


@dataclass(frozen=True, slots=True, eq=False)
class Ridges:
    """A piece of the chart filtered for dark lines.

    scales: narrowest first. response: (H, W) float32, the largest over scales of the Hessian's
    larger eigenvalue, positive in dark valleys; response / 0.3849 is about the contrast.
    """

    scales: tuple[Scale, ...]
    response: Float

    @property
    def middle(self) -> Scale:
        """The scale in the middle: it sees narrow and wide lines, and noise less than the narrowest."""
        return self.scales[len(self.scales) // 2]


def find_ridges(light: Float, *, sigmas_mm: tuple[float, ...], px_per_mm: float) -> Ridges:
    """Filter a piece of log light (H, W) float32 for dark lines at `sigmas_mm`, narrowest first.

    Raises ValueError when there is no scale.
    """
    if not sigmas_mm:
        raise ValueError("at least one scale is needed")
    levels = [light]
    scales = []
    response: Float = np.zeros_like(light)
    for sigma_mm in sigmas_mm:
        sigma_px, level = sigma_mm * px_per_mm, 0
        while sigma_px >= _HALVE_FROM_PX:
            sigma_px, level = sigma_px / 2, level + 1
            if level == len(levels):
                levels.append(_halved(levels[-1]))
        # Halving by 2 × 2 means has blurred by 1/4 px² (of the finer grid) each time.
        blurred_px2 = sum(0.25 / 4**n for n in range(1, level + 1))
        scale = Scale(sigma_mm, 2**level, _hessian(levels[level], sigma_px, blurred_px2))
        strength = valley_strength(scale.parts)
        if level:
            strength = enlarged(strength, scale.step, light.shape)
        cv2.max(response, strength, dst=response)
        scales.append(scale)
    return Ridges(tuple(scales), response)


def _halved(light: Float) -> Float:
    """Average 2 × 2 pixels; an odd edge is repeated."""
    rows, columns = light.shape
    even = cv2.copyMakeBorder(light, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    return cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)


def enlarged(small: Float, step: int, shape: tuple[int, ...]) -> Float:
    """Bring a picture sampled every `step` pixels back to `shape` by bilinear interpolation."""
    size = (small.shape[1] * step, small.shape[0] * step)
    return cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]


def _hessian(light: Float, sigma_px: float, blurred_px2: float) -> tuple[Float, Float, Float]:
    """Return σ²·(∂xx, ∂xy, ∂yy) of `light`, of which `blurred_px2` of smoothing was done before."""
    inner = float(np.sqrt(max(sigma_px**2 - _DIFFERENCE_PX2 - blurred_px2, 0.05)))
    smooth = cv2.GaussianBlur(light, (0, 0), inner, borderType=cv2.BORDER_REFLECT)
    gain = np.float32(sigma_px**2)
    edge = cv2.BORDER_REFLECT
    return (
        cv2.sepFilter2D(smooth, cv2.CV_32F, _SECOND * gain, _BESIDE, borderType=edge),
        cv2.sepFilter2D(smooth, cv2.CV_32F, _FIRST * gain, _FIRST, borderType=edge),
        cv2.sepFilter2D(smooth, cv2.CV_32F, _BESIDE * gain, _SECOND, borderType=edge),
    )


def valley_strength(parts: tuple[Float, Float, Float]) -> Float:
    """Return the larger eigenvalue of a Hessian where it is positive (a dark valley), else 0."""
    xx, xy, yy = parts
    half_trace = cv2.addWeighted(xx, 0.5, yy, 0.5, 0)
    half_gap = cv2.addWeighted(xx, 0.5, yy, -0.5, 0)
    strength = cv2.add(half_trace, cv2.magnitude(half_gap, xy))
    return np.maximum(strength, 0.0, out=strength)


def hessian_at(scale: Scale, places_px: Float) -> Float:
    """Read one scale's Hessian at chart pixels (…, 2) of (x, y): (3, …) float32."""
    samples = (np.asarray(places_px, np.float32) + 0.5) / scale.step - 0.5
    return np.stack([sample(part, samples) for part in scale.parts])


def sample(picture: Float, places_px: Float) -> Float:
    """Read a picture (H, W) at places (…, 2) of (x, y) by bilinear interpolation: (…,) float32."""
    shape = np.shape(places_px)[:-1]
    flat = np.asarray(places_px, np.float32).reshape(-1, 2)
    # cv2.remap takes at most 32,767 rows: a tall list is folded into a table.
    rows = -(-len(flat) // _TABLE)
    table = np.zeros((rows * _TABLE, 2), np.float32)
    table[: len(flat)] = flat
    if not rows:
        return np.zeros(shape, np.float32)
    values = cv2.remap(
        picture, table.reshape(rows, _TABLE, 2), _ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(values.reshape(-1)[: len(flat)].reshape(shape))


_TABLE = 1024
_ONE_MAP: Any = None
"""cv2.remap wants no second map for (x, y) pairs, which its stubs do not know."""


def across(hessian: Float, normal_rad: Float) -> Float:
    """Return the second derivative along `normal_rad` (…,) from Hessians (3, …)."""
    cosine, sine = np.cos(normal_rad), np.sin(normal_rad)
    return np.asarray(cosine**2 * hessian[0] + 2 * cosine * sine * hessian[1] + sine**2 * hessian[2])


def normal_of(hessian: Float) -> Float:
    """Return the direction (radians) across the valley from Hessians (3, …)."""
    return np.asarray(0.5 * np.arctan2(2 * hessian[1], hessian[0] - hessian[2]))
