"""How brows, lids and mouth moved between two photos of one face, in the head's own frame.

The frame is the affine camera that takes the canonical face to the photo, fitted to places that no
expression moves (corners of the eyes, nose, temples). A landmark's way beyond it, from rest to expression,
is movement, whatever the head did in between.
"""

from __future__ import annotations

import numpy as np

from .model import canonical_face
from .pairs import Strength, Travel
from .records import Expression, Face, Float

_STEADY = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 127, 356, 234, 454)
_PARTS = {
    ("brow", "right"): (70, 63, 105, 66, 107, 46, 53, 52, 65, 55),
    ("brow", "left"): (300, 293, 334, 296, 336, 276, 283, 282, 295, 285),
    ("inner brow", "right"): (107, 55, 66, 65),
    ("inner brow", "left"): (336, 285, 296, 295),
    ("upper lid", "right"): (158, 159, 160),
    ("upper lid", "left"): (385, 386, 387),
    ("lower lid", "right"): (144, 145, 153),
    ("lower lid", "left"): (373, 374, 380),
    ("mouth corner", "right"): (61, 185, 146),
    ("mouth corner", "left"): (291, 409, 375),
}
"""Landmarks of each part; sides are the subject's own."""
TRAVEL_SE_MM = 0.5
"""Two photos of 51 people at rest and smiling put the brows, which a smile does not move, this far apart."""

STRENGTHS: dict[Expression, tuple[str, ...]] = {
    Expression.BROW_RAISE: ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    Expression.FROWN: ("browDownLeft", "browDownRight"),
    Expression.SMILE: ("mouthSmileLeft", "mouthSmileRight", "eyeSquintLeft", "eyeSquintRight"),
}
"""The landmark model's names for what an expression does, the leading ones first."""
_LEADING = {Expression.BROW_RAISE: 3, Expression.FROWN: 2, Expression.SMILE: 2}
"""How many of them count for a guess. A frown lowers the inner brow alone, a brow raise moves all of it."""
_MM_PER_STRENGTH = 5.0
"""Travel that counts for a guess as much as a strength of 1."""
CLEAR_CHANGE = 0.12
"""Change of a strength that two photos of one still face do not show."""


def measure_travel(rest: Face, expression: Face) -> tuple[Travel, ...]:
    """Measure how far each part moved, in mm by the rest photo's scale."""
    mm_per_canonical = rest.scale.mm_per_px * px_per_canonical_mm(rest)
    before, after = (_beyond_frame(face) * mm_per_canonical for face in (rest, expression))
    travels = []
    for (part, side), numbers in _PARTS.items():
        across, up = (after - before)[list(numbers)].mean(axis=0)
        # +x of the canonical face is the subject's left.
        travels.append(Travel(part, side, float(up), float(-across if side == "left" else across)))
    return tuple(travels)


def px_per_canonical_mm(face: Face) -> float:
    """Return how many photo px one mm of the canonical face has, by places that no expression moves."""
    return float(np.sqrt(np.linalg.svd(_frame(face)[:, :3], compute_uv=False).prod()))


def _frame(face: Face) -> Float:
    steady = list(_STEADY)
    body = np.column_stack([canonical_face()[0][steady], np.ones(len(steady))])
    return np.asarray(np.linalg.lstsq(body, face.points_xy[steady], rcond=None)[0].T)


def _beyond_frame(face: Face) -> Float:
    """Return how far each of 468 landmarks lies from the still face: (468, 2) canonical mm, right and up."""
    vertices, _ = canonical_face()
    camera = _frame(face)
    off = face.points_xy[: len(vertices)] - vertices @ camera[:, :3].T - camera[:, 3]
    # Canonical axes as the photo shows them: to the picture's right, and up.
    axes = camera[:, :2]
    return np.asarray(np.linalg.solve(axes, off.T).T)


def measure_strengths(rest: Face, expression: Face, name: Expression) -> tuple[Strength, ...]:
    """Return what the landmark model says of the movements that make up `name`, in both photos."""
    return tuple(
        Strength(key, float(rest.expression.get(key, 0.0)), float(expression.expression.get(key, 0.0)))
        for key in STRENGTHS.get(name, ())
    )


def mean_travel(travels: tuple[Travel, ...], name: Expression) -> float:
    """Return how far the parts that `name` moves went its way, mm: below 0 is the other way."""
    ways = {
        Expression.BROW_RAISE: [t.up_mm for t in travels if t.part == "brow"],
        Expression.FROWN: [(t.in_mm - t.up_mm) / np.sqrt(2) for t in travels if t.part == "inner brow"],
        Expression.SMILE: [(t.up_mm - t.in_mm) / np.sqrt(2) for t in travels if t.part == "mouth corner"],
    }
    return float(np.mean(ways[name])) if name in ways else 0.0


def guess_expression(rest: Face, expression: Face) -> Expression:
    """Guess which expression the pair shows; a person should confirm it.

    What the second photo has less of than the first counts too: then the photos may be swapped, and the guess
    is what the first shows, so that a comparison can say so.
    """
    travels = measure_travel(rest, expression)
    gains = {name: gain_of(rest, expression, name) for name in STRENGTHS}
    swapped = min(gains, key=lambda name: gains[name])
    clear = gains[swapped] < -CLEAR_CHANGE and max(gains.values()) < CLEAR_CHANGE
    if clear and mean_travel(travels, swapped) < 0:
        return swapped
    return max(STRENGTHS, key=lambda name: mean_travel(travels, name) + _MM_PER_STRENGTH * gains[name])


def gain_of(rest: Face, expression: Face, name: Expression) -> float:
    """Return how much stronger the leading movement of `name` is in the second photo, -1 to 1."""
    leading = measure_strengths(rest, expression, name)[: _LEADING[name]]
    return float(np.mean([s.expression - s.rest for s in leading]))


def seem_swapped(rest: Face, expression: Face) -> bool:
    """Tell whether the face would move further the other way round, beyond the error of both ways."""
    there, back = (
        mean_travel(measure_travel(a, b), guess_expression(a, b))
        for a, b in ((rest, expression), (expression, rest))
    )
    return back > there + 2 * TRAVEL_SE_MM
