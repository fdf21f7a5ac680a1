"""Which places of the chart are skin that was seen: not hair, brows, lashes, glasses or shine.

Skin is grown from places that hair seldom covers (glabella, cheeks): a patch joins when its light
and colour are near those of the skin already found around it. So shading that changes slowly, skin
of any tone and coloured light pass, while the step to hair, brow or frame stops the growth. Areas
with much fine contrast are strands of hair even where their colour fits.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from . import chart as face_chart
from .records import Chart, Float, Mask
from .settings import Settings

_SEEDS_MM = ((-42.0, -12.0, -18.0, -2.0), (18.0, -12.0, 42.0, -2.0), (-9.0, -56.0, 9.0, -40.0))
"""Cheeks under the eyes and the glabella, as (u0, v0, u1, v1)."""
_AROUND_MM = 21
"""Side of the square in which the skin already found says what skin looks like."""
_ROUNDS = 24
"""Growth steps; each reaches about one `_AROUND_MM` further, and none is wasted after the last gain."""
_LEAST_AROUND = 0.02
"""Share of skin in that square below which it says nothing."""
_SHADE_MM = 5
"""Side of the square against whose mean fine shades are read."""
_MOSTLY_SKIN = 0.6
_LEAST_PATCHES = 200
"""Fewer millimetres of skin do not tell the colour of their shades."""
_BROW_TOP_MM = -60.0
_CLIPPED = 250
"""sRGB grey level from which a channel says nothing more."""


@dataclass(frozen=True, slots=True)
class Shades:
    """The colour of a skin's own fine shades (pores, lines, folds), from patches of one millimetre.

    redness: how ln red/green changes per log light, usually below 0. spread: standard deviation of ln
    red/green about that, from patch to patch; infinite where too little skin was seen to tell.
    """

    redness: float
    spread: float


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """What is skin and what is not, by patches of one millimetre, each (h', w') bool.

    usable: skin that was seen well enough to count as measured. visible: what was seen at all and is not
    white: usable skin and what may be hair, where only a path's own traits tell a line from a strand.
    hidden: hair, brows, glasses or deep shadow. shine: white from shine. clipped: one channel at its end,
    so that lines look flatter than they are. light, texture: of the skin the growth began from, median log
    light and fine contrast.
    roughness: (h', w') fine contrast everywhere. gaps: log light, ln red/green and ln blue/green against
    the skin around, each (h', w') float32. shades: what this skin's own shades look like.
    """

    usable: Mask
    hidden: Mask
    shine: Mask
    clipped: Mask
    visible: Mask
    light: float
    texture: float
    roughness: Float
    gaps: tuple[Float, Float, Float]
    shades: Shades


@dataclass(frozen=True, slots=True, eq=False)
class _Patches:
    """Patch means (h, w): features (h, w, 3) = log light, ln red/green, ln blue/green; fine contrast."""

    features: Float
    contrast: Float
    white: Mask
    clipped: Mask
    seen: Mask


def find_skin(chart: Chart, *, settings: Settings) -> Skin:
    """Tell skin from everything else on the chart."""
    patches = _patches(chart, settings)
    seeds = _seeds(patches)
    skin = _grown(patches, seeds, settings)
    other = (patches.seen & ~skin & ~patches.white).astype(np.uint8)
    # A patch alone is a mole or noise, hair comes in areas; thin necks of skin between strands go too.
    hidden = cv2.morphologyEx(other, cv2.MORPH_OPEN, _disc(1))
    hidden = cv2.morphologyEx(hidden, cv2.MORPH_CLOSE, _disc(2))
    hidden = cv2.dilate(hidden, _disc(settings.hair_margin_mm)) | _hairline(hidden, settings)
    hidden = hidden.astype(bool) & patches.seen
    shine = patches.white & patches.seen & ~hidden
    core = patches.features[..., 0][seeds]
    return Skin(
        usable=patches.seen & ~hidden & ~shine,
        hidden=hidden,
        shine=shine,
        clipped=patches.clipped & patches.seen & ~hidden & ~shine,
        visible=patches.seen & ~patches.white,
        light=float(np.median(core)) if core.size else float("-inf"),
        texture=float(np.median(patches.contrast[seeds])) if core.size else 0.0,
        roughness=patches.contrast,
        gaps=_gaps(patches, skin),
        shades=_shades(patches, skin & ~patches.clipped),
    )


def _patches(chart: Chart, settings: Settings) -> _Patches:
    light = face_chart.patch_means(chart.light)
    red, green, blue = np.moveaxis(np.log(face_chart.linear_light()[chart.colour] + 1 / 1024), -1, 0)
    fine = cv2.absdiff(chart.light, cv2.boxFilter(chart.light, -1, (9, 9)))
    # The median of 5 mm: one deep furrow or a mole fills the minority of it, strands of hair all of it.
    contrast = cv2.medianBlur(face_chart.patch_means(fine), 5)
    at_end = (chart.colour >= _CLIPPED).sum(axis=2)
    features = np.stack([light, red - green, blue - green], axis=-1).astype(np.float32)
    seen = face_chart.nodes_to_patches((chart.resolution_px_per_mm > 0).astype(np.float32)) == 1
    seen &= face_chart.nodes_to_patches(chart.view_angle_deg) <= settings.max_view_angle_deg
    return _Patches(features, contrast, at_end >= 2, at_end >= 1, seen)


def _seeds(patches: _Patches) -> Mask:
    """Mark the patches that growth starts from: in the seed boxes, near their own median."""
    mask = np.zeros(patches.seen.shape, bool)
    for u0, v0, u1, v1 in _SEEDS_MM:
        left, top = (face_chart.mm_to_px(np.array((u0, v0))) / face_chart.PATCH_PX).astype(int)
        right, bottom = (face_chart.mm_to_px(np.array((u1, v1))) / face_chart.PATCH_PX).astype(int)
        box = np.zeros_like(mask)
        box[top : bottom + 1, left : right + 1] = True
        box &= patches.seen
        if box.any():
            gap = np.abs(patches.features[..., 0] - np.median(patches.features[..., 0][box]))
            mask |= box & (gap < 0.3)
    return mask


def _grown(patches: _Patches, seeds: Mask, settings: Settings) -> Mask:
    """Grow skin from the seeds over patches that look like the skin around them."""
    if not seeds.any():
        return seeds
    # Sensor noise and pores raise fine contrast everywhere; hair has a multiple of it.
    limit = max(
        settings.hair_contrast, settings.hair_contrast_ratio * float(np.median(patches.contrast[seeds]))
    )
    able = patches.seen & (patches.contrast < limit) & ~patches.white
    skin = seeds & able
    counted = _counted(patches)
    for _ in range(_ROUNDS):
        around, weight = _around(counted, skin)
        gap = patches.features - around
        near = np.abs(gap[..., 0]) < settings.hair_darker
        near &= np.hypot(gap[..., 1], gap[..., 2]) < settings.hair_colour_gap
        grown = able & near & (weight > _LEAST_AROUND)
        if (grown == skin).all():
            break
        skin = grown
    return skin


def _around(counted: Float, skin: Mask) -> tuple[Float, Float]:
    """Average features over the skin around each patch: (h, w, 3), and how much skin that was (h, w)."""
    sums = cv2.blur(counted * skin[..., None], (_AROUND_MM, _AROUND_MM))
    weight = sums[..., 3]
    return sums[..., :3] / np.maximum(weight, 1e-6)[..., None], weight


def _gaps(patches: _Patches, skin: Mask) -> tuple[Float, Float, Float]:
    """Compare each patch with the skin around it, with all the skin where there is none around."""
    every = np.median(patches.features[skin], axis=0) if skin.any() else np.zeros(3)
    around, weight = _around(_counted(patches), skin)
    gap = patches.features - np.where(weight[..., None] > _LEAST_AROUND, around, every)
    light, red, blue = (np.ascontiguousarray(gap[..., k], dtype=np.float32) for k in range(3))
    return light, red, blue


def _shades(patches: _Patches, skin: Mask) -> Shades:
    """Fit ln red/green against log light over what differs within a few mm of skin: pores, lines, folds.

    Shade in skin is lit by skin, so it is redder; how much depends on the skin, the light and the camera.
    """
    inside = skin.astype(np.float32)
    counted = patches.features * inside[..., None]
    weight = cv2.blur(inside, (_SHADE_MM, _SHADE_MM))
    around = cv2.blur(counted, (_SHADE_MM, _SHADE_MM)) / np.maximum(weight, 1e-6)[..., None]
    fine = (patches.features - around)[skin & (weight > _MOSTLY_SKIN)]
    if len(fine) < _LEAST_PATCHES:
        return Shades(0.0, float("inf"))
    light, red = fine[:, 0], fine[:, 1]
    # What differs most is a mole, a hair or an edge rather than a shade.
    usual = np.abs(light) <= np.percentile(np.abs(light), 95)
    light, red = light[usual], red[usual]
    if not light.any():
        return Shades(0.0, float("inf"))
    redness = float((light @ red) / (light @ light))
    return Shades(redness, float((red - redness * light).std()))


def _counted(patches: _Patches) -> Float:
    """Add a fourth channel of ones, which counts patches: one blur gives sums and their weight."""
    return np.dstack([patches.features, np.ones(patches.seen.shape, np.float32)])


def _hairline(hidden: Float, settings: Settings) -> Float:
    """Widen the hair above the brows: fine strands reach further into the forehead than their mass."""
    above = hidden.copy()
    above[int(face_chart.mm_to_px(np.array((0.0, _BROW_TOP_MM)))[1] / face_chart.PATCH_PX) :] = 0
    return cv2.dilate(above, _disc(settings.hairline_margin_mm))


def _disc(radius_mm: float) -> Float:
    radius = max(1, round(radius_mm))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
