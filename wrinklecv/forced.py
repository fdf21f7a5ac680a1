"""Contrast read where a line is expected, whether or not one was found: forced photometry.

A line that lies below the detector's limit still darkens its place a little. The valley's depth is read
along the whole path at once, at the width the line has in the other photo, and likewise along the same path
moved aside, where no line is: that is what texture alone shows, and how much is needed to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import correlate1d

from . import chart as face_chart
from .profiles import valley_weights
from .records import Chart, Float, Mask
from .ridges import sample

_ASIDE_MM = 7.0
"""How far aside the same path is read."""
_STEP_MM = 1 / 6
_SHOWN_MM, _BESIDE_MM = 5.0, 2.0
"""How far a profile reaches, and from where on it is the skin beside."""
_FADING_MM = 1.0
"""A line's ends are fainter and are left out, where it is long enough."""
_LINE_MM = 1.5
"""Places this near to a found line say nothing about texture alone."""
_LEAST_CLEAR = 0.6
_LEAST_PLACES = 20
_USUAL_MM = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The valley's depth along a path and beside it.

    depths: (N, M) at each of N points moved aside by each of `offsets_mm` (M,). seen: (N,) where skin was
    seen. length_mm: of the path, chart mm.
    """

    offsets_mm: Float
    depths: Float
    seen: Mask
    length_mm: float

    @property
    def seen_share(self) -> float:
        """Share of the path that was seen."""
        return float(self.seen.mean())

    def contrast(self, aside_mm: Float) -> float:
        """Return the mean depth along the path, each point moved by `aside_mm` (N,) or one number."""
        at = np.broadcast_to(
            np.rint((np.asarray(aside_mm) - self.offsets_mm[0]) / _STEP_MM), len(self.depths)
        )
        columns = at.astype(int).clip(0, self.depths.shape[1] - 1)
        body = self._body()
        return float(self.depths[np.arange(len(columns)), columns][body].mean())

    def _body(self) -> Mask:
        ends = min(round(_FADING_MM / self.length_mm * len(self.seen)), (len(self.seen) - 1) // 3)
        body = self.seen.copy()
        body[:ends] = body[len(body) - ends :] = False
        return body if body.any() else np.ones_like(body)


def read_beside(chart: Chart, path_mm: Float, sigma_mm: float, visible: Mask) -> Reading:
    """Read the valley's depth along `path_mm` (N, 2) and beside it.

    sigma_mm: the valley's standard deviation as the chart shows it, blur included, chart mm.
    visible: (h', w').
    """
    weights = valley_weights(sigma_mm, _STEP_MM)
    half = len(weights) // 2
    count = round(_ASIDE_MM / _STEP_MM)
    across = np.arange(-count - half, count + half + 1) * _STEP_MM
    places = path_mm[:, None, :] + across[None, :, None] * normals(path_mm)[:, None, :]
    table = sample(chart.light, face_chart.mm_to_px(places), cv2.INTER_CUBIC).astype(float)
    depths = correlate1d(table, weights, axis=1)[:, half:-half]
    return Reading(
        offsets_mm=across[half:-half],
        depths=depths,
        seen=at_patches(visible, path_mm),
        length_mm=float(np.linalg.norm(np.diff(path_mm, axis=0), axis=1).sum()),
    )


def mean_profile(chart: Chart, path_mm: Float) -> tuple[Float, Float]:
    """Average the light across a path (N, 2) mm: what a person sees who looks along the line.

    Returns (M,) mm of skin aside, and (M,) ln of the light there against the skin beside the line.
    """
    count = round(_SHOWN_MM / _STEP_MM)
    across = np.arange(-count, count + 1) * _STEP_MM
    places = path_mm[:, None, :] + across[None, :, None] * normals(path_mm)[:, None, :]
    light = sample(chart.light, face_chart.mm_to_px(places), cv2.INTER_CUBIC).astype(float).mean(axis=0)
    _, widening = face_chart.on_skin(chart, path_mm)
    return across * widening, light - float(np.median(light[np.abs(across) >= _BESIDE_MM]))


def texture_contrast(
    readings: Sequence[tuple[Reading, Float]], lines_mm: Sequence[Float], visible: Mask
) -> float | None:
    """Return the contrast (standard deviation) that texture alone shows along a path of 10 chart mm.

    readings: with their paths (N, 2) mm. lines_mm: all lines found in the photo; places near them are left
    out. None where too few places are left.
    """
    clear = _away_from(lines_mm, visible)
    values = []
    for reading, path_mm in readings:
        places = path_mm[:, None, :] + reading.offsets_mm[None, ::3, None] * normals(path_mm)[:, None, :]
        empty = at_patches(clear, places)
        share = empty.mean(axis=0)
        means = (reading.depths[:, ::3] * empty).sum(axis=0) / np.maximum(empty.sum(axis=0), 1)
        length = reading.length_mm * share
        values.append((means * np.sqrt(length / _USUAL_MM))[share >= _LEAST_CLEAR])
    pooled = np.concatenate(values) if values else np.zeros(0)
    if len(pooled) < _LEAST_PLACES:
        return None
    return float(1.4826 * np.median(np.abs(pooled)))


def _away_from(lines_mm: Sequence[Float], visible: Mask) -> Mask:
    """Mark the patches that were seen and lie away from all lines."""
    lines = np.zeros(visible.shape, np.uint8)
    for path in lines_mm:
        points = np.rint(face_chart.mm_to_patches(path)).astype(np.int32)
        cv2.polylines(lines, [points], False, 1, thickness=2 * round(_LINE_MM) + 1)
    return np.asarray(visible & (lines == 0))


def at_patches(mask: Mask, places_mm: Float) -> Mask:
    """Read a patch mask (h', w') at places (…, 2) mm: (…); false beyond the chart."""
    columns, rows = np.moveaxis(np.rint(face_chart.mm_to_patches(places_mm)).astype(int), -1, 0)
    height, width = mask.shape
    inside = (columns >= 0) & (rows >= 0) & (columns < width) & (rows < height)
    return np.asarray(mask[rows.clip(0, height - 1), columns.clip(0, width - 1)] & inside)


def normals(path: Float) -> Float:
    """Return unit normals (N, 2) of a path: tangent (t₁, t₂) → (−t₂, t₁)."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    return np.column_stack([-tangent[:, 1], tangent[:, 0]])
