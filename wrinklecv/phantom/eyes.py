"""The drawn eyes: discs of exactly known size behind lids that move with the skin."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from .. import head
from ..records import Float
from .camera import Camera
from .paint import vertex_places
from .person import Person, linear
from .shape import Movement, smoothstep

UPPER_LID = {
    -1: (33, 246, 161, 160, 159, 158, 157, 173, 133),
    1: (263, 466, 388, 387, 386, 385, 384, 398, 362),
}
LOWER_LID = {
    -1: (33, 7, 163, 144, 145, 153, 154, 155, 133),
    1: (263, 249, 390, 373, 374, 380, 381, 382, 362),
}
"""From the outer corner to the inner one; -1 is the subject's right eye, 1 the left."""
_OPEN_UP_MM, _OPEN_DOWN_MM = 1.7, 0.7
"""The canonical face looks sleepy (lids 6.7 mm apart); living eyes stand 9 to 10 mm open."""
_TURNING_MM = 10.5  # from an eye's turning point to its iris
_SINK_MM, _NASAL_MM = 1.0, 0.8  # the iris lies behind the lids and nearer to the nose than their middle


def iris_centre(side: int) -> Float:
    """Return the middle of an iris (3,), canonical mm."""
    corners = vertex_places()[[UPPER_LID[side][0], UPPER_LID[side][-1]]]
    middle = corners.mean(axis=0) + np.array([-side * _NASAL_MM, -0.6])
    return np.asarray(head.surface(middle[None])[0] - np.array([0, 0, _SINK_MM]))


def lid_lift(side: int) -> dict[int, Float]:
    """Return how far each lid vertex is drawn from its canonical place, index → (2,) chart mm."""
    open_share = np.sin(np.linspace(0, np.pi, 9)) ** 0.8
    lift = {i: np.array([0, -_OPEN_UP_MM * s]) for i, s in zip(UPPER_LID[side], open_share, strict=True)}
    return lift | {
        i: np.array([0, _OPEN_DOWN_MM * s])
        for i, s in zip(LOWER_LID[side][1:-1], open_share[1:-1], strict=True)
    }


def lid_places() -> Float:
    """Return the chart places (468, 2) of all vertices with the lids opened."""
    places = vertex_places().copy()
    for side in (-1, 1):
        for index, lift in lid_lift(side).items():
            places[index] += lift
    return places


def iris_points(side: int, camera: Camera, person: Person) -> Float:
    """Return centre, right, top, left and bottom of the iris as the picture is seen: (5, 2) px.

    The eyes look at the camera however the head is turned, so an iris stays a circle.
    """
    right, up, ahead = camera.rotation
    turned = _TURNING_MM * (ahead - np.array([0, 0, 1]))
    # Living lids follow a gaze up or down; drawn ones stay, so the iris goes only part of the way.
    centre = iris_centre(side) + turned * np.array([1.0, 0.4, 1.0])
    radius = person.iris_mm / 2 / camera.head_size
    return camera.project(centre + radius * np.array([0 * up, right, up, -right, -up]))


def _curve(indices: tuple[int, ...], movement: Movement, camera: Camera) -> Float:
    """Return a smooth curve through lid vertices, (60, 2) px."""
    places = movement.place(lid_places()[list(indices)])
    along = np.append(0, np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1)))
    dense = CubicSpline(along, places)(np.linspace(0, along[-1], 60))
    return camera.project(head.surface(dense))


def draw_eye(
    light: Float, side: int, person: Person, movement: Movement, camera: Camera, shade: Float, glint: Float
) -> None:
    """Paint one eye into linear `light` (H, W, 3), in place.

    shade: (3,) brightness of white seen face on. glint: (2,) where the light is, right and up.
    """
    upper, lower = (_curve(lids[side], movement, camera) for lids in (UPPER_LID, LOWER_LID))
    mm = camera.px_per_mm * camera.head_size  # px per canonical mm
    both = np.concatenate([upper, lower])
    low = np.maximum(np.floor(both.min(axis=0) - 6 * mm).astype(int), 0)
    high = np.minimum(np.ceil(both.max(axis=0) + 6 * mm).astype(int), light.shape[1::-1])
    if (high <= low).any():
        return
    finer = int(np.clip(np.ceil(24 / mm), 2, 8))
    size = (high - low) * finer
    scale = mm * finer

    def at(points: Float) -> Float:
        return np.asarray((points - low + 0.5) * finer - 0.5)

    opening = _polygon(np.concatenate([at(upper), at(lower)[::-1]]), size)
    picture = np.asarray(cv2.resize(light[low[1] : high[1], low[0] : high[0]], size), np.float32)
    _draw_rims(picture, at(upper), at(lower), scale)
    ball = _eyeball(side, person, camera, low, size, finer, glint)
    # The lids shade the ball, the upper one most.
    move = np.array([[1, 0, 0], [0, 1, 0.9 * scale]], np.float32)
    lit = cv2.GaussianBlur(cv2.warpAffine(opening, move, size), (0, 0), 1.1 * scale)
    ball *= (shade * (0.42 + 0.58 * np.clip(lit * 1.15, 0, 1)[..., None])).astype(np.float32)
    picture += (ball - picture) * np.asarray(opening)[..., None]
    _draw_lashes(picture, at(upper), at(lower), scale, side, person)
    light[low[1] : high[1], low[0] : high[0]] = cv2.resize(picture, high - low, interpolation=cv2.INTER_AREA)


def _polygon(points: Float, size: Float) -> Float:
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def _line(points: Float, shape: tuple[int, ...], thick: float, soft: float) -> Float:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.polylines(
        mask, [np.rint(points * 16).astype(np.int32)], False, 255, max(1, round(thick)), cv2.LINE_AA, 4
    )
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(soft, 0.3))[..., None]


def _eyeball(
    side: int, person: Person, camera: Camera, low: Float, size: Float, finer: int, glint: Float
) -> Float:
    """Return the eyeball's reflectance over the crop: white, iris, pupil, the light's mirror image."""
    centre, right, top, *_ = iris_points(side, camera, person)
    axes = np.stack([right - centre, top - centre], axis=1) * 2 / person.iris_mm  # px per mm of iris
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    xy = np.stack([x, y], axis=-1) / finer + (0.5 / finer - 0.5) + low - centre
    place = (xy @ np.linalg.inv(axes).T).astype(np.float32)  # mm on the iris' plane, y up
    away = np.hypot(place[..., 0], place[..., 1])
    edge = person.iris_mm / 2
    white = np.array([0.74, 0.70, 0.67], np.float32)
    ball = white * (1 - 0.30 * smoothstep(5, 17, away))[..., None]
    inner = smoothstep(10.5, 14.5, -side * place[..., 0])[..., None]  # caruncle
    ball += (np.array([0.50, 0.27, 0.24], np.float32) * 1.0 - ball) * inner * 0.7
    rng = np.random.default_rng([person.seed, 2, side + 1])
    turns = np.arctan2(place[..., 1], place[..., 0])
    fibre = sum(
        rng.uniform(0.05, 0.12) * np.cos(n * turns + rng.uniform(0, 6.3)) for n in (7, 12, 19, 31, 43)
    )
    iris = linear(person.iris_srgb).astype(np.float32) * np.exp(fibre)[..., None]
    iris = iris * (1 + 0.35 * smoothstep(4.2, 2.2, away))[..., None]
    iris = iris * (1 - 0.72 * smoothstep(edge - 1.3, edge - 0.1, away))[..., None]
    ball += (iris - ball) * smoothstep(edge + 0.13, edge - 0.13, away)[..., None]
    ball *= 1 - 0.965 * smoothstep(2.15, 1.85, away)[..., None]
    spot = np.hypot(place[..., 0] - 2.2 * glint[0], place[..., 1] - 2.2 * glint[1])
    return ball + (0.95 - ball) * 0.9 * smoothstep(0.85, 0.55, spot)[..., None]


def _draw_rims(picture: Float, upper: Float, lower: Float, scale: float) -> None:
    """Paint the lids' edges: the upper in its own shadow, the lower a moist light rim."""
    picture *= 1 - 0.45 * _line(upper - (0, 0.3 * scale), picture.shape, 1.3 * scale, 0.5 * scale)
    rim = _line(lower + np.array([0, 0.35 * scale]), picture.shape, 0.9 * scale, 0.2 * scale)
    picture *= 1 + np.array([0.10, 0.02, 0.02], np.float32) * rim
    picture *= 1 - 0.22 * _line(lower + np.array([0, 1.3 * scale]), picture.shape, 0.7 * scale, 0.5 * scale)


def _draw_lashes(picture: Float, upper: Float, lower: Float, scale: float, side: int, person: Person) -> None:
    """Paint the lash lines and the lashes, which fan out from the middle of the eye."""
    dark = (linear(person.hair_srgb) * 0.25).astype(np.float32)
    ink = 0.9 * _line(upper, picture.shape, 0.75 * scale, 0.14 * scale)
    ink = np.maximum(
        ink, 0.4 * _line(lower + np.array([0, 0.1 * scale]), picture.shape, 0.35 * scale, 0.14 * scale)
    )
    rng = np.random.default_rng([person.seed, 3, side + 1])
    lashes = np.zeros(picture.shape[:2], np.uint8)
    for curve, count, long, up in ((upper, 60, 3.6, -1), (lower, 26, 1.7, 1)):
        for t in np.sort(rng.uniform(0.02, 0.86, count)):  # 0 is the outer corner
            root = curve[int(t * (len(curve) - 1))]
            fan = (0.45 - t) * 1.5 + rng.normal(0, 0.1)
            length = long * scale * rng.uniform(0.6, 1.0) * (1 - 0.5 * t)
            bow = np.linspace(0, 1, 6)[:, None]
            out = np.array([side * np.sin(fan), up * np.cos(fan)])
            path = root + length * (bow * out + 0.25 * bow**2 * (side * np.sign(0.45 - t), 0))
            cv2.polylines(
                lashes, [np.rint(path * 16).astype(np.int32)], False, 200 if up < 0 else 110,
                max(1, round(0.16 * scale)), cv2.LINE_AA, 4,
            )  # fmt: skip
    ink = np.maximum(ink, lashes[..., None].astype(np.float32) / 255)
    picture += (dark - picture) * ink
