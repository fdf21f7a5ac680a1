"""From ridges to paths: candidates, hysteresis on signal-to-noise, walks, bridged gaps.

1. Candidates: places where the ridge response is largest across the valley (Canny's thinning).
2. Evidence: the second derivative averaged along the valley for a few mm either way. This is an
   elongated oriented filter, evaluated only where the isotropic one found a ridge. Divided by its
   own spread over the region's skin it is a signal-to-noise ratio that knows this photo's texture.
3. Hysteresis: a path holds together above the low limit and needs a stretch above the high one.
4. Paths: the longest walk through each connected group, then the next; cut where it turns off into
   another ridge (a crossing line, a brow); gaps are bridged where the direction agrees; smoothed, so
   that length is not that of a pixel staircase; their faint ends, which wander into the texture, go.

References: Canny (1986); Steger (1998), "An unbiased detector of curvilinear structures".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from .records import Float, Mask
from .ridges import PEAK_RESPONSE, Ridges, Scale, across, hessian_at, normal_of, sample
from .settings import Settings

Prior = Callable[[Float, Float], Mask]
"""(places_px (N, 2), tangent_rad (N,)) → which of these directions the region allows there."""

REACH_MM = 1.5
"""How far along the valley evidence is averaged, either way."""
_NOISE_PLACES = 600
"""About how many places of a grid, in four directions, speak for the texture: its spread is known to 3 %."""
_SAMPLE_STEP_MM = 0.5
"""Spacing of the samples along the valley: the filtered picture is smooth at that distance."""
_END_BLUR_MM = 0.75
"""Gaussian along a path before its ends are compared with the rest of it."""
_SMOOTH_MM = 0.5
"""Gaussian along a path that turns pixel steps into a curve, without cutting real bends."""
_LEAST_PIXELS = 4
"""A walk of fewer pixels has no direction."""
_STAIRCASE_MM = 0.67
"""Points this near to a walk belong to it: half the width of the crest they thin."""
_TANGENT_MM = 0.67
"""Gaussian along a walk before its direction is read."""
_KINK_ARM_MM = 2.0
"""Length either side of a place that tells how far the path turns there."""
_END_MM = 4.0
"""Length at a piece's end that tells where it points to."""
_TOUCHING_MM = 1.0
"""A gap shorter than this has no direction of its own."""
POINT_STEP_MM = 0.25
"""Spacing of a path's points."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Thinned ridge points.

    places_px: (N, 2) whole pixels (x, y). tangent_rad: (N,) along the valley.
    contrast, signal_to_noise: (N,) of the elongated filter at its best scale.
    """

    places_px: Float
    tangent_rad: Float
    contrast: Float
    signal_to_noise: Float


def find_paths(
    ridges: Ridges, usable: Mask, prior: Prior, noise: Float, *, settings: Settings, px_per_mm: float
) -> list[Float]:
    """Trace the dark lines in a piece of the chart: paths (N, 2) of sub-pixel places.

    usable: (H, W), where skin was seen; noise: (S,) contrasts, see `noise_contrasts`.
    """
    candidates = find_candidates(ridges, usable, prior, noise, settings=settings, px_per_mm=px_per_mm)
    strong = candidates.contrast > settings.floor_contrast
    low = strong & (candidates.signal_to_noise > settings.low_signal_to_noise)
    high = strong & (candidates.signal_to_noise > settings.high_signal_to_noise)
    pieces = _walks(candidates, low, high, ridges.response.shape, px_per_mm)
    shortest = settings.min_piece_mm * px_per_mm
    pieces = [_sub_pixel(ridges.response, p, px_per_mm) for p in pieces if _length(p) >= shortest]
    pieces = [part for p in pieces for part in cut_at_kinks(p, settings.max_kink_deg, px_per_mm)]
    pieces = [p for p in pieces if _length(p) >= shortest]
    joined = bridge(
        pieces, max_gap_mm=settings.max_gap_mm, max_turn_deg=settings.max_turn_deg, px_per_mm=px_per_mm
    )
    paths = [smooth_path(p, _SMOOTH_MM * px_per_mm, POINT_STEP_MM * px_per_mm) for p in joined]
    paths = [trim_ends(p, ridges, noise, min_share=settings.min_end_share) for p in paths]
    return [p for p in paths if len(p) > 2 and _length(p) >= settings.min_path_mm * px_per_mm]


def find_candidates(
    ridges: Ridges, usable: Mask, prior: Prior, noise: Float, *, settings: Settings, px_per_mm: float
) -> Candidates:
    """Thin the ridges to their crests and weigh the evidence along each."""
    # Half the limits: the mean along a line may be higher than the response at one noisy pixel.
    limit = np.maximum(settings.floor_contrast, settings.low_signal_to_noise * noise) / 2
    bright = ridges.response > limit.min() * PEAK_RESPONSE
    rows, columns = np.nonzero(bright & usable & _peaks(ridges.response))
    places = np.column_stack([columns, rows]).astype(np.float32)
    normal = normal_of(hessian_at(ridges.middle, places))
    crest = prior(places, normal + np.pi / 2) & _is_crest(ridges.response, places, normal)
    places, tangent = places[crest], normal[crest] + np.pi / 2
    # Most crests are texture; the middle scale alone tells that cheaply.
    sparse_mm = REACH_MM / 2
    first = elongated_contrasts((ridges.middle,), places, tangent, px_per_mm=px_per_mm, step_mm=sparse_mm)[0]
    likely = first > limit[len(ridges.scales) // 2]
    places, tangent = places[likely], tangent[likely]
    contrasts = elongated_contrasts(ridges.scales, places, tangent, px_per_mm=px_per_mm)
    ratios = contrasts / noise[:, None]
    best = (ratios.argmax(axis=0), np.arange(len(places)))
    return Candidates(places, tangent, contrasts[best], ratios[best])


def noise_contrasts(ridges: Ridges, usable: Mask, prior: Prior, *, px_per_mm: float) -> Float:
    """Measure the spread of the elongated filter over the region's skin at each scale: (S,) contrasts.

    A robust standard deviation (1.4826 × median absolute value) over a grid of places and the
    directions that the region allows: lines cover a few per cent of it and hardly move a median.
    """
    step = max(1, round(float(np.sqrt(usable.sum() / _NOISE_PLACES))))
    rows, columns = np.nonzero(usable[::step, ::step])
    if not len(rows):
        return np.full(len(ridges.scales), np.inf)
    places = np.column_stack([columns, rows]).astype(np.float32) * step
    values = []
    for tangent_deg in range(0, 180, 45):
        tangent = np.full(len(places), np.deg2rad(tangent_deg))
        allowed = prior(places, tangent)
        values.append(
            elongated_contrasts(ridges.scales, places[allowed], tangent[allowed], px_per_mm=px_per_mm)
        )
    spread = 1.4826 * np.median(np.abs(np.concatenate(values, axis=1)), axis=1)
    return np.asarray(np.maximum(spread, 1e-6))


def elongated_contrasts(
    scales: tuple[Scale, ...],
    places_px: Float,
    tangent_rad: Float,
    *,
    px_per_mm: float,
    step_mm: float = _SAMPLE_STEP_MM,
) -> Float:
    """Average the valley's depth along `tangent_rad` at each place and scale: (S, N) contrasts."""
    offsets = np.arange(-REACH_MM, REACH_MM + 1e-6, step_mm, dtype=np.float32) * px_per_mm
    along = np.stack([np.cos(tangent_rad), np.sin(tangent_rad)], axis=-1).astype(np.float32)
    samples = places_px[:, None, :] + offsets[None, :, None] * along[:, None, :]
    normal = np.asarray(tangent_rad) - np.pi / 2
    # The derivative along a fixed normal is linear in the Hessian: sum first, then turn. Not by matrix
    # product: BLAS reads beyond short rows and now and then warns of an invalid value that is none.
    depths = [across(np.einsum("...k->...", hessian_at(scale, samples)), normal) for scale in scales]
    return np.stack(depths) / (len(offsets) * PEAK_RESPONSE)


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


def _is_crest(response: Float, places_px: Float, normal_rad: Float) -> Mask:
    """Tell which places are larger than both neighbours one pixel across the valley (N,)."""
    step = np.stack([np.cos(normal_rad), np.sin(normal_rad)], axis=-1)
    here = sample(response, places_px)
    result: Mask = (here >= sample(response, places_px + step)) & (here > sample(response, places_px - step))
    return result


# -- walks ---------------------------------------------------------------------------------------


def _walks(
    candidates: Candidates, low: Mask, high: Mask, shape: tuple[int, ...], px_per_mm: float
) -> list[Float]:
    """Group the points above the low limit, keep groups that reach the high one, walk each: (N, 2)."""
    points = candidates.places_px[low].astype(int)
    groups = _groups(points, shape)
    has_seed = np.bincount(groups, weights=high[low], minlength=1) > 0
    points = points[has_seed[groups]] if len(points) else points
    walks: list[Float] = []
    staircase_px = 2 * round(_STAIRCASE_MM * px_per_mm) + 1
    while len(points):
        found = _longest_walks(points, shape)
        walks.extend(found)
        # Points beside a walk are its own staircase: they go with it. What is left are side branches.
        covered = np.zeros(shape, np.uint8)
        for walk in found:
            cv2.polylines(covered, [walk.astype(np.int32)], False, 1, thickness=staircase_px)
        points = points[covered[points[:, 1], points[:, 0]] == 0] if found else points[:0]
    return walks


def _groups(points: Float, shape: tuple[int, ...]) -> Float:
    """Number the groups of touching pixels: (N,) labels from 1."""
    picture = np.zeros(shape, np.uint8)
    picture[points[:, 1], points[:, 0]] = 1
    _, labels = cv2.connectedComponents(picture, connectivity=8)
    return np.asarray(labels[points[:, 1], points[:, 0]])


def _longest_walks(points: Float, shape: tuple[int, ...]) -> list[Float]:
    """Walk each group of touching pixels from one far end to the other, by two breadth-first searches."""
    groups = _groups(points, shape)
    points = points[np.argsort(groups, kind="stable")]
    sizes = np.bincount(groups)[1:]
    graph = _neighbours(points, shape)
    walks = []
    for start, size in zip(np.cumsum(sizes) - sizes, sizes, strict=True):
        if size < _LEAST_PIXELS:
            continue
        far = breadth_first_order(graph, start, return_predecessors=False)[-1]
        order, before = breadth_first_order(graph, far)
        walk = [order[-1]]
        while before[walk[-1]] >= 0:
            walk.append(before[walk[-1]])
        if len(walk) >= _LEAST_PIXELS:
            walks.append(points[walk].astype(float))
    return walks


def _neighbours(points: Float, shape: tuple[int, ...]) -> csr_matrix:
    """Return the graph of pixels that touch, at sides or corners: (N, N), both ways."""
    index = np.full((shape[0] + 2, shape[1] + 2), -1, np.int32)
    columns, rows = points.T + 1
    index[rows, columns] = np.arange(len(points))
    first, second = [], []
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = index[rows + dy, columns + dx]
        first.append(np.flatnonzero(other >= 0))
        second.append(other[other >= 0])
    pairs = np.concatenate([*first, *second]), np.concatenate([*second, *first])
    return csr_matrix((np.ones(len(pairs[0])), pairs), shape=(len(points),) * 2)


def _sub_pixel(response: Float, path: Float, px_per_mm: float) -> Float:
    """Move each point to the crest of a parabola across the valley (at most one pixel)."""
    tangent = np.gradient(gaussian_filter1d(path, _TANGENT_MM * px_per_mm, axis=0, mode="nearest"), axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    behind, here, ahead = (sample(response, path + k * normal) for k in (-1, 0, 1))
    curvature = behind - 2 * here + ahead
    shift = np.where(curvature < 0, 0.5 * (behind - ahead) / np.minimum(curvature, -1e-12), 0.0)
    return np.asarray(path + np.clip(shift, -1, 1)[:, None] * normal)


# -- paths ---------------------------------------------------------------------------------------


def cut_at_kinks(path: Float, max_kink_deg: float, px_per_mm: float) -> list[Float]:
    """Cut a path (N, 2) px where the 2 mm before and after a place differ by more than `max_kink_deg`.

    The sharpest such turn first; both parts keep the place.
    """
    arm_px = _KINK_ARM_MM * px_per_mm
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    inner = np.flatnonzero((at >= arm_px) & (at <= at[-1] - arm_px))
    if not len(inner):
        return [path]
    behind, ahead = (
        np.column_stack([np.interp(at[inner] + way, at, path[:, k]) for k in (0, 1)]) - path[inner]
        for way in (-arm_px, arm_px)
    )
    lengths = np.linalg.norm(behind, axis=1) * np.linalg.norm(ahead, axis=1)
    straight = -(behind * ahead).sum(axis=1) / np.maximum(lengths, 1e-9)
    if straight.min() >= np.cos(np.deg2rad(max_kink_deg)):
        return [path]
    kink = inner[straight.argmin()]
    parts = path[: kink + 1], path[kink:]
    return [piece for part in parts for piece in cut_at_kinks(part, max_kink_deg, px_per_mm)]


def bridge(pieces: list[Float], *, max_gap_mm: float, max_turn_deg: float, px_per_mm: float) -> list[Float]:
    """Join pieces whose ends face each other across a gap, nearest first.

    Both end directions must agree with the gap's own within `max_turn_deg`.
    """
    pieces = list(pieces)
    while (best := _best_joint(pieces, max_gap_mm, max_turn_deg, px_per_mm)) is not None:
        first, second, flip_first, flip_second = best
        head = pieces[first][::-1] if flip_first else pieces[first]
        tail = pieces[second][::-1] if flip_second else pieces[second]
        pieces = [p for k, p in enumerate(pieces) if k not in (first, second)]
        pieces.append(np.concatenate([head, tail]))
    return pieces


def _best_joint(
    pieces: list[Float], max_gap_mm: float, max_turn_deg: float, px_per_mm: float
) -> tuple[int, int, bool, bool] | None:
    """Find the pair of ends with the shortest admissible gap: which pieces, and which to turn round."""
    if len(pieces) < 2:
        return None
    # Ends in the order start, end of piece 0, start, end of piece 1, …; directions point outwards.
    ends = np.array([end for p in pieces for end in (p[0], p[-1])])
    reach = round(_END_MM * px_per_mm)
    outwards = np.array([d for p in pieces for d in (p[0] - p[: reach + 1][-1], p[-1] - p[-reach - 1 :][0])])
    outwards = outwards / np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-9)
    gaps = ends[None, :, :] - ends[:, None, :]
    distance = np.linalg.norm(gaps, axis=2)
    unit = gaps / np.maximum(distance, 1e-9)[..., None]
    # A gap of a millimetre has no direction of its own: there the two ends must face each other.
    facing = -(outwards[:, None, :] * outwards[None, :, :]).sum(axis=2)
    ahead = (unit * outwards[:, None, :]).sum(axis=2)
    ahead = np.where(distance < _TOUCHING_MM * px_per_mm, 1.0, np.minimum(ahead, ahead.T))
    limit = np.cos(np.deg2rad(max_turn_deg))
    piece = np.arange(len(ends)) // 2
    admissible = (
        (distance <= max_gap_mm * px_per_mm)
        & (facing > limit)
        & (ahead > limit)
        & (piece[:, None] != piece[None, :])
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


def trim_ends(path: Float, ridges: Ridges, noise: Float, *, min_share: float) -> Float:
    """Take off the ends of a path (N, 2) px that have less than `min_share` of its clear parts' contrast.

    Its points lie `POINT_STEP_MM` apart; noise: (S,), see `noise_contrasts`. The clear parts are its best
    quarter. Between the ends nothing is cut.
    """
    tangent = np.gradient(path, axis=0)
    normal = np.arctan2(tangent[:, 1], tangent[:, 0]) - np.pi / 2
    depths = np.stack([across(hessian_at(scale, path), normal) for scale in ridges.scales])
    best = int((depths.mean(axis=1) / noise).argmax())
    depth = gaussian_filter1d(depths[best], _END_BLUR_MM / POINT_STEP_MM, mode="nearest")
    clear = np.flatnonzero(depth >= min_share * max(float(np.quantile(depth, 0.75)), 0.0))
    return path[clear[0] : clear[-1] + 1] if len(clear) else path[:0]


def resample(path: Float, step_px: float) -> Float:
    """Place points at equal distances of about `step_px` along a path (N, 2)."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    keep = np.concatenate([[True], steps > 1e-9])
    path, at = path[keep], np.concatenate([[0.0], np.cumsum(steps[keep[1:]])])
    wanted = np.linspace(0, at[-1], max(2, round(at[-1] / step_px) + 1))
    return np.column_stack([np.interp(wanted, at, path[:, k]) for k in (0, 1)])


def _length(path: Float) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
