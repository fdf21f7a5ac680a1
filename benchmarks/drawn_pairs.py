"""Drawn pairs of one face, at rest and in expression, in which the kind of every line is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wrinklecv.face import find_face
from wrinklecv.head import unroll
from wrinklecv.model import canonical_face
from wrinklecv.phantom import Person, Phantom, PhantomLine, Shot, draw_phantom, random_lines
from wrinklecv.records import Expression, Face, Float, LineKind, Photo, Region

REGIONS_OF = {
    Expression.BROW_RAISE: (Region.FOREHEAD,),
    Expression.FROWN: (Region.GLABELLA,),
    Expression.SMILE: (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT),
}
"""Where each drawn expression deepens lines."""
_DEEPENED_SHARES = (0.25, 0.65)
"""Contrast at rest over that in expression, of drawn lines that deepen."""
_MOST_OFF_MM = 3.0
"""How far the landmarks of the expression photo are moved."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPair:
    """Two drawn photos and how to find the face in each; each line's truth in both.

    kinds, shares: (L,) of all lines in the order of `expression.lines`; share = contrast at rest over
    that in expression. at_rest: (L,) which line of `rest.lines` it is, -1 for none.
    """

    name: Expression
    rest: Phantom
    expression: Phantom
    find_rest: Callable[[Photo], Face]
    find_expression: Callable[[Photo], Face]
    kinds: tuple[LineKind, ...]
    shares: Float
    at_rest: tuple[int, ...]


def draw_pair(seed: int, *, rest_change: Callable[[Shot], Shot] | None = None) -> DrawnPair:
    """Draw one pair; `rest_change` spoils the shot at rest."""
    rng = np.random.default_rng(seed)
    name = tuple(REGIONS_OF)[seed % 3]
    lines = random_lines(rng, contrast=(0.08, 0.45), width_mm=(0.5, 1.6))
    kinds, shares = zip(*(_fate(rng, line, name) for line in lines), strict=True)
    at_rest = tuple(
        dataclasses.replace(line, contrast=line.contrast * share)
        for line, share in zip(lines, shares, strict=True)
        if share > 0
    )
    person = Person(
        seed=seed,
        skin_tone=(seed // 3 % 6) / 5,
        lines=at_rest,
        expression_lines={name: lines},
        brow_travel_mm=float(rng.uniform(0, 8)),
        mm_per_canonical_mm=float(rng.uniform(0.92, 1.08)),
    )
    size = float(np.exp(rng.uniform(np.log(4), np.log(12))))
    rest_shot = _shot(rng, size)
    far = rest_shot.yaw_deg + float(rng.uniform(-8, 8))
    shot = dataclasses.replace(
        _shot(rng, size * float(rng.uniform(0.9, 1.1))), yaw_deg=float(np.clip(far, -9, 9))
    )
    shot = dataclasses.replace(shot, expression=name)
    if rest_change:
        rest_shot = rest_change(rest_shot)
    rest, expression = draw_phantom(person, rest_shot, seed=seed), draw_phantom(person, shot, seed=seed + 1)
    numbers = np.cumsum([share > 0 for share in shares]) - 1
    return DrawnPair(
        name=name,
        rest=rest,
        expression=expression,
        find_rest=find_face,
        find_expression=_moved_face(rng),
        kinds=tuple(kinds),
        shares=np.array(shares),
        at_rest=tuple(int(n) if share > 0 else -1 for n, share in zip(numbers, shares, strict=True)),
    )


def _fate(rng: np.random.Generator, line: PhantomLine, name: Expression) -> tuple[LineKind, float]:
    chance, share = rng.uniform(), float(rng.uniform(*_DEEPENED_SHARES))
    if line.region not in REGIONS_OF[name] or chance < 0.3:
        return LineKind.STATIC, 1.0
    return (LineKind.DEEPENED, share) if chance < 0.65 else (LineKind.DYNAMIC, 0.0)


def _shot(rng: np.random.Generator, size: float) -> Shot:
    yaw, pitch, roll = rng.normal(0, [1.0, 1.5, 1.5])
    return Shot(
        px_per_mm=size,
        width_px=round(200 * size),
        height_px=round(250 * size),
        yaw_deg=float(yaw),
        pitch_deg=float(pitch),
        roll_deg=float(roll),
        exposure_ev=float(rng.uniform(-0.7, 0.7)),
        light_azimuth_deg=-20 + float(rng.uniform(-10, 10)),
        light_elevation_deg=30 + float(rng.uniform(-6, 6)),
        noise_sd=float(rng.uniform(0.5, 2.0)),
        jpeg_quality=int(rng.integers(80, 96)),
    )


def _moved_face(rng: np.random.Generator) -> Callable[[Photo], Face]:
    """Return a face finder whose landmarks lie off, smoothly over the face, by up to `_MOST_OFF_MM`."""
    places = unroll(canonical_face()[0]) / 60
    terms = np.column_stack([np.ones(len(places)), places, places[:, 0] * places[:, 1]])
    off = terms @ (rng.normal(size=(4, 2)) * [[1.0], [0.5], [0.5], [0.25]])
    upper = places[:, 1] * 60 < 0
    off *= rng.uniform(0, _MOST_OFF_MM) / np.linalg.norm(off[upper], axis=1).max()

    def find(photo: Photo) -> Face:
        face = find_face(photo)
        points = face.points_xy.copy()
        points[: len(off)] += off / face.scale.mm_per_px
        return dataclasses.replace(face, points_xy=points)

    return find
