"""Drawn subjects over visits: known effects of a treatment, the noise of real visits, and drifting light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from wrinklecv.phantom import Person, Phantom, PhantomLine, Shot, draw_phantom, random_lines
from wrinklecv.records import Expression, LineKind, Region
from wrinklecv.visits import Treatment

from .drawn_pairs import REGIONS_OF

BASELINE = date(2025, 1, 10)
DAYS = (0, 14, 30, 90, 150, 210)
_REST = (1.0, 0.90, 0.83, 0.76, 0.86, 0.97)
_EXPRESSION = (1.0, 0.72, 0.74, 0.79, 0.93, 1.0)
"""What is left of the lines' contrast at each visit: at rest −17 % on day 30 and −24 % on day 90, in
expression −26 % and −21 % (published courses); the other days are our estimate."""
_DRIFT = 0.25
"""Most that another light may flatten or deepen all lines of a face alike."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnCourse:
    """One drawn subject: an expression, photos (visit, state, photo), treatments, and what is true.

    shares: by state and visit, contrast of the treated regions' lines over that at baseline. kinds: by visit,
    of each line of the expression photos.
    """

    name: Expression
    photos: tuple[tuple[int, Expression, Phantom], ...]
    treatments: tuple[Treatment, ...]
    treated: tuple[Region, ...]
    shares: dict[Expression, tuple[float, ...]]
    kinds: tuple[tuple[LineKind, ...], ...]


def draw_course(seed: int, *, effect: bool, drift: bool) -> DrawnCourse:
    """Draw one subject over six visits."""
    rng = np.random.default_rng(seed)
    name = tuple(REGIONS_OF)[seed % 3]
    treated = REGIONS_OF[name]
    lines = random_lines(rng, contrast=(0.12, 0.40), width_mm=(0.6, 1.4))
    fate = [_at_rest(rng, line, treated) for line in lines]
    drifts = (
        [1.0, *(float(rng.uniform(1 - _DRIFT, 1 + _DRIFT)) for _ in DAYS[1:])] if drift else [1.0] * len(DAYS)
    )
    person = Person(
        seed=seed,
        skin_tone=(seed // 3 % 6) / 5,
        brow_travel_mm=float(rng.uniform(3, 6)),
        mm_per_canonical_mm=float(rng.uniform(0.94, 1.06)),
    )
    photos, kinds = [], []
    for visit, _ in enumerate(DAYS):
        left = {
            Expression.REST: _REST[visit] if effect else 1.0,
            name: _EXPRESSION[visit] if effect else 1.0,
        }
        shown = {
            state: tuple(
                replace(
                    line,
                    contrast=line.contrast
                    * share
                    * drifts[visit]
                    * (left[state] if line.region in treated else 1),
                )
                for line, share in zip(
                    lines, fate if state is Expression.REST else [1.0] * len(fate), strict=True
                )
                if share > 0
            )
            for state in (Expression.REST, name)
        }
        at = replace(person, lines=shown[Expression.REST], expression_lines={name: shown[name]})
        for state in (Expression.REST, name):
            photo = draw_phantom(at, replace(_shot(rng), expression=state), seed=seed * 100 + visit)
            photos.append((visit, state, photo))
        kinds.append(
            tuple(_kind(line, share, treated, left, name) for line, share in zip(lines, fate, strict=True))
        )
    given = Treatment("drawn", BASELINE, treated) if effect or drift else None
    return DrawnCourse(
        name=name,
        photos=tuple(photos),
        treatments=(given,) if given else (),
        treated=treated,
        shares={
            Expression.REST: _REST if effect else (1.0,) * len(DAYS),
            name: _EXPRESSION if effect else (1.0,) * len(DAYS),
        },
        kinds=tuple(kinds),
    )


def day_of(visit: int) -> date:
    """Return the day of a visit."""
    return BASELINE + timedelta(days=DAYS[visit])


def _at_rest(rng: np.random.Generator, line: PhantomLine, treated: tuple[Region, ...]) -> float:
    """Choose a line's contrast at rest over that in expression, at baseline."""
    if line.region not in treated:
        return 1.0
    return float(rng.choice([0.0, rng.uniform(0.35, 0.6), 1.0], p=[0.35, 0.45, 0.2]))


def _kind(
    line: PhantomLine,
    share: float,
    treated: tuple[Region, ...],
    left: dict[Expression, float],
    name: Expression,
) -> LineKind:
    if share == 0:
        return LineKind.DYNAMIC
    now = share * (left[Expression.REST] / left[name] if line.region in treated else 1.0)
    return LineKind.STATIC if now >= 0.8 else LineKind.DEEPENED


def _shot(rng: np.random.Generator) -> Shot:
    """Take a photo as at a visit: head, light, focus and distance are never quite the same."""
    size = 5.0 * float(rng.uniform(0.95, 1.05))
    yaw, pitch, roll = rng.normal(0, [1.2, 1.5, 1.2])
    return Shot(
        px_per_mm=size,
        width_px=185 * 5,
        height_px=225 * 5,
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
