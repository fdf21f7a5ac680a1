"""The drawn skin: colour of every piece of skin, hair and lip, painted flat on the resting chart."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from .. import head
from ..model import canonical_face
from ..records import Float
from .folds import fold_colour, folded
from .person import Person, linear, skin_colour
from .shape import U_MM as TABLE_U_MM
from .shape import V_MM as TABLE_V_MM
from .shape import ear_share, hair_inside, smoothstep
from .stubble import beard_share, hairs_picture, stubble_hairs

TEXTURE_PX_PER_MM = 7
U_MM, V_MM = (-170.0, 170.0), (-156.0, 110.0)
SHAPE = (int((V_MM[1] - V_MM[0]) * TEXTURE_PX_PER_MM), int((U_MM[1] - U_MM[0]) * TEXTURE_PX_PER_MM))
_BROW_DOWN = np.array([0.0, 0.9])  # mm; the landmark model then sees the brows where they are canonical
_FRECKLE = np.array([0.72, 1.04, 1.42], np.float32)
"""How strongly melanin takes each colour away; weighted as luminance this is 1."""
_SUB = 4  # fixed-point bits for cv2's drawing

LIPS_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
LIPS_TOP = (61, 191, 80, 81, 82, 13, 312, 311, 310, 415, 291)
LIPS_BOTTOM = (61, 95, 88, 178, 87, 14, 317, 402, 318, 324, 291)
BROW_TOP = {-1: (70, 63, 105, 66, 107), 1: (300, 293, 334, 296, 336)}
BROW_BOTTOM = {-1: (46, 53, 52, 65, 55), 1: (276, 283, 282, 295, 285)}


_LID_CREASE = (
    (21.5, -30.6), (24, -32.9), (27.5, -34.6), (31, -35.5), (34.5, -35.9), (38, -35.7), (42, -34.8),
    (46, -33.0), (49.5, -30.6),
)  # fmt: skip


@functools.cache
def vertex_places() -> Float:
    """Return the chart places of the canonical vertices, (468, 2) mm."""
    return head.unroll(canonical_face()[0])


def to_texture(places_mm: Float) -> Float:
    """Chart mm (..., 2) → texture pixels (x, y)."""
    return (np.asarray(places_mm) - (U_MM[0], V_MM[0])) * TEXTURE_PX_PER_MM - 0.5


def _fixed(places_mm: Float) -> Float:
    return np.asarray(np.rint(to_texture(places_mm) * 2**_SUB).astype(np.int32))


def _area(outline_mm: Float, soft_mm: float) -> Float:
    """Paint a polygon (N, 2) with soft edges: (H, W) float32, 0 to 1."""
    mask = np.zeros(SHAPE, np.uint8)
    cv2.fillPoly(mask, [_fixed(outline_mm)], 255, cv2.LINE_AA, _SUB)
    return _soft(mask, soft_mm)


def _stroke(path_mm: Float, width_mm: float, soft_mm: float) -> Float:
    """Paint a path (N, 2) with soft edges: (H, W) float32, 0 to 1."""
    mask = np.zeros(SHAPE, np.uint8)
    thick = max(1, round(width_mm * TEXTURE_PX_PER_MM))
    cv2.polylines(mask, [_fixed(path_mm)], False, 255, thick, cv2.LINE_AA, _SUB)
    return _soft(mask, soft_mm)


def _soft(mask: Float, soft_mm: float) -> Float:
    result = mask.astype(np.float32) / 255
    return _blur(result, soft_mm)


def _blur(image: Float, sigma_mm: float) -> Float:
    """Blur by a Gaussian of `sigma_mm`; wide ones on a smaller image, which looks the same."""
    shrink = max(1, int(sigma_mm * TEXTURE_PX_PER_MM / 4))
    small = cv2.resize(image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_mm * TEXTURE_PX_PER_MM / shrink)
    return cv2.resize(small, SHAPE[::-1], interpolation=cv2.INTER_LINEAR)


def spot(u: float, v: float, wide_mm: float, high_mm: float) -> Float:
    """Return a soft elliptic spot, 1 at its middle: (H, W) float32."""
    columns = ((np.arange(SHAPE[1]) + 0.5) / TEXTURE_PX_PER_MM + U_MM[0] - u) / wide_mm
    rows = ((np.arange(SHAPE[0]) + 0.5) / TEXTURE_PX_PER_MM + V_MM[0] - v) / high_mm
    spot = np.exp(-0.5 * rows**2)[:, None] * np.exp(-0.5 * columns**2)[None]
    return np.asarray(spot, dtype=np.float32)


def noise(rng: np.random.Generator, sigma_mm: float, sigma_v_mm: float | None = None) -> Float:
    """Return smooth noise of SD 1, alike in all directions unless `sigma_v_mm` is given."""
    sigmas = np.array([sigma_v_mm or sigma_mm, sigma_mm]) * TEXTURE_PX_PER_MM
    shrink = np.maximum(1, (sigmas / 3).astype(int))
    size = SHAPE[0] // shrink[0] + 1, SHAPE[1] // shrink[1] + 1
    white = rng.standard_normal(size, dtype=np.float32)
    sigma_y, sigma_x = np.maximum(sigmas / shrink, 0.01)
    small = cv2.GaussianBlur(white, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
    image = cv2.resize(small, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(image / image.std())


@functools.lru_cache(maxsize=3)
def _texture(
    seed: int,
    tone: float,
    hair: tuple[int, int, int],
    hairline_mm: float,
    ears: bool,
    brow: float,
    strengths: tuple[float, float, float, float],
) -> Float:
    rng = np.random.default_rng([seed, 1])
    pores, blotches, freckles, stubble = strengths
    colour = np.empty((*SHAPE, 3), np.float32)
    colour[:] = skin_colour(tone)
    dark, red, brown = _skin_detail(rng, pores, blotches, freckles)
    if freckles:
        colour *= np.exp(-brown[..., None] * _FRECKLE)
    dark += _shadows()
    if ears:
        dark += _ear_folds()
    red += 0.10 * (spot(46, 4, 14, 10) + spot(-46, 4, 14, 10)) + 0.08 * spot(0, 10, 8, 8)
    colour = folded(colour, np.exp(-dark), fold_colour(skin_colour(tone)))
    colour *= np.stack([1 + 0.25 * red, 1 - red, 1 - 0.8 * red], axis=-1)
    _paint_lips(colour, tone)
    if stubble:
        _paint_stubble(colour, np.random.default_rng([seed, 5]), hair, stubble)
    _paint_brows(colour, rng, hair, brow)
    _paint_hair(colour, rng, hair, hairline_mm, ears)
    colour.flags.writeable = False
    return colour


def texture(person: Person) -> Float:
    """Return the reflectance (H, W, 3) in linear light of this person's skin and hair."""
    return _texture(
        person.seed,
        person.skin_tone,
        person.hair_srgb,
        person.hairline_mm,
        person.ears,
        person.brow_thickness,
        (person.pores, person.blotches, person.freckles, person.stubble),
    )


def _skin_detail(
    rng: np.random.Generator, pores: float, blotches: float, freckles: float
) -> tuple[Float, Float, Float]:
    """Return darkening (log), redness and freckles of skin without features: alike in all directions."""
    dark = 0.006 * pores * (noise(rng, 0.12) + 0.6 * noise(rng, 0.35))
    dark += 0.012 * blotches * (noise(rng, 2.5) + noise(rng, 9.0))
    brown: Float = np.zeros((1, 1), np.float32)
    if freckles:
        peaks = noise(rng, 0.45) - 2.2 + 0.4 * noise(rng, 12.0)
        peaks += 0.3 * (freckles - 1)  # who has darker freckles has more of them
        brown = 0.25 * freckles * np.clip(peaks, 0, 1)
    return dark, 0.02 * blotches * (noise(rng, 4.0) + noise(rng, 12.0)), brown


def _shadows() -> Float:
    """Return the darkening (log) where light reaches less: beside the nose, under lip and nose."""
    dark = 0.10 * spot(0, 60, 14, 3.5) + 0.18 * spot(0, 24, 9, 3)
    for side in (-1, 1):
        dark += 0.22 * spot(side * 19, -31, 5, 7) + 0.10 * spot(side * 33, -17.5, 11, 3)
        dark += 0.16 * spot(side * 36, -36.5, 12, 3)
        nostril = np.array([[10.6, 15.4], [8.0, 17.4], [4.8, 18.2], [4.9, 16.8], [8.0, 14.9]]) * (side, 1)
        dark += 1.5 * _area(nostril, 0.7)
        wing = np.array([[12.0, 4.0], [14.3, 7.8], [14.7, 11.5], [13.2, 15.0], [11.2, 16.0]]) * (side, 1)
        dark += 0.9 * _stroke(wing, 0.8, 0.9)
        fold = np.array([[17, 12], [22, 20], [28, 31], [31, 41]]) * (side, 1)
        dark += 0.28 * _stroke(fold, 1.5, 2.2)
        crease = np.array(_LID_CREASE) * (side, 1)
        dark += 0.75 * _stroke(crease, 0.7, 0.35)
        dark += 0.35 * _stroke(crease + np.array([0, 0.8]), 2.0, 1.0)
    return dark


def _ear_folds() -> Float:
    """Return the darkening (log) inside the ears: the rim's groove, the bowl, the edge to the cheek."""
    v, u = np.meshgrid(np.arange(V_MM[0], V_MM[1]), np.arange(U_MM[0], U_MM[1]), indexing="ij")
    share = ear_share(u, v)
    groove = 0.35 * np.exp(-(((share - 0.5) / 0.16) ** 2)) * (v < 12)
    bowl = 0.8 * np.exp(-(((np.abs(u) - 126) / 4.0) ** 2) - ((v + 2) / 9.0) ** 2)
    root = 0.5 * np.exp(-(((np.abs(u) - 119.5) / 1.8) ** 2) - ((v + 4) / 22.0) ** 2)
    return np.asarray(
        cv2.resize((groove + bowl + root).astype(np.float32), SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
    )


def _paint_lips(colour: Float, tone: float) -> None:
    places = vertex_places()
    closed = (places[list(LIPS_TOP)] + places[list(LIPS_BOTTOM)]) / 2
    closed[0], closed[-1] = places[61], places[291]
    lips = _area(places[list(LIPS_OUTER)], 0.7)[..., None]
    lip = skin_colour(tone) * (0.82 - 0.15 * tone, 0.52 + 0.2 * tone, 0.55 + 0.2 * tone)
    colour[:] = colour * (1 - 0.8 * lips) + 0.8 * lips * lip.astype(np.float32)
    mouth = 1.1 * _stroke(closed, 0.9, 0.45) + 0.4 * _stroke(closed + np.array([0, 0.4]), 2.4, 1.1)
    colour *= np.exp(-mouth)[..., None]


def _paint_stubble(
    colour: Float, rng: np.random.Generator, hair: tuple[int, int, int], strength: float
) -> None:
    """Paint the beard's shadow (roots under the skin look blueish) and its short hairs."""
    v, u = np.meshgrid(np.arange(V_MM[0], V_MM[1]), np.arange(U_MM[0], U_MM[1]), indexing="ij")
    share = cv2.resize(beard_share(u, v).astype(np.float32), SHAPE[::-1], interpolation=cv2.INTER_LINEAR)
    under = 0.13 * min(strength, 1.5) * share
    colour *= np.exp(-under[..., None] * np.array([1.15, 1.0, 0.85], np.float32))
    roots, tips = stubble_hairs(rng, strength)
    ink = rng.uniform(0.35, 0.8, len(roots))  # 0.05 to 0.12 mm of a pixel of 0.14 mm
    hairs = hairs_picture(to_texture(roots), to_texture(tips), ink, SHAPE)[..., None]
    colour += (0.7 * linear(hair).astype(np.float32) - colour) * hairs


def _paint_brows(colour: Float, rng: np.random.Generator, hair: tuple[int, int, int], thick: float) -> None:
    """Paint both brows hair by hair: upright at the inner end, lying flat towards the outer one."""
    mask, shade = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.float32)
    for side in (-1, 1):
        # Both edges from the inner end to the outer one.
        top = vertex_places()[list(BROW_TOP[side][::-1])] + _BROW_DOWN
        bottom = vertex_places()[list(BROW_BOTTOM[side][::-1])] + _BROW_DOWN
        for _ in range(int(520 * thick)):
            path = _brow_hair(rng, side, top, bottom, thick)
            ink, width = int(rng.integers(190, 250)), int(rng.integers(1, 3))
            cv2.polylines(mask, [_fixed(path)], False, ink, width, cv2.LINE_AA, _SUB)
        shade += _area(np.concatenate([top, bottom[::-1]]), 1.8)
    cover = 0.35 * np.clip(shade, 0, 1) * thick
    cover = np.maximum(cover, _soft(mask, 0.06) * 0.95)[..., None]
    colour[:] = colour * (1 - cover) + cover * linear(hair).astype(np.float32)


def _brow_hair(rng: np.random.Generator, side: int, top: Float, bottom: Float, thick: float) -> Float:
    """Return one hair of a brow between its edges (5, 2): a bent path (5, 2) mm."""
    t = rng.beta(1.1, 1.25)
    across = rng.uniform(0.5 - 0.42 * thick, 0.5 + 0.42 * thick)
    along = np.linspace(0, 1, 5)
    upper, lower = (np.array([np.interp(t, along, edge[:, k]) for k in (0, 1)]) for edge in (top, bottom))
    root = lower + (upper - lower) * across
    lean = np.deg2rad(80 - 85 * t**0.6 - 25 * (across - 0.5)) + rng.normal(0, 0.13)
    turn = lean - 0.45 * np.linspace(0.25, 1, 4)
    steps = (
        rng.uniform(4.0, 7.0) * (1 - 0.25 * t) / 4 * np.stack([side * np.cos(turn), -np.sin(turn)], axis=1)
    )
    return np.concatenate([root[None], root + np.cumsum(steps, axis=0)])


def _paint_hair(
    colour: Float, rng: np.random.Generator, hair: tuple[int, int, int], hairline_mm: float, ears: bool
) -> None:
    """Paint the hair: strands run away from the face, and its edge is ragged."""
    fine, locks, broad = noise(rng, 0.15, 14.0), noise(rng, 1.3, 30.0), noise(rng, 4.0, 40.0)
    inside = from_table(hair_inside(ears, hairline_mm))
    cover = smoothstep(-1.2, 2.6, inside + 0.5 * fine + 0.8 * locks)[..., None]
    strands = np.exp(0.26 * fine + 0.22 * locks + 0.15 * broad - 0.1)
    # Hair is thin and lit from below at its edge, and dark where locks overlap further in.
    strands *= 1.25 - 0.35 * smoothstep(0, 14, inside)
    colour += (strands[..., None] * linear(hair).astype(np.float32) - colour) * cover


def from_table(table: Float) -> Float:
    """Enlarge a 1 mm table of `shape` to the texture's grid."""
    x = (np.arange(SHAPE[1], dtype=np.float32) + 0.5) / TEXTURE_PX_PER_MM + U_MM[0] - TABLE_U_MM[0]
    y = (np.arange(SHAPE[0], dtype=np.float32) + 0.5) / TEXTURE_PX_PER_MM + V_MM[0] - TABLE_V_MM[0]
    grid_x, grid_y = np.meshgrid(x, y)
    return cv2.remap(table, grid_x, grid_y, cv2.INTER_LINEAR)
