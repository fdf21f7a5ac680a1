"""Two photos of one face in one upright frame, each turned, scaled and shifted as a whole, never bent.

Where the frame lies is told by places that no expression moves, or more finely by the skin's own texture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import chart as face_chart
from .draw import MOST_ZOOM, TILE_MARGIN_MM, TILE_PX, Cut, cut_by, outline_xy
from .looks import mapped
from .model import canonical_face
from .records import Assessment, Bytes, Chart, Face, Float, Photo, Region
from .registration import Registration

Cuts = tuple[Cut, Cut]
"""Both photos in one frame, of one size, in their order."""
Frames = tuple[Float, Float]
"""For both photos the similarity (2, 3) from px to an upright frame in mm of the usual face."""
PAPER, INK = (38, 38, 38), (240, 240, 240)
SEAM_PX = 6
BEYOND = (128, 128, 128)
"""What a photo does not show is plain grey, not invented skin."""

_STEADY = (33, 133, 362, 263, 168, 6, 197, 127, 356)
"""Corners of the eyes, bridge of the nose, temples: no expression moves them, and they lie about as far
from the lens as the regions do; the tip of the nose and the ears shift against these when the head turns."""
_WHOLE_PX = (960.0, 1200.0)
_WHOLE_MARGIN_MM = 6.0
_LEAST_SQUARES = 6
_FAR_MM = 0.5
"""A square of skin further than this from where the whole frame lays it counts less than half."""


class Laid(NamedTuple):
    """Frames that the skin told, and what is left: the median distance of its squares, mm of this skin."""

    frames: Frames
    residual_mm: float


def frames_by_landmarks(first: Face, second: Face) -> Frames:
    """Lay the second photo onto the first, not onto the usual face: both show the same person."""
    steady = list(_STEADY)
    usual = canonical_face()[0][steady, :2] * (1.0, -1.0)
    frame = _similarity(first.points_xy[steady], usual)
    return frame, _similarity(second.points_xy[steady], mapped(first.points_xy[steady], frame))


def frames_by_skin(
    first: Assessment, second: Assessment, charts: tuple[Chart, Chart], laid: Mapping[Region, Registration]
) -> Laid | None:
    """Lay the second photo onto the first by where the skin of the regions in `laid` went.

    None where too few squares of skin were found.
    """
    frame, _ = frames_by_landmarks(first.face, second.face)
    known = [how for how in laid.values() if len(how.places_mm)]
    if sum(len(how.places_mm) for how in known) < _LEAST_SQUARES:
        return None
    there = np.concatenate([face_chart.to_photo(charts[1], how.places_mm) for how in known])
    here = np.concatenate([face_chart.to_photo(charts[0], how.to_rest(how.places_mm)) for how in known])
    wanted, trusted = mapped(here, frame), np.concatenate([how.weight for how in known])
    weight = trusted
    for _ in range(10):
        found = _similarity(there, wanted, weight)
        off = np.linalg.norm(mapped(there, found) - wanted, axis=1)
        weight = trusted / (1 + (off / _FAR_MM) ** 2)
    mm_per_unit = first.face.scale.mm_per_px / float(np.linalg.det(frame[:, :2])) ** 0.5
    return Laid((frame, found), float(np.median(off)) * mm_per_unit)


def in_one_frame(
    photos: tuple[Photo, Photo],
    found: tuple[Assessment, Assessment],
    charts: tuple[Chart, Chart],
    frames: Frames,
    region: Region | None = None,
) -> Cuts:
    """Bring both photos upright to one place and scale: the whole face, or one region enlarged."""
    outlines = [[outline_xy(chart, r) for r in ([region] if region else Region)] for chart in charts]
    placed = [
        mapped(xy, frame)
        for frame, assessment, own in zip(frames, found, outlines, strict=True)
        for xy in (*own, *([] if region else [assessment.face.points_xy]))
    ]
    points = np.concatenate(placed)
    low, high = points.min(axis=0), points.max(axis=0)
    finest = max(float(np.linalg.det(frame[:, :2])) ** -0.5 for frame in frames)
    margin = TILE_MARGIN_MM if region else _WHOLE_MARGIN_MM
    zoom = float((np.array(TILE_PX if region else _WHOLE_PX) / (high - low + 2 * margin)).min())
    zoom = min(zoom, MOST_ZOOM * finest)
    size = np.array(TILE_PX) if region else np.round((high - low + 2 * margin) * zoom)
    corner = (low + high) / 2 - size / zoom / 2
    cuts = [
        cut_by(photo, _to_cut(frame, zoom, corner), (int(size[0]), int(size[1])), own, beyond=BEYOND)
        for photo, frame, own in zip(photos, frames, outlines, strict=True)
    ]
    return cuts[0], cuts[1]


def _similarity(points: Float, onto: Float, weight: Float | None = None) -> Float:
    """Fit turn, scale and shift that take `points` (N, 2) onto others by weighted least squares: (2, 3)."""
    z, w = (xy[:, 0] + 1j * xy[:, 1] for xy in (points, onto))
    share = np.full(len(z), 1 / len(z)) if weight is None else weight / weight.sum()
    centre, target = share @ z, share @ w
    by = complex(np.vdot(share * (z - centre), w - target) / np.vdot(share * (z - centre), z - centre))
    shift = complex(target - by * centre)
    return np.array(((by.real, -by.imag, shift.real), (by.imag, by.real, shift.imag)))


def _to_cut(frame: Float, zoom: float, corner: Float) -> Float:
    """Return photo px → px of a picture of `zoom` px per mm whose top left edge lies at `corner` (mm)."""
    matrix = zoom * frame
    matrix[:, 2] -= zoom * corner + 0.5  # centres of pixels
    return np.asarray(matrix)


# -- on paper --------------------------------------------------------------------------------------


def label(width_px: int, words: str) -> Bytes:
    """Draw a strip (h, width, 3) that names the picture below it."""
    size = max(10.0, width_px / 34)
    image = Image.new("RGB", (width_px, round(1.8 * size)), PAPER)
    place = (round(0.6 * size), image.height / 2)
    ImageDraw.Draw(image).text(place, words, INK, ImageFont.load_default(size), "lm")
    return np.array(image)


def text_strip(width_px: int, paragraphs: Sequence[str], *, size: float) -> Bytes:
    """Write paragraphs on a strip (h, width, 3), wrapped to fit; a word too long is broken."""
    font, pad = ImageFont.load_default(size), round(0.6 * size)
    rows = [row for text in paragraphs for row in _wrapped(text, font, width_px - 2 * pad)]
    image = Image.new("RGB", (width_px, round(1.45 * size * len(rows)) + pad), PAPER)
    pen = ImageDraw.Draw(image)
    for number, row in enumerate(rows):
        pen.text((pad, (number + 0.5) * 1.45 * size + pad / 2), row, INK, font, "lm")
    return np.array(image)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: float) -> list[str]:
    rows = [""]
    for word in text.split():
        wider = f"{rows[-1]} {word}".strip()
        if font.getlength(wider) <= width_px:
            rows[-1] = wider
            continue
        rows += [""] if rows[-1] else []
        for sign in word:
            if font.getlength(rows[-1] + sign) > width_px:
                rows.append("")
            rows[-1] += sign
    return rows


def stacked(upper: Bytes, *lower: Bytes) -> Bytes:
    """Put pictures of one width below one another."""
    return np.concatenate([upper, *lower])


def beside(left: Bytes, right: Bytes) -> Bytes:
    """Put two pictures of one height side by side with a seam."""
    return np.concatenate([left, np.full((len(left), SEAM_PX, 3), PAPER, np.uint8), right], axis=1)


def shrunk(picture: Bytes, longest_px: int) -> Bytes:
    """Make a picture smaller until its longer side fits."""
    shrink = min(1.0, longest_px / max(picture.shape))
    size = tuple(max(1, round(side * shrink)) for side in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
