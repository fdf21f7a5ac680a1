"""Thin things before the face, as strokes in space: drawn over the photo, and their shadow on the skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..records import Float, frozen_array
from .camera import Camera
from .light import light_frame, read_map
from .person import Shot

_FINER = 2
_MAP_PX_PER_MM = 5.0
_STEP_PX = 0.4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stroke:
    """A hair, or a piece of a frame.

    points_mm: (N, 3) canonical mm along it. width_mm: (N,) on this person. colour: (3,) linear light
    it sends to the camera.
    """

    points_mm: Float
    width_mm: Float
    colour: Float

    def __post_init__(self) -> None:
        count = len(self.points_mm)
        for name, shape in (("points_mm", (count, 3)), ("width_mm", (count,)), ("colour", (3,))):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, shape, name))


def draw_strokes(light: Float, strokes: Sequence[Stroke], camera: Camera) -> None:
    """Paint strokes over linear `light` (H, W, 3) in place, each pixel by the share they cover."""
    if not strokes:
        return
    paths = [camera.project(stroke.points_mm) for stroke in strokes]
    widest = max(float(stroke.width_mm.max()) for stroke in strokes) * camera.px_per_mm
    low = np.maximum(np.floor(np.min([p.min(axis=0) for p in paths], axis=0) - widest - 2).astype(int), 0)
    high = np.ceil(np.max([p.max(axis=0) for p in paths], axis=0) + widest + 3).astype(int)
    high = np.minimum(high, light.shape[1::-1])
    if (high <= low).any():
        return
    width, height = high - low
    cover = np.zeros((height * _FINER, width * _FINER, 4), np.float32)
    for stroke, path in zip(strokes, paths, strict=True):
        wide = stroke.width_mm * camera.px_per_mm * _FINER
        _splat(cover, (path - low + 0.5) * _FINER - 0.5, wide, np.append(stroke.colour, 1.0))
    mass = np.maximum(cover[..., 3:], 1.0)  # where strokes lie over each other, their colours mix
    small = cv2.resize(cover / mass, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    under = light[low[1] : high[1], low[0] : high[0]]
    under *= 1 - small[..., 3:]
    under += small[..., :3]


def shadow_of(
    strokes: Sequence[Stroke], points_mm: Float, camera: Camera, shot: Shot, blur_mm: float
) -> Float:
    """Return how much of the main light strokes take from skin at canonical points (h, w, 3), (h, w) 0-1.

    blur_mm: softness (sd) of the shadow's edge, from the lamp's size.
    """
    if not strokes:
        return np.zeros(points_mm.shape[:2], np.float32)
    frame = light_frame(shot, camera) * camera.head_size * _MAP_PX_PER_MM
    paths = [stroke.points_mm @ frame.T for stroke in strokes]
    margin = 4 * (blur_mm + max(float(stroke.width_mm.max()) for stroke in strokes)) * _MAP_PX_PER_MM
    low = np.min([p.min(axis=0) for p in paths], axis=0) - margin
    width, height = np.ceil(np.max([p.max(axis=0) for p in paths], axis=0) + margin - low).astype(int)
    cover = np.zeros((height, width, 1), np.float32)
    for stroke, path in zip(strokes, paths, strict=True):
        _splat(cover, path - low, stroke.width_mm * _MAP_PX_PER_MM, np.ones(1))
    picture = cv2.GaussianBlur(np.minimum(cover[..., 0], 1.0), (0, 0), max(blur_mm * _MAP_PX_PER_MM, 0.3))
    places = np.stack([points_mm @ axis.astype(np.float32) for axis in frame], axis=-1)
    return read_map(picture, places - low)


def _splat(picture: Float, path_px: Float, width_px: Float, ink: Float) -> None:
    """Add a band along a path (N, 2) of varying width (N,) to `picture` (H, W, C), in place.

    The band is sown with points of equal area, each shared out between its four pixels: whatever its
    width or direction, the sum of `ink` (C,) is the band's area, so thin hairs keep their strength.
    """
    steps = np.linalg.norm(np.diff(path_px, axis=0), axis=1)
    along = np.append(0.0, np.cumsum(steps))
    tangent = np.gradient(path_px, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    count = max(2, int(along[-1] / _STEP_PX))
    where = (np.arange(count) + 0.5) / count * along[-1]
    x, y, wide, tx, ty = (np.interp(where, along, v)[:, None] for v in (*path_px.T, width_px, *tangent.T))
    rows = max(1, int(np.ceil(width_px.max() / _STEP_PX)))
    aside = ((np.arange(rows) + 0.5) / rows - 0.5)[None] * wide
    px, py = x - ty * aside, y + tx * aside
    # Outside a bend points stand further apart than inside it, and each stands for more.
    apart = np.hypot(np.gradient(px, axis=0), np.gradient(py, axis=0))
    area = wide / rows * apart
    _share_out(picture, px.ravel(), py.ravel(), area.ravel(), ink)


def _share_out(picture: Float, x: Float, y: Float, area: Float, ink: Float) -> None:
    """Add points (N,) of given areas (N,) to their four pixels of `picture` (H, W, C), in place."""
    height, width, layers = picture.shape
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    kept = (left >= 0) & (top >= 0) & (left < width - 1) & (top < height - 1)
    left, top, x, y, area = left[kept], top[kept], x[kept], y[kept], area[kept]
    if not len(left):
        return
    x0, y0 = left.min(), top.min()
    shape = int(top.max() - y0 + 2), int(left.max() - x0 + 2)
    fx, fy = x - left, y - top
    index = (top - y0) * shape[1] + (left - x0)
    total = np.zeros(shape[0] * shape[1])
    for offset, share in ((0, (1 - fx) * (1 - fy)), (1, fx * (1 - fy)), (shape[1], (1 - fx) * fy),
                          (shape[1] + 1, fx * fy)):  # fmt: skip
        total += np.bincount(index + offset, share * area, len(total))
    sown = total.reshape(shape).astype(np.float32)
    part = picture[y0 : y0 + shape[0], x0 : x0 + shape[1]]
    for k in range(layers):
        part[..., k] += sown * np.float32(ink[k])
