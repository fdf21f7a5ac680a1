"""The same lines over several photos of one face in one state: where each lies, and its contrast in each.

A line keeps its identity: every photo is laid onto the first, its lines are matched there, and each line ever
found is read in every photo along its place, whether or not it was found in that photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import chart as face_chart
from .kinds import Contrast
from .matching import is_piece, match_lines
from .records import Float, Region
from .registration import Registration
from .settings import Settings
from .sides import (
    Side,
    contrast_of,
    even,
    moved_aside,
    read_line,
    sigma_of,
    texture_of,
)
from .tracks import onto, search_mm, within_mm


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One line in one photo: its path (N, 2) chart mm there, the number of the line that was found there (-1:
    none), its contrast, the share of the contrast that the photo's softness leaves in doubt, and the share of
    the path that was seen."""

    path_mm: Float
    line: int
    contrast: Contrast
    doubt_share: float
    seen_share: float


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One line over several photos: its path (N, 2) chart mm on the first, its length on the skin there, and
    its sightings in the order of the photos."""

    region: Region
    path_mm: Float
    length_mm: float
    sightings: tuple[Sighting, ...]


@dataclass(slots=True, eq=False)
class _Known:
    """A line while it is gathered: place on the first photo, sharp width, its number in each photo so far."""

    path_mm: Float
    sigma_mm: float
    numbers: dict[int, int]


def trace_lines(
    sides: Sequence[Side],
    laid: Sequence[Registration],
    region: Region,
    settings: Settings,
    *,
    trusted: Sequence[bool],
) -> tuple[Trace, ...]:
    """Follow every line of one region through photos of one state, longest first.

    laid: how each photo after the first lies on the first. trusted: which photos can be compared; what was
    found in another alone is not followed.
    """
    known = _known_lines(sides, laid, region, trusted)
    paths = [_paths_in(number, sides, laid, region, known) for number in range(len(sides))]
    sightings: list[list[Sighting]] = [[] for _ in known]
    for number, side in enumerate(sides):
        for line, sighting in zip(
            sightings, _read(number, side, region, known, paths, laid, settings), strict=True
        ):
            line.append(sighting)
    traces = [
        Trace(region, line.path_mm, _length_mm(sides[0], line.path_mm), tuple(seen))
        for line, seen in zip(known, sightings, strict=True)
    ]
    return tuple(sorted(traces, key=lambda trace: -trace.length_mm))


def _known_lines(
    sides: Sequence[Side], laid: Sequence[Registration], region: Region, trusted: Sequence[bool]
) -> list[_Known]:
    known = [
        _Known(even(line.path_mm), sigma_of(line, sides[0].chart), {0: n})
        for n, line in sides[0].lines_in(region)
    ]
    for number, (side, registration) in enumerate(zip(sides[1:], laid, strict=True), start=1):
        lines = side.lines_in(region)
        paths = [even(line.path_mm) for _, line in lines]
        brought = [registration.to_rest(path) for path in paths]
        within = within_mm(registration, paths)
        matched = match_lines(brought, [line.path_mm for line in known], within_mm=within)
        for (place, line), path, match in zip(lines, brought, matched, strict=True):
            if match >= 0:
                known[match].numbers.setdefault(number, place)
            elif trusted[number] and not is_piece(path, [other.path_mm for other in known], within_mm=within):
                known.append(_Known(path, sigma_of(line, side.chart), {number: place}))
    return known


def _paths_in(
    number: int,
    sides: Sequence[Side],
    laid: Sequence[Registration],
    region: Region,
    known: Sequence[_Known],
) -> list[Float]:
    """Return where each known line lies in one photo: laid onto the line that was found there."""
    if number == 0:
        return [line.path_mm for line in known]
    registration, found = laid[number - 1], dict(sides[number].lines_in(region))
    paths = []
    for line in known:
        path = registration.to_expression(line.path_mm)
        if number in line.numbers:
            there = even(found[line.numbers[number]].path_mm)
            path = path + onto(path, there, within_mm(registration, [path]))
        paths.append(path)
    return paths


def _read(
    number: int,
    side: Side,
    region: Region,
    known: Sequence[_Known],
    paths: Sequence[Sequence[Float]],
    laid: Sequence[Registration],
    settings: Settings,
) -> list[Sighting]:
    readings = [
        (read_line(side, path, line.sigma_mm, region), path)
        for line, path in zip(known, paths[number], strict=True)
    ]
    texture = texture_of(side, region, readings, settings)
    sightings = []
    for line, (reading, path) in zip(known, readings, strict=True):
        found = number in line.numbers
        # Searched aside by the doubt of whichever registration brought the path here.
        doubtful = laid[number - 1] if number else laid[min(line.numbers) - 1] if not found else None
        search = None if found or doubtful is None else search_mm(doubtful, path)
        contrast, aside = contrast_of(
            side, region, reading, line.sigma_mm, texture, search_mm=search, settings=settings
        )
        if search is not None and not contrast.seen:
            # The best of many places is above 0 by chance; what is not seen is read at the place itself.
            plain, _ = contrast_of(
                side, region, reading, line.sigma_mm, texture, search_mm=None, settings=settings
            )
            contrast, aside = Contrast(plain.value, plain.se, contrast.limit), np.zeros(len(path))
        place = line.numbers.get(number, -1)
        doubt = side.softness_doubt(line.sigma_mm, region)
        sightings.append(Sighting(moved_aside(path, aside), place, contrast, doubt, reading.seen_share))
    return sightings


def _length_mm(side: Side, path_mm: Float) -> float:
    steps, _ = face_chart.on_skin(side.chart, path_mm)
    return float(np.linalg.norm(steps, axis=1).sum())
