"""Smooth skin: young adults at rest have few lines on their foreheads, so long ones found there are false."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from wrinklecv.assessment import assess
from wrinklecv.errors import PhotoError
from wrinklecv.photo import read_photo
from wrinklecv.records import Region

from .photos import photos_in
from .table import Bar, Table, bar_table

MOST_MM_PER_CM2 = 1.0
"""4 cm of line on a usual forehead of 40 cm²."""
YOUNG = 25
"""Age in years up to which a forehead at rest is taken for smooth."""
_TITLE = "Smooth skin: foreheads at rest"
_REAL_NOTE = (
    "Studio photos of young adults at rest: the set `smooth_skin`, and the people of `rest_smile` aged "
    f"{YOUNG} or less. Some may have a real line, so the target is no zero. The photos were looked at while "
    "the method was tuned: this is not an independent figure."
)


@dataclass(frozen=True, slots=True)
class Forehead:
    """One photo's forehead: length of lines per area of skin; None where it could not be measured."""

    photo: Path
    density_mm_per_cm2: float | None


def run(data: Path) -> tuple[Table, ...]:
    """Measure the smooth foreheads in `data`, the development photos, or all photos of any other folder."""
    groups, note = _chosen(data)
    if not groups:
        return (Table(_TITLE, ("what",), (), note),)
    every = [path for paths in groups.values() for path in paths]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_one_core) as pool:
        measured = dict(zip(every, pool.map(measure, every), strict=True))
    bars = smooth_bars(list(measured.values()))
    if len(groups) > 1:
        for name, paths in groups.items():
            bars += smooth_bars([measured[path] for path in paths], name, judged=False)
    return (bar_table(_TITLE, bars, note),)


def measure(path: Path) -> Forehead:
    """Measure the forehead of one photo."""
    try:
        regions = {measures.region: measures for measures in assess(read_photo(path)).regions}
    except PhotoError:
        regions = {}
    forehead = regions.get(Region.FOREHEAD)
    return Forehead(path, forehead.density_mm_per_cm2 if forehead else None)


def smooth_bars(foreheads: Sequence[Forehead], group: str = "", *, judged: bool = True) -> list[Bar]:
    """Sum up: mean and largest density, how many have any line, how many could not be measured."""
    seen = [(f.density_mm_per_cm2, f.photo.stem) for f in foreheads if f.density_mm_per_cm2 is not None]
    name = f"{group}: " if group else ""
    refused = Bar(f"{name}foreheads not measured", f"{len(foreheads) - len(seen)} of {len(foreheads)}")
    if not seen:
        return [refused]
    mean, (most, where) = float(np.mean([density for density, _ in seen])), max(seen)
    target, met = (f"≤ {MOST_MM_PER_CM2:g} mm/cm²", mean <= MOST_MM_PER_CM2) if judged else ("", None)
    return [
        Bar(f"{name}line density, mean", f"{mean:.2f} mm/cm²", target, met),
        Bar(f"{name}line density, largest", f"{most:.2f} mm/cm²" + (f" ({where})" if most else "")),
        Bar(f"{name}foreheads with any line", f"{sum(density > 0 for density, _ in seen)} of {len(seen)}"),
        refused,
    ]


def young_at_rest(folder: Path) -> list[Path]:
    """List the photos at rest of people whose age in `folder`/people.csv is known and at most `YOUNG`."""
    with (folder / "people.csv").open(encoding="utf-8", newline="") as file:
        young = [p["subject"] for p in csv.DictReader(file) if p["age"].isdigit() and int(p["age"]) <= YOUNG]
    wanted = (folder / f"sub-{subject}_expr-rest.jpg" for subject in sorted(young))
    return [path for path in wanted if path.is_file()]


def _chosen(data: Path) -> tuple[dict[str, list[Path]], str]:
    """Return the photos by set, and a sentence about them."""
    rest, smooth = data / "rest_smile", data / "smooth_skin"
    if (rest / "people.csv").is_file() and smooth.is_dir():
        return {
            "smooth_skin": photos_in(smooth),
            f"rest_smile, age ≤ {YOUNG}": young_at_rest(rest),
        }, _REAL_NOTE
    found = photos_in(data)
    if not found:
        return {}, f"No photos of smooth skin: there are none in {data.name}."
    return {data.name: found}, f"{len(found)} photos in {data.name}, all taken for smooth skin."


def _one_core() -> None:
    cv2.setNumThreads(1)
