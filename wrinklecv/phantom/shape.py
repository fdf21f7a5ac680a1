"""The drawn head's shape: its surface, and how an expression moves the skin.

Over the regions the surface *is* `head.surface`, because the measuring code measures on it. Outside
(crown, back of the head, below the jaw) it is closed by simple curves that only have to look right.

Two kinds of chart place are kept apart. A *skin* place is a piece of skin and stays with it in every
expression; a *chart* place is where that piece lies on the canonical face just now. At rest they are
the same.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import spline_filter

from .. import head
from ..head import AXIS_MM, RADIUS_MM
from ..model import canonical_face
from ..records import Expression, Float

U_MM, V_MM = (-252.0, 252.0), (-156.0, 110.0)
"""What the table covers: all round (half of it is 251 mm), from above the crown to below the chin."""
_SKULL_MM = np.array([85.0, 88.0, 112.0])  # half the head with its hair: wide, high, deep
_UNDER_MM = 6.0


# -- the surface -----------------------------------------------------------------------------------


def smoothstep(low: float, high: float, value: Float) -> Float:
    """Rise smoothly from 0 at `low` to 1 at `high` (which may be the smaller one)."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))


_LONG_HAIR = ((0, 0), (18, 0.3), (34, 2), (46, 6.5), (56, 14), (64, 25), (71, 38), (80, 50), (92, 58),
              (103, 72), (109, 96), (112, 130), (114, 190), (120, 300), (260, 300))  # fmt: skip
_SHORT_HAIR = ((0, 0), (18, -0.5), (34, 0.5), (46, 5), (56, 13), (64, 24), (71, 38), (80, 50), (92, 58),
               (97, 74), (100, 98), (110, 100), (113, 72), (119, 58), (140, 58),
               (145, 90), (150, 150), (260, 150))  # fmt: skip
"""How far below the hairline's middle the hair begins, at each |u|: beside the face, over the ears."""


def ear_share(u: Float, v: Float) -> Float:
    """Return how far from the ear's middle a place lies: 1 at its rim."""
    lean = np.abs(u) - 129 + 0.08 * (v + 6)  # the top leans back
    wide = np.where(v < -6, 10.5, 10.5 - 0.12 * (v + 6))  # the lobe is narrow
    return (lean / wide) ** 2 + np.abs((v + 6) / 29) ** 2.4


def hairline_v(u_mm: Float, ears: bool, hairline_mm: float) -> Float:
    """Return the v down to which hair grows at each u, mm."""
    places, lift = np.array(_SHORT_HAIR if ears else _LONG_HAIR, dtype=float).T
    return np.asarray(hairline_mm + PchipInterpolator(places, lift)(np.abs(u_mm)))


@functools.lru_cache(maxsize=4)
def hair_inside(ears: bool, hairline_mm: float) -> Float:
    """Return how far inside the hair each place of the table lies, mm (negative: skin)."""
    v, u = _grid()
    hair = (v < hairline_v(u, ears, hairline_mm)).astype(np.uint8)
    if not ears:  # long hair hangs on where the face ends at the jaw
        hair |= (v > jaw_v(u) + 2) & (np.abs(u) > 105)
    inside = cv2.distanceTransform(hair, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - hair, cv2.DIST_L2, 5)
    return np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.5))


def _grid() -> tuple[Float, Float]:
    v, u = np.arange(V_MM[0], V_MM[1] + 1), np.arange(U_MM[0], U_MM[1] + 1)
    rows, columns = np.meshgrid(v, u, indexing="ij")
    return rows, columns


def jaw_v(u_mm: Float) -> Float:
    """Return the v of the lower edge of the face at each u: the canonical mesh's lower outline."""
    outline = [152, 377, 400, 378, 379, 365, 397, 288, 361]
    places = head.unroll(canonical_face()[0][outline])
    u = np.append(places[:, 0], 121.0)
    return np.asarray(np.interp(np.abs(u_mm), u, np.append(places[:, 1], 32.0)))


def room_inside(ears: bool) -> Float:
    """Return how far above its lower edge and below the crown each place of the table lies, mm."""
    v, u = _grid()
    hanging = 34.0 if ears else 66.0
    jaw = jaw_v(u)
    low = jaw + np.maximum(hanging - jaw, 0) * smoothstep(110, 114, np.abs(u))
    return np.asarray(np.minimum(low + _UNDER_MM - v, v + 62 + _SKULL_MM[1]))


@functools.lru_cache(maxsize=4)
def radius_table(ears: bool, hairline_mm: float) -> Float:
    """Sample the head's radius over (v, u) each mm: (rows, columns) float64."""
    v, u = _grid()
    inner = np.stack([np.clip(u, -121, 121), np.clip(v, -110, 96)], axis=-1)
    face = np.hypot(*(head.surface(inner.reshape(-1, 2))[:, ::2].T - np.array([[0], [AXIS_MM]])))
    # Skin behind the mesh: the head's back.
    back = 1 / np.hypot(np.sin(u / RADIUS_MM) / 76.0, np.cos(u / RADIUS_MM) / 104.0)
    behind = smoothstep(112, 140, np.abs(u))
    skin = face.reshape(u.shape) * (1 - behind) + back * behind
    if ears:
        skin = skin + 11 * np.sqrt(np.clip(1 - ear_share(u, v), 0, 1))
    # Hair: an ellipsoid around the skull, hanging straight below its widest place.
    inside = hair_inside(ears, hairline_mm)
    volume = _skull(u, np.minimum(v, -62), 0.95 if ears else 1.0)
    share = smoothstep(0, 24, inside)
    radius = skin + (np.maximum(volume, skin * smoothstep(-116, -86, v)) - skin) * share
    under = np.clip(1 - room_inside(ears) / _UNDER_MM, 0, 1)
    return np.asarray(np.maximum(radius * np.where(v > 0, np.sqrt(1 - under**2) * 0.3 + 0.7, 1), 1.0))


def _skull(u: Float, v: Float, size: float) -> Float:
    """Return the radius (about the chart's axis) of the ellipsoid that the hair fills."""
    wide, high, deep = _SKULL_MM * np.array([size, 1.0, size])
    level = np.clip(1 - ((v + 62) / high) ** 2, 0, 1)
    sin, cos = np.sin(u / RADIUS_MM) / wide, np.cos(u / RADIUS_MM) / deep
    # |(r sin, r cos + offset)| = sqrt(level), solved for r. The middle lies 12 mm behind the axis, less
    # towards the crown, so that the axis stays inside.
    offset = 12.0 / deep * level
    square, half = sin**2 + cos**2, cos * offset
    return np.asarray((-half + np.sqrt(np.maximum(half**2 - square * (offset**2 - level), 0))) / square)


@functools.lru_cache(maxsize=4)
def radius_spline(ears: bool, hairline_mm: float) -> Float:
    """Return `radius_table` as cubic spline coefficients for `map_coordinates`."""
    return np.asarray(spline_filter(radius_table(ears, hairline_mm), order=3))


# -- expressions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Movement:
    """How an expression moves the skin: smooth, and the same for every person.

    travel_mm is the brow's way up in `BROW_RAISE`; the other expressions have fixed sizes.
    """

    expression: Expression = Expression.REST
    travel_mm: float = 5.0

    def shift(self, places_mm: Float) -> Float:
        """Return how far the skin now seen at chart places (..., 2) has come, (..., 2) mm."""
        u, v = places_mm[..., 0], places_mm[..., 1]
        if self.expression is Expression.BROW_RAISE:
            return np.stack([np.zeros_like(u), -self.travel_mm * _brow_weight(u, v)], axis=-1)
        if self.expression is Expression.FROWN:
            return _frown(u, v)
        if self.expression is Expression.SMILE:
            return _smile(u, v)
        return np.zeros_like(places_mm)

    def skin(self, places_mm: Float) -> Float:
        """Return which skin is seen at chart places (..., 2)."""
        return places_mm - self.shift(places_mm)

    def place(self, skin_mm: Float) -> Float:
        """Return where pieces of skin (..., 2) lie on the chart: the inverse of `skin`."""
        places = np.array(skin_mm, dtype=float)
        for _ in range(80):  # the shift's slope stays below 0.7, so this gains 12 digits
            places = skin_mm + self.shift(places)
        return places


def _brow_weight(u: Float, v: Float) -> Float:
    rise = smoothstep(-33, -54, v) * smoothstep(-106, -56, v)
    return rise * smoothstep(96, 46, np.abs(u))


def _frown(u: Float, v: Float) -> Float:
    level = smoothstep(-33, -44, v) * smoothstep(-92, -56, v)
    inward = u / 13 * np.exp(0.5 * (1 - (u / 13) ** 2))
    wide = u / 30 * np.exp(0.5 * (1 - (u / 30) ** 2))
    down = 2.0 * smoothstep(48, 14, np.abs(u))
    return np.stack([-(2.0 * inward + 1.0 * wide) * level, down * level], axis=-1)


def _smile(u: Float, v: Float) -> Float:
    side = np.sign(u)
    away = np.abs(u)
    mouth = np.exp(-((away - 27) ** 2) / (2 * 15.0**2) - (v - 45) ** 2 / (2 * 15.0**2))
    mouth = mouth * smoothstep(0, 16, away)
    cheek = np.exp(-((away - 40) ** 2) / (2 * 17.0**2) - (v + 6) ** 2 / (2 * 13.0**2))
    return np.stack([side * 4.5 * mouth, -4.5 * mouth - 2.4 * cheek], axis=-1)
