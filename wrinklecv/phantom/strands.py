"""Hair over the forehead: loose strands that hang or lie nearly level, and a fringe."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from ..head import AXIS_MM, RADIUS_MM
from ..records import Float
from .lines import smooth_path
from .person import Person, linear
from .shape import U_MM, V_MM, hairline_v, radius_spline
from .strokes import Stroke

_WIDTH_MM = (0.06, 0.12)
"""Scalp hair is 0.05 to 0.12 mm thick."""
_BROW_V_MM = -57.0
_FRINGE_HALF_MM = 56.0
_LOCKS_PER_MM, _SINGLES_PER_MM = 3.4, 5.0


def hair_strokes(person: Person) -> tuple[Stroke, ...]:
    """Return the strands over this person's forehead: none unless asked for."""
    strokes: list[Stroke] = []
    for number, (count, course) in enumerate(((person.loose_hairs, _hanging), (person.level_hairs, _level))):
        rng = np.random.default_rng([person.seed, 7, number])
        for _ in range(count):
            path = course(rng, person)
            strokes.append(_strand(rng, person, path, float(rng.uniform(*_WIDTH_MM)), rng.uniform(0.3, 2.0)))
    if person.fringe_mm > 0:
        strokes.extend(_fringe(person))
    return tuple(strokes)


def _strand(
    rng: np.random.Generator, person: Person, path_mm: Float, width_mm: float, lift_mm: float
) -> Stroke:
    """Return one strand over chart places (N, 2), `lift_mm` off the skin, tapered at its tip."""
    dense = smooth_path(path_mm, 1.0)
    t = np.linspace(0, 1, len(dense))
    lift = lift_mm * (0.25 + np.sin(np.pi * t) ** 2)  # it touches the skin here and there
    # One hair mirrors more of the light than another, whatever the pigment.
    bright = float(np.exp(rng.normal(0, 0.22)))
    return Stroke(
        points_mm=_over_skin(person, dense, lift),
        width_mm=width_mm * np.clip((1 - t) * 6, 0.3, 1.0),
        colour=np.minimum(linear(person.hair_srgb) * bright, 0.9),
    )


def _over_skin(person: Person, places_mm: Float, lift_mm: Float) -> Float:
    """Lift chart places (N, 2) off skin or hair by (N,) mm: canonical (N, 3)."""
    u, v = places_mm.T
    spline = radius_spline(person.ears, person.hairline_mm)
    radius = map_coordinates(spline, (v - V_MM[0], u - U_MM[0]), order=3, prefilter=False, mode="nearest")
    radius = radius + lift_mm / person.mm_per_canonical_mm
    angle = u / RADIUS_MM
    return np.stack([radius * np.sin(angle), -v, radius * np.cos(angle) + AXIS_MM], axis=1)


def _hanging(rng: np.random.Generator, person: Person) -> Float:
    """A strand that leaves the hairline and hangs down, swept to one side: places (6, 2) mm."""
    u = float(rng.uniform(-52, 52))
    top = float(hairline_v(np.array(u), person.ears, person.hairline_mm)) - 6
    length = float(rng.uniform(18, _BROW_V_MM + 14 - top))
    t = np.linspace(0, 1, 6)
    sweep = rng.normal(0, 16) + 0.15 * u
    bow = rng.normal(0, 3.5) * np.sin(np.pi * t) + rng.normal(0, 0.8) * np.sin(3 * np.pi * t)
    return np.stack([u + sweep * t**1.6 + bow, top + length * t], axis=1)


def _level(rng: np.random.Generator, person: Person) -> Float:
    """A strand blown across the forehead from one side, nearly level as its lines are: (7, 2) mm."""
    side = float(rng.choice((-1.0, 1.0)))
    reach = float(rng.uniform(45, 105))
    t = np.linspace(0, 1, 7)
    v = float(rng.uniform(-97, -66))
    aside = np.arange(36.0, 90.0)
    covered = hairline_v(aside, person.ears, person.hairline_mm) > v + 3
    start = float(aside[covered.argmax()])
    # It follows the forehead's roundness, sinks a little, and waves.
    course = v + rng.normal(0, 4) * t + rng.uniform(-4, 3) * np.sin(np.pi * t)
    course += rng.normal(0, 0.5) * np.sin(4 * np.pi * t + rng.uniform(0, 6))
    return np.stack([side * (start - reach * t), course], axis=1)


def _fringe(person: Person) -> list[Stroke]:
    """Locks and single hairs side by side, cut off unevenly `fringe_mm` below the hairline's middle."""
    rng = np.random.default_rng([person.seed, 7, 9])
    count = int(2 * _FRINGE_HALF_MM * _LOCKS_PER_MM), int(2 * _FRINGE_HALF_MM * _SINGLES_PER_MM)
    strokes = []
    for lock in np.repeat([True, False], count):
        u = float(rng.uniform(-_FRINGE_HALF_MM, _FRINGE_HALF_MM))
        # Each comes out of the hair at another height, so that the fringe has no upper edge.
        top = float(hairline_v(np.array(u), person.ears, person.hairline_mm)) - rng.uniform(4, 30)
        end = person.hairline_mm + person.fringe_mm + rng.normal(0, 1.5 if lock else 3.5)
        end += 2.5 * np.sin(u / 7.0 + person.seed)  # locks cling together, so the edge has teeth
        if end - top < 6:
            continue
        t = np.linspace(0, 1, 5)
        drift = 0.10 * u + rng.normal(0, 2.0)
        path = np.stack([u + drift * t**1.5, top + (end - top) * t], axis=1)
        wide = float(rng.uniform(0.5, 1.1) if lock else rng.uniform(*_WIDTH_MM))
        strokes.append(_strand(rng, person, path, wide, float(rng.uniform(1.5, 4.0))))
    return strokes
