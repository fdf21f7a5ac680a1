"""What may happen to a photo of a face that did not change: each change takes pixels and gives pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from wrinklecv.chart import linear_light, make_chart, to_photo
from wrinklecv.profiles import FWHM
from wrinklecv.records import Bytes, Face, Float, Photo

MIRRORED = "mirrored"
DEEP_LINE = "another deep line"
DEEP_LINE_PLACE_V_MM = -63.5
"""Just above the brows, where the forehead has no line of its own in most people."""
_DEEP_LINE_MM = np.column_stack([np.linspace(-12, 12, 60), np.full(60, DEEP_LINE_PLACE_V_MM)])
_DEEP_LINE_WIDTH_MM, _DEEP_LINE_CONTRAST = 1.2, 0.6


def changes() -> dict[str, Callable[[Bytes], Bytes]]:
    """Return bar B's changes of a photo, name → function; the deep line needs the face and stands apart."""
    return {
        **{f"zoom {z:g}": partial(zoomed, factor=z) for z in (0.5, 0.75, 1.5, 2.0)},
        **{f"rotated {a:+d}°": partial(rotated, angle_deg=a) for a in (-10, 10)},
        MIRRORED: mirrored,
        "-1 EV": partial(exposed, gain=0.5),
        "+1 EV": partial(exposed, gain=2.0),
        **{f"JPEG {q}": partial(as_jpeg, quality=q) for q in (75, 85, 95)},
        "30 % tighter": partial(cropped, share=0.7),
    }


def zoomed(pixels: Bytes, factor: float) -> Bytes:
    """Resize (H, W, 3) pixels as photo programs do."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return _bytes(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how))


def rotated(pixels: Bytes, angle_deg: float) -> Bytes:
    """Turn the picture about its middle, anticlockwise as it is seen; what comes in repeats the edge."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    return _bytes(
        cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def mirrored(pixels: Bytes) -> Bytes:
    """Swap left and right."""
    return np.ascontiguousarray(pixels[:, ::-1])


def exposed(pixels: Bytes, gain: float) -> Bytes:
    """Multiply the light, in linear light, and encode again; what would be brighter than white clips."""
    return _bytes(cv2.LUT(pixels, encoded(linear_light() * gain)))


def as_jpeg(pixels: Bytes, quality: int) -> Bytes:
    """Write and read a JPEG with halved colour (4:2:0), as cameras do."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.array(Image.open(buffer).convert("RGB"))


def cropped(pixels: Bytes, share: float) -> Bytes:
    """Keep the middle `share` of both sides."""
    height, width = pixels.shape[:2]
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return np.ascontiguousarray(pixels[top : height - top, left : width - left])


def with_deep_line(photo: Photo, face: Face) -> Bytes:
    """Draw a very deep, level line of 24 mm just above the brows, as light lost in linear light."""
    path_xy = to_photo(make_chart(photo, face), _DEEP_LINE_MM)
    sd_px = _DEEP_LINE_WIDTH_MM / FWHM / face.scale.mm_per_px
    return with_line(photo.pixels, path_xy, sd_px=sd_px, contrast=_DEEP_LINE_CONTRAST)


def with_line(pixels: Bytes, path_xy: Float, *, sd_px: float, contrast: float) -> Bytes:
    """Draw a dark valley along a path (N, 2) px: of Gaussian profile, as light lost in linear light."""
    size = pixels.shape[1::-1]
    left, top = np.clip(np.floor(path_xy.min(axis=0) - 4 * sd_px).astype(int), 0, size)
    right, bottom = np.clip(np.ceil(path_xy.max(axis=0) + 4 * sd_px).astype(int) + 1, 0, size)
    y, x = np.mgrid[top:bottom, left:right]
    away_px = cKDTree(_dense(path_xy)).query(np.stack([x, y], axis=-1))[0]
    darker = np.exp(-contrast * np.exp(-((away_px / sd_px) ** 2) / 2))
    changed = pixels.copy()
    light = linear_light()[changed[top:bottom, left:right]] * darker[..., None]
    changed[top:bottom, left:right] = encoded(light)
    return changed


def encoded(light: Float) -> Bytes:
    """Encode linear light (any shape, 0–1, more clips) as sRGB uint8 (IEC 61966-2-1)."""
    curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)
    return _bytes(np.clip(np.rint(curve * 255), 0, 255).astype(np.uint8))


def _dense(path: Float) -> Float:
    """Put places at most a quarter of a pixel apart on a path (N, 2) px: (M, 2)."""
    along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
    places = np.linspace(0, along[-1], int(along[-1] * 4) + 2)
    return np.column_stack([np.interp(places, along, path[:, k]) for k in (0, 1)])


def _bytes(pixels: Float) -> Bytes:
    return np.asarray(pixels, dtype=np.uint8)
