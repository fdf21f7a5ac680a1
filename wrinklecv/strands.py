"""Hair over the forehead: what no wrinkle does, and a strand of hair does often.

Dark paths that run up and down are never called lines, so they tell without harm that hair is in the way,
and that a strand which happens to lie level may have been taken for a line. A scar, a vein or a line of
sleep tells the same. Deep furrows usually are on both sides of a face; a lock of hair over the temple is not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

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
_FROWN_MM = (28.0, -84.0)
"""Folds of a frown lie this near the middle (|u|) and rise this far (v)."""


@dataclass(frozen=True, slots=True)
class Strands:
    """Length (mm of skin) over one region of what is, or may be, hair or the frame of glasses.

    left_out_mm: looked like lines but for their width, colour or a bright thread beside them. upright_mm:
    upright paths, never called lines. one_sided_mm: counted among the lines, but as dark as hair and on
    one side of the forehead only.
    """

    left_out_mm: float = 0.0
    upright_mm: float = 0.0
    one_sided_mm: float = 0.0


def one_sided_mm(
    region: Region, stretches: Sequence[tuple[float, Float, Float]], settings: Settings
) -> float:
    """Tell how much of the dark stretches of a forehead's lines lies on one side of the face only.

    stretches: of each line its length (mm), places (N, 2) chart mm and contrasts there (N,). 0 where they lie
    on both sides, and in other regions.
    """
    if region is not Region.FOREHEAD:
        return 0.0
    left = right = 0.0
    for length_mm, path_mm, contrasts in stretches:
        dark = contrasts > settings.dark_contrast
        left += length_mm * float((dark & (path_mm[:, 0] < 0)).mean())
        right += length_mm * float((dark & (path_mm[:, 0] >= 0)).mean())
    more = max(left, right)
    return more if more > settings.max_one_sided_share * (left + right) else 0.0


def upright_strands(
    glance: Glance, ridges: Ridges, usable: Mask, noise: Float, *, settings: Settings
) -> tuple[Float, ...]:
    """Trace the clear upright paths over a forehead, each (N, 2) chart mm; none in other regions.

    usable: (H, W) skin; noise: (S,) contrasts, both as for `find_paths`.
    """
    if glance.region is not Region.FOREHEAD:
        return ()

    def upright(places_px: Float, tangent_rad: Float) -> Mask:
        return np.asarray(np.abs((np.rad2deg(tangent_rad) + 90) % 180 - 90) > _FROM_LEVEL_DEG)

    clear = dataclasses.replace(
        settings,
        low_signal_to_noise=_LOW_SIGNAL_TO_NOISE,
        high_signal_to_noise=_HIGH_SIGNAL_TO_NOISE,
        min_path_mm=_LEAST_MM,
    )
    paths = find_paths(ridges, usable, upright, noise, settings=clear, px_per_mm=glance.px_per_mm)
    even = [glance.to_mm(path) for path in paths if _evenness(path, glance) > settings.min_evenness]
    return tuple(path_mm for path_mm in even if not _may_be_frown(path_mm))


def _may_be_frown(path_mm: Float) -> bool:
    return bool(np.abs(path_mm[:, 0]).mean() < _FROWN_MM[0] and path_mm[:, 1].min() > _FROWN_MM[1])


def _evenness(path: Float, glance: Glance) -> float:
    """Compare the rises beside a path: lower over higher, 0 or less for the edge of a shadow."""
    tangent = np.gradient(path, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal *= _BESIDE_MM * glance.px_per_mm / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    left, here, right = (float(sample(glance.light, path + k * normal).mean()) for k in (-1, 0, 1))
    low, high = sorted((left - here, right - here))
    return low / high if high > 0 else 0.0
