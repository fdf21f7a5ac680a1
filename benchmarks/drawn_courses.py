"""Drawn subjects over visits: known effects of a treatment, the noise of real visits, and drifting light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from wrinklecv.phantom import Person, Phantom, Shot, draw_phantom, random_lines
from wrinklecv.records import Expression, Float, LineKind, Region
from wrinklecv.visits import Treatment

from .drawn_pairs import REGIONS_OF

DAYS = (0, 14, 30, 90, 150, 210)
_BASELINE = date(2025, 1, 10)
_REST = np.array([1.0, 0.90, 0.83, 0.76, 0.86, 0.97])
_EXPRESSION = np.array([1.0, 0.72, 0.74, 0.79, 0.93, 1.0])
"""What is left of the lines' contrast at each visit: at rest −17 % on day 30 and −24 % on day 90, in
expression −26 % and −21 % (published courses); the other days are our estimate."""
_GONE_VISITS = (2, 3)
"""At these visits some faint lines at rest are gone: they have become dynamic."""
_DRIFT = 0.25
"""Most that another light may flatten or deepen all lines of a face alike."""
_STATIC_FROM = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class DrawnVisit:
    """One visit: its day, photos by state, and the kind of every line of the expression photo."""

    day: date
    photos: dict[Expression, Phantom]
    kinds: tuple[LineKind, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnCourse:
    """One drawn subject: which expression, visits, and treatments (none where nothing was treated)."""

    name: Expression
    visits: tuple[DrawnVisit, ...]
    treatments: tuple[Treatment, ...]


def draw_course(seed: int, *, effect: bool, drift: bool) -> DrawnCourse:
    """Draw one subject over six visits.

    effect: a treatment of the expression's own regions works. drift: the light flattens or deepens all lines
    of the face alike, by up to a quarter, differently at each visit; the own regions were treated in vain.
    """
    rng = np.random.default_rng(seed)
    name = tuple(REGIONS_OF)[seed % 3]
    lines = random_lines(rng, contrast=(0.12, 0.40), width_mm=(0.6, 1.4))
    treated = np.array([line.region in REGIONS_OF[name] for line in lines])
    at_rest = _at_rest(rng, treated, effect=effect)
    left = np.ones((2, len(DAYS), len(lines)))
    if effect:
        left[:, :, treated] = np.stack([_REST, _EXPRESSION])[:, :, None]
    light = rng.uniform(1 - _DRIFT, 1 + _DRIFT, len(DAYS)) if drift else np.ones(len(DAYS))
    light[0] = 1.0
    base = np.array([line.contrast for line in lines])
    rest = base * at_rest * left[0] * light[:, None]
    moved = base * left[1] * light[:, None]
    person = Person(
        seed=seed,
        skin_tone=(seed // 3 % 6) / 5,
        brow_travel_mm=float(rng.uniform(3, 6)),
        mm_per_canonical_mm=float(rng.uniform(0.94, 1.06)),
    )
    visits = []
    for number, days in enumerate(DAYS):
        shown = {
            state: tuple(
                replace(line, contrast=float(c))
                for line, c in zip(lines, contrasts[number], strict=True)
                if c > 0
            )
            for state, contrasts in ((Expression.REST, rest), (name, moved))
        }
        now = replace(person, lines=shown[Expression.REST], expression_lines={name: shown[name]})
        photos = {
            state: draw_phantom(now, replace(_shot(rng), expression=state), seed=100 * seed + number)
            for state in shown
        }
        kinds = tuple(_kind(float(share)) for share in rest[number] / moved[number])
        visits.append(DrawnVisit(_BASELINE + timedelta(days=days), photos, kinds))
    given = Treatment("drawn", _BASELINE, REGIONS_OF[name])
    return DrawnCourse(name, tuple(visits), (given,) if effect or drift else ())


def _at_rest(rng: np.random.Generator, treated: Float, *, effect: bool) -> Float:
    """Choose the lines' contrast at rest over that in expression, at each visit before any effect: (V, L)."""
    share = np.ones((len(DAYS), len(treated)))
    for line in np.flatnonzero(treated):
        share[:, line] = rng.choice([0.0, rng.uniform(0.35, 0.6), 1.0], p=[0.35, 0.45, 0.2])
        if effect and 0 < share[0, line] < 1 and rng.uniform() < 1 / 3:
            share[_GONE_VISITS, line] = 0.0
    return share


def _kind(share: float) -> LineKind:
    if share == 0:
        return LineKind.DYNAMIC
    return LineKind.STATIC if share >= _STATIC_FROM else LineKind.DEEPENED


def true_index(phantom: Phantom, region: Region) -> float:
    """Return Σ length × contrast of a region's drawn lines: the index but for the area, which stays."""
    return sum(line.length_mm * line.contrast for line in phantom.lines if line.region is region)


def _shot(rng: np.random.Generator) -> Shot:
    """Take a photo as at a visit: head, light, focus and distance are never quite the same."""
    yaw, pitch, roll = rng.normal(0, [1.2, 1.5, 1.2])
    return Shot(
        px_per_mm=5.0 * float(rng.uniform(0.95, 1.05)),
        width_px=925,
        height_px=1125,
        yaw_deg=float(yaw),
        pitch_deg=float(pitch),
        roll_deg=float(roll),
        exposure_ev=float(rng.normal(0, 0.15)),
        light_azimuth_deg=-20 + float(rng.normal(0, 3)),
        light_elevation_deg=30 + float(rng.normal(0, 3)),
        blur_px=0.5 + float(np.abs(rng.normal(0, 0.15))),
        noise_sd=float(rng.uniform(0.8, 1.5)),
        jpeg_quality=int(rng.integers(86, 95)),
        eyes_at_share=(0.5 + float(rng.normal(0, 0.01)), 0.49 + float(rng.normal(0, 0.01))),
    )
