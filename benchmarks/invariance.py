"""Bar B: the wrinkle index of the same face must not change when only the photo does."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from PIL import Image

from wrinklecv.assessment import assess
from wrinklecv.chart import linear_light
from wrinklecv.phantom import Person, PhantomLine, Shot, draw_phantom, random_lines
from wrinklecv.records import Assessment, Float, Photo, Region

from .table import Bar, show

LIMIT_SD = 0.034
"""Same-session repeatability of the best fixed camera rig in the literature."""
_SEEDS = (9501, 9502, 9503)


def changes() -> dict[str, Callable[[Float], Float]]:
    """Return what may happen to a photo: name → pixels in, pixels out (H, W, 3) uint8."""
    return {
        "zoom 0.5": lambda p: _zoomed(p, 0.5),
        "zoom 0.75": lambda p: _zoomed(p, 0.75),
        "zoom 1.5": lambda p: _zoomed(p, 1.5),
        "zoom 2": lambda p: _zoomed(p, 2.0),
        "rotated -10°": lambda p: _rotated(p, -10),
        "rotated +10°": lambda p: _rotated(p, 10),
        "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
        "-1 EV": lambda p: _exposed(p, 0.5),
        "+1 EV": lambda p: _exposed(p, 2.0),
        "JPEG 75": lambda p: _jpeg(p, 75),
        "JPEG 85": lambda p: _jpeg(p, 85),
        "JPEG 95": lambda p: _jpeg(p, 95),
        "30 % tighter": lambda p: _cropped(p, 0.7),
    }


def run() -> None:
    """Print the spread of the index over all changes, and each change's own effect."""
    logs: dict[str, list[float]] = {}
    for seed in _SEEDS:
        lines = random_lines(np.random.default_rng(seed), contrast=(0.12, 0.45))
        # Under-exposed by half a stop, so that one stop more does not clip.
        shot = Shot(px_per_mm=8.5, width_px=1900, height_px=2300, exposure_ev=-0.7)
        person = Person(seed=seed, lines=lines, skin_tone=0.35)
        base = draw_phantom(person, shot, seed=seed)
        deeper = Person(seed=seed, lines=(*lines, _ANOTHER), skin_tone=0.35)
        with_deep = draw_phantom(deeper, shot, seed=seed)
        first = assess(base.photo)
        for name, change in changes().items():
            photo = Photo(change(base.photo.pixels), f"{seed}{name}")
            for value in _log_ratios(first, assess(photo), mirrored=name == "mirrored"):
                logs.setdefault(name, []).append(value)
        logs.setdefault("another deep line", []).extend(_deep_line(first, assess(with_deep.photo)))
    bars = [
        Bar(name, f"{np.mean(v):+.2%} mean, {np.std(v):.2%} sd, {len(v)} regions", "", None)
        for name, v in logs.items()
    ]
    every = np.concatenate([np.array(v) for v in logs.values()])
    spread = float(np.sqrt((every**2).mean()))
    show("Invariance of the wrinkle index (log ratio to the unchanged photo)", bars)
    show(
        "Invariance: all together", [Bar("wrinkle index", f"{spread:.2%} SD", "≤ 3.4 %", spread <= LIMIT_SD)]
    )


_LEVEL_MM = np.linspace(-12, 12, 60)
_ANOTHER = PhantomLine(
    region=Region.FOREHEAD,
    path_mm=np.column_stack([_LEVEL_MM, np.full_like(_LEVEL_MM, -63.5)]),
    width_mm=1.2,
    contrast=0.6,
)
"""A very deep line just above the brows, clear of the others."""
_MIRROR = {
    Region.CROWS_FEET_LEFT: Region.CROWS_FEET_RIGHT,
    Region.CROWS_FEET_RIGHT: Region.CROWS_FEET_LEFT,
}


def _log_ratios(first: Assessment, second: Assessment, *, mirrored: bool) -> Iterator[float]:
    """Yield ln(index / index) for each region with lines that the second photo did not refuse.

    A region that lost all its lines counts with a ratio of 1 %: it must not vanish from the figure.
    """
    other = {measures.region: measures.wrinkle_index for measures in second.regions}
    for measures in first.regions:
        region = _MIRROR.get(measures.region, measures.region) if mirrored else measures.region
        if measures.wrinkle_index > 0 and region in other:
            yield float(np.log(max(other[region] / measures.wrinkle_index, 0.01)))


def _deep_line(first: Assessment, second: Assessment) -> Iterator[float]:
    """Yield the log ratio of the other regions' indices, and of the forehead's without the new line."""
    before = sum(_weight(first, line_y_max=-66.0))
    after = sum(_weight(second, line_y_max=-66.0))
    if before > 0 and after > 0:
        yield float(np.log(after / before))
    other = {measures.region: measures.wrinkle_index for measures in second.regions}
    for measures in first.regions:
        if measures.region is not Region.FOREHEAD and measures.wrinkle_index > 0:
            yield float(np.log(max(other.get(measures.region, 0.0), 1e-3) / measures.wrinkle_index))


def _weight(assessment: Assessment, *, line_y_max: float) -> Iterator[float]:
    for line in assessment.lines_in(Region.FOREHEAD):
        if line.path_mm[:, 1].mean() < line_y_max:
            yield line.length_mm * line.contrast


def _zoomed(pixels: Float, factor: float) -> Float:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how)


def _rotated(pixels: Float, angle_deg: float) -> Float:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
    return cv2.warpAffine(
        pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def _exposed(pixels: Float, gain: float) -> Float:
    """Multiply the light, in linear light, and encode again."""
    light = linear_light() * gain
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)
    return cv2.LUT(pixels, np.clip(np.rint(encoded * 255), 0, 255).astype(np.uint8))


def _jpeg(pixels: Float, quality: int) -> Float:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer).convert("RGB"))


def _cropped(pixels: Float, share: float) -> Float:
    height, width = pixels.shape[:2]
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return np.ascontiguousarray(pixels[top : height - top, left : width - left])
