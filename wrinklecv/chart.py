"""The face chart: one flat map of the face in millimetres, and a photo resampled onto it.

The landmark model's canonical face is unrolled once onto a cylinder. Every photo, at any size, is
brought to that map, so regions are constant masks and every setting is in mm.

Axes: u to the right of the picture, v downwards (see `head.py`). Chart millimetres are *coordinates*.
True lengths come from `Chart.metric`, which knows how the skin slopes and how large this subject's face
is.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from scipy.ndimage import map_coordinates

from .head import surface, unroll
from .model import canonical_face
from .records import Bytes, Chart, Face, Float, Mask, Photo, Region

PX_PER_MM = 6
"""Chart pixels per chart mm. A chart mm is about 0.9 mm of a real face, so this is about 6.7 px per
real mm: a line of 0.4 mm full width still spans 2.7 pixels, at half the cost of 8 px per mm."""
U_RANGE_MM = (-96.0, 96.0)
V_RANGE_MM = (-106.0, 2.0)
"""The chart reaches past the mesh's upper edge (v = -83) to the hairline, sideways to the temples."""
NODE_PX = 2 * PX_PER_MM
"""Chart pixels per node of the coarse grid (2 mm). Bilinear interpolation between nodes is off by
h²/8 · curvature = 0.006 mm on a head of 80 mm radius."""
SHAPE = (
    int((V_RANGE_MM[1] - V_RANGE_MM[0]) * PX_PER_MM),
    int((U_RANGE_MM[1] - U_RANGE_MM[0]) * PX_PER_MM),
)
NODE_SHAPE = (SHAPE[0] // NODE_PX, SHAPE[1] // NODE_PX)
PATCH_PX = PX_PER_MM
"""Chart pixels per patch (1 mm): what is skin, and how much of a region was seen, is told by patches."""
PATCH_SHAPE = (SHAPE[0] // PATCH_PX, SHAPE[1] // PATCH_PX)

_ANCHOR_MAX_V_MM = 25.0
"""Landmarks below it (mouth, chin, jaw) move with every expression and would bend the chart."""
_SMOOTH_MM, _JITTER_SHARE = 25.0, 0.3
"""How landmarks pull the chart away from the fitted camera: over about 25 mm, and not in full,
because a single landmark jitters by about 1 % of the distance between the eyes."""
_EYES_MM = np.array([0.0, 26.0, 35.0])
"""Midway between the canonical eyes: where the scale is taken."""
_CAMERA_DISTANCE_MM = 1500.0
"""Taken for granted, as for a portrait: at 0.5 m lengths beside the eyes read 5 % shorter, on the
forehead 2 % longer (measured on a drawn face)."""
_ONE_MAP: Any = None
"""cv2.remap wants no second map for (x, y) pairs, which its stubs do not know."""
BICUBIC_PX2 = -1 / 15
"""Variance that cv2.INTER_CUBIC adds on average: its kernel (a = -3/4) sharpens. ∫x²h(x)dx = (4a + 2)/15."""
_RESAMPLED_PX2 = 0.25
"""Variance (chart px²) that resampling a finer photo adds: it averages what one chart pixel covers."""

REGION_OUTLINES_MM: dict[Region, tuple[tuple[float, float], ...]] = {
    Region.FOREHEAD: (
        (-64, -53), (-52, -58), (-40, -60.5), (-27, -61), (-14, -60), (14, -60), (27, -61), (40, -60.5),
        (52, -58), (64, -53), (66, -64), (60, -82), (50, -94), (34, -101), (-34, -101), (-50, -94),
        (-60, -82), (-66, -64),
    ),
    Region.GLABELLA: (
        (-14, -60), (14, -60), (13, -48), (11, -38), (9, -27), (-9, -27), (-11, -38), (-13, -48),
    ),
    Region.CROWS_FEET_LEFT: (
        (57, -29), (63, -38), (68, -42), (72, -42), (77, -36), (82, -28), (82, -14), (75, -3), (65, -3),
        (55, -10), (53.5, -17), (58, -22),
    ),
}  # fmt: skip
REGION_OUTLINES_MM[Region.CROWS_FEET_RIGHT] = tuple(
    (-u, v) for u, v in REGION_OUTLINES_MM[Region.CROWS_FEET_LEFT]
)


# -- the constant geometry -----------------------------------------------------------------------


def node_places() -> Float:
    """Return the chart positions of the coarse grid's nodes, (h, w, 2) mm."""
    step = NODE_PX / PX_PER_MM
    v = V_RANGE_MM[0] + step * (np.arange(NODE_SHAPE[0]) + 0.5)
    u = U_RANGE_MM[0] + step * (np.arange(NODE_SHAPE[1]) + 0.5)
    return np.stack(np.meshgrid(u, v), axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class _Geometry:
    """What is the same for every photo, on the coarse grid of n nodes.

    nodes_mm: (n, 3) canonical positions. tangent: (n, 3, 2), an orthonormal frame on the skin, its
    first axis along u; normal: (n, 3). anchors: (a,) landmark numbers; anchors_mm: (a, 3).
    pull: (h, w, a) float32, how each anchor's residual moves each node.
    """

    nodes_mm: Float
    tangent: Float
    normal: Float
    anchors: Float
    anchors_mm: Float
    pull: Float


@functools.cache
def _geometry() -> _Geometry:
    vertices, _ = canonical_face()
    places = unroll(vertices)
    anchors = np.flatnonzero(places[:, 1] < _ANCHOR_MAX_V_MM)
    nodes = node_places().reshape(-1, 2)
    step = 0.5
    along_u, along_v = (
        (surface(nodes + offset) - surface(nodes - offset)) / (2 * step)
        for offset in (np.array([step, 0.0]), np.array([0.0, step]))
    )
    first = along_u / np.linalg.norm(along_u, axis=1, keepdims=True)
    normal = np.cross(along_u, along_v)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    # Gaussian-process mean: zero residual far from the mesh, so there the camera alone speaks.
    gram = _closeness(places[anchors], places[anchors]) + _JITTER_SHARE * np.eye(len(anchors))
    pull = np.linalg.solve(gram, _closeness(places[anchors], nodes)).T
    return _Geometry(
        nodes_mm=surface(nodes),
        tangent=np.stack([first, np.cross(normal, first)], axis=-1),
        normal=normal,
        anchors=anchors,
        anchors_mm=vertices[anchors],
        pull=np.ascontiguousarray(pull, dtype=np.float32).reshape(*NODE_SHAPE, -1),
    )


def _closeness(a: Float, b: Float) -> Float:
    """Gaussian kernel between chart positions (n, 2) and (m, 2): (n, m), 1 where they coincide."""
    squared = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squared / (2 * _SMOOTH_MM**2)))


@functools.cache
def region_mask(region: Region) -> Mask:
    """Return the region as a constant mask on the chart, (H, W) bool."""
    outline = mm_to_px(np.array(REGION_OUTLINES_MM[region]))
    mask = np.zeros(SHAPE, np.uint8)
    # Sixteenths of a pixel: whole ones would round left and right differently.
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 1, shift=4)
    result = mask.astype(bool)
    result.flags.writeable = False
    return result


@functools.cache
def region_share(region: Region) -> Float:
    """Return which share of each patch lies in the region, (h', w') float32."""
    result = patch_means(region_mask(region).astype(np.float32))
    result.flags.writeable = False
    return result


# -- grids ---------------------------------------------------------------------------------------


def patch_means(picture: Float) -> Float:
    """Average a chart picture (H, W, …) over patches: (h', w', …)."""
    return cv2.resize(picture, PATCH_SHAPE[::-1], interpolation=cv2.INTER_AREA)


def patches_to_chart(mask: Mask) -> Mask:
    """Bring a patch mask (h', w') to chart pixels (H, W)."""
    full = cv2.resize(mask.astype(np.uint8), SHAPE[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(full.view(bool))


def nodes_to_patches(grid: Float) -> Float:
    """Interpolate the coarse grid (h, w) at the patches' centres."""
    return cv2.resize(grid, PATCH_SHAPE[::-1], interpolation=cv2.INTER_LINEAR)


# -- coordinates ---------------------------------------------------------------------------------


def mm_to_px(places_mm: Float) -> Float:
    """Chart mm (…, 2) → chart pixels (x, y); (0, 0) is the centre of the first pixel."""
    return (np.asarray(places_mm, dtype=float) - (U_RANGE_MM[0], V_RANGE_MM[0])) * PX_PER_MM - 0.5


def px_to_mm(places_px: Float) -> Float:
    """Chart pixels (x, y) (…, 2) → chart mm."""
    return (np.asarray(places_px, dtype=float) + 0.5) / PX_PER_MM + (U_RANGE_MM[0], V_RANGE_MM[0])


def mm_to_patches(points_mm: Float) -> Float:
    """Chart mm (…, 2) → patch coordinates (x, y); (0, 0) is the centre of the first patch."""
    return (mm_to_px(points_mm) + 0.5) / PATCH_PX - 0.5


def at_nodes(grid: Float, places_mm: Float) -> Float:
    """Read a coarse grid (h, w, …) at chart positions (N, 2) mm by bilinear interpolation: (N, …)."""
    columns, rows = (mm_to_px(places_mm).T + 0.5) / NODE_PX - 0.5
    flat = grid.reshape(*grid.shape[:2], -1)
    values = [
        map_coordinates(flat[..., k], (rows, columns), order=1, mode="nearest", output=float)
        for k in range(flat.shape[2])
    ]
    return np.stack(values, axis=-1).reshape(-1, *grid.shape[2:])


def to_photo(chart: Chart, path_mm: Float) -> Float:
    """Draw a chart path (N, 2) mm back onto the photo: (N, 2) px."""
    return at_nodes(chart.photo_xy, path_mm)


def on_skin(chart: Chart, path_mm: Float) -> tuple[Float, float]:
    """Bring a chart path (N, 2) mm to the subject's skin.

    Returns its N - 1 steps in mm in an orthonormal tangent frame (first axis level), and how many mm
    of skin one chart mm *across* the path is, on average.
    """
    steps = np.diff(path_mm, axis=0)
    metric = at_nodes(chart.metric, (path_mm[1:] + path_mm[:-1]) / 2)
    skin = np.einsum("nij,nj->ni", metric, steps)
    # Area over length: how wide a strip of one chart mm is on the skin, whatever the shear.
    area = np.abs(_determinant(metric)) * np.linalg.norm(steps, axis=1)
    return skin, float((area / np.maximum(np.linalg.norm(skin, axis=1), 1e-9)).mean())


def _determinant(matrices: Float) -> Float:
    """Return the determinants (…) of (…, 2, 2) matrices; LAPACK takes five times as long for small ones."""
    (a, b), (c, d) = np.moveaxis(matrices, (-2, -1), (0, 1))
    return np.asarray(a * d - b * c)


def _inverse(matrices: Float) -> Float:
    """Return the inverses of (…, 2, 2) matrices."""
    (a, b), (c, d) = np.moveaxis(matrices, (-2, -1), (0, 1))
    turned = np.stack([np.stack([d, -b], axis=-1), np.stack([-c, a], axis=-1)], axis=-2)
    return np.asarray(turned / (a * d - b * c)[..., None, None])


def skin_per_patch_mm2(chart: Chart) -> Float:
    """Measure each patch on the subject's face, (h', w') mm²."""
    per_mm2 = np.abs(_determinant(chart.metric))
    return nodes_to_patches(per_mm2) * (PATCH_PX / PX_PER_MM) ** 2


# -- a photo on the chart ------------------------------------------------------------------------


def fit_camera(face: Face) -> Float:
    """Fit the affine camera (2, 4) that takes canonical mm to photo px, over the upper face."""
    geometry = _geometry()
    homogeneous = np.column_stack([geometry.anchors_mm, np.ones(len(geometry.anchors))])
    solution, *_ = np.linalg.lstsq(homogeneous, face.points_xy[geometry.anchors], rcond=None)
    return np.asarray(solution.T)


def make_chart(photo: Photo, face: Face) -> Chart:
    """Resample the photo onto the chart: one remap, whatever the photo's size.

    Each place lies where the fitted camera sees the canonical face, moved by what the landmarks
    nearby say beyond that.
    """
    geometry = _geometry()
    camera = fit_camera(face)
    seen = geometry.anchors_mm @ camera[:, :3].T + camera[:, 3]
    # Row by row: as one large product it wakes BLAS's threads, which then spin on the other cores and
    # halve what two workers get done.
    moved = geometry.pull @ (face.points_xy[geometry.anchors] - seen).astype(np.float32)
    photo_xy = (geometry.nodes_mm @ camera[:, :3].T + camera[:, 3]).reshape(*NODE_SHAPE, 2) + moved
    metric, view_angle = _metric_and_view(photo_xy, camera, face.scale.mm_per_px)
    resolution = _resolution(photo_xy, metric)
    light, colour, blur_mm2 = _sample(photo.pixels, photo_xy)
    size = np.array((photo.width_px, photo.height_px)) - 1
    inside = ((photo_xy >= 0) & (photo_xy <= size)).all(axis=2)
    return Chart(
        light=light,
        colour=colour,
        resolution_px_per_mm=resolution * inside,
        view_angle_deg=view_angle,
        photo_xy=photo_xy,
        metric=metric,
        blur_mm2=blur_mm2,
    )


def _metric_and_view(photo_xy: Float, camera: Float, mm_per_px: float) -> tuple[Float, Float]:
    """Return the metric (h, w, 2, 2) and the view angle (h, w) in degrees at the nodes.

    Lengths are taken where the photo shows them: a chart step becomes photo pixels by the map's
    own slope, and photo pixels become skin by the tilt of the canonical surface under the camera.
    So a forehead longer than the canonical one is measured at its own length.
    """
    geometry = _geometry()
    step = NODE_PX / PX_PER_MM
    along_v, along_u = np.gradient(photo_xy, step, axis=(0, 1))
    photo_per_chart = np.stack([along_u, along_v], axis=-1).reshape(-1, 2, 2)
    px_per_mm = np.sqrt(np.linalg.svd(camera[:, :3], compute_uv=False).prod())
    towards_lens = np.cross(camera[0, :3], camera[1, :3])
    towards_lens *= np.copysign(1.0, towards_lens[2]) / np.linalg.norm(towards_lens)
    photo_per_skin = camera[:, :3] @ geometry.tangent
    # First order of perspective about the eyes: what is nearer is larger, and slopes show as shifts.
    from_eyes = geometry.nodes_mm - _EYES_MM
    nearer = from_eyes @ towards_lens / _CAMERA_DISTANCE_MM
    shift = (from_eyes @ camera[:, :3].T)[:, :, None] * (towards_lens @ geometry.tangent)[:, None, :]
    photo_per_skin = photo_per_skin * (1 + nearer)[:, None, None] + shift / _CAMERA_DISTANCE_MM
    # Beyond a grazing view the skin's place in the photo says nothing about its length.
    cosine = np.abs(geometry.normal @ towards_lens)
    safe = cosine > np.cos(np.deg2rad(80))
    photo_per_skin[~safe] = np.eye(2) * px_per_mm
    metric = _inverse(photo_per_skin) @ photo_per_chart * px_per_mm * mm_per_px
    view_angle = np.rad2deg(np.arccos(np.clip(cosine, 0, 1)))
    return (
        metric.reshape(*NODE_SHAPE, 2, 2).astype(np.float32),
        view_angle.reshape(NODE_SHAPE).astype(np.float32),
    )


def _resolution(photo_xy: Float, metric: Float) -> Float:
    """Return the photo's px per mm of skin at the nodes (h, w) float32: the root of px² per mm².

    Lines beside the eyes run the way the view shortens the skin, so the shortened direction alone
    would judge them too harshly.
    """
    step = NODE_PX / PX_PER_MM
    along_v, along_u = np.gradient(photo_xy, step, axis=(0, 1))
    photo_area = along_u[..., 0] * along_v[..., 1] - along_u[..., 1] * along_v[..., 0]
    skin_area = _determinant(metric.astype(float))
    return np.asarray(np.sqrt(np.abs(photo_area / skin_area)).astype(np.float32))


@functools.cache
def linear_light() -> Float:
    """Return the sRGB decoding curve as a table (256,) float32 (IEC 61966-2-1)."""
    value = np.arange(256) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LUMINANCE = np.array([[0.2126, 0.7152, 0.0722]], dtype=np.float32)  # Rec. 709, linear light
_BLACK = 1.0 / 4096
"""Added before the logarithm: darker light than this is noise."""


_STRIP_PX = 64
"""Rows decoded to linear light at a time: three floats per pixel of a whole face leave every cache."""


def _halvings(px_per_wanted: float) -> int:
    """Return how often a picture is halved first: fast, and cost does not grow with the photo."""
    return max(0, math.floor(math.log2(max(px_per_wanted, 1e-6))))


def _sample(pixels: Bytes, photo_xy: Float) -> tuple[Float, Bytes, float]:
    """Resample the photo at the chart's places.

    Returns log light (H, W), colour (h', w', 3), and the blur that this added (variance in chart mm²).
    """
    along_v, along_u = np.gradient(photo_xy, NODE_PX / PX_PER_MM, axis=(0, 1))
    area_px2 = np.abs(along_u[..., 0] * along_v[..., 1] - along_u[..., 1] * along_v[..., 0])
    px_per_mm = float(np.sqrt(np.median(area_px2)))  # photo pixels per chart mm
    halvings = _halvings(px_per_mm / PX_PER_MM)
    whole = 2**halvings
    crop, places = _cropped(pixels, photo_xy, halvings)
    luminance = _luminance(crop)
    ratio = px_per_mm / whole / PX_PER_MM
    if ratio > 1:
        # Bilinear reading blurs by 1/6 px² of the photo on average; the rest of what is wanted, before.
        kernel = _small_kernel(_RESAMPLED_PX2 * ratio**2 - 1 / 6)
        luminance = cv2.sepFilter2D(luminance, cv2.CV_32F, kernel, kernel)
    how = cv2.INTER_LINEAR if ratio > 1 else cv2.INTER_CUBIC
    grid = cv2.resize(places, SHAPE[::-1], interpolation=cv2.INTER_LINEAR)
    light = cv2.remap(luminance, grid, _ONE_MAP, how, borderMode=cv2.BORDER_REPLICATE)
    light = cv2.log(np.maximum(light, 0) + np.float32(_BLACK))
    # Blocks of 0.58 patches, read bilinearly, average as much as the patch itself: b²/12 + b²/6 = 1/12.
    patch_px = px_per_mm / whole * PATCH_PX / PX_PER_MM
    coarse, coarse_places = _halved(crop, places, _halvings(patch_px * 0.58 * math.sqrt(2)))
    centres = cv2.resize(coarse_places, PATCH_SHAPE[::-1], interpolation=cv2.INTER_LINEAR)
    colour = cv2.remap(coarse, centres, _ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    block_mm2 = (whole**2 - 1) / 12 / px_per_mm**2
    read_mm2 = _RESAMPLED_PX2 / PX_PER_MM**2 if ratio > 1 else BICUBIC_PX2 / px_per_mm**2
    return light, colour, block_mm2 + read_mm2


def _small_kernel(variance_px2: float) -> Float:
    """Return five weights whose variance is exactly `variance_px2`; a sampled Gaussian's is not."""
    side = variance_px2 / 4
    half = np.array([side, 1 - 2 * side, side])
    return np.convolve(half, half).astype(np.float32)


def _luminance(pixels: Bytes) -> Float:
    """Return the linear luminance (H, W) float32 of (H, W, 3) sRGB `pixels`."""
    table, result = linear_light(), np.empty(pixels.shape[:2], np.float32)
    light = np.empty((_STRIP_PX, *pixels.shape[1:]), np.float32)
    for row in range(0, len(pixels), _STRIP_PX):
        strip = pixels[row : row + _STRIP_PX]
        cv2.LUT(strip, table, light[: len(strip)])
        cv2.transform(light[: len(strip)], _LUMINANCE, result[row : row + _STRIP_PX])
    return result


def _cropped(pixels: Bytes, photo_xy: Float, halvings: int) -> tuple[Bytes, Float]:
    """Cut the face out, halved so often; return it and the nodes' places on it (h, w, 2)."""
    size, whole = np.array(pixels.shape[1::-1]), 2**halvings
    low = np.clip(np.floor(photo_xy.min(axis=(0, 1))).astype(int) - 4 * whole, 0, size - 1)
    high = np.clip(np.ceil(photo_xy.max(axis=(0, 1))).astype(int) + 4 * whole + 1, low + 1, size)
    crop = pixels[low[1] : high[1], low[0] : high[0]]
    return _halved(crop, (photo_xy - low).astype(np.float32), halvings)


def _halved(picture: Bytes, places: Float, times: int) -> tuple[Bytes, Float]:
    """Average a picture over blocks of 2 × 2, so often; return it and the places (…, 2) px on it.

    cv2 averages pairs five times as fast as blocks of any other size.
    """
    for _ in range(times):
        height, width = (side // 2 for side in picture.shape[:2])
        if not (height and width):
            break
        even = picture[: 2 * height, : 2 * width]
        picture = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        places = (places + 0.5) / 2 - 0.5
    return picture, places
