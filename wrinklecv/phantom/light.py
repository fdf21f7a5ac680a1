"""The light on the drawn face: the main lamp, what stands in its way, and oily skin mirroring it."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from ..records import Float
from .camera import Camera
from .paint import SHAPE, from_table, noise, spot
from .person import Person, ShadowEdge, Shot
from .shape import hair_inside, smoothstep

_WRAP = 0.25  # skin lets light through, so it is lit a little past the edge of the light
_SOFT_POWER, _HARD_POWER = 14.0, 60.0
"""Oil on skin mirrors in two lobes: a broad sheen and a small bright spot (Blinn-Phong exponents)."""
_WALL_DEPTH_MM = -45.0
"""Canonical depth at which neck and backdrop meet the plane of a shadow; they only have to look right."""


def light_direction(shot: Shot) -> Float:
    """Return the unit vector towards the light (3,): right, up, to the camera."""
    across, up = np.deg2rad([shot.light_azimuth_deg, shot.light_elevation_deg])
    return np.array([np.cos(up) * np.sin(across), np.sin(up), np.cos(up) * np.cos(across)])


def direct_light(normals: Float, shot: Shot) -> Float:
    """Return the brightness (...,) that the main light alone gives to skin, by Lambert's law."""
    direct = np.maximum(normals @ light_direction(shot) + _WRAP, 0) / (1 + _WRAP)
    return np.asarray((1 - shot.ambient_share) * direct * 1.08)


def shade(normals: Float, shot: Shot) -> Float:
    """Return the brightness of skin (...,) under the main light and the light from everywhere."""
    ambient = 0.62 + 0.38 * np.maximum(normals[..., 2], 0)
    return np.asarray(shot.ambient_share * ambient + direct_light(normals, shot))


# -- a hard shadow ---------------------------------------------------------------------------------


def beyond_edge_mm(points_mm: Float, edge: ShadowEdge, shot: Shot, camera: Camera) -> Float:
    """Return how far inside the shadow canonical points (..., 3) lie, (...,) mm of this person.

    Whatever casts the shadow is straight and far away: light and edge span a plane, and what lies
    beyond it is dark. So the edge follows the relief of the face, as it does on a living one.
    """
    turn = np.deg2rad(edge.towards_deg)
    towards = np.array([np.cos(turn), np.sin(turn), 0.0])
    lamp = light_direction(shot)
    out = towards - (towards @ lamp) * lamp
    out = camera.rotation.T @ (out / np.linalg.norm(out))
    return np.asarray((points_mm @ out - edge.point_mm() @ out) * camera.head_size)


def lit_share(beyond_mm: Float, penumbra_mm: float) -> Float:
    """Return which share of the main light reaches places so far inside the shadow, 0 to 1."""
    half = max(penumbra_mm, 1e-3) / 2
    return smoothstep(half, -half, beyond_mm)


def backdrop_beyond_mm(edge: ShadowEdge, shot: Shot, camera: Camera, box: tuple[int, int, int, int]) -> Float:
    """Return how far inside the shadow the backdrop of `box` lies, (h, w) mm: a plane behind the face."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0], [x1 - 1, y0], [x0, y1 - 1]], dtype=float)
    start, way = camera.rays(corners)
    points = (start + way * (_WALL_DEPTH_MM - start[2]) / way[2]).T
    first, right, down = beyond_edge_mm(points, edge, shot, camera)
    across = np.linspace(0, right - first, x1 - x0)[None]
    return np.asarray((first + across + np.linspace(0, down - first, y1 - y0)[:, None]).astype(np.float32))


# -- shine -----------------------------------------------------------------------------------------


def mirrored(normals: Float, shot: Shot) -> Float:
    """Return how much of the lamp oily skin of these normals (..., 3) mirrors to the camera, (...,).

    Blinn's half vector (1977), in two lobes of equal height; 1 where the lamp is mirrored straight.
    """
    half = light_direction(shot) + np.array([0.0, 0.0, 1.0])
    facing = np.maximum(normals @ (half / np.linalg.norm(half)), 0.0)
    return np.asarray(0.35 * facing**_SOFT_POWER + 0.65 * facing**_HARD_POWER)


@functools.lru_cache(maxsize=2)
def _oil(seed: int, ears: bool, hairline_mm: float) -> Float:
    rng = np.random.default_rng([seed, 6])
    zone = np.maximum(spot(0, -82, 34, 15), spot(0, -48, 9, 14))  # forehead, glabella
    for u, v, wide, high, share in ((0, 0, 7, 16, 1.0), (0, 66, 10, 6, 0.5), (0, 27, 8, 4, 0.3)):
        zone = np.maximum(zone, share * spot(u, v, wide, high))
    for side in (-1, 1):
        zone = np.maximum(zone, 0.55 * spot(side * 42, -2, 14, 8))
    # Pores and fine relief break the mirror into grains; sweat and oil lie in patches.
    grain = np.exp(0.20 * noise(rng, 0.16) + 0.12 * noise(rng, 0.5) + 0.30 * noise(rng, 4.0) - 0.1)
    bare = smoothstep(1.0, -4.0, from_table(hair_inside(ears, hairline_mm)))
    oil = (zone * grain * bare).astype(np.float32)
    assert oil.shape == SHAPE  # noqa: S101 - one grid with the skin's colour
    oil.flags.writeable = False
    return oil


def oil(person: Person) -> Float:
    """Return how oily each place of the painted skin is, (H, W) float32 on the texture's grid."""
    return _oil(person.seed, person.ears, person.hairline_mm)


# -- shadows of things before the face -------------------------------------------------------------


def light_frame(shot: Shot, camera: Camera) -> Float:
    """Return two directions (2, 3) across the light, in canonical axes: what casts a shadow lies over
    what it darkens when both have the same place in them."""
    lamp = camera.rotation.T @ light_direction(shot)
    right = np.cross(np.array([0.0, 1.0, 0.0]), lamp)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(right, lamp)])


def read_map(picture: Float, places_px: Float) -> Float:
    """Read a shadow map (h, w) at places (..., 2) px; nothing is in the way outside it."""
    where = places_px.astype(np.float32)
    x, y = np.ascontiguousarray(where[..., 0]), np.ascontiguousarray(where[..., 1])
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
