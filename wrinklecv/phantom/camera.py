"""The drawing camera: where the head is in the photo, and which piece of the head each pixel sees."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import sparse
from scipy.ndimage import map_coordinates

from .. import head
from ..head import AXIS_MM, RADIUS_MM
from ..records import Float, Mask
from .shape import U_MM, V_MM, radius_spline, radius_table, room_inside

CAST_STEP_MM = 1.0
"""Between rays: the surface bends so gently that cubic interpolation between them errs by < 0.005 mm."""
_MARCH_MM = 4.0
"""Along a ray: the nose, the thinnest part, is wider than that."""


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Where the head is and how the photo sees it.

    rotation: (3, 3) canonical → camera axes (x right, y up, z to the camera); the head turns about
    `eyes_mm` (3,), the middle between the irises, which falls on `centre_xy` (2,) px. px_per_mm holds
    there, on this person's skin; head_size is mm of this person per canonical mm.
    """

    rotation: Float
    eyes_mm: Float
    centre_xy: Float
    px_per_mm: float
    head_size: float
    distance_mm: float

    def project(self, points_mm: Float) -> Float:
        """Bring canonical points (N, 3) mm to photo px (N, 2)."""
        turned = (points_mm - self.eyes_mm) @ self.rotation.T * self.head_size
        zoom = self.px_per_mm * self.distance_mm / (self.distance_mm - turned[:, 2:])
        return turned[:, :2] * (1, -1) * zoom + self.centre_xy

    def rays(self, xy: Float) -> tuple[Float, Float]:
        """Return what photo px (N, 2) look along: the point beside the eyes (3, N) and the way per mm
        towards the camera (3, N), both canonical mm."""
        flat = ((xy - self.centre_xy) * (1, -1) / self.px_per_mm).T
        to_head = self.rotation.T / self.head_size
        start = np.array([to_head[k, 0] * flat[0] + to_head[k, 1] * flat[1] for k in range(3)])
        way = to_head[:, 2:] - start / self.distance_mm
        return start + self.eyes_mm[:, None], way


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Float:
    """Return the head's rotation (3, 3): yaw to the subject's left, pitch up, roll to the left shoulder."""
    (cy, cp, cr), (sy, sp, sr) = (f(np.deg2rad([yaw_deg, pitch_deg, roll_deg])) for f in (np.cos, np.sin))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw)


# -- what each ray sees ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """The head as a grid of rays (h, w) sees it, `step_px` apart from `origin_xy` on.

    points_mm (h, w, 3): canonical position of the skin; places_mm (h, w, 2): chart place;
    normals (h, w, 3): in camera axes; inside_mm (h, w): how far inside the head's outline.
    Rays that pass the head have the values of its nearest place.
    """

    origin_xy: Float
    step_px: float
    points_mm: Float
    places_mm: Float
    normals: Float
    inside_mm: Float

    def jumps(self) -> Mask:
        """Return which rays stand at an edge where the depth jumps, (h, w)."""
        depth = self.points_mm.astype(np.float32)
        low, high = (cv2.erode(depth, np.ones((3, 3))), cv2.dilate(depth, np.ones((3, 3))))
        jump = ((high - low).max(axis=2) > 7.0) & (self.inside_mm > -2.0)
        return cv2.dilate(jump.astype(np.uint8), np.ones((3, 3))).astype(bool)

    def at(self, field: Float, box: tuple[int, int, int, int], finer: int = 1) -> Float:
        """Interpolate `field` (h, w, ...) to photo pixels of `box` (x0, y0, x1, y1), `finer` per pixel."""
        x0, y0, x1, y1 = box
        columns = (np.arange((x1 - x0) * finer) + 0.5) / finer - 0.5 + x0
        rows = (np.arange((y1 - y0) * finer) + 0.5) / finer - 0.5 + y0
        across = _cubic((columns - self.origin_xy[0]) / self.step_px, field.shape[1])
        along = _cubic((rows - self.origin_xy[1]) / self.step_px, field.shape[0])
        layers = np.atleast_3d(field)
        result = np.empty((len(rows), len(columns), layers.shape[2]), np.float32)
        for k in range(layers.shape[2]):
            result[..., k] = (across @ (along @ layers[..., k].astype(np.float32)).T).T
        return result if field.ndim == 3 else result[..., 0]


def _cubic(where: Float, count: int) -> sparse.csr_matrix:
    """Return Catmull-Rom interpolation as a sparse matrix (len(where), count): exact for parabolas."""
    base = np.floor(where).astype(int)
    t = where - base
    weights = np.stack(
        [
            ((-0.5 * t + 1) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1,
            ((-1.5 * t + 2) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ],
        axis=1,
    )
    index = np.clip(base[:, None] + np.arange(-1, 3), 0, count - 1)
    rows = np.repeat(np.arange(len(where)), 4)
    return sparse.csr_matrix((weights.ravel().astype(np.float32), (rows, index.ravel())), (len(where), count))


def cast(camera: Camera, width_px: int, height_px: int, *, ears: bool, hairline_mm: float) -> Cast:
    """Find the skin that each ray of a coarse grid over the photo meets first."""
    step = CAST_STEP_MM * camera.px_per_mm
    low, high = _head_box(camera, width_px, height_px, step)
    x, y = np.meshgrid(np.arange(low[0], high[0] + step, step), np.arange(low[1], high[1] + step, step))
    xy = np.stack([x.ravel(), y.ravel()], axis=1)
    points, inside, normals = meet(camera, xy, ears=ears, hairline_mm=hairline_mm)
    shape = x.shape
    return Cast(
        origin_xy=low,
        step_px=step,
        points_mm=points.reshape(*shape, 3),
        places_mm=head.unroll(points).reshape(*shape, 2),
        normals=normals.reshape(*shape, 3),
        inside_mm=inside.reshape(shape) * camera.head_size,
    )


def meet(camera: Camera, xy: Float, *, ears: bool, hairline_mm: float) -> tuple[Float, Float, Float]:
    """Follow the rays of photo px (N, 2) to the skin.

    Returns points (N, 3), mm inside the head's outline (N,) and normals in camera axes (N, 3).
    """
    start, way = camera.rays(xy)
    table = radius_table(ears, hairline_mm).astype(np.float32)
    step = _MARCH_MM * camera.head_size
    small = start.astype(np.float32), way.astype(np.float32)
    front, inside = _march(*small, np.dstack([table, room_inside(ears)]).astype(np.float32), step)
    hit = inside >= 0
    depth = front.astype(float)
    depth[hit] = _refine(start[:, hit], way[:, hit], depth[hit], step, radius_spline(ears, hairline_mm))
    points = (start + way * depth).T
    return points, inside, _normals(head.unroll(points), table) @ camera.rotation.T


def _head_box(camera: Camera, width_px: int, height_px: int, margin: float) -> tuple[Float, Float]:
    """Return the photo rectangle (low, high) that may show the head."""
    ball = np.stack(np.meshgrid([-105, 105], [-115, 160], [-145, 85]), axis=-1).reshape(-1, 3)
    seen = camera.project(ball.astype(float))
    low = np.maximum(seen.min(axis=0), -2 * margin)
    high = np.minimum(seen.max(axis=0), np.array([width_px, height_px]) + 2 * margin)
    return low, np.maximum(high, low + 4 * margin)


def _depth_inside(start: Float, way: Float, depth: float, tables: Float) -> Float:
    """Return how deep (mm) the rays' points lie inside the head; bilinear, for the search.

    tables: (rows, columns, 2), the head's radius and the room inside its ends.
    """
    x, y, z = (start[k] + way[k] * np.float32(depth) for k in range(3))
    z -= np.float32(AXIS_MM)
    read = _look_up(tables, np.float32(RADIUS_MM) * np.arctan2(x, z), -y)
    return np.asarray(np.minimum(read[:, 0] - np.hypot(x, z), read[:, 1]))


def _look_up(table: Float, u: Float, v: Float) -> Float:
    """Read a table (rows, columns, ...) at places (N,) by bilinear interpolation: (N, ...); 0 outside it."""
    width = 2048  # cv2.remap takes no more than 32 766 rows or columns
    rows = -(-len(u) // width)
    padded = np.zeros((2, rows * width), np.float32)
    padded[0, : len(u)], padded[1, : len(u)] = u - U_MM[0], v - V_MM[0]
    x, y = padded.reshape(2, rows, width)
    read = cv2.remap(table, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(read.reshape(rows * width, *table.shape[2:])[: len(u)])


def _march(start: Float, way: Float, tables: Float, step: float) -> tuple[Float, Float]:
    """Step along the rays: depth of the last step before the skin, and how far inside the outline."""
    front = np.full(start.shape[1], np.nan, np.float32)
    deepest = np.full(start.shape[1], -np.inf, np.float32)
    at_deepest = np.zeros(start.shape[1], np.float32)
    for depth in np.arange(75 / _MARCH_MM, -150 / _MARCH_MM, -1) * step:
        inside = _depth_inside(start, way, depth, tables)
        front[(inside >= 0) & np.isnan(front)] = depth + step
        better = inside > deepest
        np.copyto(deepest, inside, where=better)
        at_deepest[better] = depth
    return np.where(np.isnan(front), at_deepest, front), deepest


def _refine(start: Float, way: Float, front: Float, step: float, spline: Float) -> Float:
    """Find the depth (N,) where each ray meets the exact surface, within `step` behind `front`."""

    def deep(depth: Float) -> Float:
        x, y, z = start + way * depth
        z = z - AXIS_MM
        where = (-y - V_MM[0], RADIUS_MM * np.arctan2(x, z) - U_MM[0])
        radius = map_coordinates(spline, where, order=3, prefilter=False, mode="nearest")
        return np.asarray(radius - np.hypot(x, z))

    outer, inner = front, front - step
    f_outer, f_inner = deep(outer), deep(inner)
    for _ in range(7):  # Illinois: secant steps that keep the bracket
        slope = np.where(np.abs(f_inner - f_outer) < 1e-12, 1e-12, f_inner - f_outer)
        share = np.clip(-f_outer / slope, 0.0, 1.0)  # at the jaw's edge nothing is crossed
        middle = outer + share * (inner - outer)
        f_middle = deep(middle)
        in_front = f_middle < 0
        f_inner = np.where(in_front, f_inner * 0.5, f_middle)
        inner = np.where(in_front, inner, middle)
        f_outer = np.where(in_front, f_middle, f_outer * 0.5)
        outer = np.where(in_front, middle, outer)
    return np.where(np.abs(f_outer) < np.abs(f_inner), outer, inner)


def _normals(places: Float, table: Float) -> Float:
    """Return the surface's outward normals (N, 3) in canonical axes at chart places (N, 2)."""
    smooth = cv2.GaussianBlur(table, (0, 0), 1.2)  # the spline's small knots would glitter
    by_v, by_u = np.gradient(smooth)
    radius, slope_u, slope_v = (_look_up(t, places[:, 0], places[:, 1]) for t in (smooth, by_u, by_v))
    angle = places[:, 0] / RADIUS_MM
    out = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=1)
    side = np.stack([np.cos(angle), np.zeros_like(angle), -np.sin(angle)], axis=1)
    along_u = out * slope_u[:, None] + side * (np.maximum(radius, 5.0) / RADIUS_MM)[:, None]
    along_v = out * slope_v[:, None] + np.array([0.0, -1.0, 0.0])
    normal = np.cross(along_v, along_u)
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))
