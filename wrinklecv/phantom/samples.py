"""The sample images: two drawn persons, the photos of their visits, and the truth.

sub-001 is followed over a treatment. The change follows the published curves (lines at rest weaken
late and go on weakening, lines in expression weaken early and partly return); the figures of day 14
are our estimate. Every region is treated: there is no untreated control among the samples.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import OutputError
from ..records import Expression, Region
from .lines import PhantomLine
from .person import Person, Shot
from .render import Phantom, draw_phantom

EXPRESSIONS = (Expression.REST, Expression.BROW_RAISE, Expression.FROWN, Expression.SMILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit: its date, and what is left of the lines' contrast at rest and in expression."""

    date: str
    rest_share: float = 1.0
    expression_share: float = 1.0


VISITS = {
    "sub-001": (
        Visit(date="20250110"),
        Visit(date="20250124", rest_share=0.88, expression_share=0.72),
        Visit(date="20250410", rest_share=0.76, expression_share=0.79),
    ),
    "sub-002": (Visit(date="20250110"),),
}

TREATMENTS = """\
subject,date,region,product,units,points,notes
001,2025-01-10,all,,,,pretended: the face is drawn
"""
"""What `treatments.csv` says beside the photos."""

_DEEPER = {
    Expression.BROW_RAISE: (Region.FOREHEAD,),
    Expression.FROWN: (Region.GLABELLA,),
    Expression.SMILE: (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT),
}
"""Which regions' lines each expression deepens."""


@dataclass(frozen=True, slots=True)
class _Wrinkle:
    """A line's course and width, and its contrast at rest (0: dynamic) and in its own expression."""

    region: Region
    path_mm: tuple[tuple[float, float], ...]
    width_mm: float
    at_rest: float
    in_expression: float


def _level(u0: float, u1: float, v: float, wave: float) -> tuple[tuple[float, float], ...]:
    """Return a forehead line from u0 to u1 that follows the brows' arch."""
    u = np.linspace(u0, u1, 9)
    course = v + 4.0 * (u / 50) ** 2 - 1.2 * np.exp(-(((np.abs(u) - 28) / 16) ** 2))
    course += 0.35 * np.sin(u / 8.5 + wave)
    return tuple((float(a), float(b)) for a, b in zip(u, course, strict=True))


def _outwards(
    side: int, angle: float, start: float, length: float, bend: float
) -> tuple[tuple[float, float], ...]:
    """Return a crow's foot: from near the corner of the eye outwards, angle in degrees (down positive)."""
    away = np.linspace(start, start + length, 6)
    turn = np.deg2rad(angle + bend * (away - start))
    return tuple(
        (float(side * (50 + d * np.cos(t))), float(-25 + d * np.sin(t)))
        for d, t in zip(away, turn, strict=True)
    )


def _upright(u: float, v0: float, v1: float, lean: float) -> tuple[tuple[float, float], ...]:
    """Return a frown line from v0 up to v1, leaning outwards by `lean` mm."""
    t = np.linspace(0, 1, 6)
    bow = 0.6 * np.sin(np.pi * t)
    course = u + np.sign(u) * (lean * t + bow)
    return tuple((float(a), float(b)) for a, b in zip(course, v0 + (v1 - v0) * t, strict=True))


def _wrinkles(depth: float) -> tuple[_Wrinkle, ...]:
    """Return one person's lines; `depth` scales their contrast."""
    forehead = Region.FOREHEAD
    crows = {1: Region.CROWS_FEET_LEFT, -1: Region.CROWS_FEET_RIGHT}
    lines = [
        _Wrinkle(forehead, _level(-44, 30, -69, 0.3), 1.1, 0.13, 0.34),
        _Wrinkle(forehead, _level(-36, 43, -77, 1.9), 1.2, 0.16, 0.40),
        _Wrinkle(forehead, _level(-30, 35, -85.5, 4.0), 0.9, 0.0, 0.24),
        _Wrinkle(forehead, _level(-22, 18, -94, 5.2), 0.7, 0.0, 0.15),
        _Wrinkle(Region.GLABELLA, _upright(-5.4, -31, -50, 1.6), 1.0, 0.17, 0.45),
        _Wrinkle(Region.GLABELLA, _upright(5.8, -32, -48, 1.3), 0.9, 0.11, 0.36),
    ]  # fmt: skip
    for side in (1, -1):
        for angle, start, length, width, rest, smile in (
            (-30, 13, 14, 0.7, 0.0, 0.17),
            (-6, 12, 19, 0.9, 0.12, 0.30),
            (18, 12, 17, 0.8, 0.09, 0.26),
            (44, 13, 11, 0.6, 0.0, 0.18),
        ):
            less = 1.0 if side == 1 else 0.9  # nobody's two sides are alike
            course = _outwards(side, angle - 2 * side, start, length * (1.0 if side == 1 else 0.93), 0.5)
            lines.append(_Wrinkle(crows[side], course, width, rest * less, smile * less))
    return tuple(replace(x, at_rest=x.at_rest * depth, in_expression=x.in_expression * depth) for x in lines)


def _shown(wrinkles: tuple[_Wrinkle, ...], expression: Expression, visit: Visit) -> tuple[PhantomLine, ...]:
    """Return the lines that show in one expression at one visit."""
    lines = []
    for wrinkle in wrinkles:
        moved = wrinkle.region in _DEEPER.get(expression, ())
        contrast = (
            wrinkle.in_expression * visit.expression_share if moved else wrinkle.at_rest * visit.rest_share
        )
        if contrast > 0:
            path = np.array(wrinkle.path_mm)
            lines.append(
                PhantomLine(region=wrinkle.region, path_mm=path, width_mm=wrinkle.width_mm, contrast=contrast)
            )
    return tuple(lines)


def sample_person(name: str, *, visit: int = 0) -> Person:
    """Return the drawn person `sub-001` or `sub-002` as of one of their visits (0 = baseline)."""
    when = VISITS[name][visit]
    first = name == "sub-001"
    wrinkles = _wrinkles(1.0 if first else 0.85)
    lines = {expression: _shown(wrinkles, expression, when) for expression in EXPRESSIONS}
    if first:
        return Person(seed=11, skin_tone=0.16, lines=lines[Expression.REST], expression_lines=lines)
    return Person(
        seed=23,
        skin_tone=0.78,
        lines=lines[Expression.REST],
        expression_lines=lines,
        mm_per_canonical_mm=1.03,
        hair_srgb=(34, 27, 25),
        iris_srgb=(70, 46, 30),
        ears=True,
        brow_thickness=1.15,
    )


def sample_photos() -> Iterator[tuple[str, Phantom]]:
    """Draw the sample photos one after the other: file name and phantom."""
    for subject, visits in VISITS.items():
        for number, visit in enumerate(visits):
            person = sample_person(subject, visit=number)
            for expression in EXPRESSIONS:
                name = f"{subject}_ses-{visit.date}_expr-{expression}_run-1.jpg"
                yield name, draw_phantom(person, _sample_shot(name, expression), seed=_seed(name))


def _seed(name: str) -> int:
    return zlib.crc32(name.encode())


def _sample_shot(name: str, expression: Expression) -> Shot:
    """Return a shot as a clinic takes it: the same rig, the head and the light never quite the same."""
    rng = np.random.default_rng(_seed(name))
    yaw, pitch, roll = rng.normal(0, [1.2, 1.0, 0.8])
    return Shot(
        width_px=2020,
        height_px=2520,
        px_per_mm=10.0,
        yaw_deg=float(yaw),
        pitch_deg=float(pitch),
        roll_deg=float(roll),
        exposure_ev=float(rng.normal(0, 0.05)),
        light_azimuth_deg=-20 + float(rng.normal(0, 2)),
        noise_sd=1.0,
        jpeg_quality=89,
        eyes_at_share=(0.5 + float(rng.normal(0, 0.006)), 0.485 + float(rng.normal(0, 0.006))),
        expression=expression,
    )


def write_samples(out_dir: Path) -> tuple[Path, ...]:
    """Draw the sample photos into `out_dir`, with `truth.json` and `treatments.csv`; return the files.

    Raises OutputError when a file cannot be written.
    """
    written: list[Path] = []
    truth = {}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for name, phantom in sample_photos():
            assert phantom.jpeg is not None  # noqa: S101 - every sample shot asks for one
            (out_dir / name).write_bytes(phantom.jpeg)
            truth[name] = _truth(phantom)
            written.append(out_dir / name)
        (out_dir / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
        (out_dir / "treatments.csv").write_bytes(TREATMENTS.encode())
    except OSError as error:
        raise OutputError(
            f"The sample images cannot be written to {out_dir} ({error.strerror}). "
            "Choose a folder you may write to."
        ) from error
    return (*written, out_dir / "truth.json", out_dir / "treatments.csv")


def _truth(phantom: Phantom) -> dict[str, object]:
    lines = [
        {
            "region": str(line.region),
            "length_mm": round(line.length_mm, 3),
            "width_mm": line.width_mm,
            "contrast": round(line.contrast, 5),
            "angle_deg": round(line.angle_deg, 2),
            # Every millimetre is enough to draw it; the drawing itself used a finer path.
            "path_mm": np.round(line.path_mm[::4], 2).tolist(),
            "skin_path_mm": np.round(line.skin_path_mm[::4], 2).tolist(),
        }
        for line in phantom.lines
    ]
    return {
        "mm_per_px": round(phantom.mm_per_px, 6),
        "yaw_deg": round(phantom.yaw_deg, 2),
        "pitch_deg": round(phantom.pitch_deg, 2),
        "roll_deg": round(phantom.roll_deg, 2),
        "lines": lines,
    }
