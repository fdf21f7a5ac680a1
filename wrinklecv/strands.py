"""Hair over the forehead: dark paths that run up and down, as no line of the forehead does.

Such paths are never called lines, so they tell without harm that hair is in the way, and that a strand
which happens to lie level may have been taken for a line.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .paths import find_paths
from .records import Float, Mask, Region
from .regions import Glance
from .ridges import Ridges, sample
from .settings import Settings

_FROM_LEVEL_DEG = 50.0
_LOW_SIGNAL_TO_NOISE, _HIGH_SIGNAL_TO_NOISE = 4.0, 7.0
"""Clearer than texture: most of 98 studio foreheads had no such path; what the others had was mostly hair."""
_LEAST_MM = 8.0
_BESIDE_MM = 1.25
"""Off a strand, and hardly off the edge of a shadow."""
_FROWN_MM = (28.0, -76.0)
"""Folds of a frown rise this far beside the middle (|u| below the first, v below the second)."""


def upright_strands_mm(
    glance: Glance, ridges: Ridges, usable: Mask, noise: Float, *, settings: Settings
) -> float:
    """Sum the lengths (chart mm) of the clear upright paths over a forehead; 0 in other regions.

    usable: (H, W) skin; noise: (S,) contrasts, both as for `find_paths`.
    """
    if glance.region is not Region.FOREHEAD:
        return 0.0

    def upright(places_px: Float, tangent_rad: Float) -> Mask:
        u, v = glance.to_mm(places_px).T
        frown = (np.abs(u) < _FROWN_MM[0]) & (v > _FROWN_MM[1])
        from_level = np.abs((np.rad2deg(tangent_rad) + 90) % 180 - 90)
        return np.asarray((from_level > _FROM_LEVEL_DEG) & ~frown)

    clear = dataclasses.replace(
        settings,
        low_signal_to_noise=_LOW_SIGNAL_TO_NOISE,
        high_signal_to_noise=_HIGH_SIGNAL_TO_NOISE,
        min_path_mm=_LEAST_MM,
    )
    paths = find_paths(ridges, usable, upright, noise, settings=clear, px_per_mm=glance.px_per_mm)
    return sum(_length_mm(path, glance) for path in paths if _evenness(path, glance) > settings.min_evenness)


def _length_mm(path: Float, glance: Glance) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) / glance.px_per_mm


def _evenness(path: Float, glance: Glance) -> float:
    """Compare the rises beside a path: lower over higher, 0 or less for the edge of a shadow."""
    tangent = np.gradient(path, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal *= _BESIDE_MM * glance.px_per_mm / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    left, here, right = (float(sample(glance.light, path + k * normal).mean()) for k in (-1, 0, 1))
    low, high = sorted((left - here, right - here))
    return low / high if high > 0 else 0.0
