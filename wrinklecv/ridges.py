"""Contrast and direction of dark lines: second derivatives of log light, at scales in mm.

For a Gaussian line of contrast c and standard deviation s, the σ²-normalised second derivative
across it peaks at 0.3849·c for σ = √2·s (docs/measurement.md), so a response says a contrast
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
_HALVE_FROM_PX = 4.6
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

    parts: σ²-normalised ∂xx, 2·∂xy, ∂yy of log light, each (H / step, W / step) float32.
    step: pixels of the picture per sample (1, 2, 4, …).
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
    levels = [_Level(light, 0.0)]
    scales = []
    # Filtering is limited by memory: fresh arrays for every step would double the time.
    scratches: dict[int, Float] = {}
    response: Float = np.zeros_like(light)
    for sigma_mm in sigmas_mm:
        sigma_px, level = sigma_mm * px_per_mm, 0
        while sigma_px >= _HALVE_FROM_PX:
            sigma_px, level = sigma_px / 2, level + 1
            if level == len(levels):
                levels.append(_halved(levels[-1]))
        levels[level] = _smoothed(levels[level], sigma_px)
        scale = Scale(sigma_mm, 2**level, _hessian(levels[level].light, sigma_px))
        scratch = scratches.setdefault(level, np.empty_like(scale.parts[0]))
        strength = _doubled_strength(scale.parts, scratch)
        if level:
            strength = enlarged(strength, scale.step, light.shape)
        cv2.max(response, strength, dst=response)
        scales.append(scale)
    response *= 0.5
    return Ridges(tuple(scales), response)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """A picture (H, W) at one sampling, and the variance (its own px²) it has been smoothed with."""

    light: Float
    blurred_px2: float


def _smoothed(level: _Level, sigma_px: float) -> _Level:
    """Smooth on to what a Hessian at `sigma_px` needs: each scale starts from the last."""
    wanted = max(sigma_px**2 - _DIFFERENCE_PX2, 0.05)
    more = wanted - level.blurred_px2
    if more <= 0:
        return level
    smooth = cv2.GaussianBlur(level.light, (0, 0), float(np.sqrt(more)), borderType=cv2.BORDER_REFLECT)
    return _Level(smooth, wanted)


def _halved(level: _Level) -> _Level:
    """Average 2 × 2 pixels (which blurs by 1/4 px² of the finer grid); an odd edge is repeated."""
    rows, columns = level.light.shape
    even = cv2.copyMakeBorder(level.light, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    half = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return _Level(half, (level.blurred_px2 + 0.25) / 4)


def enlarged(small: Float, step: int, shape: tuple[int, ...]) -> Float:
    """Bring a picture sampled every `step` pixels back to `shape` by bilinear interpolation."""
    size = (small.shape[1] * step, small.shape[0] * step)
    return cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]


def _hessian(smooth: Float, sigma_px: float) -> tuple[Float, Float, Float]:
    """Return σ²·(∂xx, 2·∂xy, ∂yy) of a picture that is smooth already."""
    gain = np.float32(sigma_px**2)
    edge = cv2.BORDER_REFLECT
    return (
        cv2.sepFilter2D(smooth, cv2.CV_32F, _SECOND * gain, _BESIDE, borderType=edge),
        cv2.sepFilter2D(smooth, cv2.CV_32F, _FIRST * gain * 2, _FIRST, borderType=edge),
        cv2.sepFilter2D(smooth, cv2.CV_32F, _BESIDE * gain, _SECOND, borderType=edge),
    )


def _doubled_strength(parts: tuple[Float, Float, Float], scratch: Float) -> Float:
    """Return twice the Hessian's larger eigenvalue, ∂xx + ∂yy + √((∂xx - ∂yy)² + (2·∂xy)²), in `scratch`."""
    xx, doubled_xy, yy = parts
    cv2.subtract(xx, yy, dst=scratch)
    cv2.magnitude(scratch, doubled_xy, scratch)
    cv2.add(scratch, xx, dst=scratch)
    return cv2.add(scratch, yy, dst=scratch)


def hessian_at(scale: Scale, places_px: Float) -> Float:
    """Read one scale's Hessian parts at pixels (…, 2) of (x, y): (3, …) float32."""
    samples = (np.asarray(places_px, np.float32) + 0.5) / scale.step - 0.5
    return np.stack([sample(part, samples) for part in scale.parts])


def sample(picture: Float, places_px: Float, how: int = cv2.INTER_LINEAR) -> Float:
    """Read a picture (H, W) at places (…, 2) of (x, y), bilinear or `how` cv2 calls it: (…,) float32."""
    shape = np.shape(places_px)[:-1]
    flat = np.asarray(places_px, np.float32).reshape(-1, 2)
    # cv2.remap takes at most 32,767 rows: a tall list is folded into a table.
    rows = -(-len(flat) // _TABLE)
    table = np.zeros((rows * _TABLE, 2), np.float32)
    table[: len(flat)] = flat
    if not rows:
        return np.zeros(shape, np.float32)
    values = cv2.remap(
        picture, table.reshape(rows, _TABLE, 2), _ONE_MAP, how, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(values.reshape(-1)[: len(flat)].reshape(shape))


_TABLE = 1024
_ONE_MAP: Any = None
"""cv2.remap wants no second map for (x, y) pairs, which its stubs do not know."""


def across(hessian: Float, normal_rad: Float) -> Float:
    """Return the second derivative along `normal_rad` (…,) from Hessian parts (3, …)."""
    cosine, sine = np.cos(normal_rad), np.sin(normal_rad)
    return np.asarray(cosine**2 * hessian[0] + cosine * sine * hessian[1] + sine**2 * hessian[2])


def normal_of(hessian: Float) -> Float:
    """Return the direction (radians) across the valley from Hessian parts (3, …)."""
    return np.asarray(0.5 * np.arctan2(hessian[1], hessian[0] - hessian[2]))
