"""Stubble: short hairs on upper lip, chin, jaw, cheeks and before the ears, painted into the skin."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from ..records import Float
from .shape import smoothstep

_EDGE_MM = np.array(
    [(0, 21.5), (9, 21), (17, 24), (24, 29), (32, 29), (45, 22), (58, 14), (68, 3), (75, -14), (80, -34),
     (86, -52), (100, -60)], dtype=float,
)  # fmt: skip
"""Upper border of the beard at each |u|: it climbs in front of the ears as sideburns."""
_SOFT_MM = 7.0
_BARE_LIP_MM = (25.0, 34.5, 51.0)
"""Half the mouth's width, and from where to where it is lip."""
_PER_CM2 = 55.0
_U_MM, _V_MM = 118, (-70, 100)


@functools.cache
def beard_table() -> Float:
    """Return how dense the beard is, 0 to 1, over (v, u) each mm of `_V_MM`, `_U_MM`: (rows, columns)."""
    v, u = np.meshgrid(np.arange(_V_MM[0], _V_MM[1]), np.arange(-_U_MM, _U_MM), indexing="ij")
    half, top, bottom = _BARE_LIP_MM
    lip = (u / half) ** 2 + ((v - (top + bottom) / 2) / ((bottom - top) / 2)) ** 2 < 1
    beard = (v > np.interp(np.abs(u), _EDGE_MM[:, 0], _EDGE_MM[:, 1])).astype(np.uint8)
    inside = cv2.distanceTransform(beard, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - beard, cv2.DIST_L2, 5)
    share = smoothstep(-_SOFT_MM, _SOFT_MM, inside) * ~lip
    return np.asarray(cv2.GaussianBlur(share.astype(np.float32), (0, 0), 1.0))


def beard_share(u_mm: Float, v_mm: Float) -> Float:
    """Return how dense the beard is at chart places (h, w) each, 0 to 1."""
    x, y = ((a - low).astype(np.float32) for a, low in ((u_mm, -_U_MM), (v_mm, _V_MM[0])))
    return cv2.remap(beard_table(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def stubble_hairs(rng: np.random.Generator, strength: float) -> tuple[Float, Float]:
    """Return the hairs' roots (N, 2) and tips (N, 2) in chart mm; `strength` 1 is two days' growth."""
    count = int(_PER_CM2 / 100 * 2 * _U_MM * (_V_MM[1] - _V_MM[0]))
    roots = rng.uniform((-_U_MM, _V_MM[0]), (_U_MM, _V_MM[1]), (count, 2))
    columns, rows = (roots - (-_U_MM, _V_MM[0])).astype(int).T
    roots = roots[rng.uniform(size=count) < beard_table()[rows, columns]]
    # Beard hair grows downwards, on the cheeks also back, each hair a little its own way.
    away = np.clip(roots[:, 0] / 60, -1, 1) * 0.35
    turn = np.pi / 2 - away + rng.normal(0, 0.35, len(roots))
    length = rng.uniform(0.35, 1.1, len(roots)) * np.sqrt(strength)
    tips = roots + np.stack([np.cos(turn), np.sin(turn)], axis=1) * length[:, None]
    return roots, tips


def hairs_picture(roots_px: Float, tips_px: Float, ink: Float, shape: tuple[int, int]) -> Float:
    """Paint hairs from roots to tips (N, 2) px, each of its own ink 0-1 (N,): (H, W) float32."""
    mask = np.zeros(shape, np.uint8)
    pairs = np.rint(np.stack([roots_px, tips_px], axis=1) * 16).astype(np.int32)
    for pair, dark in zip(pairs, ink, strict=True):
        cv2.polylines(mask, [pair], False, int(dark * 255), 1, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255
