"""Where the skin of one photo lies on the chart of another of the same face.

The landmarks put both photos on one chart, but an expression moves the skin between them by some
millimetres. What is left is found from the skin itself: squares of fine texture of the expression photo
are looked for around the same place of the rest photo (normalised cross-correlation), first large ones,
then small ones, and a smooth shift is laid through what they say. A square that disagrees with its
neighbours counts little; a shift that would fold the skin is refused for a simpler one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from . import chart as face_chart
from .records import Chart, Float, Mask, Region

_ONE_MAP: Any = None
"""cv2.remap wants no second map for (x, y) pairs, which its stubs do not know."""
_PX_PER_MM = 2.0
_FINEST_MM, _COARSEST_MM = 0.5, 3.0
"""Band of the texture: pores and marks, without the shading of the face's shape."""
_MOST_CONTRAST = 0.15
"""Deep lines change with the expression; beyond this they say no more than a mark."""
_MOST_SHIFT_MM = 9.0
_ROUNDS = ((1, 18.0, 7.0), (2, 13.0, 3.0), (2, 10.0, 2.0))
"""By rounds: degree of the shift's parabola, side of the squares, how far each is looked for, mm."""
_LEAST_STEP_MM = 5.0
_COARSE = 8
"""Pixels between places at which the shift is computed: it is smooth."""
_LEAST_SEEN = 0.6
_LEAST_SQUARES = 4
_NOISE_CORRELATION = 0.25
"""A best match among so many places reaches this by chance."""
_AGREED_MM = 0.4
"""A square further from its neighbours' shift than this counts less than half."""
_SQUARE_MM = 0.1
"""No place is known better than this."""
_REACH_MM = 4.0
"""How far neighbours' shifts speak for a place (standard deviation)."""
_LEAST_WEIGHT, _ENOUGH = 0.02, 1.0
"""Weight of the squares around from which they are believed, and from which they tell as they agree."""
_LEAST_STRETCH = 0.35
"""Skin is not pressed together to less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """Where the skin of an expression photo lies on the rest photo's chart, in one region.

    parabola: (6, 2) mm; places_mm, beyond_mm: (B, 2), weight: (B,): the shift is a parabola plus the
    weighted mean of what the squares around say beyond it. residual_mm: how far the middle
    square lies from what its neighbours say (median); inf where too few were found. agreement: share of the
    squares that lie within 0.4 mm of it.
    """

    region: Region
    parabola: Float
    places_mm: Float
    beyond_mm: Float
    weight: Float
    residual_mm: float
    agreement: float

    def shift_mm(self, places_mm: Float) -> Float:
        """Return the shift (N, 2) mm of the skin at expression places (N, 2) mm to its place at rest."""
        places = np.asarray(places_mm, float)
        shift = _terms(places, self.region) @ self.parabola
        if len(self.places_mm):
            shift = shift + _mean(_nearness(places, self.places_mm), self.beyond_mm, self.weight)
        length = np.maximum(np.linalg.norm(shift, axis=1, keepdims=True), 1e-9)
        return np.asarray(shift * np.minimum(1.0, _MOST_SHIFT_MM / length))

    def doubt_mm(self, places_mm: Float) -> Float:
        """Return how uncertain the shift is at places (N, 2), standard deviation in mm: (N,)."""
        if not len(self.places_mm):
            return np.full(len(places_mm), np.inf)
        told = _nearness(np.asarray(places_mm, float), self.places_mm) @ self.weight
        return np.asarray(np.hypot(_SQUARE_MM, self.residual_mm * np.sqrt(_ENOUGH / np.maximum(told, 1e-6))))

    def to_rest(self, places_mm: Float) -> Float:
        """Bring places (N, 2) mm of the expression photo's chart to the rest photo's."""
        return np.asarray(places_mm, float) + self.shift_mm(places_mm)

    def to_expression(self, places_mm: Float) -> Float:
        """Bring places (N, 2) mm of the rest photo's chart to the expression photo's."""
        wanted = np.asarray(places_mm, float)
        places = wanted.copy()
        for _ in range(25):  # the shift's slope stays below 0.65
            places = wanted - self.shift_mm(places)
        return places


def register(rest: Chart, expression: Chart, *, visible: Mask) -> dict[Region, Registration]:
    """Find how the skin of each region moved between two photos of one face.

    visible: skin or hair that was seen in the expression photo, (h', w').
    """
    textures = _texture(rest), _texture(expression)
    size = textures[1].shape[::-1]
    seen = cv2.resize(visible.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    return {region: _register(region, textures, seen) for region in Region}


def _texture(chart: Chart) -> Float:
    share = _PX_PER_MM / face_chart.PX_PER_MM
    light = cv2.resize(chart.light, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    fine, coarse = (cv2.GaussianBlur(light, (0, 0), s * _PX_PER_MM) for s in (_FINEST_MM, _COARSEST_MM))
    return np.asarray(np.clip(fine - coarse, -_MOST_CONTRAST, _MOST_CONTRAST))


def _register(region: Region, textures: tuple[Float, Float], seen: Float) -> Registration:
    none = np.zeros((0, 2))
    result = Registration(region, np.zeros((6, 2)), none, none, np.zeros(0), float("inf"), 0.0)
    for degree, side_mm, search_mm in _ROUNDS:
        found = _squares(textures, seen, result, side_mm, search_mm)
        if len(found) < _LEAST_SQUARES:
            break
        for simpler in (0, 1, 2):
            better = _fitted(region, found, degree=max(0, degree - simpler), local=not simpler)
            if not _folds(better):
                break
        result = better
    return result


def _squares(
    textures: tuple[Float, Float], seen: Float, start: Registration, side_mm: float, search_mm: float
) -> Float:
    """Look for squares of the expression photo at rest: (B, 5) = place mm, shift mm, correlation.

    The rest photo is first pulled to where `start` has the skin of the expression photo, so squares are
    compared as pressed or stretched as they are.
    """
    half, reach = round(side_mm * _PX_PER_MM / 2), round(search_mm * _PX_PER_MM)
    expression, seen, rest, corner = _cut(textures, seen, start, half + reach)
    centres = _centres_mm(start.region, max(side_mm / 3, _LEAST_STEP_MM))
    found = []
    for (x, y), centre in zip(_to_px(centres) - corner, centres, strict=True):
        square = np.s_[y - half : y + half + 1, x - half : x + half + 1]
        if seen[square].mean() < _LEAST_SEEN:
            continue
        field = rest[y - half - reach : y + half + reach + 1, x - half - reach : x + half + reach + 1]
        peak = _peak(cv2.matchTemplate(field, expression[square], cv2.TM_CCOEFF_NORMED))
        if peak is not None:
            found.append((*centre, *(peak[:2] - reach) / _PX_PER_MM, peak[2]))
    squares = np.array(found).reshape(-1, 5)
    # Found in the pulled picture: a place that `start` brings to rest.
    squares[:, 2:4] = start.to_rest(squares[:, :2] + squares[:, 2:4]) - squares[:, :2]
    return squares


def _cut(
    textures: tuple[Float, Float], seen: Float, start: Registration, margin_px: int
) -> tuple[Float, Float, Float, Float]:
    """Cut a region with a margin out of both photos, the rest photo pulled to the expression's places.

    Returns expression, what was seen of it, rest, and the corner (x, y) in whole pixels; 0 outside the chart.
    """
    outline = _to_px(np.array(face_chart.REGION_OUTLINES_MM[start.region], float))
    low, high = outline.min(axis=0) - margin_px, outline.max(axis=0) + margin_px + 1
    x, y = np.arange(low[0], high[0]), np.arange(low[1], high[1])
    coarse = np.stack(np.meshgrid(x[::_COARSE], y[::_COARSE]), axis=-1).astype(np.float32)
    shift = start.shift_mm(_to_mm(coarse.reshape(-1, 2))).reshape(coarse.shape) * _PX_PER_MM
    size = (len(x), len(y))
    grid = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
    # The coarse nodes sit on every `_COARSE`th pixel: read between them there.
    between = (
        np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1).astype(np.float32) / _COARSE
    )
    moved = grid + cv2.remap(
        shift.astype(np.float32), between, _ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    rest = cv2.remap(textures[0], moved, _ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    flat, there = (
        cv2.remap(picture, grid, _ONE_MAP, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        for picture in (textures[1], seen)
    )
    return flat, there, rest, low


def _centres_mm(region: Region, step_mm: float) -> Float:
    """Return the middles (N, 2) of squares that cover a region, on whole pixels."""
    outline = np.array(face_chart.REGION_OUTLINES_MM[region])
    low, high = outline.min(axis=0), outline.max(axis=0)
    counts = np.maximum(2, np.ceil((high - low) / step_mm).astype(int) + 1)
    u, v = (np.linspace(low[k], high[k], counts[k]) for k in (0, 1))
    return _to_mm(_to_px(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)))


def _peak(match: Float) -> Float | None:
    """Return (x, y, height) of the highest place inside `match`, to sub-pixels; None at its border."""
    y, x = np.unravel_index(int(match.argmax()), match.shape)
    if not (0 < y < match.shape[0] - 1 and 0 < x < match.shape[1] - 1):
        return None
    here = match[y, x]
    steps = []
    for before, after in ((match[y, x - 1], match[y, x + 1]), (match[y - 1, x], match[y + 1, x])):
        bend = before - 2 * here + after
        steps.append(0.5 * (before - after) / bend if bend < 0 else 0.0)
    return np.array([x + steps[0], y + steps[1], here])


def _fitted(region: Region, squares: Float, *, degree: int, local: bool) -> Registration:
    """Lay a smooth shift through what the squares say, by weights that fall with disagreement."""
    places, shifts = squares[:, :2], squares[:, 2:4]
    terms = _terms(places, region)
    terms[:, (1, 3, 6)[degree] :] = 0
    trusted = np.maximum(squares[:, 4] - _NOISE_CORRELATION, 0.01) ** 2
    weight = trusted.copy()
    stiff = np.diag([1e-6, 0.02, 0.02, 0.05, 0.05, 0.05]) * trusted.sum() + 1e-9 * np.eye(6)
    for _ in range(15):
        parabola = np.linalg.solve(
            (terms * weight[:, None]).T @ terms + stiff, (terms * weight[:, None]).T @ shifts
        )
        off = np.linalg.norm(shifts - terms @ parabola, axis=1)
        weight = trusted / (1 + (off / _AGREED_MM) ** 2)
    none, beyond = np.zeros((0, 2)), shifts - terms @ parabola
    if local:
        near = _nearness(places, places)
        for _ in range(3):
            off = np.linalg.norm(beyond - _mean(near, beyond, weight), axis=1)
            weight = trusted / (1 + (off / _AGREED_MM) ** 2)
    apart = off
    if local:
        # What its neighbours say of each square without itself.
        own = near * weight * (1 - np.eye(len(places)))
        apart = np.linalg.norm(
            beyond - own @ beyond / (own.sum(axis=1, keepdims=True) + _LEAST_WEIGHT), axis=1
        )
    return Registration(
        region=region,
        parabola=parabola,
        places_mm=places if local else none,
        beyond_mm=beyond if local else none,
        weight=weight if local else np.zeros(0),
        residual_mm=float(np.median(apart)),
        agreement=float((off < _AGREED_MM).mean()),
    )


def _mean(near: Float, values: Float, weight: Float) -> Float:
    """Average values (B, 2) by nearness (N, B) and weight (B,), drawn to 0 where little is near: (N, 2)."""
    each = near * weight
    return np.asarray(each @ values / (each.sum(axis=1, keepdims=True) + _LEAST_WEIGHT))


def _folds(registration: Registration) -> bool:
    """Tell whether a shift would fold the skin, or press it flat, anywhere in the region."""
    places, step = _centres_mm(registration.region, 5.0), 1.0
    there = registration.to_rest(places)
    along = [(registration.to_rest(places + offset) - there) / step for offset in step * np.eye(2)]
    area = along[0][:, 0] * along[1][:, 1] - along[0][:, 1] * along[1][:, 0]
    return bool(area.min() < _LEAST_STRETCH)


def _terms(places_mm: Float, region: Region) -> Float:
    """Return 1, u, v, u², uv, v² at places (N, 2), scaled to the region: (N, 6)."""
    outline = np.array(face_chart.REGION_OUTLINES_MM[region])
    low, high = outline.min(axis=0), outline.max(axis=0)
    u, v = ((np.asarray(places_mm, float) - (low + high) / 2) / ((high - low) / 2)).T
    return np.column_stack([np.ones_like(u), u, v, u * u, u * v, v * v])


def _nearness(a: Float, b: Float) -> Float:
    """Return how much places (B, 2) speak for places (N, 2): (N, B), 1 where they coincide."""
    across, down = (np.subtract.outer(a[:, k], b[:, k]) for k in (0, 1))
    return np.asarray(np.exp(-(across**2 + down**2) / (2 * _REACH_MM**2)))


def _to_px(places_mm: Float) -> Float:
    low = np.array((face_chart.U_RANGE_MM[0], face_chart.V_RANGE_MM[0]))
    return np.asarray(np.rint((places_mm - low) * _PX_PER_MM - 0.5).astype(int))


def _to_mm(places_px: Float) -> Float:
    low = np.array((face_chart.U_RANGE_MM[0], face_chart.V_RANGE_MM[0]))
    return np.asarray((np.asarray(places_px, float) + 0.5) / _PX_PER_MM + low)
