"""The profile across a path: how deep and how wide the valley is, and where the line ends.

The light along a path is straightened into a table (place along × distance across) and fitted with
a Gaussian valley on a sloping ground: contrast is the fitted depth in log light, width the fitted
full width at half depth. Unlike the filter's response this uses the whole neighbourhood of the
line and does not depend on the scales that were searched.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from .records import Float
from .ridges import sample

FWHM = 2.3548
"""Full width at half depth of a Gaussian, in standard deviations."""
_HALF_WINDOW_MM = 2.0
_STEP_MM = 1 / 6
_SIGMAS_MM = np.geomspace(0.09, 1.1, 51)
_HOOK_MM = 1.0
"""The last bit of a traced path follows noise beyond the line's end: it is cut and laid straight."""
_STRAIGHT_POINTS = 12
"""Over how many points (about 3 mm) a path's direction at its end is taken."""
_FIT_MM = 0.9
"""The width is fitted under a Gaussian weight: the next line may begin 2 mm away."""
_MOST_SHARPENED = 0.6
"""A line as narrow as the blur itself is not made narrower than this share of what was seen."""
_THREAD_MM = 0.5
"""A bright thread is narrower than twice this: a hair that mirrors the light."""
_ALONG_MM = 0.5
"""Depths are averaged along the line with this Gaussian before the ends are judged."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A path measured across.

    path_px: (N, 2) chart pixels, moved onto the valley's floor and cut to where the line is.
    depths: (N,) contrast at each point. sigma_mm: the valley's standard deviation in chart mm.
    Both are those of the skin: the blur of the photo's pixels has been taken off.
    evenness: the lower rise beside the valley over the higher, 0 for a step edge, 1 for a valley.
    bright_beside: how much a bright thread beside it stands out of both its sides (log light), at least 0.
    """

    path_px: Float
    depths: Float
    sigma_mm: float
    evenness: float
    bright_beside: float


def measure_profile(
    light: Float, path_px: Float, *, px_per_mm: float, extend_mm: float, blur_mm2: float
) -> Profile:
    """Measure the valley along `path_px` (N, 2) in `light` (H, W); the ends may move by `extend_mm`.

    blur_mm2: variance of the blur of camera, resampling and the reading here. Blur keeps a valley's
    area: s² grows by blur², and the depth shrinks as s grows.
    """
    step_px = float(np.linalg.norm(np.diff(path_px, axis=0), axis=1).mean())
    trimmed = min(round(_HOOK_MM * px_per_mm / step_px), (len(path_px) - 3) // 4)
    path_px = path_px[trimmed : len(path_px) - trimmed]
    path = _extended(path_px, trimmed + round(extend_mm * px_per_mm / step_px))
    along = _ALONG_MM * px_per_mm / step_px
    inner = slice(len(path) - len(path_px) >> 1, (len(path) + len(path_px)) >> 1)
    across_mm = _across_mm()
    table = _straightened(light, path, across_mm * px_per_mm)
    sigma_mm = _best_sigma(table[inner].mean(axis=0))
    shift_mm = _shifts(table, across_mm, sigma_mm, 2 * along)
    path = path + (shift_mm * px_per_mm)[:, None] * _normals(path)
    table = _straightened(light, path, across_mm * px_per_mm)
    sigma_mm = _best_sigma(table[inner].mean(axis=0))
    depths = _depths(table, across_mm, sigma_mm)
    smooth = gaussian_filter1d(depths, along, mode="nearest")
    kept = _from_to(*_ends(smooth, inner, round(5 * px_per_mm / step_px)))
    sharp_mm = float(np.sqrt(max(sigma_mm**2 - blur_mm2, (sigma_mm * _MOST_SHARPENED) ** 2)))
    whole = table[np.rint(kept).astype(int)].mean(axis=0)
    every = np.arange(len(path))
    cut = np.column_stack([np.interp(kept, every, path[:, k]) for k in (0, 1)])
    return Profile(
        path_px=cut,
        depths=np.interp(kept, every, depths) * sigma_mm / sharp_mm,
        sigma_mm=sharp_mm,
        evenness=_evenness(whole, across_mm, sigma_mm),
        bright_beside=_bright_beside(whole, across_mm),
    )


def _from_to(first: float, last: float) -> Float:
    """Return the places of a path from `first` to `last` (fractions of points), whole ones between."""
    inner = np.arange(np.floor(first) + 1, np.ceil(last))
    return np.concatenate([[first], inner, [last]])


@functools.cache
def _across_mm() -> Float:
    """Return the distances from the path at which light is read, (K,) mm."""
    return np.arange(-_HALF_WINDOW_MM, _HALF_WINDOW_MM + 1e-9, _STEP_MM)


def _extended(path: Float, points: int) -> Float:
    """Carry a path straight on by `points` steps at both ends."""
    reach = min(_STRAIGHT_POINTS, len(path) - 1)
    ahead = np.arange(1, points + 1)[:, None]
    head = path[0] + ahead[::-1] * (path[0] - path[reach]) / reach
    tail = path[-1] + ahead * (path[-1] - path[-1 - reach]) / reach
    return np.concatenate([head, path, tail])


def _normals(path: Float) -> Float:
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    return np.column_stack([-tangent[:, 1], tangent[:, 0]])


def _straightened(light: Float, path: Float, across_px: Float) -> Float:
    """Read the light beside the path: (N, K)."""
    places = path[:, None, :] + across_px[None, :, None] * _normals(path)[:, None, :]
    # Bicubic: reading between pixels must not flatten a narrow valley (bilinear: 3 to 5 %).
    return sample(light, places, cv2.INTER_CUBIC).astype(float)


def _basis(across_mm: Float, sigma_mm: float) -> tuple[Float, Float]:
    """Return the window (K,) and the model (k, 3): valley, level, slope, over ± 3 sigma (at least 0.8 mm)."""
    window = np.abs(across_mm) <= max(0.8, 3 * sigma_mm)
    x = across_mm[window]
    return window, np.column_stack([-np.exp(-(x**2) / (2 * sigma_mm**2)), np.ones_like(x), x])


def valley_weights(sigma_mm: float, step_mm: float) -> Float:
    """Return the weights (odd length) that read a valley's depth from light `step_mm` apart across it.

    Least squares over valley, level and slope; sigma_mm: the valley's standard deviation as seen.
    """
    half = int(max(0.8, 3 * sigma_mm) / step_mm)
    _, model = _basis(np.arange(-half, half + 1) * step_mm, sigma_mm)
    return np.asarray(np.linalg.pinv(model)[0])


@functools.cache
def _width_models() -> tuple[Float, Float, Float]:
    """Return, for each width on the grid, what fits a mean profile over the whole window.

    weight: (K,); one window and weight for all widths, so that misfits compare. spans: (S, 3, K),
    orthonormal; valleys: (S, K), the row that reads the valley's depth.
    """
    x = _across_mm()
    weight = np.exp(-(x**2) / (2 * _FIT_MM**2))
    spans, valleys = [], []
    for sigma in _SIGMAS_MM:
        model = np.column_stack([-np.exp(-(x**2) / (2 * sigma**2)), np.ones_like(x), x]) * weight[:, None]
        spans.append(np.linalg.qr(model)[0].T)
        valleys.append(np.linalg.pinv(model)[0])
    return weight, np.array(spans), np.array(valleys)


def _best_sigma(profile: Float) -> float:
    """Fit the valley's standard deviation to a mean profile (K,); parabola between the grid's best three."""
    weight, spans, valleys = _width_models()
    weighted = (profile - profile.mean()) * weight
    explained = ((spans @ weighted) ** 2).sum(axis=1)
    explained[valleys @ weighted <= 0] = -np.inf
    at = int(np.argmax(explained))
    if 0 < at < len(explained) - 1 and np.isfinite(explained[at - 1 : at + 2]).all():
        low, mid, high = explained[at - 1 : at + 2]
        step = 0.5 * (low - high) / min(low - 2 * mid + high, -1e-30)
        return float(_SIGMAS_MM[at] * (_SIGMAS_MM[1] / _SIGMAS_MM[0]) ** np.clip(step, -1, 1))
    return float(_SIGMAS_MM[at])


def _depths(table: Float, across_mm: Float, sigma_mm: float) -> Float:
    """Fit the valley's depth at each point (N,), its width given."""
    window, model = _basis(across_mm, sigma_mm)
    return np.asarray(table[:, window] @ np.linalg.pinv(model)[0])


def _shifts(table: Float, across_mm: Float, sigma_mm: float, smooth_points: float) -> Float:
    """Find how far (mm) the floor lies from the path at each point (N,), by one Gauss-Newton step."""
    window, model = _basis(across_mm, sigma_mm)
    slope = model[:, 0] * across_mm[window] / sigma_mm**2
    fit = table[:, window] @ np.linalg.pinv(np.column_stack([model, slope])).T
    depth, moved = (gaussian_filter1d(fit[:, k], smooth_points, mode="nearest") for k in (0, 3))
    shift = np.where(depth > 1e-4, moved / np.maximum(depth, 1e-4), 0.0)
    return np.asarray(gaussian_filter1d(np.clip(shift, -0.3, 0.3), smooth_points, mode="nearest"))


def _ends(depths: Float, inner: slice, reach: int) -> tuple[float, float]:
    """Find where the line begins and ends: where the depth crosses half of what it is just inside.

    Returns fractions of points. A weak stretch deep inside is a gap, not the end: only places near
    the ends count.
    """
    start, stop = inner.start, inner.stop
    middle = (start + stop) // 2
    first = _crossing(depths[: middle + 1][::-1], middle - start, reach)
    last = _crossing(depths[middle:], stop - 1 - middle, reach)
    return middle - first, middle + last


def _crossing(outwards: Float, end: int, reach: int) -> float:
    """Walk outwards along depths (N,) whose path ends at `end`; return where they fall to half.

    "Half" is of the median over the last `reach` points before the path's end.
    """
    half = float(np.median(outwards[max(end - reach + 1, 0) : end + 1])) / 2
    below = np.flatnonzero(outwards < half)
    below = below[below > max(end - reach // 2, 0)]
    if not len(below):
        return float(len(outwards) - 1)
    after = int(below[0])
    before = after - 1
    drop = outwards[before] - outwards[after]
    return before + float(np.clip((outwards[before] - half) / drop, 0, 1)) if drop > 0 else float(after)


def _evenness(profile: Float, across_mm: Float, sigma_mm: float) -> float:
    """Compare the rises on both sides of the valley: lower over higher, at least 0."""
    floor = profile[np.abs(across_mm) <= max(0.13, 0.5 * sigma_mm)].mean()
    near, far = 2.0 * sigma_mm, max(3.5 * sigma_mm, 2.0 * sigma_mm + 0.4)
    left = profile[(across_mm <= -near) & (across_mm >= -far)]
    right = profile[(across_mm >= near) & (across_mm <= far)]
    if not left.size or not right.size:
        return 0.0
    rises = sorted((left.mean() - floor, right.mean() - floor))
    return float(max(rises[0], 0.0) / rises[1]) if rises[1] > 0 else 0.0


def _bright_beside(profile: Float, across_mm: Float) -> float:
    """Return how much the brightest thread beside the valley rises over the light half a mm from it."""
    aside = round(_THREAD_MM / _STEP_MM)
    # Over the brighter of its sides: skin between two lines rises over each of them, but not over skin.
    rise = profile[aside:-aside] - np.maximum(profile[: -2 * aside], profile[2 * aside :])
    beside = np.abs(across_mm[aside:-aside]) > _THREAD_MM + _STEP_MM / 2  # no rounding decides
    return max(0.0, float(rise[beside].max()))
