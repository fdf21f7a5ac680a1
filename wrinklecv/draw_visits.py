"""Pictures of two visits in one frame: as they are, matched in exposure for the eye, and how lines differ.

Nothing here goes back into a measurement: pictures are made from the photos, numbers from the charts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import chart as face_chart
from .differences import LineDifference
from .draw import Cut, draw_on, draw_outline
from .frames import BEYOND, INK, PAPER, Cuts, beside, label, shrunk, stacked, text_strip
from .looks import mapped
from .records import Assessment, Bytes, Chart, Float, Mask, Region

Pictures = tuple[Bytes, Bytes]
"""Both photos' pictures, of one size: the first visit's, the later visit's."""

_MOST_SHOWN = 0.06
"""Contrast at both ends of the colour scale."""
_SHALLOWER = ((231, 238, 247), (103, 169, 207), (5, 80, 160))
_DEEPER = ((253, 238, 224), (241, 140, 60), (160, 60, 0))
"""sRGB from small to large: blue and orange differ to colour-blind eyes, and both darken with size."""
_DIM, _OPAQUE = 0.55, 0.85
_HATCH_PX, _HATCH = 14, (150, 150, 150)
_COARSE_PX = 12
"""Picture pixels between places that are brought to the chart: the map is smooth."""
_AROUND_MM = 6.0
_DEGREE, _ROUNDS = 4, 3
_BLANKED_MARGIN_PX = 9
_SHEET_PX = 760
_ONE_MAP: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """How lines differ, on the first photo's cut.

    region: (H, W) uint8, 0 beyond the regions, else their place in `Region`, from 1. gap: (H, W) float16
    contrast, later − first. clear: (H, W) where it counts; seen: (H, W) where skin was seen in both photos.
    least: by region, the smallest contrast that counts where no line is; line_share: the largest share of a
    line's own contrast that does not count.
    """

    region: Bytes
    gap: Float
    clear: Mask
    seen: Mask
    least: Mapping[Region, float]
    line_share: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One place of the face, all of it or a region, in both photos.

    residual_mm: how far its skin lies apart (median, mm); None where the skin could not be laid together and
    only the landmarks tell size and place.
    """

    cuts: Cuts
    residual_mm: float | None
    overlay: Overlay

    @property
    def is_laid(self) -> bool:
        """Whether the photos may lie on each other: under a slider, blinking, as a difference."""
        return self.residual_mm is not None


# -- the photos ------------------------------------------------------------------------------------


def draw_visits(
    view: View,
    found: tuple[Assessment, Assessment],
    region: Region | None,
    *,
    lines: bool,
    stops: float = 0.0,
) -> Pictures:
    """Draw both photos of a view, with the lines found in each where `lines`.

    stops: by how much the later photo is made brighter for the eye, 0 to leave it as it is.
    """
    pictures = []
    for cut, assessment, more in zip(view.cuts, found, (0.0, stops), strict=True):
        shown = Cut(matched(cut.pixels, more), cut.from_photo, cut.outlines)
        own = assessment.lines if region is None else assessment.lines_in(region)
        pictures.append(draw_on(shown, dict(enumerate(own))) if lines else shown.pixels)
    return pictures[0], pictures[1]


def matched(pixels: Bytes, stops: float) -> Bytes:
    """Make a picture brighter by photographic stops, as a longer exposure would: in linear light."""
    if not stops:
        return pixels
    light = np.minimum(face_chart.linear_light().astype(float) * 2.0**stops, 1.0)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(cv2.LUT(pixels, np.rint(255 * encoded).astype(np.uint8)))


def blanked(pictures: Pictures, view: View) -> Pictures:
    """Leave of both pictures the region alone: what lies around it is plain grey."""
    result = []
    for picture, cut in zip(pictures, view.cuts, strict=True):
        inside: Bytes = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(inside, [np.rint(xy).astype(np.int32) for xy in cut.outlines], 1)
        side = 2 * _BLANKED_MARGIN_PX + 1
        inside = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        result.append(np.where(inside[..., None] > 0, picture, np.uint8(BEYOND[0])))
    return result[0], result[1]


def lay_beside(pictures: Pictures, names: tuple[str, str]) -> Bytes:
    """Lay two pictures side by side under their names: (H, W, 3)."""
    halves = [stacked(label(p.shape[1], name), p) for p, name in zip(pictures, names, strict=True)]
    return beside(halves[0], halves[1])


def draw_sheet(
    heading: str, rows: Sequence[tuple[str, tuple[str, str], Pictures]], notes: Sequence[str]
) -> Bytes:
    """Draw a sheet to be kept: heading, rows of two named pictures (title, names, pictures), notes below."""
    width = 2 * _SHEET_PX + 6
    parts = [text_strip(width, [heading], size=width / 52)] if heading else []
    for title, names, pictures in rows:
        small = shrunk(lay_beside(pictures, names), width)
        left = (width - small.shape[1]) // 2
        edges = ((0, 0), (left, width - small.shape[1] - left), (0, 0))
        framed = np.pad(small, edges, constant_values=PAPER[0])
        parts += [*([text_strip(width, [title], size=width / 62)] if title else []), framed]
    return stacked(*parts, text_strip(width, notes, size=width / 76))


# -- how lines differ ------------------------------------------------------------------------------


def lay_over(
    cut: Cut, chart: Chart, differences: Mapping[Region, LineDifference], region: Region | None = None
) -> Overlay:
    """Bring the differences of regions from the first photo's chart onto its cut."""
    height, width = cut.pixels.shape[:2]
    numbers = np.zeros((height, width), np.uint8)
    gap = np.zeros((height, width), np.float16)
    clear, seen = np.zeros((height, width), bool), np.zeros((height, width), bool)
    shown = [region] if region else list(Region)
    for one, outline in zip(shown, cut.outlines, strict=True):
        number = list(Region).index(one) + 1
        cv2.fillPoly(numbers, [np.rint(outline).astype(np.int32)], number)
        if one not in differences:
            continue
        difference = differences[one]
        at = _on_map(cut, chart, difference)
        inside = numbers == number
        known = np.isfinite(difference.gap)
        for target, source in (
            (gap, np.where(known, difference.gap, 0).astype(np.float32)),
            (clear, difference.clear.astype(np.float32)),
            (seen, known.astype(np.float32)),
        ):
            read = cv2.remap(source, at, _ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            target[inside] = (read[inside] > 0.5) if target.dtype == bool else read[inside]
    least = {one: found.least for one, found in differences.items() if one in shown}
    share = max((found.line_share for found in differences.values()), default=0.0)
    return Overlay(numbers, gap, clear & seen, seen, least, share)


def _on_map(cut: Cut, chart: Chart, difference: LineDifference) -> Float:
    """Return for each pixel of a cut its place (H, W, 2) px on a difference's maps.

    A polynomial tells it roughly; then what the chart says of the place found is put right.
    """
    outline = np.array(face_chart.REGION_OUTLINES_MM[difference.piece.region])
    low, high = outline.min(axis=0) - _AROUND_MM, outline.max(axis=0) + _AROUND_MM
    places = face_chart.node_places()
    near = ((places >= low) & (places <= high)).all(axis=2)
    shown_xy = mapped(chart.photo_xy[near].astype(float), cut.from_photo)
    corner = np.array((difference.piece.left, difference.piece.top))
    shrink = difference.px_per_mm / face_chart.PX_PER_MM
    middle, spread = shown_xy.mean(axis=0), np.ptp(shown_xy, axis=0) / 2
    terms = _powers((shown_xy - middle) / spread)
    fitted = np.linalg.solve(terms.T @ terms, terms.T @ places[near])
    height, width = cut.pixels.shape[:2]
    columns, rows = (np.arange(0, n + _COARSE_PX, _COARSE_PX) for n in (width, height))
    grid = (np.stack(np.meshgrid(columns, rows), axis=-1) - middle) / spread
    known = (np.abs(grid) <= 1).all(axis=2)  # beyond the nodes a polynomial runs wild
    wanted = grid[known]
    found = _powers(wanted) @ fitted
    for _ in range(_ROUNDS):
        off = wanted - (mapped(face_chart.to_photo(chart, found), cut.from_photo) - middle) / spread
        found += _powers(wanted + off) @ fitted - _powers(wanted) @ fitted
    coarse = np.full(grid.shape, -9.0, np.float32)
    coarse[known] = (face_chart.mm_to_px(found) - corner + 0.5) * shrink - 0.5
    between = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    return np.asarray(
        cv2.remap(coarse, between / _COARSE_PX, _ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _powers(places: Float) -> Float:
    """Return the products of powers of (x, y), (N, 2), up to a total of `_DEGREE`: (N, T)."""
    x, y = places.T
    return np.column_stack([x**a * y**b for a in range(_DEGREE + 1) for b in range(_DEGREE + 1 - a)])


def draw_difference(view: View, *, untold: Collection[Region] = ()) -> Bytes:
    """Draw where lines got deeper or shallower, on the first photo in grey, with its legend below.

    untold: regions of which nothing is to be said, hatched like skin that was not seen in both photos.
    """
    overlay, cut = view.overlay, view.cuts[0]
    grey = np.repeat(cv2.cvtColor(cut.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.float32)
    hidden = {list(Region).index(region) + 1 for region in untold}
    inside = overlay.region > 0
    told = overlay.seen & ~np.isin(overlay.region, list(hidden))
    grey[~inside] *= _DIM
    hatched = inside & ~told & _hatch(inside.shape)
    grey[hatched] = _HATCH
    shown = overlay.clear & told
    grey[shown] = (1 - _OPAQUE) * grey[shown] + _OPAQUE * _colours(overlay.gap[shown])
    picture = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    for outline in cut.outlines:
        draw_outline(picture, outline)
    return stacked(picture, _legend(picture.shape[1], say_noise(overlay, untold)))


def _hatch(shape: tuple[int, ...]) -> Mask:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((rows + columns) % _HATCH_PX < 2)


def _colours(gap: Float) -> Float:
    """Return a colour (N, 3) for each contrast (N,): blue for shallower lines, orange for deeper ones."""
    share = np.clip(np.abs(gap.astype(np.float32)) / _MOST_SHOWN, 0, 1)
    steps = np.linspace(0, 1, len(_DEEPER))
    both = [
        np.column_stack([np.interp(share, steps, np.array(ramp)[:, k]) for k in range(3)])
        for ramp in (_SHALLOWER, _DEEPER)
    ]
    return np.where((gap < 0)[:, None], both[0], both[1])


def _legend(width_px: int, noise: str) -> Bytes:
    """Draw the colour scale and what it means: (h, width, 3)."""
    size = max(12.0, width_px / 44)
    height, pad = round(1.3 * size), round(0.6 * size)
    half = 0.5 * width_px
    scale = np.full((height + round(1.9 * size) + 2 * pad, width_px, 3), PAPER, np.uint8)
    left = round(half / 2)
    gap = np.linspace(-_MOST_SHOWN, _MOST_SHOWN, round(half))
    scale[pad : pad + height, left : left + len(gap)] = np.rint(_colours(gap)).astype(np.uint8)
    most = f"{100 * _MOST_SHOWN:.0f} %"
    pen = ImageDraw.Draw(image := Image.fromarray(scale))
    font = ImageFont.load_default(size)
    below = pad + height + 0.9 * size
    ends = ((left, f"-{most}: shallower"), (half, "0"), (left + len(gap), f"+{most}: deeper"))
    for x, words in ends:
        pen.text((x, below), words, INK, font, "mm")
    notes = [
        "Depth score (contrast) of lines, later photo minus first photo, in per cent of the skin’s light. "
        + noise,
        "Hatched: not seen in both photos, or not compared.",
    ]
    return stacked(np.array(image), text_strip(width_px, notes, size=0.85 * size))


def say_noise(overlay: Overlay, untold: Collection[Region] = ()) -> str:
    """Say how much two photos differ by without a change."""
    least = [value for region, value in overlay.least.items() if region not in untold]
    known = [value for value in least if np.isfinite(value)]
    if not known:
        return "Nothing was compared here."
    low, high = (f"{100 * value:.1f}" for value in (min(known), max(known)))
    amount = low if low == high else f"{low} to {high}"
    return (
        f"No colour: no more than these two photos differ by without a change ({amount} % on skin without "
        f"lines; on lines {100 * overlay.line_share:.0f} % of their own depth)."
    )
