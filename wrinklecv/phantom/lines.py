"""The drawn lines: what they are, how dark they make each pixel, and plausible ones at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree

from .. import chart, head
from ..records import Float, Region, frozen_array
from .camera import Camera, Cast
from .folds import folded
from .shape import Movement

FWHM_PER_SD = 2.3548
_END_MM = 1.0
"""A line fades over this length; its true end is where the fading has reached one half."""
_DENSE_MM = 0.05


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PhantomLine:
    """A line as drawn on the skin.

    path_mm: (N, 2) chart mm on the resting face; a smooth curve is laid through these places.
    width_mm: full width at half depth, on the person's skin. contrast: ln(L_beside / L_valley).
    """

    region: Region
    path_mm: Float
    width_mm: float
    contrast: float

    def __post_init__(self) -> None:
        points = len(self.path_mm)
        object.__setattr__(self, "path_mm", frozen_array(self.path_mm, np.float64, (points, 2), "path_mm"))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrueLine:
    """A drawn line as one photo shows it: the same N places, in order, about 0.25 mm apart.

    path_mm: (N, 2) where it lies on the chart in this expression: what a measurement should find.
    skin_path_mm: (N, 2) the same places on the resting face: the line's identity.
    path_xy: (N, 2) photo px. length_mm: on this person's skin, between the two half-depth ends.
    angle_deg: mean direction on the skin, in [0, 180), as in `records.Line`.
    """

    region: Region
    path_mm: Float
    skin_path_mm: Float
    path_xy: Float
    width_mm: float
    contrast: float
    length_mm: float
    angle_deg: float

    def __post_init__(self) -> None:
        for name in ("path_mm", "skin_path_mm", "path_xy"):
            array = getattr(self, name)
            object.__setattr__(self, name, frozen_array(array, np.float64, (len(self.path_mm), 2), name))


def smooth_path(places_mm: Float, step_mm: float) -> Float:
    """Lay a smooth curve through places (N, 2) and sample it every `step_mm` or closer: (M, 2)."""
    chords = np.linalg.norm(np.diff(places_mm, axis=0), axis=1)
    along = np.append(0.0, np.cumsum(chords))
    curve = make_interp_spline(along, places_mm, k=min(3, len(places_mm) - 1))
    count = max(2, int(np.ceil(along[-1] / step_mm)) + 1)
    return np.asarray(curve(np.linspace(0, along[-1], count)))


def true_line(line: PhantomLine, movement: Movement, camera: Camera) -> TrueLine:
    """Say where `line` lies, how long and in which direction it runs, in one photo."""
    skin = smooth_path(line.path_mm, 0.25)
    places = movement.place(skin)
    points = head.surface(places)
    return TrueLine(
        region=line.region,
        path_mm=places,
        skin_path_mm=skin,
        path_xy=camera.project(points),
        width_mm=line.width_mm,
        contrast=line.contrast,
        length_mm=surface_length(points) * camera.head_size,
        angle_deg=head.skin_angle_deg(places),
    )


def surface_length(points_mm: Float) -> float:
    """Sum the steps of a path in space (N, 3), in mm."""
    return float(np.linalg.norm(np.diff(points_mm, axis=0), axis=1).sum())


# -- drawing ---------------------------------------------------------------------------------------


def draw_line(light: Float, line: TrueLine, camera: Camera, seen: Cast, colour: Float) -> None:
    """Darken linear `light` (H, W, 3) in place by one line, averaged over each pixel's area.

    The light without the line hardly changes within a pixel, so the line's transmittance alone is
    drawn finer and averaged. colour: (3,) of `fold_colour`.
    """
    height, width = light.shape[:2]
    reach_px = (3.5 * line.width_mm / FWHM_PER_SD + 0.6) * camera.px_per_mm + 2
    low = np.floor(line.path_xy.min(axis=0) - reach_px).astype(int)
    high = np.ceil(line.path_xy.max(axis=0) + reach_px).astype(int) + 1
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, (width, height))
    if x1 <= x0 or y1 <= y0:
        return
    # Ten samples per mm, and three across the thinnest line's half width.
    finer = int(np.clip(np.ceil(max(10.0, 5.0 / line.width_mm) / camera.px_per_mm), 1, 8))
    finer = max(finer, 2)
    near = np.zeros((y1 - y0, x1 - x0), np.uint8)
    path = np.rint(line.path_xy - (x0, y0)).astype(np.int32)
    cv2.polylines(near, [path], False, 1, thickness=int(2 * reach_px) + 1)
    points = seen.at(seen.points_mm, (x0, y0, x1, y1), finer)
    inside = near.astype(bool).repeat(finer, axis=0).repeat(finer, axis=1)
    transmittance = np.ones(inside.shape, np.float32)
    depth = line.contrast * profile(points[inside], line, camera.head_size)
    transmittance[inside] = np.exp(-depth)
    share = cv2.resize(transmittance, near.shape[::-1], interpolation=cv2.INTER_AREA)
    light[y0:y1, x0:x1] = folded(light[y0:y1, x0:x1], share, colour)


def profile(points_mm: Float, line: TrueLine, head_size: float) -> Float:
    """Return the line's relative depth (0 to 1) at canonical points (N, 3).

    Distances are straight ones in space: within 2 mm on a head of 80 mm radius they equal the
    distance on the skin to 0.003 %.
    """
    valley = head.surface(smooth_path(line.path_mm, _DENSE_MM))
    steps = np.diff(valley, axis=0)
    along = np.append(0.0, np.cumsum(np.linalg.norm(steps, axis=1)))
    tangent = np.gradient(valley, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    near = 6 * line.width_mm / FWHM_PER_SD / head_size + 1.0
    distance, index = cKDTree(valley).query(points_mm, distance_upper_bound=near)
    found = np.isfinite(distance)
    depth = np.zeros(len(points_mm), np.float32)
    index = index[found]
    ahead = np.einsum("ij,ij->i", points_mm[found] - valley[index], tangent[index])
    aside2 = np.maximum(distance[found] ** 2 - ahead**2, 0.0) * head_size**2
    place = (along[index] + ahead) * head_size
    to_end = np.minimum(place, along[-1] * head_size - place)
    fade = 0.5 + 0.5 * np.sin(np.pi * np.clip(to_end / _END_MM, -0.5, 0.5))
    depth[found] = fade * np.exp(-aside2 / (2 * (line.width_mm / FWHM_PER_SD) ** 2))
    return depth


# -- plausible lines -------------------------------------------------------------------------------

_INSIDE_MM = 2.0
_Shape = Callable[[np.random.Generator, int, int], Float]
"""Random numbers, which line of how many → places (N, 2) mm."""


def random_lines(
    rng: np.random.Generator,
    *,
    regions: tuple[Region, ...] = (
        Region.FOREHEAD,
        Region.GLABELLA,
        Region.CROWS_FEET_LEFT,
        Region.CROWS_FEET_RIGHT,
    ),
    counts: dict[Region, int] | None = None,
    width_mm: tuple[float, float] = (0.4, 1.6),
    contrast: tuple[float, float] = (0.08, 0.45),
    min_separation_mm: float = 4.0,
) -> tuple[PhantomLine, ...]:
    """Draw plausible lines: none crossing or nearer than `min_separation_mm`, all 2 mm inside their region.

    `counts` says how many per region (default: 5 on the forehead, 2 in the glabella, 4 and 4 crow's
    feet); where no more will fit, fewer come. Width and contrast are drawn log-uniformly.
    """
    usual = {Region.FOREHEAD: 5, Region.GLABELLA: 2}
    lines: list[PhantomLine] = []
    taken = np.empty((0, 2))
    for region in regions:
        wanted = (counts or {}).get(region, usual.get(region, 4))
        for number in range(wanted):
            for _ in range(60):
                path = _SHAPES[region](rng, number, wanted)
                dense = smooth_path(path, 0.5)
                if not _inside(region, dense):
                    continue
                if len(taken) and cKDTree(taken).query(dense)[0].min() < min_separation_mm:
                    continue
                wide, deep = (float(np.exp(rng.uniform(*np.log(limits)))) for limits in (width_mm, contrast))
                lines.append(PhantomLine(region=region, path_mm=path, width_mm=wide, contrast=deep))
                taken = np.concatenate([taken, dense])
                break
    return tuple(lines)


def _inside(region: Region, path: Float) -> bool:
    outline = np.array(chart.REGION_OUTLINES_MM[region], np.float32)
    return all(cv2.pointPolygonTest(outline, (float(u), float(v)), True) >= _INSIDE_MM for u, v in path)


def _forehead(rng: np.random.Generator, number: int, wanted: int) -> Float:
    """A level line that follows the arch of the brows, with slow waves: (N, 2) mm."""
    length = rng.uniform(20, 60)
    middle = rng.uniform(-45 + length / 2, 45 - length / 2) if length < 90 else 0.0
    u = np.linspace(middle - length / 2, middle + length / 2, 9)
    level = -66 - 29 * (number + rng.uniform(0.1, 0.9)) / wanted
    arch = 4.5 * (u / 50) ** 2 - rng.uniform(0, 2.0) * np.exp(-(((np.abs(u) - 28) / 18) ** 2))
    phase, wave = rng.uniform(0, 2 * np.pi), rng.uniform(18, 30)
    return np.stack([u, level + arch + rng.uniform(0.2, 0.7) * np.sin(u / wave * 2 * np.pi + phase)], axis=1)


def _glabella(rng: np.random.Generator, number: int, wanted: int) -> Float:
    """An upright line beside the middle, leaning a little outwards at its top: (N, 2) mm."""
    side = 1 if number % 2 else -1
    length = rng.uniform(10, 22)
    low = rng.uniform(-34, -31)
    v = np.linspace(low, low - length, 6)
    out = rng.uniform(4.2, 6.0) + rng.uniform(0.02, 0.12) * (low - v)
    return np.stack([side * (out + 0.5 * np.sin((low - v) / length * np.pi)), v], axis=1)


def _crows_feet(side: int) -> _Shape:
    def path(rng: np.random.Generator, number: int, wanted: int) -> Float:
        """A line that runs outwards from the corner of the eye, bending a little: (N, 2) mm."""
        spread = np.linspace(-34, 52, wanted) if wanted > 1 else np.array([0.0])
        angle = np.deg2rad(spread[number] + rng.uniform(-6, 6))
        start, length = rng.uniform(10.5, 14), rng.uniform(8, 20)
        away = np.linspace(start, start + length, 6)
        bend = angle + np.deg2rad(rng.uniform(-0.6, 0.9)) * (away - start)
        return np.stack([side * (50 + away * np.cos(bend)), -25 + away * np.sin(bend)], axis=1)

    return path


_SHAPES: dict[Region, _Shape] = {
    Region.FOREHEAD: _forehead,
    Region.GLABELLA: _glabella,
    Region.CROWS_FEET_LEFT: _crows_feet(1),
    Region.CROWS_FEET_RIGHT: _crows_feet(-1),
}
