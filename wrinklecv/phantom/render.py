"""Drawing one photo: the scene's linear light, then what a camera makes of it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from ..head import surface, unroll
from ..records import Bytes, Float, Photo, frozen_array
from .camera import Camera, Cast, cast, meet, rotation
from .eyes import draw_eye, iris_centre, iris_points, lid_places
from .folds import fold_colour
from .glasses import draw_lenses, frame_layers
from .light import (
    backdrop_beyond_mm,
    beyond_edge_mm,
    direct_light,
    light_direction,
    lit_share,
    mirrored,
    oil,
    shade,
)
from .lines import TrueLine, draw_line, true_line
from .paint import TEXTURE_PX_PER_MM, texture, to_texture
from .person import Person, ShadowEdge, Shot, linear, movement, skin_colour
from .shape import Movement
from .strands import hair_strokes
from .strokes import draw_strokes, shadow_of

_HAIR_SHADOW_MM, _FRAME_SHADOW_MM = 0.6, 1.3
"""Softness (sd) of shadows: from a lamp a tenth as wide as it is far, a rim 15 mm and hair 2 to 6 mm off."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Phantom:
    """A drawn photo and the truth about it.

    jpeg: the file, where the shot asked for one (the photo's pixels are then the decoded file).
    mm_per_px: of this person's skin, at the eyes. landmarks_xy: (478, 2) px in the landmark model's
    order. Angles as in `records.Face`.
    """

    photo: Photo
    jpeg: bytes | None
    mm_per_px: float
    lines: tuple[TrueLine, ...]
    landmarks_xy: Float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    def __post_init__(self) -> None:
        fixed = frozen_array(self.landmarks_xy, np.float64, (478, 2), "landmarks_xy")
        object.__setattr__(self, "landmarks_xy", fixed)


def draw_phantom(person: Person, shot: Shot, *, seed: int = 0) -> Phantom:
    """Draw one photo of a person; `seed` is for the camera's noise only."""
    moved = movement(person, shot)
    camera = _camera(person, shot)
    lines = tuple(true_line(line, moved, camera) for line in person.lines_in(shot.expression))
    light = _draw_light(person, shot, moved, camera, lines)
    pixels = _expose(light, shot, np.random.default_rng([seed, 4]))
    jpeg = None
    if shot.jpeg_quality is not None:
        jpeg = _encode(pixels, shot.jpeg_quality)
        pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).copy()
    return Phantom(
        photo=Photo(pixels, hashlib.sha256(jpeg or pixels.tobytes()).hexdigest()),
        jpeg=jpeg,
        mm_per_px=1 / shot.px_per_mm,
        lines=lines,
        landmarks_xy=_landmarks(person, moved, camera),
        yaw_deg=shot.yaw_deg,
        pitch_deg=shot.pitch_deg,
        roll_deg=shot.roll_deg,
    )


def _camera(person: Person, shot: Shot) -> Camera:
    frame = np.array([shot.width_px, shot.height_px])
    return Camera(
        rotation=rotation(shot.yaw_deg, shot.pitch_deg, shot.roll_deg),
        eyes_mm=(iris_centre(-1) + iris_centre(1)) / 2,
        centre_xy=frame * shot.eyes_at_share - 0.5,
        px_per_mm=shot.px_per_mm,
        head_size=person.mm_per_canonical_mm,
        distance_mm=shot.distance_mm,
    )


def _landmarks(person: Person, moved: Movement, camera: Camera) -> Float:
    """Return where the landmark model should see its 478 points, (478, 2) px."""
    skin = camera.project(surface(moved.place(lid_places())))
    return np.concatenate([skin, iris_points(-1, camera, person), iris_points(1, camera, person)])


# -- light -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """What each pixel of `box` (x0, y0, x1, y1) sees of the head.

    places_mm (h, w, 2): chart; shade (h, w): brightness; alpha (h, w): share of the pixel that is head.
    """

    seen: Cast
    box: tuple[int, int, int, int]
    places_mm: Float
    shade: Float
    alpha: Float


def _draw_light(
    person: Person, shot: Shot, moved: Movement, camera: Camera, lines: tuple[TrueLine, ...]
) -> Float:
    """Return the scene's linear light (H, W, 3) float32, 1 = white in full light."""
    light = _backdrop(person, shot, camera)
    sight = _look(person, shot, camera)
    x0, y0, x1, y1 = sight.box
    skin_mm = moved.skin(sight.places_mm)
    head = _painted(texture(person), camera, skin_mm) * sight.shade[..., None]
    if person.shine > 0:
        head += _shine(person, shot, camera, sight, skin_mm)[..., None]
    under = light[y0:y1, x0:x1]
    under += (head - under) * sight.alpha[..., None]
    towards = light_direction(shot)
    for side in (-1, 1):
        white = np.full(3, shade(np.array([[0.0, 0.0, 1.0]]), shot)[0])
        draw_eye(light, side, person, moved, camera, white, towards[:2])
    for line in lines:
        draw_line(light, line, camera, sight.seen, fold_colour(skin_colour(person.skin_tone)))
    _draw_before(light, person, shot, camera, sight)
    if shot.shadow_edge is not None:
        _draw_shadow_edge(light, shot, camera, sight, shot.shadow_edge)
    return light


def _look(person: Person, shot: Shot, camera: Camera) -> _Sight:
    """Follow the photo's rays to the head."""
    seen = cast(camera, shot.width_px, shot.height_px, ears=person.ears, hairline_mm=person.hairline_mm)
    box = _box(seen, shot)
    places = seen.at(seen.places_mm, box)
    bright = seen.at(shade(seen.normals, shot), box)
    _sharpen_edges(person, shot, camera, seen, (places, bright), box[:2])
    alpha = np.clip(seen.at(seen.inside_mm, box) * shot.px_per_mm + 0.5, 0, 1)
    return _Sight(seen, box, places, bright, alpha)


def _shine(person: Person, shot: Shot, camera: Camera, sight: _Sight, skin_mm: Float) -> Float:
    """Return the lamp's light that oily skin mirrors, (h, w): it keeps the lamp's colour, white."""
    mirror = sight.seen.at(mirrored(sight.seen.normals, shot), sight.box)
    bright = person.shine * np.maximum(mirror, 0) * _painted(oil(person), camera, skin_mm)
    if shot.shadow_edge is not None:
        beyond = beyond_edge_mm(sight.seen.points_mm, shot.shadow_edge, shot, camera)
        bright *= lit_share(sight.seen.at(beyond, sight.box), shot.shadow_edge.penumbra_mm)
    return np.asarray(bright)


def _direct_share(shot: Shot, sight: _Sight) -> Float:
    """Return which share of the skin's light comes from the main lamp, (h, w)."""
    direct = sight.seen.at(direct_light(sight.seen.normals, shot), sight.box)
    return np.clip(direct / np.maximum(sight.shade, 1e-3), 0, 1)


def _draw_before(light: Float, person: Person, shot: Shot, camera: Camera, sight: _Sight) -> None:
    """Draw hair and glasses before the face, and the shadows they cast on it, in place."""
    hair, frame = hair_strokes(person), frame_layers(person)
    if not hair and not frame:
        return
    x0, y0, x1, y1 = sight.box
    points = sight.seen.at(sight.seen.points_mm, sight.box)
    solid = tuple(stroke for layer in frame[:2] for stroke in layer)
    dark = shadow_of(solid, points, camera, shot, _FRAME_SHADOW_MM)
    dark = np.maximum(dark, shadow_of(hair, points, camera, shot, _HAIR_SHADOW_MM))
    light[y0:y1, x0:x1] *= 1 - (dark * _direct_share(shot, sight) * sight.alpha)[..., None]
    draw_strokes(light, hair, camera)
    draw_lenses(light, person, camera)
    for layer in frame:
        draw_strokes(light, layer, camera)


def _draw_shadow_edge(light: Float, shot: Shot, camera: Camera, sight: _Sight, edge: ShadowEdge) -> None:
    """Take the main light off what lies beyond a shadow's edge, in place."""
    whole = (0, 0, shot.width_px, shot.height_px)
    dark = 1 - lit_share(backdrop_beyond_mm(edge, shot, camera, whole), edge.penumbra_mm + 4)
    factor = (1 - (1 - shot.ambient_share) * dark).astype(np.float32)
    x0, y0, x1, y1 = sight.box
    beyond = sight.seen.at(beyond_edge_mm(sight.seen.points_mm, edge, shot, camera), sight.box)
    head = 1 - _direct_share(shot, sight) * (1 - lit_share(beyond, edge.penumbra_mm))
    part = factor[y0:y1, x0:x1]
    part += (head - part) * sight.alpha
    light *= factor[..., None]


def _box(seen: Cast, shot: Shot) -> tuple[int, int, int, int]:
    """Return the photo rectangle (x0, y0, x1, y1) that the rays cover."""
    rows, columns = seen.inside_mm.shape
    far = seen.origin_xy + np.array([columns - 1, rows - 1]) * seen.step_px
    x0, y0 = np.maximum(np.ceil(seen.origin_xy), 0).astype(int)
    x1, y1 = np.minimum(np.floor(far).astype(int) + 1, (shot.width_px, shot.height_px))
    return int(x0), int(y0), int(x1), int(y1)


def _sharpen_edges(
    person: Person,
    shot: Shot,
    camera: Camera,
    seen: Cast,
    fields: tuple[Float, Float],
    corner: tuple[int, int],
) -> None:
    """Follow every pixel's own ray where one part of the head stands before another, in place.

    Between the coarse rays places are interpolated, which would smear such an edge.
    """
    places, bright = fields
    height, width = bright.shape
    x, y = (np.arange(n) + c for n, c in zip((width, height), corner, strict=True))
    columns = np.clip(np.rint((x - seen.origin_xy[0]) / seen.step_px), 0, seen.inside_mm.shape[1] - 1)
    rows = np.clip(np.rint((y - seen.origin_xy[1]) / seen.step_px), 0, seen.inside_mm.shape[0] - 1)
    edge = seen.jumps()[np.ix_(rows.astype(int), columns.astype(int))]
    where = np.nonzero(edge)
    xy = np.stack([where[1], where[0]], axis=1) + np.array(corner, dtype=float)
    points, _, normals = meet(camera, xy, ears=person.ears, hairline_mm=person.hairline_mm)
    places[where] = unroll(points)
    bright[where] = shade(normals, shot)


def _painted(paint: Float, camera: Camera, skin_mm: Float) -> Float:
    """Read a painted layer (H, W, ...) at pieces of skin (h, w, 2), as fine as the photo shows it."""
    shrink = max(1, int(TEXTURE_PX_PER_MM / (camera.px_per_mm * camera.head_size)))
    if shrink > 1:
        paint = cv2.resize(paint, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    where = ((to_texture(skin_mm) + 0.5) / shrink - 0.5).astype(np.float32)
    x, y = np.ascontiguousarray(where[..., 0]), np.ascontiguousarray(where[..., 1])
    return cv2.remap(paint, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _backdrop(person: Person, shot: Shot, camera: Camera) -> Float:
    """Return a plain wall with neck and shoulders before it, (H, W, 3) linear light."""
    height, width = shot.height_px, shot.width_px
    fall = np.linspace(1.05, 0.85, height, dtype=np.float32)[:, None, None]
    light = np.empty((height, width, 3), np.float32)
    light[:] = linear((150, 160, 168)).astype(np.float32) * fall
    mm = camera.px_per_mm * camera.head_size
    foot = camera.project(np.array([[0.0, -95.0, -45.0]]))[0]
    _draw_neck(light, person, shot, foot, mm)
    shirt = np.array([[-230, 190], [-215, 110], [-165, 82], [-62, 60], [-30, 84], [0, 94]])
    outline = np.concatenate([shirt, shirt[::-1] * (-1, 1)]) * mm + foot
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    cover = (mask.astype(np.float32) / 255)[..., None]
    light += (linear((58, 72, 92)).astype(np.float32) - light) * cover
    return light


def _draw_neck(light: Float, person: Person, shot: Shot, foot: Float, mm: float) -> None:
    """Paint the neck: an upright cylinder in the chin's shadow, widening into the shoulders."""
    top = int(np.clip(foot[1] - 60 * mm, 0, light.shape[0]))  # hidden behind the head above that
    light = light[top:]
    height, width = light.shape[:2]
    down = ((np.arange(height) + top - foot[1]) / mm).astype(np.float32)[:, None]
    half = 56 + 0.0022 * np.maximum(down - 10, 0) ** 2 + 40 * np.clip((down - 45) / 60, 0, 2) ** 2
    across = ((np.arange(width) - foot[0]) / mm).astype(np.float32)[None] / half
    inside = np.clip((1 - np.abs(across)) * half * mm + 0.5, 0, 1)
    facing = np.sqrt(np.clip(1 - across**2, 0, 1))
    normal = np.stack(np.broadcast_arrays(across, np.float32(0), facing), axis=-1)
    chin = np.exp(-(np.maximum(down + 6, 0) ** 2) / (2 * 22.0**2) - across**2 / 1.2)
    bright = shade(normal, shot) * (1 - 0.55 * chin) * 0.85
    skin = skin_colour(person.skin_tone).astype(np.float32) * bright[..., None].astype(np.float32)
    light += (skin - light) * inside[..., None].astype(np.float32)


# -- the camera's own doing ------------------------------------------------------------------------


def _expose(light: Float, shot: Shot, rng: np.random.Generator) -> Bytes:
    """Turn linear light (H, W, 3) into 8-bit sRGB pixels as a camera does: blur, noise, curve."""
    light = light * np.float32(0.92 * 2.0**shot.exposure_ev)
    if shot.blur_px > 0:
        light = cv2.GaussianBlur(light, (0, 0), shot.blur_px)
    if shot.noise_sd > 0:
        mid = linear(np.full(1, 118.0))[0]
        slope = (linear(np.full(1, 119.0))[0] - linear(np.full(1, 117.0))[0]) / 2
        sd = shot.noise_sd * slope * np.sqrt(np.maximum(light, 0.0) / mid * 0.85 + 0.15)
        light += sd.astype(np.float32) * rng.standard_normal(light.shape, dtype=np.float32)
    np.clip(light, 0, 1, out=light)
    return _encode_srgb(light)


def _encode_srgb(light: Float) -> Bytes:
    """Encode linear light by the sRGB curve (IEC 61966-2-1), rounded to 8 bits."""
    table = np.arange(65536) / 65535
    curve = np.where(table <= 0.0031308, table * 12.92, 1.055 * table ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(curve * 255).astype(np.uint8)[(light * 65535 + 0.5).astype(np.uint16)])


def _encode(pixels: Bytes, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()
