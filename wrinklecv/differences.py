"""Where lines got deeper or shallower between two photos of one state: a map on the first photo's chart.

Not the light itself is compared, which shading and camera change, but how dark a line is against the skin
beside it. A difference counts only beyond what the two photos show where no line is, what a photo of an
unchanged face differs by, and what the softer photo leaves in doubt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from . import chart as face_chart
from .forced import at_patches
from .records import Float, Mask
from .regions import Glance, Piece, glance_at, piece_of
from .registration import Registration
from .ridges import PEAK_RESPONSE, find_ridges
from .settings import Settings
from .sides import Side

_POOL_MM = 0.6
"""The deepest valley within so much counts: skin is laid together no better than a few tenths of a mm."""
_SMOOTH_MM = 0.8
_MOST_DOUBT_MM = 1.2
"""Where the registration knows its place less well than this, nothing is said."""
_LINE_MM = 2.0
"""Skin nearer to a line says nothing of the noise."""
_LEAST_PLACES = 200
_SURE = 3.0
"""Standard errors beyond which a difference counts: 3 of 1000 places, were errors normal."""
_LINE_SURE = 2.5
"""The same for what a line has in common along itself: 1 line in 80."""
_LEAST_MM2 = 4.0
"""Smaller specks are noise: no line is that short."""
_USUAL_LINE_MM = 0.4
"""Sharp width (standard deviation) of the line for which softness is allowed for."""
_SCALES = 4
"""The widest scale of the line filter sees shading too."""
_NODE_PX = 18
"""Chart pixels between places at which the registration is read: it is smooth over 4 mm."""
_ONE_MAP: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class LineDifference:
    """How much deeper lines are in the later photo, in one region, on the first photo's chart.

    piece: the rectangle of the chart; px_per_mm of the maps on it. gap: (h, w) contrast, later − first; nan
    where skin was not seen in both photos or not laid together. clear: (h, w) where it is more than chance
    and photography make. noise: standard deviation of the gap where no line is; inf where too little such
    skin was seen: then nothing is clear. line_share: share of a line's own contrast that does not count.
    """

    piece: Piece
    px_per_mm: float
    gap: Float
    clear: Mask
    noise: float
    line_share: float

    @property
    def least(self) -> float:
        """The smallest contrast that counts, where no line is."""
        return _SURE * self.noise

    @property
    def clear_share(self) -> float:
        """Share of the skin seen in both photos where lines differ clearly."""
        return float(self.clear.sum() / max(1, np.isfinite(self.gap).sum()))


def map_difference(
    first: Side, later: Side, laid: Registration, *, relative_sd: float, settings: Settings
) -> LineDifference:
    """Map how the lines of one region differ between two photos.

    relative_sd: of a photo's index of an unchanged face (`NoiseFigure`).
    """
    piece = piece_of(laid.region)
    places, doubt_mm, pulled = _pulled(later.chart.light, piece, laid)
    light = later.chart.light.copy()
    light[piece.top : piece.bottom, piece.left : piece.right] = pulled
    views = [
        _glance(first, piece, settings),
        _glance(replace(later, chart=replace(later.chart, light=light)), piece, settings),
    ]
    depths = [_depths(view, settings) for view in views]
    gap = depths[1] - depths[0]
    seen, told = _seen(first, later, laid, views[0], places, doubt_mm)
    away = told & ~_near_lines(first, later, laid, views[0])
    noise, middle = math.inf, 0.0
    if away.sum() >= _LEAST_PLACES:
        middle = float(np.median(gap[away]))
        spread = 1.4826 * float(np.median(np.abs(gap[away] - middle)))
        # No path as faint as this is looked at either.
        noise = max(spread, settings.floor_contrast / _SURE)
    soft = max(side.softness_doubt(_USUAL_LINE_MM, laid.region) for side in (first, later))
    # What all lines of a photo share, what each place has of its own, and what softness leaves in doubt.
    line_share = _LINE_SURE * math.hypot(math.sqrt(2) * relative_sd, settings.contrast_share_sd, soft)
    gap = np.where(seen, gap - middle, np.nan).astype(np.float32)
    clear = np.abs(np.nan_to_num(gap)) > np.hypot(_SURE * noise, line_share * np.maximum(*depths))
    px_per_mm = views[0].px_per_mm
    return LineDifference(piece, px_per_mm, gap, _without_specks(clear, px_per_mm), noise, line_share)


def _without_specks(clear: Mask, px_per_mm: float) -> Mask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(clear.astype(np.uint8), connectivity=8)
    return np.asarray(clear & (stats[labels, cv2.CC_STAT_AREA] >= _LEAST_MM2 * px_per_mm**2))


def _pulled(light: Float, piece: Piece, laid: Registration) -> tuple[Float, Float, Float]:
    """Return where the later photo has the skin of a piece of the first (h, w, 2) mm, how well that is known
    (h, w) mm, and its light there (h, w)."""
    columns = np.arange(piece.left, piece.right + _NODE_PX, _NODE_PX)
    rows = np.arange(piece.top, piece.bottom + _NODE_PX, _NODE_PX)
    nodes = face_chart.px_to_mm(np.stack(np.meshgrid(columns, rows), axis=-1).astype(float)).reshape(-1, 2)
    there = laid.to_expression(nodes)
    table = np.column_stack([there, np.minimum(laid.doubt_mm(there), 9.0)])
    table = table.reshape(len(rows), len(columns), 3).astype(np.float32)
    size = piece.right - piece.left, piece.bottom - piece.top
    between = np.stack(np.meshgrid(*(np.arange(n) for n in size)), axis=-1).astype(np.float32) / _NODE_PX
    full = cv2.remap(table, between, _ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    at = face_chart.mm_to_px(full[..., :2]).astype(np.float32)
    pulled = cv2.remap(light, at, _ONE_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return full[..., :2], full[..., 2], pulled


def _glance(side: Side, piece: Piece, settings: Settings) -> Glance:
    seen_mm2 = max(side.blur_mm2[piece.region], 0.0) + side.more_mm2
    return glance_at(side.chart, piece, blur_mm=settings.glance_blur_mm, seen_blur_mm2=seen_mm2)


def _depths(view: Glance, settings: Settings) -> Float:
    """Return how dark the deepest line within reach of each place is against the skin beside it: (h, w)."""
    ridges = find_ridges(view.light, sigmas_mm=settings.sigmas_mm[:_SCALES], px_per_mm=view.px_per_mm)
    reach = round(_POOL_MM * view.px_per_mm)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    deepest = cv2.dilate(ridges.response, disc) * np.float32(1 / PEAK_RESPONSE)
    return cv2.GaussianBlur(np.asarray(deepest, np.float32), (0, 0), _SMOOTH_MM * view.px_per_mm)


def _seen(
    first: Side, later: Side, laid: Registration, view: Glance, places: Float, doubt_mm: Float
) -> tuple[Mask, Mask]:
    """Return where skin of the region was seen in both photos and laid together, and where it was clear."""
    size = view.light.shape[::-1]
    there, doubt = (cv2.resize(full, size, interpolation=cv2.INTER_AREA) for full in (places, doubt_mm))
    here = view.to_mm(np.stack(np.meshgrid(*(np.arange(n) for n in size)), axis=-1))
    known = view.shrunk(face_chart.region_mask(laid.region)) & (doubt <= _MOST_DOUBT_MM)
    seen = known & at_patches(first.skin.visible, here) & at_patches(later.skin.visible, there)
    return seen, seen & at_patches(first.skin.usable, here) & at_patches(later.skin.usable, there)


def _near_lines(first: Side, later: Side, laid: Registration, view: Glance) -> Mask:
    """Mark what lies near a line of either photo, (h, w)."""
    paths: Iterable[Float] = (
        *(np.asarray(line.path_mm, float) for _, line in first.lines_in(laid.region)),
        *(laid.to_rest(line.path_mm) for _, line in later.lines_in(laid.region)),
    )
    near = np.zeros(view.light.shape, np.uint8)
    corner = np.array((view.piece.left, view.piece.top))
    for path in paths:
        points = (face_chart.mm_to_px(path) - corner) * view.px_per_mm / face_chart.PX_PER_MM
        cv2.polylines(
            near, [np.rint(points).astype(np.int32)], False, 1, round(2 * _LINE_MM * view.px_per_mm)
        )
    return near.astype(bool)
