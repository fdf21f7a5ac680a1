"""Bar A of the measurement page: drawn lines of known place, length, width, contrast, direction."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from wrinklecv.errors import PhotoError
from wrinklecv.phantom import Person, Shot, draw_phantom, random_lines
from wrinklecv.records import Region
from wrinklecv.selftest import Check, LineCheck, check_phantom

from . import disturbed, tones
from .table import Bar, Table, bar_table

TONES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SIZES_PX_PER_MM = (4.0, 6.0, 8.0, 12.0)
LIGHTS_DEG = ((-20.0, 30.0), (25.0, 20.0), (0.0, 50.0))
"""Azimuth and elevation of the main light."""
_FIRST_SEED = 60_000
"""Seeds from here on were drawn for the first time when measure version 2 was final (2026-11-25)."""

_GROUPS = {
    "forehead and glabella": (Region.FOREHEAD, Region.GLABELLA),
    "beside the eyes": (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT),
}
_NOTE = (
    "Faces drawn with lines of known place, length, width (at least two photo pixels) and contrast (0.08 to "
    "0.45), in four sizes, six skin tones and three lights, and faces without lines; JPEG 92. Judged by "
    "the median error, with the drawn scale given; the scale from the iris has its own row."
)


@dataclass(frozen=True, slots=True)
class Case:
    """One drawn face: what differs from the standard shot."""

    seed: int
    tone: float = 0.2
    px_per_mm: float = 8.0
    light_deg: tuple[float, float] = LIGHTS_DEG[0]
    with_lines: bool = True


def cases() -> list[Case]:
    """Every size, tone and light at least twice, with other lines each time; and line-free faces."""
    every = [
        *(Case(0, px_per_mm=size, tone=tone) for size in SIZES_PX_PER_MM for tone in (0.2, 0.8)),
        *(Case(0, tone=tone, light_deg=light) for tone in TONES for light in LIGHTS_DEG[1:]),
        *(Case(0, tone=tone, px_per_mm=6.0, with_lines=False) for tone in TONES),
    ]
    return [
        Case(_FIRST_SEED + n, c.tone, c.px_per_mm, c.light_deg, c.with_lines) for n, c in enumerate(every)
    ]


def measure(case: Case) -> Check | None:
    """Draw and measure one case; None when the face was not found."""
    rng = np.random.default_rng(case.seed)
    # Full widths of at least two photo pixels, as the bar says, and 1.5 × the detection limit or more.
    narrowest = max(0.4, 2.0 / case.px_per_mm)
    lines = random_lines(rng, width_mm=(narrowest, 1.6)) if case.with_lines else ()
    shot = Shot(
        px_per_mm=case.px_per_mm,
        width_px=round(210 * case.px_per_mm),
        height_px=round(260 * case.px_per_mm),
        light_azimuth_deg=case.light_deg[0],
        light_elevation_deg=case.light_deg[1],
        jpeg_quality=92,
    )
    try:
        phantom = draw_phantom(Person(seed=case.seed, skin_tone=case.tone, lines=lines), shot, seed=case.seed)
        return check_phantom(phantom)
    except PhotoError:
        return None


def run(_data: Path) -> tuple[Table, ...]:
    """Measure every drawn case on two processes: accuracy, disturbances, skin tones."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return (*_accuracy(pool), *disturbed.tables(pool), *tones.tables(pool))


def _accuracy(pool: Executor) -> tuple[Table, ...]:
    """Return the bars of all cases together, then by region, size and skin tone."""
    wanted = cases()
    results = list(zip(wanted, pool.map(measure, wanted), strict=True))
    found = [(case, check) for case, check in results if check and check.lines]
    checks = [check for _, check in found]
    tables = [bar_table("Drawn truth: all regions", [*_bars(checks), *_faces(results)], _NOTE)]
    for name, regions in _GROUPS.items():
        tables.append(bar_table(f"Drawn truth: {name}", _bars(checks, regions)))
    for size in SIZES_PX_PER_MM:
        some = [check for case, check in found if case.px_per_mm == size]
        tables.append(bar_table(f"Drawn truth: {size:.0f} px per mm", _bars(some)))
    for tone in TONES:
        some = [check for case, check in found if case.tone == tone]
        name = f"Drawn truth: skin tone {tone:.1f} (0 very light, 1 very dark)"
        tables.append(bar_table(name, _bars(some)))
    return tuple(tables)


def _faces(results: list[tuple[Case, Check | None]]) -> list[Bar]:
    missed = sum(check is None for _, check in results)
    checks = [check for _, check in results if check]
    bare = [check for check in checks if not check.lines]
    false = sum(c.false_mm_per_cm2 * c.seen_cm2 for c in bare) / max(sum(c.seen_cm2 for c in bare), 1e-9)
    ratios = np.array([check.scale_ratio for check in checks])
    worst = float(np.abs(ratios - 1).max())
    return [
        Bar("faces not found", f"{missed} of {len(results)}", "0", missed == 0),
        Bar("false lines on line-free skin", f"{false:.3f} mm/cm²", "≤ 0.05", false <= 0.05),
        Bar(
            "scale from the iris", f"{ratios.mean() - 1:+.1%} mean, {worst:.1%} worst", "± 5 %", worst <= 0.05
        ),
    ]


def _bars(checks: list[Check], regions: Iterable[Region] = tuple(Region)) -> list[Bar]:
    lines = [line for check in checks for line in check.lines if line.region in regions]
    seen = [line for line in lines if line.pieces]
    right = sum(line.pieces == 1 for line in lines)
    extra = sum(line.region in regions for check in checks for line in check.extra)
    if not seen:
        return [Bar("lines found once", f"0 of {len(lines)}", "all", False)]
    turns = np.array([line.turn_deg for line in seen])
    held = [share for line in seen for share in _within_two_se(line)]
    return [
        Bar(
            "lines found once; lines that nobody drew",
            f"{right} of {len(lines)}; {extra}",
            "all; 0",
            right == len(lines) and not extra,
        ),
        _ratio_bar("length", [_ratio(line.length_mm, line.true_length_mm) for line in seen], 0.02),
        _ratio_bar("width", [_ratio(line.width_mm, line.true_width_mm) for line in seen], 0.10),
        _ratio_bar("contrast", [_ratio(line.contrast, line.true_contrast) for line in seen], 0.03),
        Bar(
            "direction",
            f"{np.median(np.abs(turns)):.1f}° median, {np.quantile(np.abs(turns), 0.9):.1f}° for 9 of 10",
            "± 2°",
            bool(np.median(np.abs(turns)) <= 2),
        ),
        Bar(
            "truth within 2 standard errors",
            f"{np.mean(held):.0%} of all figures",
            "≥ 95 %",
            bool(np.mean(held) >= 0.95),
        ),
    ]


def _within_two_se(line: LineCheck) -> list[bool]:
    """Tell for length, width and contrast whether the stated uncertainty was honest."""
    pairs = (
        (line.length_mm - line.true_length_mm, line.length_se_mm),
        (line.width_mm - line.true_width_mm, line.width_se_mm),
        (line.contrast - line.true_contrast, line.contrast_se),
    )
    return [abs(error) <= 2 * se for error, se in pairs]


def _ratio(measured: float, true: float) -> float:
    return measured / true - 1


def _ratio_bar(name: str, errors: list[float], limit: float) -> Bar:
    """Judge a figure by the median error of its lines; bias and the spread stand beside it."""
    error = np.array(errors)
    typical, nine = np.median(np.abs(error)), np.quantile(np.abs(error), 0.9)
    text = f"{typical:.1%} median, {nine:.1%} for 9 of 10, bias {error.mean():+.1%}"
    return Bar(name, text, f"± {limit:.0%}", bool(typical <= limit))
