"""What a dark path looks like, in eighteen numbers, and how likely a person would draw it as a line.

A pixel cannot tell a wrinkle from a pore or a hair; a whole path can. Each path is described by its own
traits and by medians of the skin around, which a single other line hardly moves. Their weighted sum is the
log odds of being a line (logistic regression; weights: `weights.py`, fitted by `benchmarks/train.py` on
photos in which a person drew the lines, and on drawn faces).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import expit, logit, ndtr

from . import chart as face_chart
from .records import Float, Region
from .regions import CANTHUS_MM, Glance
from .ridges import PEAK_RESPONSE, Ridges, across, hessian_at, sample
from .settings import Settings
from .skin import Skin
from .weights import LINE_WEIGHTS

TRAITS = tuple(LINE_WEIGHTS)[1:]
"""Their names, in order. Ratios are of the path's mean contrast at the scale that shows it best:

length: ln(length / 10 chart mm);
clear: ln of the contrast over what the texture of this region's skin shows by itself;
patchy: spread along the path (a row of pores has much);
narrow, broad: contrast at the narrowest and at the widest scale;
sloping: difference of the light on the two sides (a step edge has much);
bowed: ln(path / chord), in tenths;
lighter, bluer, coloured: ln light, ln blue/green and colour distance against the skin around (hair is
dark and coloured); on_skin: share of the path on what `skin.py` calls skin; rough: ln of the fine
contrast there over that of this face's cheeks and glabella;
forehead, glabella: 1 there, else 0; brow_aside: |u| / 30 mm and brow_height: squared distance from the
forehead's middle height / (10 mm)², forehead only; eye_distance: from the outer canthus, (mm − 20) / 10,
eye_angle: / 30°, downwards, beside the eyes only."""

_REGULAR_MM = 0.5
"""Smoothing of the light before slopes are read from it."""
_SIDES_MM = 1.25
"""Where the colour beside a path is read: off the line, and not yet in the next."""
_FAINTEST = 0.02
"""Darkening (log light, over a patch of 1 mm) below which its colour is mostly noise."""
_FOREHEAD_V_MM = -78.0
_LEAST = 1e-4
_LIMITS: dict[str, tuple[float, float]] = {
    "length": (-1.3, 1.4),
    "clear": (0.0, 3.5),
    "patchy": (0.0, 1.0),
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
    traits["sloping"] = traits["sloping"] / traits.pop("depth")
    columns = [np.clip(traits[name], *_LIMITS.get(name, (-np.inf, np.inf))) for name in TRAITS]
    return np.column_stack(columns)


def unlike_shade(glance: Glance, skin: Skin, paths: list[Float]) -> Float:
    """Tell how far each path's colour is from that of a shade as deep in this very skin: (P,), 0 or more.

    paths: each (n, 2) glance px. In ln red/green per log light, beyond chance: about 0 for a fold, more for
    hair and frames, which have a colour of their own; 0 where this skin's shades are not known.
    """
    if not paths:
        return np.zeros(0)
    points = _points(paths)
    aside = points.normals * (glance.px_per_mm * _SIDES_MM)
    left, here, right = (
        face_chart.mm_to_patches(glance.to_mm(points.places_px + side * aside)) for side in (-1, 0, 1)
    )
    darker, redder = (
        (points.means(sample(part, left)) + points.means(sample(part, right))) / 2
        - points.means(sample(part, here))
        for part in skin.gaps[:2]
    )
    # Noise of one patch per mm of path, and of twice as many on its sides: twice that is no colour yet.
    lengths_mm = np.exp(_shape(paths, glance.px_per_mm)["length"]) * 10
    chance = 2 * skin.shades.spread * np.sqrt(1.5 / np.maximum(lengths_mm, 1.0))
    beyond = np.maximum(np.abs(redder - skin.shades.redness * darker) - chance, 0.0)
    return np.asarray(beyond / np.maximum(darker, _FAINTEST))


def likelihood(traits: Float, weights: tuple[float, ...]) -> Float:
    """Return how likely each path (P, T) is a line: (P,), 0 to 1. weights: (1 + T,), "base" first."""
    odds = weights[0] + traits @ np.array(weights[1:])
    return np.asarray(1 / (1 + np.exp(-odds)))


def flip_chance(likelihoods: Float, settings: Settings) -> Float:
    """Return how likely another photo of the same skin puts each path on the other side of the decision.

    likelihoods: (P,), 0 to 1. Differences of the log odds are normal, `settings.log_odds_sd`; at the
    decision itself the chance is 0.5.
    """
    odds = _odds(likelihoods) - _odds(settings.min_likelihood)
    return np.asarray(ndtr(-np.abs(odds) / max(settings.log_odds_sd, 1e-6)))


def least_undecided(settings: Settings) -> float:
    """Return the likelihood below which a path is taken for no line: 2 % of those are one elsewhere."""
    far = float(expit(_odds(settings.min_likelihood) - 2 * settings.log_odds_sd))
    return min(far, settings.min_likelihood)


def _odds(likelihoods: Float | float) -> Float:
    return np.asarray(logit(np.clip(likelihoods, 1e-6, 1 - 1e-6)))


def faintest_contrast(noise: float, region: Region, settings: Settings) -> float:
    """Return the contrast from which nine of ten usual lines of 10 chart mm in `region` are called lines.

    noise: contrast that the texture shows by itself at the scale of the line. Solves the log odds for the
    contrast at which a line with the usual traits is one, and adds what lines differ by.
    """
    weights = dict(zip(("base", *TRAITS), settings.line_weights, strict=True))
    rest = weights["base"] + sum(weights[name] * value for name, value in _usual(region).items())
    per_clear = max(weights["clear"], 1e-3)
    clear = (float(_odds(settings.min_likelihood)) - rest) / per_clear
    return noise * float(np.exp(np.clip(clear, 0.0, _LIMITS["clear"][1]) + _NINE_OF_TEN[region]))


def _usual(region: Region) -> dict[str, float]:
    """Return the medians of drawn lines of 10 mm, medium width and little contrast all over `region`; of
    traits not named they are about 0."""
    usual = {"patchy": 0.3, "narrow": 0.67, "broad": 0.8, "sloping": 0.1, "bowed": 0.1, "on_skin": 1.0}
    if region is Region.FOREHEAD:
        return usual | {"forehead": 1.0, "brow_aside": 0.65, "brow_height": 0.4}
    if region is Region.GLABELLA:
        return usual | {"glabella": 1.0, "narrow": 1.0, "broad": 1.2}
    return usual | {"sloping": 0.5}


_NINE_OF_TEN = {
    Region.FOREHEAD: 0.35,
    Region.GLABELLA: 0.9,
    Region.CROWS_FEET_LEFT: 1.2,
    Region.CROWS_FEET_RIGHT: 1.2,
}
"""ln of the contrast at which nine of ten lines were found, drawn onto 26 real photos and on 9 drawn faces
(`python -m benchmarks limits` draws others), over that at which the weights call a usual one a line.
Between the brows and beside the eyes the face's shape shades them, on drawn faces more than on real ones."""


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
    normal = points.tangent_rad - np.pi / 2
    over = np.stack([across(hessian_at(scale, points.places_px), normal) for scale in ridges.scales])
    over = over / PEAK_RESPONSE
    depths = points.means(over)
    best = (depths / noise[:, None]).argmax(axis=0)
    each = np.arange(len(best))
    depth = np.maximum(depths[best, each], _LEAST)
    spread = np.sqrt(np.maximum(points.means(over**2)[best, each] - depths[best, each] ** 2, 0))
    return {
        "depth": depth,
        "clear": np.log(np.maximum(depths / noise[:, None], 0.1)[best, each]),
        "patchy": spread / depth,
        "narrow": depths[0] / depth,
        "broad": depths[-1] / depth,
    }


def _sides(glance: Glance, ridges: Ridges, points: _Points) -> dict[str, Float]:
    """Compare the light on the two sides of each path, one width of the middle filter away."""
    smooth = cv2.GaussianBlur(glance.light, (0, 0), _REGULAR_MM * glance.px_per_mm)
    aside = points.normals * ridges.middle.sigma_mm * glance.px_per_mm
    step = np.abs(sample(smooth, points.places_px + aside) - sample(smooth, points.places_px - aside))
    return {"sloping": points.means(step)}


def _surroundings(glance: Glance, skin: Skin, points: _Points) -> dict[str, Float]:
    places = face_chart.mm_to_patches(glance.to_mm(points.places_px))
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
