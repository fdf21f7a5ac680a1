"""Records on pixels: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg

from . import chart as face_chart
from .records import Assessment, Bytes, Chart, Float, Line, Photo, Region

REGION_COLOURS: dict[Region, tuple[int, int, int]] = {
    Region.FOREHEAD: (86, 180, 233),
    Region.GLABELLA: (240, 228, 66),
    Region.CROWS_FEET_LEFT: (213, 94, 0),
    Region.CROWS_FEET_RIGHT: (0, 158, 115),
}
"""sRGB; the colour-blind-safe palette of Okabe and Ito (2008)."""
HALO = (20, 20, 20)
SUBPIXEL_BITS = 4
_LONG_SIDE_PER_THICKNESS = 900
"""Photo pixels per pixel of line thickness: the drawing looks the same at every size."""
WHITE = (255, 255, 255)
_SHOWN_PX = 1600
"""Long side of a photo on the screen."""
TILE_PX = (960.0, 640.0)
"""Size of a region on the screen: a fine line is then several pixels wide."""
MOST_ZOOM = 6.0
"""Beyond it a tile shows photo pixels, not skin."""
TILE_MARGIN_MM = 5.0
_STEP_MM = 2.0
_LABEL_SIZE = 0.7


def draw_lines(photo: Photo, assessment: Assessment, *, marked: Line | None = None) -> Bytes:
    """Draw every line of `assessment` on a copy of the photo: (H, W, 3) uint8 sRGB.

    marked: one line to make stand out (drawn white and thicker).
    Raises ValueError when the assessment is of another photo.
    """
    if photo.sha256 != assessment.photo_sha256:
        raise ValueError("this assessment belongs to another photo")
    picture = photo.pixels.copy()
    thickness = max(1, round(max(picture.shape) / _LONG_SIDE_PER_THICKNESS))
    for line in assessment.lines:
        _draw_path(picture, line, REGION_COLOURS[line.region], thickness)
    if marked is not None:
        _draw_path(picture, marked, (255, 255, 255), 2 * thickness)
    return picture


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A piece of a photo at the size it is shown, and how the photo lies in it.

    pixels: (H, W, 3) uint8 sRGB. from_photo: (2, 3), photo px → px here.
    outlines: (N, 2) px here, closed, of the regions to be seen in it.
    """

    pixels: Bytes
    from_photo: Float
    outlines: tuple[Float, ...]


def cut_out(photo: Photo, assessment: Assessment) -> tuple[Cut, Mapping[Region, Cut]]:
    """Make the pictures to look at: the whole photo, and each region upright and enlarged.

    Raises ValueError when the assessment is of another photo.
    """
    if photo.sha256 != assessment.photo_sha256:
        raise ValueError("this assessment belongs to another photo")
    chart = face_chart.make_chart(photo, assessment.face)
    outlines = {region: outline_xy(chart, region) for region in Region}
    shrink = min(1.0, _SHOWN_PX / max(photo.width_px, photo.height_px))
    whole = _cut(photo, shrink, 0.0, np.zeros(2), (photo.width_px, photo.height_px), list(outlines.values()))
    left, right = face_chart.to_photo(chart, np.array(((-40.0, -60.0), (40.0, -60.0))))
    turn_rad = float(np.arctan2(right[1] - left[1], right[0] - left[0]))
    px_per_mm = float(np.linalg.norm(right - left)) / 80.0
    return whole, {r: _tile(photo, xy, turn_rad, TILE_MARGIN_MM * px_per_mm) for r, xy in outlines.items()}


def outline_xy(chart: Chart, region: Region) -> Float:
    """Return the region's outline on the photo, (N, 2) px, closed, with a point every few mm."""
    corners = np.array(face_chart.REGION_OUTLINES_MM[region])
    sides = np.roll(corners, -1, axis=0) - corners
    counts = np.maximum(1, np.ceil(np.linalg.norm(sides, axis=1) / _STEP_MM).astype(int))
    places = [
        corner + side * np.arange(count)[:, None] / count
        for corner, side, count in zip(corners, sides, counts, strict=True)
    ]
    return face_chart.to_photo(chart, np.concatenate([*places, corners[:1]]))


def _tile(photo: Photo, outline_xy: Float, turn_rad: float, margin_px: float) -> Cut:
    """Cut out one region with what lies around it, turned so that the head is level."""
    turned = outline_xy @ _rotation(-turn_rad).T
    low, high = turned.min(axis=0), turned.max(axis=0)
    zoom = min(MOST_ZOOM, float((TILE_PX / (high - low + 2 * margin_px)).min()))
    width, height = (side / zoom for side in TILE_PX)
    corner = (low + high) / 2 - (width / 2, height / 2)
    return _cut(photo, zoom, -turn_rad, corner, (width, height), [outline_xy])


def _cut(
    photo: Photo,
    zoom: float,
    turn_rad: float,
    corner: Float,
    size: tuple[float, float],
    outlines_xy: list[Float],
) -> Cut:
    """Turn the photo, cut the rectangle with its top left at `corner`, and zoom."""
    matrix = zoom * np.column_stack([_rotation(turn_rad), -corner])
    matrix[:, 2] += (zoom - 1) / 2  # centres of pixels
    return cut_by(photo, matrix, (round(size[0] * zoom), round(size[1] * zoom)), outlines_xy)


def cut_by(
    photo: Photo,
    from_photo: Float,
    size_px: tuple[int, int],
    outlines_xy: Sequence[Float],
    *,
    beyond: tuple[int, int, int] | None = None,
) -> Cut:
    """Bring the photo by a similarity (2, 3) into a picture of `size_px` (width, height).

    beyond: sRGB of what the photo does not show; its edge goes on where None.
    """
    # A shrinking warp would skip pixels, so it is done in two steps: warp, then average.
    shrink = min(1.0, float(np.sqrt(abs(np.linalg.det(from_photo[:, :2])))))
    target = (max(1, size_px[0]), max(1, size_px[1]))
    larger = (max(1, round(target[0] / shrink)), max(1, round(target[1] / shrink)))
    by = np.array(larger) / target
    warp = from_photo * by[:, None]
    warp[:, 2] += (by - 1) / 2  # centres of pixels
    border = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
    pixels = cv2.warpAffine(
        photo.pixels, warp, larger, flags=cv2.INTER_CUBIC, borderMode=border, borderValue=beyond or (0, 0, 0)
    )
    if larger != target:
        pixels = cv2.resize(pixels, target, interpolation=cv2.INTER_AREA)
    shown = tuple(xy @ from_photo[:, :2].T + from_photo[:, 2] for xy in outlines_xy)
    return Cut(np.asarray(pixels, dtype=np.uint8), from_photo, shown)


def _rotation(angle_rad: float) -> Float:
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array(((cos, -sin), (sin, cos)))


def draw_on(
    cut: Cut, lines: Mapping[int, Line], *, marked: int | None = None, numbers: bool = False
) -> Bytes:
    """Draw region outlines and `lines` (number → line) on a copy of the cut: (H, W, 3) uint8 sRGB.

    marked: number of the line that stands out (white, thicker). numbers: write each line's number.
    """
    picture = cut.pixels.copy()
    for outline in cut.outlines:
        draw_outline(picture, outline)
    thickness = max(1, round(max(picture.shape) / 600))
    for number, line in lines.items():
        if number != marked:
            _draw_points(picture, _on(cut, line), REGION_COLOURS[line.region], thickness)
    if marked is not None and marked in lines:
        _draw_points(picture, _on(cut, lines[marked]), WHITE, 2 * thickness + 1)
    for number, line in lines.items() if numbers else ():
        draw_number(picture, _on(cut, line), number, marked=number == marked)
    return picture


def encode_jpeg(pixels: Bytes) -> bytes:
    """Return a JPEG of (H, W, 3) uint8 sRGB, made from pixels only: it carries no metadata."""
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=90))


def encode_png(pixels: Bytes) -> bytes:
    """Return a PNG of (H, W, 3) uint8 sRGB, made from pixels only: it carries no metadata."""
    done, data = cv2.imencode(".png", pixels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError("these pixels cannot be a PNG")
    return data.tobytes()


def _on(cut: Cut, line: Line) -> Float:
    return line.path_xy @ cut.from_photo[:, :2].T + cut.from_photo[:, 2]


def draw_outline(picture: Bytes, points_xy: Float) -> None:
    """Draw a thin, half-transparent white outline; changes `picture`."""
    layer = picture.copy()
    points = np.rint(points_xy * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.polylines(layer, [points], False, WHITE, 1, cv2.LINE_AA, SUBPIXEL_BITS)
    cv2.addWeighted(layer, 0.45, picture, 0.55, 0, dst=picture)


def draw_number(picture: Bytes, points_xy: Float, number: int, *, marked: bool) -> None:
    """Write the number just above the line's end, inside the picture; changes `picture`."""
    text, size = str(number), _LABEL_SIZE * (1.3 if marked else 1.0)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 2)
    x, y = points_xy[0] + (4, -6)
    rows, columns = picture.shape[:2]
    place = (round(min(max(x, 2), columns - width - 2)), round(min(max(y, height + 2), rows - 2)))
    for ink, thickness in ((HALO, 5), (WHITE, 2)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, thickness, cv2.LINE_AA)


def _draw_path(picture: Bytes, line: Line, colour: tuple[int, int, int], thickness: int) -> None:
    """Draw one line where it lies on the photo; changes `picture`."""
    _draw_points(picture, line.path_xy, colour, thickness)


def _draw_points(picture: Bytes, points_xy: Float, colour: tuple[int, int, int], thickness: int) -> None:
    """Draw a path with a thin dark halo, so that it shows on any skin; changes `picture`."""
    points = np.rint(points_xy * 2**SUBPIXEL_BITS).astype(np.int32)
    for ink, width in ((HALO, thickness + 2), (colour, thickness)):
        cv2.polylines(picture, [points], False, ink, width, cv2.LINE_AA, SUBPIXEL_BITS)
