"""What a course shows as a whole: conversions of lines, left against right, and how long an effect lasted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from .histories import Asymmetry, Conversion, Cycle, LineSighting, NoiseFigure, Series, SeriesPoint
from .records import LineKind, Region
from .visits import Treatment

_AT_REST = (LineKind.STATIC, LineKind.DEEPENED)


def conversions_of(sightings: Sequence[LineSighting]) -> tuple[Conversion, ...]:
    """Find where a line turned from dynamic to visible at rest, or back; untold visits are passed over."""
    told = [s for s in sightings if s.kind is not LineKind.INDETERMINATE]
    return tuple(
        Conversion(before.day, after.day, before.kind, after.kind)
        for before, after in pairwise(told)
        if (before.kind in _AT_REST) != (after.kind in _AT_REST)
    )


def asymmetry_of(series: Sequence[Series], noise: NoiseFigure) -> Iterator[Asymmetry]:
    """Compare the skin beside the left eye with that beside the right, at each visit that has both."""
    by_side = {(s.region, s.state): {p.day: p for p in s.points if not p.refused} for s in series}
    for (region, state), left in by_side.items():
        right = by_side.get((Region.CROWS_FEET_RIGHT, state), {})
        if region is not Region.CROWS_FEET_LEFT:
            continue
        for day in sorted(left.keys() & right.keys()):
            a, b = left[day], right[day]
            mean = (a.index + b.index) / 2
            if mean <= 0:
                continue
            value = (a.index - b.index) / mean
            # d = 2 (a − b) / (a + b): each index moves it by about its own relative error.
            se = math.hypot(*(p.index_se / mean for p in (a, b)), math.sqrt(2) * noise.relative_sd)
            yield Asymmetry(day, state, value, se)


Difference = Callable[[Series, date, date], float]
"""By how much a series' index at the second day differs from that at the first; 0 within the noise."""


def cycles_of(
    series: Sequence[Series], treatments: Sequence[Treatment], difference: Difference
) -> Iterator[Cycle]:
    """Tell for each treatment and treated region after how many days half of its effect was gone."""
    for one in series:
        for day, points in cycle_points(one, treatments):
            half = _half_gone(one, day, points, difference)
            yield Cycle(day, one.region, one.state, *(half or (None, None)))


def cycle_points(
    series: Series, treatments: Sequence[Treatment]
) -> Iterator[tuple[date, tuple[SeriesPoint, ...]]]:
    """Yield each treatment of the series' region with the visits of its course that can be compared.

    They are the last on or before its day, where there is one, and those until the next treatment of any
    region.
    """
    days = sorted({t.treated_on for t in treatments})
    points = [p for p in series.points if not p.refused]
    for number, day in enumerate(days):
        end = days[number + 1] if number + 1 < len(days) else date.max
        if any(series.region in t.regions for t in treatments if t.treated_on == day):
            before = [p for p in points if p.day <= day]
            yield day, (*before[-1:], *(p for p in points if day < p.day <= end))


def _half_gone(
    series: Series, day: date, points: Sequence[SeriesPoint], difference: Difference
) -> tuple[int, tuple[int, int]] | None:
    """Find when the index had come back half of the way from its lowest to that before treatment.

    Both ways must be beyond the noise: the lowest of several visits is below the first by chance. Returns
    days since treatment, and those of the two visits between which it was.
    """
    before = [p for p in points if p.day <= day]
    after = [p for p in points if p.day > day]
    if not before or len(after) < 2:
        return None
    lowest = min(after, key=lambda p: p.index)
    if difference(series, before[-1].day, lowest.day) >= 0:
        return None
    half = (lowest.index + before[-1].index) / 2
    later = [p for p in after if p.day >= lowest.day]
    for number, (one, other) in enumerate(pairwise(later), start=1):
        if other.index >= half:
            if not any(difference(series, lowest.day, p.day) > 0 for p in later[number:]):
                return None
            share = (half - one.index) / max(other.index - one.index, 1e-9)
            first, last = (one.day - day).days, (other.day - day).days
            return round(first + share * (last - first)), (first, last)
    return None
