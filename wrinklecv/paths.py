"""From ridges to paths: candidates, hysteresis on signal-to-noise, walks, bridged gaps.

1. Candidates: places where the ridge response is largest across the valley (Canny's thinning).
2. Evidence: the second derivative averaged along the valley for a few mm either way. This is an
   elongated oriented filter, evaluated only where the isotropic one found a ridge. Divided by its
   own spread over the region's skin it is a signal-to-noise ratio that knows this photo's texture.
3. Hysteresis: a path holds together above the low limit and needs a stretch above the high one.
4. Paths: the longest walk through each connected group, then the next; gaps are bridged where
   the direction agrees; smoothed, so that length is not that of a pixel staircase.

References: Canny (1986); Steger (1998), "An unbiased detector of curvilinear structures".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order

from .records import Float, Mask
from .ridges import PEAK_RESPONSE, Ridges, across, hessian_at, normal_of, sample
from .settings import Settings

Prior = Callable[[Float, Float], Mask]
"""(places_px (N, 2), tangent_rad (N,)) → which of these directions the region allows there."""

REACH_MM = 1.5
"""How far along the valley evidence is averaged, either way."""
_NOISE_GRID_MM = 1.0
_SMOOTH_MM = 0.5
"""Gaussian along a path that turns pixel steps into a curve, without cutting real bends."""
POINT_STEP_MM = 0.25
"""Spacing of a path's points."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Thinned ridge points.

    places_px: (N, 2) whole chart pixels (x, y). tangent_rad: (N,) along the valley.
    contrast, signal_to_noise: (N,) of the elongated filter at its best scale.
    """

    places_px: Float
    tangent_rad: Float
    contrast: Float
    signal_to_noise: Float


def find_paths(
    ridges: Ridges, usable: Mask, prior: Prior, noise: Float, *, settings: Settings, px_per_mm: float
) -> list[Float]:
    """Trace the dark lines in a piece of the chart: paths (N, 2) of sub-pixel chart pixels.

    usable: (H, W), where skin was seen; noise: (S,) contrasts, see `noise_contrasts`.
    """
    candidates = find_candidates(ridges, usable, prior, noise, settings=settings, px_per_mm=px_per_mm)
    strong = candidates.contrast > settings.floor_contrast
    low = strong & (candidates.signal_to_noise > settings.low_signal_to_noise)
    high = strong & (candidates.signal_to_noise > settings.high_signal_to_noise)
    pieces = _walks(candidates, low, high, ridges.response.shape)
    shortest = settings.min_piece_mm * px_per_mm
    pieces = [_sub_pixel(ridges.response, p) for p in pieces if _length(p) >= shortest]
    joined = bridge(pieces, max_gap_px=settings.max_gap_mm * px_per_mm, max_turn_deg=settings.max_turn_deg)
    paths = [smooth_path(p, _SMOOTH_MM * px_per_mm, POINT_STEP_MM * px_per_mm) for p in joined]
    return [p for p in paths if _length(p) >= settings.min_length_mm * px_per_mm]


def find_candidates(
    ridges: Ridges, usable: Mask, prior: Prior, noise: Float, *, settings: Settings, px_per_mm: float
) -> Candidates:
    """Thin the ridges to their crests and weigh the evidence along each."""
    # Half the floor: the elongated mean may be higher than the response at one pixel of noise.
    bright = ridges.response > settings.floor_contrast * PEAK_RESPONSE / 2
    rows, columns = np.nonzero(bright & usable & _peaks(ridges.response))
    places = np.column_stack([columns, rows]).astype(np.float32)
    normal = _normals(ridges, places)
    crest = _is_crest(ridges.response, places, normal) & prior(places, normal + np.pi / 2)
    places, tangent = places[crest], normal[crest] + np.pi / 2
    contrasts = elongated_contrasts(ridges, places, tangent, px_per_mm=px_per_mm)
    ratios = contrasts / noise[:, None]
    best = (ratios.argmax(axis=0), np.arange(len(places)))
    return Candidates(places, tangent, contrasts[best], ratios[best])


def noise_contrasts(ridges: Ridges, usable: Mask, prior: Prior, *, px_per_mm: float) -> Float:
    """Measure the spread of the elongated filter over the region's skin at each scale: (S,) contrasts.

    A robust standard deviation (1.4826 × median absolute value) over a grid of places and the
    directions that the region allows: lines cover a few per cent of it and hardly move a median.
    """
    step = max(1, round(_NOISE_GRID_MM * px_per_mm))
    rows, columns = np.nonzero(usable[::step, ::step])
    if not len(rows):
        return np.full(len(ridges.scales), np.inf)
    places = np.column_stack([columns, rows]).astype(np.float32) * step
    values = []
    for tangent_deg in range(0, 180, 30):
        tangent = np.full(len(places), np.deg2rad(tangent_deg))
        allowed = prior(places, tangent)
        values.append(elongated_contrasts(ridges, places[allowed], tangent[allowed], px_per_mm=px_per_mm))
    spread = 1.4826 * np.median(np.abs(np.concatenate(values, axis=1)), axis=1)
    return np.maximum(spread, 1e-6)


def elongated_contrasts(ridges: Ridges, places_px: Float, tangent_rad: Float, *, px_per_mm: float) -> Float:
    """Average the valley's depth along `tangent_rad` at each place and scale: (S, N) contrasts."""
    offsets = np.arange(-REACH_MM, REACH_MM + 1e-6, POINT_STEP_MM) * px_per_mm
    along = np.stack([np.cos(tangent_rad), np.sin(tangent_rad)], axis=-1)
    samples = places_px[:, None, :] + offsets[None, :, None] * along[:, None, :]
    normal = np.asarray(tangent_rad)[:, None] - np.pi / 2
    depths = [across(hessian_at(scale, samples), normal).mean(axis=1) for scale in ridges.scales]
    return np.stack(depths) / PEAK_RESPONSE


def _peaks(response: Float) -> Mask:
    """Mark pixels that are largest in at least one of four directions: a cheap first sieve (H, W)."""
    centre = response[1:-1, 1:-1]
    result = np.zeros(response.shape, bool)
    inner = result[1:-1, 1:-1]
    height, width = response.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        ahead = response[1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]
        behind = response[1 - dy : height - 1 - dy, 1 - dx : width - 1 - dx]
        inner |= (centre >= ahead) & (centre > behind)
    return result


def _normals(ridges: Ridges, places_px: Float) -> Float:
    """Return the direction across the valley at each place (N,), from the scale that responds most."""
    hessians = np.stack([hessian_at(scale, places_px) for scale in ridges.scales])
    normals = normal_of(hessians)
    best = across(hessians, normals).argmax(axis=0)
    return np.asarray(normals[best, np.arange(len(places_px))])


def _is_crest(response: Float, places_px: Float, normal_rad: Float) -> Mask:
    """Tell which places are larger than both neighbours one pixel across the valley (N,)."""
    step = np.stack([np.cos(normal_rad), np.sin(normal_rad)], axis=-1)
    here = sample(response, places_px)
    result: Mask = (here >= sample(response, places_px + step)) & (here > sample(response, places_px - step))
    return result


# -- walks ---------------------------------------------------------------------------------------


def _walks(candidates: Candidates, low: Mask, high: Mask, shape: tuple[int, ...]) -> list[Float]:
    """Group the points above the low limit, keep groups that reach the high one, walk each (N, 2)."""
    picture = np.zeros(shape, np.uint8)
    columns, rows = candidates.places_px[low].astype(int).T
    picture[rows, columns] = 1
    _, labels = cv2.connectedComponents(picture, connectivity=8)
    groups = labels[rows, columns]
    seeds = high[low]
    sizes = np.bincount(groups, minlength=labels.max() + 1)
    has_seed = np.bincount(groups, weights=seeds, minlength=len(sizes)) > 0
    keep = has_seed[groups] & (sizes[groups] >= 4)
    points = np.column_stack([columns, rows])[keep]
    order = np.argsort(groups[keep], kind="stable")
    points = points[order]
    borders = np.flatnonzero(np.diff(groups[keep][order])) + 1
    return [walk for group in np.split(points, borders) if len(group) for walk in _longest_walks(group)]


def _longest_walks(points: Float) -> list[Float]:
    """Take the longest walk through a group of 8-connected pixels, then the next, while they are long."""
    walks = []
    while len(points) >= 4:
        graph = _neighbours(points)
        far = breadth_first_order(graph, 0, directed=False, return_predecessors=False)[-1]
        order, before = breadth_first_order(graph, far, directed=False)
        walk = [order[-1]]
        while before[walk[-1]] >= 0:
            walk.append(before[walk[-1]])
        path = points[walk]
        walks.append(path.astype(float))
        # Points beside the walk are its own staircase: they go with it.
        distance = np.abs(points[:, None, :] - path[None, :, :]).max(axis=2).min(axis=1)
        points = points[distance > 2]
        if not len(points):
            break
        points = _largest_group(points)
    return [walk for walk in walks if len(walk) >= 4]


def _neighbours(points: Float) -> coo_matrix:
    """Return the graph of pixels that touch, sides or corners."""
    gap = np.abs(points[:, None, :] - points[None, :, :]).max(axis=2)
    rows, columns = np.nonzero(gap == 1)
    return coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(points),) * 2).tocsr()


def _largest_group(points: Float) -> Float:
    """Return the connected group that holds the most of `points`."""
    low = points.min(axis=0)
    picture = np.zeros(tuple((points.max(axis=0) - low + 1)[::-1]), np.uint8)
    picture[points[:, 1] - low[1], points[:, 0] - low[0]] = 1
    _, labels = cv2.connectedComponents(picture, connectivity=8)
    groups = labels[points[:, 1] - low[1], points[:, 0] - low[0]]
    return points[groups == np.bincount(groups).argmax()]


def _sub_pixel(response: Float, path: Float) -> Float:
    """Move each point to the crest of a parabola across the valley (at most one pixel)."""
    tangent = np.gradient(gaussian_filter1d(path, 2.0, axis=0, mode="nearest"), axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    behind, here, ahead = (sample(response, path + k * normal) for k in (-1, 0, 1))
    curvature = behind - 2 * here + ahead
    shift = np.where(curvature < 0, 0.5 * (behind - ahead) / np.minimum(curvature, -1e-12), 0.0)
    return path + np.clip(shift, -1, 1)[:, None] * normal


# -- paths ---------------------------------------------------------------------------------------


def bridge(pieces: list[Float], *, max_gap_px: float, max_turn_deg: float) -> list[Float]:
    """Join pieces whose ends face each other across a gap, nearest first.

    Both end directions must agree with the gap's own within `max_turn_deg`.
    """
    pieces = list(pieces)
    while (best := _best_joint(pieces, max_gap_px, max_turn_deg)) is not None:
        first, second, flip_first, flip_second = best
        head = pieces[first][::-1] if flip_first else pieces[first]
        tail = pieces[second][::-1] if flip_second else pieces[second]
        pieces = [p for k, p in enumerate(pieces) if k not in (first, second)]
        pieces.append(np.concatenate([head, tail]))
    return pieces


def _best_joint(
    pieces: list[Float], max_gap_px: float, max_turn_deg: float
) -> tuple[int, int, bool, bool] | None:
    """Find the pair of ends with the shortest admissible gap: which pieces, and which to turn round."""
    if len(pieces) < 2:
        return None
    # Ends in the order start, end of piece 0, start, end of piece 1, …; directions point outwards.
    ends = np.array([end for p in pieces for end in (p[0], p[-1])])
    reach = 12
    outwards = np.array([d for p in pieces for d in (p[0] - p[: reach + 1][-1], p[-1] - p[-reach - 1 :][0])])
    outwards = outwards / np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-9)
    gaps = ends[None, :, :] - ends[:, None, :]
    distance = np.linalg.norm(gaps, axis=2)
    unit = gaps / np.maximum(distance, 1e-9)[..., None]
    # A gap of a pixel or two has no direction of its own: there the two ends must face each other.
    facing = -(outwards[:, None, :] * outwards[None, :, :]).sum(axis=2)
    ahead = (unit * outwards[:, None, :]).sum(axis=2)
    ahead = np.where(distance < 3, 1.0, np.minimum(ahead, ahead.T))
    limit = np.cos(np.deg2rad(max_turn_deg))
    piece = np.arange(len(ends)) // 2
    admissible = (
        (distance <= max_gap_px) & (facing > limit) & (ahead > limit) & (piece[:, None] != piece[None, :])
    )
    if not admissible.any():
        return None
    a, b = np.unravel_index(np.where(admissible, distance, np.inf).argmin(), distance.shape)
    return int(a // 2), int(b // 2), bool(a % 2 == 0), bool(b % 2 == 1)


def smooth_path(path: Float, sigma_px: float, step_px: float) -> Float:
    """Resample a path at equal steps and smooth it along its length; the ends stay in place."""
    even = resample(path, step_px)
    if len(even) < 5:
        return even
    sigma = sigma_px / step_px
    # Reflecting about the end points keeps them fixed: a plain Gaussian would pull them in.
    pad = min(len(even) - 1, int(4 * sigma) + 1)
    head = 2 * even[0] - even[pad:0:-1]
    tail = 2 * even[-1] - even[-2 : -pad - 2 : -1]
    smooth = gaussian_filter1d(np.concatenate([head, even, tail]), sigma, axis=0)
    return resample(smooth[pad : pad + len(even)], step_px)


def resample(path: Float, step_px: float) -> Float:
    """Place points at equal distances of about `step_px` along a path (N, 2)."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    keep = np.concatenate([[True], steps > 1e-9])
    path, at = path[keep], np.concatenate([[0.0], np.cumsum(steps[keep[1:]])])
    wanted = np.linspace(0, at[-1], max(2, round(at[-1] / step_px) + 1))
    return np.column_stack([np.interp(wanted, at, path[:, k]) for k in (0, 1)])


def _length(path: Float) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
