"""Two photos of one face in one frame: pictures in which only the expression differs.

Each photo is turned, scaled and shifted as a whole (one similarity), never bent: what looks moved has moved.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import chart as face_chart
from .draw import HALO, SUBPIXEL_BITS, WHITE, Cut, draw_number, draw_outline
from .frames import (
    INK,
    PAPER,
    Cuts,
    beside,
    frames_by_landmarks,
    in_one_frame,
    label,
    shrunk,
    stacked,
)
from .looks import mapped
from .pairs import ComparedLine, Comparison
from .records import Assessment, Bytes, Chart, Float, LineKind, Photo, Region

RGB = tuple[int, int, int]
Side = Literal["rest", "expression"]
SIDES: tuple[Side, Side] = ("rest", "expression")

KIND_COLOURS: dict[LineKind, RGB] = {
    LineKind.STATIC: (86, 180, 233),
    LineKind.DEEPENED: (213, 94, 0),
    LineKind.DYNAMIC: (240, 228, 66),
    LineKind.INDETERMINATE: (235, 235, 235),
}
"""sRGB; colours of Okabe and Ito (2008). The stroke differs too, so that grey paper tells them apart."""
KIND_WORDS: dict[LineKind, str] = {
    LineKind.STATIC: "static: at rest too",
    LineKind.DEEPENED: "deepened: deeper in expression",
    LineKind.DYNAMIC: "dynamic: in expression only",
    LineKind.INDETERMINATE: "indeterminate: cannot be told",
}


@dataclass(frozen=True, slots=True)
class _Stroke:
    """How a kind is drawn, in units of the usual thickness.

    dash, gap: lengths along the path, 0 for an unbroken line. core: a white line along the middle.
    """

    width: float
    dash: float = 0.0
    gap: float = 0.0
    core: bool = False


_STROKES: dict[LineKind, _Stroke] = {
    LineKind.STATIC: _Stroke(1.0),
    LineKind.DEEPENED: _Stroke(3.0, core=True),
    LineKind.DYNAMIC: _Stroke(1.5, dash=5.0, gap=3.5),
    LineKind.INDETERMINATE: _Stroke(1.4, dash=0.2, gap=4.5),
}
_PX_PER_THICKNESS = 600
"""Height of the face in px per px of thickness: the drawing looks the same at every size."""
_BLINK_PX = 800
_BLINK_MS = 700


def draw_kinds(
    photo: Photo, comparison: Comparison, side: Side, *, marked: ComparedLine | None = None
) -> Bytes:
    """Draw a pair's lines by kind on a copy of one of its photos: (H + legend, W, 3) uint8 sRGB.

    marked: one line to make stand out. The legend stands below the photo and hides nothing of it.
    Raises ValueError when the photo is not that side of the pair.
    """
    assessment = _assessment_of(photo, comparison, side)
    picture = photo.pixels.copy()
    thickness = _thickness(np.ptp(assessment.face.points_xy[:, 1]))
    for line in _last(comparison.lines, marked):
        _draw_line(picture, _path_xy(line, side), line.kind, thickness, marked=line is marked)
    return stacked(picture, draw_legend(picture.shape[1], comparison.lines))


def registered(rest: Photo, expression: Photo, comparison: Comparison, region: Region | None = None) -> Cuts:
    """Bring both photos upright to one place and scale: the whole face, or one region enlarged.

    Raises ValueError when the photos are not those of the pair.
    """
    first, second = (
        _assessment_of(photo, comparison, side) for photo, side in zip((rest, expression), SIDES, strict=True)
    )
    charts = _chart_of(rest, first), _chart_of(expression, second)
    frames = frames_by_landmarks(first.face, second.face)
    return in_one_frame((rest, expression), (first, second), charts, frames, region)


def draw_kinds_on(
    cut: Cut,
    lines: Sequence[ComparedLine],
    side: Side,
    *,
    numbers: Sequence[int] = (),
    marked: ComparedLine | None = None,
) -> Bytes:
    """Draw region outlines and lines by kind on a copy of a cut: (H, W, 3) uint8 sRGB.

    numbers: what to write beside each line; nothing when empty.
    """
    picture = cut.pixels.copy()
    for outline in cut.outlines:
        draw_outline(picture, outline)
    thickness = _thickness(max(picture.shape))
    for line in _last(lines, marked):
        path = mapped(_path_xy(line, side), cut.from_photo)
        _draw_line(picture, path, line.kind, thickness, marked=line is marked)
    for line, number in zip(lines, numbers, strict=True) if numbers else ():
        path = mapped(_path_xy(line, side), cut.from_photo)
        draw_number(picture, path, number, marked=line is marked)
    return picture


def side_by_side(
    rest: Photo, expression: Photo, comparison: Comparison, *, region: Region | None = None
) -> Bytes:
    """Draw both photos side by side in one frame, lines by kind, one legend: (H, W, 3) uint8 sRGB."""
    return lay_side_by_side(registered(rest, expression, comparison, region), comparison, region)


def lay_side_by_side(
    cuts: Cuts,
    comparison: Comparison,
    region: Region | None = None,
    *,
    drawn: bool = True,
    marked: ComparedLine | None = None,
) -> Bytes:
    """Lay registered photos side by side under their names; lines and legend when `drawn`."""
    lines = comparison.lines if region is None else comparison.lines_in(region)
    halves = [
        stacked(
            label(cut.pixels.shape[1], words),
            draw_kinds_on(cut, lines, side, marked=marked) if drawn else cut.pixels,
        )
        for cut, side, words in zip(cuts, SIDES, _names(comparison), strict=True)
    ]
    picture = beside(*halves)
    return stacked(picture, draw_legend(picture.shape[1], lines)) if drawn else picture


def blink(rest: Photo, expression: Photo, comparison: Comparison, *, region: Region | None = None) -> bytes:
    """Return an animated GIF that shows the registered photos in turn, without lines or metadata."""
    return blink_cuts(registered(rest, expression, comparison, region), comparison)


def blink_cuts(cuts: Cuts, comparison: Comparison) -> bytes:
    """Return an animated GIF of registered photos, 0.7 s each, without metadata."""
    frames = []
    for cut, words in zip(cuts, _names(comparison), strict=True):
        small = shrunk(cut.pixels, _BLINK_PX)
        frames.append(Image.fromarray(stacked(label(small.shape[1], words), small)))
    # One palette for both: colours that change with the frame would look like a change of the skin.
    both = Image.fromarray(np.concatenate([np.asarray(frame) for frame in frames]))
    palette = both.quantize(256)
    shown = [frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]
    data = io.BytesIO()
    shown[0].save(data, "GIF", save_all=True, append_images=shown[1:], duration=_BLINK_MS, loop=0)
    return data.getvalue()


# -- the pair's photos -----------------------------------------------------------------------------


def _assessment_of(photo: Photo, comparison: Comparison, side: Side) -> Assessment:
    found = comparison.rest if side == "rest" else comparison.expression
    if photo.sha256 != found.photo_sha256:
        raise ValueError(f"this is not the {side} photo of the pair")
    return found


def _chart_of(photo: Photo, found: Assessment) -> Chart:
    return face_chart.make_chart(photo, found.face) if found.chart is None else found.chart


# -- strokes ---------------------------------------------------------------------------------------


def _thickness(height_px: float) -> float:
    return max(1.0, float(height_px) / _PX_PER_THICKNESS)


def _path_xy(line: ComparedLine, side: Side) -> Float:
    return line.rest_path_xy if side == "rest" else line.expression_path_xy


def _last(lines: Iterable[ComparedLine], marked: ComparedLine | None) -> list[ComparedLine]:
    """Return the lines, the marked one last, so that it is drawn over the others."""
    return sorted(lines, key=lambda line: line is marked)


def _draw_line(picture: Bytes, path_xy: Float, kind: LineKind, thickness: float, *, marked: bool) -> None:
    """Draw a path in the stroke of its kind, with a dark halo; changes `picture`."""
    stroke = _STROKES[kind]
    width = max(1, round(stroke.width * thickness)) + (stroke.core and thickness < 1.5)
    if marked:
        _draw_pieces(picture, [path_xy], HALO, width + round(5 * thickness) + 2)
        _draw_pieces(picture, [path_xy], WHITE, width + round(5 * thickness))
    pieces = _broken(path_xy, stroke, thickness)
    _draw_pieces(picture, pieces, HALO, width + 2)
    _draw_pieces(picture, pieces, KIND_COLOURS[kind], width)
    if stroke.core:
        _draw_pieces(picture, pieces, WHITE, max(1, width // 3))


def _draw_pieces(picture: Bytes, pieces: Sequence[Float], ink: RGB, width: int) -> None:
    points = [np.rint(piece * 2**SUBPIXEL_BITS).astype(np.int32) for piece in pieces]
    cv2.polylines(picture, points, False, ink, width, cv2.LINE_AA, SUBPIXEL_BITS)


def _broken(path_xy: Float, stroke: _Stroke, thickness: float) -> list[Float]:
    """Break a path (N, 2) into dashes, evenly, so that both ends are drawn."""
    steps = np.linalg.norm(np.diff(path_xy, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    length = float(along[-1])
    dash, gap = stroke.dash * thickness, stroke.gap * thickness + (4.0 if stroke.gap else 0.0)
    if not gap or length <= 0:
        return [path_xy]
    # Two dashes at least: one would be an unbroken line.
    dash *= min(1.0, length / (2 * dash + gap))
    count = max(2, round((length - dash) / (dash + gap)) + 1)
    starts = np.linspace(0.0, length - dash, count)
    pieces = []
    for start in starts:
        inside = along[(along > start) & (along < start + dash)]
        at = np.concatenate([[start], inside, [start + dash]])
        pieces.append(np.column_stack([np.interp(at, along, path_xy[:, k]) for k in (0, 1)]))
    return pieces


# -- words -----------------------------------------------------------------------------------------


def draw_legend(width_px: int, lines: Sequence[ComparedLine]) -> Bytes:
    """Draw which stroke means which kind, and how many there are: a strip (h, width, 3), wrapped to fit."""
    size = max(9.0, width_px / 70)
    font = ImageFont.load_default(size)
    counts = {kind: sum(line.kind is kind for line in lines) for kind in LineKind}
    texts = {kind: f"{KIND_WORDS[kind]} ({counts[kind]})" for kind in LineKind}
    stroke_px, row_px, pad = 3.2 * size, round(1.9 * size), round(0.6 * size)
    cell = max(font.getlength(text) for text in texts.values()) + stroke_px + 3 * pad
    columns = max(1, min(4, int(width_px // cell)))
    columns = 2 if columns == 3 else columns
    strip = np.full((row_px * -(-len(texts) // columns) + pad, width_px, 3), PAPER, np.uint8)
    places = [
        ((k % columns) * width_px / columns + pad, (k // columns + 0.5) * row_px + pad / 2)
        for k in range(len(texts))
    ]
    for (x, y), kind in zip(places, texts, strict=True):
        path = np.array(((x, y), (x + stroke_px, y)))
        _draw_line(strip, path, kind, max(1.0, size / 10), marked=False)
    image = Image.fromarray(strip)
    pen = ImageDraw.Draw(image)
    for (x, y), text in zip(places, texts.values(), strict=True):
        pen.text((x + stroke_px + pad, y), text, INK, font, "lm")
    return np.array(image)


def _names(comparison: Comparison) -> tuple[str, str]:
    return "rest", f"expression: {comparison.name.value.replace('_', ' ')}"
