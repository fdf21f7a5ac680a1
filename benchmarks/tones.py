"""The same lines on six skin tones: is as much of them found on dark skin as on light?"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from wrinklecv.errors import PhotoError
from wrinklecv.phantom import Person, PhantomLine, Shot, draw_phantom, random_lines
from wrinklecv.phantom.person import skin_colour
from wrinklecv.selftest import check_phantom

from .table import Table

TONES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
CONTRASTS = (0.04, 0.06, 0.10, 0.20)
_PERSONS = 4
_FIRST_SEED = 62_100
"""Used nowhere else."""
_MAX_GAP_POINTS = 2.0
_PX_PER_MM = 8.0
_LUMINANCE = np.array((0.2126, 0.7152, 0.0722))  # Rec. 709, linear light
_FOR_FACE, _FIXED = "exposed for the face", "one exposure"


@dataclass(frozen=True, slots=True)
class Job:
    """One person in one skin tone; all contrasts and exposures of it share what is slow to paint."""

    seed: int
    tone: float


@dataclass(frozen=True, slots=True)
class Found:
    """How much of the drawn lines of one contrast was found in one photo, mm."""

    tone: float
    exposure: str
    contrast: float
    found_mm: float
    drawn_mm: float


def exposure_ev(tone: float) -> float:
    """Return the stops that bring skin of this tone to the brightness of tone 0.2 at 0 stops."""
    light = [float(skin_colour(t) @ _LUMINANCE) for t in (0.2, tone)]
    return float(np.log2(light[0] / light[1]))


def lines_of(seed: int, contrast: float) -> tuple[PhantomLine, ...]:
    """Return one person's lines: the same places and widths at every contrast and skin tone."""
    lines = random_lines(np.random.default_rng(seed), width_mm=(0.6, 1.4))
    return tuple(replace(line, contrast=contrast) for line in lines)


def measure(job: Job) -> tuple[Found, ...]:
    """Measure one person and tone at every contrast and exposure."""
    stops = {_FOR_FACE: exposure_ev(job.tone), _FIXED: 0.0}
    return tuple(
        Found(job.tone, exposure, contrast, *_found_and_drawn_mm(job, contrast, ev))
        for exposure, ev in stops.items()
        for contrast in CONTRASTS
    )


@functools.lru_cache(maxsize=8)  # where both exposures are the same, one photo serves both
def _found_and_drawn_mm(job: Job, contrast: float, ev: float) -> tuple[float, float]:
    """Draw and measure one photo; one that is refused has found nothing."""
    person = Person(seed=job.seed, skin_tone=job.tone, lines=lines_of(job.seed, contrast))
    shot = Shot(
        px_per_mm=_PX_PER_MM,
        width_px=round(190 * _PX_PER_MM),
        height_px=round(235 * _PX_PER_MM),
        exposure_ev=ev,
        jpeg_quality=92,
    )
    phantom = draw_phantom(person, shot, seed=job.seed)
    try:
        lines = check_phantom(phantom).lines
    except PhotoError:
        lines = ()
    found_mm = sum(min(line.length_mm, line.true_length_mm) for line in lines)
    return found_mm, sum(line.length_mm for line in phantom.lines)


def tables(pool: Executor) -> tuple[Table, ...]:
    """Measure every person in every tone, and set the share found side by side."""
    jobs = [Job(_FIRST_SEED + n, tone) for tone in TONES for n in range(_PERSONS)]
    results = [found for person in pool.map(measure, jobs) for found in person]
    rows = tuple(
        _row(exposure, contrast, [r for r in results if (r.exposure, r.contrast) == (exposure, contrast)])
        for exposure in (_FOR_FACE, _FIXED)
        for contrast in CONTRASTS
    )
    stops = ", ".join(f"{exposure_ev(tone):+.1f}" for tone in TONES)
    note = (
        "Share of the drawn length found (of a line in pieces, the longest). The same lines (0.6 to 1.4 mm "
        f"wide) of {_PERSONS} persons on every skin tone (0 very light, 1 very dark), {_PX_PER_MM:.0f} px "
        "per mm, JPEG 92; a refused region or photo has found nothing. Exposed for the face: "
        f"{stops} stops, so that skin of every tone is as bright in the photo as that of tone 0.2; one "
        "exposure: 0 stops for all. Judged is the lightest tone against the darkest; the gap lies between "
        "the tone found best and the one found worst."
    )
    head = ("photo", "contrast", *(f"tone {tone:.1f}" for tone in TONES), "0.0 to 1.0", "gap", "target", "")
    return (Table("Skin tone: lines found at equal contrast", head, rows, note),)


def _row(exposure: str, contrast: float, results: Sequence[Found]) -> tuple[str, ...]:
    shares = []
    for tone in TONES:
        some = [r for r in results if r.tone == tone]
        shares.append(sum(r.found_mm for r in some) / sum(r.drawn_mm for r in some))
    gap, ends = 100 * (max(shares) - min(shares)), 100 * (shares[-1] - shares[0])
    return (
        exposure,
        f"{contrast:.2f}",
        *(f"{share:.1%}" for share in shares),
        f"{ends:+.1f} points",
        f"{gap:.1f} points",
        f"≤ {_MAX_GAP_POINTS:.0f} points",
        "met" if abs(ends) <= _MAX_GAP_POINTS else "**missed**",
    )
