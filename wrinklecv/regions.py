"""The regions' own anatomy: which way lines run there, and a region cut out of the chart.

A muscle folds the skin across its pull: the frontalis pulls up, so forehead lines run level; the
corrugators pull inwards, so frown lines stand upright or lean (with level ones at the root of the
nose, from the procerus); the ring around the eye folds rays from the outer canthus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from . import chart as face_chart
from .records import Chart, Float, Mask, Region

CANTHUS_MM = (48.0, -27.0)
"""Outer corner of the eye on the chart (landmarks 33 and 263: u = ±49.9, v = -26.6)."""
_FOREHEAD_TURN_DEG, _GLABELLA_TURN_DEG, _ROOT_TURN_DEG, _CROWS_FEET_TURN_DEG = 35.0, 50.0, 30.0, 40.0
_NOSE_ROOT_V_MM = -44.0
"""From here down, level lines belong to the glabella too."""
_GLANCE_SHRINK = 2
"""Chart pixels per glance pixel: blurred as it is, a glance loses nothing by it."""
_MARGIN_MM = 4.0
"""Chart beyond the region that the filters may look at: twice the widest scale."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of the chart around one region; `left`, `top` in chart pixels."""

    region: Region
    left: int
    top: int
    right: int
    bottom: int

    def cut(self, picture: Float) -> Float:
        """Cut the rectangle out of a chart picture (H, W, …)."""
        return np.ascontiguousarray(picture[self.top : self.bottom, self.left : self.right])

    def to_mm(self, places_px: Float) -> Float:
        """Bring places in the rectangle (…, 2) px to chart mm."""
        return face_chart.px_to_mm(np.asarray(places_px) + np.array((self.left, self.top)))

    def allows(self, places_px: Float, tangent_rad: Float) -> Mask:
        """Tell at which places (N, 2) px a line may run along `tangent_rad` (N,)."""
        return directions_allowed(self.region, self.to_mm(places_px), tangent_rad)


def piece_of(region: Region) -> Piece:
    """Return the rectangle around `region`, with a margin for the filters."""
    outline = np.array(face_chart.REGION_OUTLINES_MM[region])
    low = np.floor(face_chart.mm_to_px(outline.min(axis=0) - _MARGIN_MM)).astype(int)
    high = np.ceil(face_chart.mm_to_px(outline.max(axis=0) + _MARGIN_MM)).astype(int) + 1
    # Whole glance pixels, so that the pieces left and right are mirror images.
    low, high = low // _GLANCE_SHRINK * _GLANCE_SHRINK, -(-high // _GLANCE_SHRINK) * _GLANCE_SHRINK
    height, width = face_chart.SHAPE
    return Piece(
        region, max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0])), min(height, int(high[1]))
    )


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """A region as a person sees it who looks at the whole face: everything finer is blurred away.

    Lines are looked for here, so that a large photo does not show other lines than a small one of the
    same face; they are measured on the chart itself. light: (h, w) float32, log light.
    """

    piece: Piece
    light: Float

    @property
    def region(self) -> Region:
        """The region that is seen."""
        return self.piece.region

    @property
    def px_per_mm(self) -> float:
        """Glance pixels per chart mm."""
        return face_chart.PX_PER_MM / _GLANCE_SHRINK

    def to_piece(self, places_px: Float) -> Float:
        """Bring glance pixels (…, 2) to pixels of the piece."""
        return np.asarray(places_px) * _GLANCE_SHRINK + (_GLANCE_SHRINK - 1) / 2

    def to_mm(self, places_px: Float) -> Float:
        """Bring glance pixels (…, 2) to chart mm."""
        return self.piece.to_mm(self.to_piece(places_px))

    def allows(self, places_px: Float, tangent_rad: Float) -> Mask:
        """Tell at which places (N, 2) px a line may run along `tangent_rad` (N,)."""
        return self.piece.allows(self.to_piece(places_px), tangent_rad)

    def shrunk(self, mask: Mask) -> Mask:
        """Bring a mask of the whole chart (H, W) to this glance (h, w): true where most of a pixel is."""
        cut = self.piece.cut(mask).astype(np.uint8) * 255
        return cv2.resize(cut, self.light.shape[::-1], interpolation=cv2.INTER_AREA) > 127


def glance_at(chart: Chart, piece: Piece, *, blur_mm: float, seen_blur_mm2: float) -> Glance:
    """Blur a piece of the chart to a standard deviation of `blur_mm`, counting what it has already.

    seen_blur_mm2: variance of the blur of camera and resampling, chart mm².
    """
    light = piece.cut(chart.light)
    averaging_px2 = (_GLANCE_SHRINK**2 - 1) / 12
    wanted_px2 = (blur_mm**2 - seen_blur_mm2) * face_chart.PX_PER_MM**2 - averaging_px2
    more_px = np.sqrt(max(wanted_px2, 0.0))
    height, width = (side // _GLANCE_SHRINK for side in light.shape)
    if more_px > _NO_BLUR_PX:
        light = cv2.GaussianBlur(light, (0, 0), more_px)
    return Glance(piece, cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA))


_NO_BLUR_PX = 0.3
"""A Gaussian narrower than this changes nothing on pixels."""


def directions_allowed(region: Region, places_mm: Float, tangent_rad: Float) -> Mask:
    """Tell at which chart places (N, 2) mm the region's anatomy lets a line run along `tangent_rad`."""
    tangent = np.rad2deg(tangent_rad)
    if region is Region.FOREHEAD:
        return _turn_deg(tangent, 0.0) <= _FOREHEAD_TURN_DEG
    if region is Region.GLABELLA:
        root = (places_mm[:, 1] > _NOSE_ROOT_V_MM) & (_turn_deg(tangent, 0.0) <= _ROOT_TURN_DEG)
        return root | (_turn_deg(tangent, 90.0) <= _GLABELLA_TURN_DEG)
    side = 1.0 if region is Region.CROWS_FEET_LEFT else -1.0
    ray = places_mm - (side * CANTHUS_MM[0], CANTHUS_MM[1])
    return _turn_deg(tangent, np.rad2deg(np.arctan2(ray[:, 1], ray[:, 0]))) <= _CROWS_FEET_TURN_DEG


def _turn_deg(a: Float, b: Float | float) -> Float:
    """Angle between undirected directions in degrees, 0 to 90."""
    return np.abs((a - b + 90.0) % 180.0 - 90.0)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a region was seen.

    share: 0–1. area_mm2: on the subject's face. px_per_mm: median photo pixels per mm of skin, 0 where
    nothing was seen. mm_per_chart_mm: how large this subject's face is there.
    """

    share: float
    area_mm2: float
    px_per_mm: float
    mm_per_chart_mm: float

    @property
    def px_per_chart_mm(self) -> float:
        """Photo pixels per chart mm: what filters and blur on the chart go by."""
        return self.px_per_mm * self.mm_per_chart_mm


def with_lines(usable: Mask, visible: Mask, paths_mm: Sequence[Float]) -> Mask:
    """Add the skin around lines to what counts as seen: a place where a line was measured is skin.

    usable, visible: (h', w'); paths_mm: each (N, 2) chart mm.
    """
    beside = np.zeros(usable.shape, np.uint8)
    for path in paths_mm:
        patches = np.rint(face_chart.mm_to_patches(path))
        columns, rows = patches.T.astype(int)
        beside[rows.clip(0, usable.shape[0] - 1), columns.clip(0, usable.shape[1] - 1)] = 1
    radius = round(_BESIDE_LINE_MM)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return usable | (cv2.dilate(beside, disc).astype(bool) & visible)


_BESIDE_LINE_MM = 2.0
"""How far the skin beside a line enters its profile."""


def measure_coverage(chart: Chart, usable: Mask) -> dict[Region, Coverage]:
    """Measure how much of each region lies under `usable` (h', w')."""
    skin_mm2 = face_chart.skin_per_patch_mm2(chart)
    px_per_mm = face_chart.nodes_to_patches(chart.resolution_px_per_mm)
    result = {}
    for region in Region:
        share = face_chart.region_share(region)
        seen = share * usable
        resolution = px_per_mm[seen > 0.5]
        result[region] = Coverage(
            share=float(seen.sum() / share.sum()),
            area_mm2=float((seen * skin_mm2).sum()),
            px_per_mm=float(np.median(resolution)) if resolution.size else 0.0,
            mm_per_chart_mm=float(np.sqrt(np.median(skin_mm2[seen > 0.5]))) if resolution.size else 1.0,
        )
    return result
