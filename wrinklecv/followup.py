"""follow_up(): visits over time. The order of the steps, and nothing else.

Rest and each expression are followed apart: their courses differ after a treatment and are never merged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np

from .changes import PRIOR_NOISE, Value, judge_change
from .comparison import compare
from .courses import asymmetry_of, conversions_of, cycles_of
from .errors import NotComparableError
from .histories import (
    Change,
    ChangeVerdict,
    FollowUp,
    LineHistory,
    LineSighting,
    NoiseFigure,
    Series,
    SeriesPoint,
    VisitPhotos,
    VisitStatus,
)
from .pairs import SPEAKS_FOR, Comparison
from .records import Assessment, Expression, Finding, LineKind, Region
from .settings import DEFAULTS, Settings
from .states import State, doubts_of, gather_state, judge_between, refusal_of
from .timeline import days_since, next_photo, status_at
from .traces import Sighting, Trace, trace_lines
from .visits import Treatment
from .windows import WINDOWS, Windows

_MOST_UNSEEN = 0.1
"""Share of the lines, by length, that a photo may hide and still be compared."""
_COMMON_SD = 0.02
"""Relative error of an index that all its lines share between two photos, beyond the clinic's own noise."""
_LEAST_SD = 2.0
"""Least error of an index, mm·%/cm²: lines near the limit are found in one photo and not in the next. Without
it the foreheads of 6 of 47 people were called changed between a photo at rest and one smiling, taken in one
session; with it, of 1."""

_Values = dict[tuple[Region, Expression], dict[int, Value]]
"""The index of each region and state at each visit, by the visit's number."""


def follow_up(
    visits: Sequence[VisitPhotos],
    *,
    treatments: Sequence[Treatment] = (),
    noise: NoiseFigure = PRIOR_NOISE,
    settings: Settings = DEFAULTS,
    windows: Windows = WINDOWS,
) -> FollowUp:
    """Follow the lines of one subject over visits.

    visits: one per day, in any order; the first with photos is the baseline. treatments: of this subject.
    noise: what photos of an unchanged face differ by; measured on this clinic's repeats where there are some.
    windows: what is usual when after a treatment.
    Raises NotComparableError when there is no visit, two share a day, or photos were measured differently.
    """
    ordered = sorted((v for v in visits if v.photos), key=lambda visit: visit.day)
    _check(ordered)
    _, measured = ordered[0].photos[0]
    states = [
        state
        for name in (Expression.REST, *SPEAKS_FOR)
        if (state := gather_state(name, ordered, settings)) is not None
    ]
    kinds = {k: _kinds(visit, settings) for k, visit in enumerate(ordered)}
    series: list[Series] = []
    values: _Values = {}
    lines: list[LineHistory] = []
    for state in states:
        for region in Region:
            used = [n for n, side in enumerate(state.sides) if _measured(side.assessment, region)]
            if not used or used[0] != 0:
                continue
            traces = trace_lines(
                [state.sides[n] for n in used],
                [state.laid[n - 1][region] for n in used[1:]],
                region,
                settings,
                trusted=[not refusal_of(state.findings[n], region) for n in used],
            )
            found = _values(state, region, used, traces, settings)
            values[region, state.state] = found
            series.append(_series(region, state, found, ordered, treatments))
            lines += _histories(state, region, used, traces, ordered, kinds, settings)
    judge = _Judge(values, {state.state: state for state in states}, ordered, treatments, noise)
    return FollowUp(
        baseline=ordered[0].day,
        noise=noise,
        visits=tuple(_status(k, visit, states, treatments, windows) for k, visit in enumerate(ordered)),
        series=tuple(series),
        changes=tuple(_changes(judge)),
        lines=tuple(lines),
        asymmetries=tuple(asymmetry_of(series, noise)),
        cycles=tuple(cycles_of(series, treatments, judge.difference)),
        next_photo=next_photo([v.day for v in ordered], treatments, windows),
        settings_digest=measured.settings_digest,
        measure_version=measured.measure_version,
        model_sha256=measured.model_sha256,
        windows=windows,
    )


def _check(visits: Sequence[VisitPhotos]) -> None:
    if not visits:
        raise NotComparableError("There is no visit with a photo to follow.")
    days = [visit.day for visit in visits]
    if len(set(days)) < len(days):
        raise NotComparableError("Two visits have the same day: give all photos of a day to one visit.")
    keys = {
        (a.settings_digest, a.measure_version, a.model_sha256) for visit in visits for _, a in visit.photos
    }
    if len(keys) > 1:
        raise NotComparableError(
            "The photos were measured in different ways: assess all again with the same version and settings."
        )


# -- photos of one state ---------------------------------------------------------------------------


def _measured(assessment: Assessment, region: Region) -> bool:
    return any(m.region is region for m in assessment.regions)


def _values(
    state: State, region: Region, used: Sequence[int], traces: Sequence[Trace], settings: Settings
) -> dict[int, Value]:
    """Return the index of each visit (mean over its runs) over the area seen at baseline."""
    area_cm2 = next(m.area_mm2 for m in state.sides[0].assessment.regions if m.region is region) / 100
    by_visit: dict[int, list[Value]] = {}
    for place, n in enumerate(used):
        weighted = [(t.length_mm * 100 / area_cm2, t.sightings[place]) for t in traces]
        index = sum(length * seen.contrast.value for length, seen in weighted)
        own = (length * seen.contrast.se for length, seen in weighted)
        # Softness flattens all lines of a photo alike.
        soft = sum(length * abs(seen.contrast.value) * seen.doubt_share for length, seen in weighted)
        value = Value(index, math.hypot(0.0, *own, soft, _COMMON_SD * abs(index), _LEAST_SD))
        by_visit.setdefault(state.visits[n], []).append(
            replace(value, refused=_refusal(state.findings[n], region, weighted, settings))
        )
    return {visit: _mean(values) for visit, values in by_visit.items()}


def _refusal(
    findings: Sequence[Finding],
    region: Region,
    weighted: Sequence[tuple[float, Sighting]],
    settings: Settings,
) -> str:
    """Return why a photo's region cannot be compared with the first photo's, empty where it can.

    weighted: the lines' lengths, in any unit, and what was seen of them.
    """
    whole = sum(length for length, _ in weighted)
    hidden = sum(length for length, seen in weighted if seen.seen_share < settings.min_seen_share)
    if hidden > _MOST_UNSEEN * whole:
        return refusal_of(findings, region) or (
            f"The photo hides {hidden / whole:.0%} of the lines of this region: clear it of hair and glasses."
        )
    return refusal_of(findings, region)


def _mean(values: Sequence[Value]) -> Value:
    """Average the runs of a visit that can be compared; without one, the first says why."""
    fit = [value for value in values if not value.refused]
    if not fit:
        return values[0]
    index = float(np.mean([value.index for value in fit]))
    se = math.hypot(*(value.se for value in fit)) / len(fit)
    return Value(index, se, photos=len(fit))


def _series(
    region: Region,
    state: State,
    values: Mapping[int, Value],
    visits: Sequence[VisitPhotos],
    treatments: Sequence[Treatment],
) -> Series:
    points = tuple(
        SeriesPoint(
            visits[k].day,
            days_since(visits[k].day, treatments),
            value.index,
            value.se,
            value.photos,
            value.refused,
        )
        for k, value in sorted(values.items())
    )
    return Series(region, state.state, points)


# -- changes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Judge:
    """All that a judgement of two visits rests on."""

    values: _Values
    states: Mapping[Expression, State]
    visits: Sequence[VisitPhotos]
    treatments: Sequence[Treatment]
    noise: NoiseFigure

    def change(self, region: Region, name: Expression, earlier: int, later: int) -> Change:
        """Judge one region and state at two visits, by their numbers."""
        found, state = self.values[region, name], self.states[name]
        since, until = self.visits[earlier].day, self.visits[later].day
        treated = _treated(self.treatments, until)
        controls = [
            (other[earlier], other[later])
            for (place, state_), other in self.values.items()
            if state_ is name and treated and place not in treated and place is not region
            if earlier in other and later in other
        ]
        # What forbids comparing with the first visit stands in the values already.
        between = list(judge_between(state, region, earlier, later)) if earlier else []
        judged = judge_change(
            _dated(found[earlier], since),
            _dated(found[later], until),
            self.noise,
            controls,
            refused=refusal_of(between, region),
        )
        return Change(
            region=region,
            state=name,
            since=since,
            until=until,
            treated=region in treated,
            doubts=doubts_of(state, region, (earlier, later), between),
            **{f.name: getattr(judged, f.name) for f in fields(judged)},
        )

    def difference(self, one: Series, earlier: date, later: date) -> float:
        """Return by how much one day's index differs from another's; 0 where that is not beyond the noise."""
        number = {visit.day: k for k, visit in enumerate(self.visits)}
        change = self.change(one.region, one.state, number[earlier], number[later])
        return change.difference if change.verdict is ChangeVerdict.CHANGED else 0.0


def _dated(value: Value, day: date) -> Value:
    """Say of which visit it is that it cannot be compared."""
    return replace(value, refused=f"{day}: {value.refused}") if value.refused else value


def _changes(judge: _Judge) -> Iterator[Change]:
    """Judge each visit against the baseline and against the visit before."""
    for (region, state), found in judge.values.items():
        numbers = sorted(found)
        for place, number in enumerate(numbers[1:], start=1):
            for earlier in dict.fromkeys((numbers[0], numbers[place - 1])):
                yield judge.change(region, state, earlier, number)


def _treated(treatments: Sequence[Treatment], until: date) -> frozenset[Region]:
    """Return the regions that were treated before a day: on the day itself the photo comes first."""
    return frozenset(region for t in treatments if t.treated_on < until for region in t.regions)


# -- lines -----------------------------------------------------------------------------------------


def _kinds(visit: VisitPhotos, settings: Settings) -> dict[tuple[str, int], LineKind]:
    """Compare the visit's rest photo with its expressions: (photo sha256, line number) → kind."""
    rest = next((a for name, a in visit.photos if name is Expression.REST), None)
    result: dict[tuple[str, int], LineKind] = {}
    if rest is None:
        return result
    for name, assessment in visit.photos:
        if name not in SPEAKS_FOR:
            continue
        comparison = compare(rest, assessment, name=name, settings=settings)
        for line in _own_lines(comparison):
            result[assessment.photo_sha256, line[0]] = line[1]
    return result


def _own_lines(comparison: Comparison) -> Iterator[tuple[int, LineKind]]:
    for line in comparison.lines:
        if line.region in SPEAKS_FOR[comparison.name] and line.expression_line >= 0:
            yield line.expression_line, line.kind


def _histories(
    state: State,
    region: Region,
    used: Sequence[int],
    traces: Sequence[Trace],
    visits: Sequence[VisitPhotos],
    kinds: Mapping[int, Mapping[tuple[str, int], LineKind]],
    settings: Settings,
) -> Iterator[LineHistory]:
    """Turn traces into histories: one sighting per visit, of its first run that can be compared."""
    for number, trace in enumerate(traces, start=1):
        sightings: dict[int, LineSighting] = {}
        for sighting, n in zip(trace.sightings, used, strict=True):
            visit, sha256 = state.visits[n], state.sides[n].assessment.photo_sha256
            kind = kinds[visit].get((sha256, sighting.line), LineKind.INDETERMINATE)
            refused = refusal_of(state.findings[n], region)
            if not refused and sighting.seen_share < settings.min_seen_share:
                refused = "The photo hides too much of it: clear it of hair and glasses."
            one = _sighting(visits[visit].day, sighting, kind, refused)
            if visit not in sightings or (sightings[visit].refused and not refused):
                sightings[visit] = one
        seen = tuple(sightings[k] for k in sorted(sightings))
        yield LineHistory(region, state.state, number, trace.length_mm, seen, conversions_of(seen))


def _sighting(day: date, sighting: Sighting, kind: LineKind, refused: str) -> LineSighting:
    read = sighting.contrast
    if refused:
        kind = LineKind.INDETERMINATE
    return LineSighting(
        day, sighting.line, read.value, read.se, read.limit, read.seen and not refused, kind, refused
    )


def _status(
    number: int,
    visit: VisitPhotos,
    states: Sequence[State],
    treatments: Sequence[Treatment],
    windows: Windows,
) -> VisitStatus:
    findings = tuple(
        (state.state, finding)
        for state in states
        for k, found in zip(state.visits, state.findings, strict=True)
        if k == number
        for finding in found
    )
    days, status = days_since(visit.day, treatments), status_at(visit.day, treatments, windows)
    return VisitStatus(visit.day, days, status, findings)
