"""What a dark path looks like, in twenty-one numbers, and how likely a person would draw it as a line.

A pixel cannot tell a wrinkle from a pore or a hair; a whole path can. Each path is described by its own
traits only: no other line, and nothing of the picture beyond a few millimetres, changes them. Their
weighted sum is the log odds of being a line (logistic regression; weights: `weights.py`, fitted by
`benchmarks/train.py` on photos in which a person drew the lines).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from . import chart as face_chart
from .records import Float, Region
from .regions import CANTHUS_MM, Glance
from .ridges import PEAK_RESPONSE, Ridges, across, hessian_at, sample
from .skin import Skin
from .weights import LINE_WEIGHTS

TRAITS = tuple(LINE_WEIGHTS)[1:]
"""Their names, in order. Ratios are of the path's mean contrast at the scale that shows it best:

length: ln(length / 10 chart mm); contrast: ln(contrast / 0.1);
clear: ln of the contrast over what the texture of this region's skin shows by itself;
patchy: spread along the path; blotchy: curvature along the path (a row of pores has much);
narrow, broad: contrast at the narrowest and at the widest scale;
sloping: difference of the light on the two sides (a step edge has much);
bowed: ln(path / chord), in tenths;
aligned: −1 to 1, do the shades of the 4 mm around run along with it;
lighter, bluer, coloured: ln light, ln blue/green and colour distance against the skin around (hair is
dark and coloured); on_skin: share of the path on what `skin.py` calls skin; rough: ln of the fine
contrast there over that of this face's cheeks;
forehead, glabella: 1 there, else 0; brow_aside: |u| / 30 mm and brow_height: squared distance from the
forehead's middle height / (10 mm)², forehead only; eye_distance: from the outer canthus, (mm − 20) / 10,
eye_angle: / 30°, downwards, beside the eyes only."""

_REGULAR_MM = 0.5
"""Smoothing of the light before slopes are read from it."""
_AROUND_MM = 4.0
"""Standard deviation of the surroundings whose shades a path is compared with."""
_FOREHEAD_V_MM = -78.0
_LEAST = 1e-4
_LIMITS: dict[str, tuple[float, float]] = {
    "length": (-1.3, 1.4),
    "contrast": (-2.5, 1.5),
    "clear": (0.0, 3.5),
    "patchy": (0.0, 1.0),
    "blotchy": (0.0, 1.0),
    "narrow": (-0.5, 1.5),
    "broad": (-1.0, 3.0),
    "sloping": (0.0, 2.0),
    "bowed": (0.0, 2.0),
    "lighter": (-1.5, 0.5),
    "bluer": (-0.5, 0.5),
    "coloured": (0.0, 1.0),
    "rough": (-1.0, 2.0),
    "brow_height": (0.0, 6.0),
    "eye_distance": (-1.5, 2.0),
    "eye_angle": (-2.0, 2.5),
}
"""Beyond what the fitted photos held, a trait says no more than at its end."""


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """The points of all paths in one list: places (N, 2) glance px, normals (N, 2), tangent_rad (N,),
    starts (P,) of each path in it."""

    places_px: Float
    normals: Float
    tangent_rad: Float
    starts: Float

    def means(self, values: Float) -> Float:
        """Average values (N,) or (S, N) over each path: (P,) or (S, P)."""
        counts = np.diff(np.append(self.starts, len(self.places_px)))
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1) / counts)


def measure_traits(glance: Glance, ridges: Ridges, noise: Float, skin: Skin, paths: list[Float]) -> Float:
    """Describe each path (n, 2) of glance pixels: (P, T), in the order of `TRAITS`."""
    if not paths:
        return np.zeros((0, len(TRAITS)))
    points = _points(paths)
    traits = {
        **_shape(paths, glance.px_per_mm),
        **_valley(ridges, noise, points),
        **_sides(glance, ridges, points),
        **_surroundings(glance, skin, points),
        **_place(glance, points),
    }
    contrast = np.maximum(traits.pop("depth"), _LEAST)
    traits["sloping"] = traits["sloping"] / contrast
    traits["contrast"] = np.log(contrast / 0.1)
    columns = [np.clip(traits[name], *_LIMITS.get(name, (-np.inf, np.inf))) for name in TRAITS]
    return np.column_stack(columns)


def likelihood(traits: Float, weights: tuple[float, ...]) -> Float:
    """Return how likely each path (P, T) is a line: (P,), 0 to 1. weights: (1 + T,), "base" first."""
    odds = weights[0] + traits @ np.array(weights[1:])
    return np.asarray(1 / (1 + np.exp(-odds)))


def _points(paths: list[Float]) -> _Points:
    tangents = np.concatenate([np.gradient(path, axis=0) for path in paths])
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    return _Points(
        places_px=np.concatenate(paths),
        normals=np.column_stack([-tangents[:, 1], tangents[:, 0]]),
        tangent_rad=np.arctan2(tangents[:, 1], tangents[:, 0]),
        starts=np.cumsum([0, *(len(path) for path in paths[:-1])]),
    )


def _shape(paths: list[Float], px_per_mm: float) -> dict[str, Float]:
    lengths = np.array([np.linalg.norm(np.diff(path, axis=0), axis=1).sum() for path in paths])
    chords = np.array([np.linalg.norm(path[-1] - path[0]) for path in paths])
    lengths, chords = np.maximum(lengths, 1e-6), np.maximum(chords, 1e-6)
    return {"length": np.log(lengths / px_per_mm / 10), "bowed": 10 * np.log(lengths / chords)}


def _valley(ridges: Ridges, noise: Float, points: _Points) -> dict[str, Float]:
    """Read the filters along the paths; "depth" is the mean contrast at the scale of the clearest signal."""
    hessians = [hessian_at(scale, points.places_px) for scale in ridges.scales]
    over, along = (
        np.stack([across(hessian, direction) for hessian in hessians]) / PEAK_RESPONSE
        for direction in (points.tangent_rad - np.pi / 2, points.tangent_rad)
    )
    depths = points.means(over)
    best = (depths / noise[:, None]).argmax(axis=0)
    each = np.arange(len(best))
    depth = np.maximum(depths[best, each], _LEAST)
    spread = np.sqrt(np.maximum(points.means(over**2)[best, each] - depths[best, each] ** 2, 0))
    return {
        "depth": depth,
        "clear": np.log(np.maximum(depths / noise[:, None], 0.1)[best, each]),
        "patchy": spread / depth,
        "blotchy": points.means(np.abs(along))[best, each] / depth,
        "narrow": depths[0] / depth,
        "broad": depths[-1] / depth,
    }


def _sides(glance: Glance, ridges: Ridges, points: _Points) -> dict[str, Float]:
    """Compare the two sides of each path, and its direction with that of the shades around it."""
    smooth = cv2.GaussianBlur(glance.light, (0, 0), _REGULAR_MM * glance.px_per_mm)
    aside = points.normals * ridges.middle.sigma_mm * glance.px_per_mm
    step = np.abs(sample(smooth, points.places_px + aside) - sample(smooth, points.places_px - aside))
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=1) for order in ((1, 0), (0, 1)))
    xx, xy, yy = (
        points.means(sample(_broadly(product, glance.px_per_mm), points.places_px))
        for product in (x * x, x * y, y * y)
    )
    # Structure tensor (Bigün and Granlund 1987): cos and sin of the doubled direction of the shades.
    cosine, sine = (yy - xx) / np.maximum(xx + yy, 1e-12), -2 * xy / np.maximum(xx + yy, 1e-12)
    doubled = 2 * points.tangent_rad
    aligned = cosine * points.means(np.cos(doubled)) + sine * points.means(np.sin(doubled))
    return {"sloping": points.means(step), "aligned": aligned}


def _broadly(picture: Float, px_per_mm: float) -> Float:
    """Average over `_AROUND_MM`, on a picture made smaller first: the result is smooth anyway."""
    shrink = 4
    height, width = picture.shape
    size = (max(1, width // shrink), max(1, height // shrink))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), _AROUND_MM * px_per_mm / shrink)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _surroundings(glance: Glance, skin: Skin, points: _Points) -> dict[str, Float]:
    places = (face_chart.mm_to_px(glance.to_mm(points.places_px)) + 0.5) / face_chart.PATCH_PX - 0.5
    light, red, blue = (points.means(sample(part, places)) for part in skin.gaps)
    roughness = points.means(sample(skin.roughness, places))
    return {
        "lighter": light,
        "bluer": blue,
        "coloured": np.hypot(red, blue),
        "on_skin": points.means(sample(skin.usable.astype(np.float32), places)),
        "rough": np.log(np.maximum(roughness, _LEAST) / max(skin.texture, _LEAST)),
    }


def _place(glance: Glance, points: _Points) -> dict[str, Float]:
    u, v = points.means(glance.to_mm(points.places_px).T)
    forehead, glabella = (float(glance.region is r) for r in (Region.FOREHEAD, Region.GLABELLA))
    beside_eye = 1 - forehead - glabella
    out, down = np.abs(u) - CANTHUS_MM[0], v - CANTHUS_MM[1]
    return {
        "forehead": np.full(len(u), forehead),
        "glabella": np.full(len(u), glabella),
        "brow_aside": forehead * np.abs(u) / 30,
        "brow_height": forehead * ((v - _FOREHEAD_V_MM) / 10) ** 2,
        "eye_distance": beside_eye * (np.hypot(out, down) - 20) / 10,
        "eye_angle": beside_eye * np.rad2deg(np.arctan2(down, out)) / 30,
    }
