"""follow_up(): visits over time. The order of the steps, and nothing else.

Rest and each expression are followed apart: their courses differ after a treatment and are never merged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from .changes import PRIOR_NOISE, Value, judge_change
from .comparability import judge_visits
from .comparison import compare
from .courses import asymmetry_of, conversions_of, cycles_of
from .errors import NotComparableError
from .histories import (
    Change,
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
from .records import Assessment, Expression, Finding, LineKind, Region, Verdict
from .registration import Registration, register
from .settings import DEFAULTS, Settings
from .sides import Side, side_of
from .timeline import days_since, next_photo, status_at
from .traces import Sighting, Trace, equally_soft, trace_lines
from .visits import Treatment

_MOST_UNSEEN = 0.1
"""Share of the lines, by length, that a photo may hide and still be compared."""
_COMMON_SD = 0.02
"""Relative error of an index that all its lines share between two photos, beyond the clinic's own noise."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """All photos of one state in the order of their visits: visit numbers, sides, how each lies on the first,
    and why each cannot be compared with it (by region; None is the whole photo)."""

    state: Expression
    visits: tuple[int, ...]
    sides: tuple[Side, ...]
    laid: tuple[dict[Region, Registration], ...]
    findings: tuple[tuple[Finding, ...], ...]


def follow_up(
    visits: Sequence[VisitPhotos],
    *,
    treatments: Sequence[Treatment] = (),
    noise: NoiseFigure = PRIOR_NOISE,
    settings: Settings = DEFAULTS,
) -> FollowUp:
    """Follow the lines of one subject over visits.

    visits: one per day, in any order; the first with photos is the baseline. treatments: of this subject.
    noise: what photos of an unchanged face differ by; measured on this clinic's repeats where there are some.
    Raises NotComparableError when there is no visit, two share a day, or photos were measured differently.
    """
    ordered = sorted((v for v in visits if v.photos), key=lambda visit: visit.day)
    _check(ordered)
    states = [
        state
        for name in (Expression.REST, *SPEAKS_FOR)
        if (state := _gather(name, ordered, settings)) is not None
    ]
    kinds = {k: _kinds(visit, settings) for k, visit in enumerate(ordered)}
    series: list[Series] = []
    values: dict[tuple[Region, Expression], dict[int, Value]] = {}
    lines: list[LineHistory] = []
    for state in states:
        for region in Region:
            used = [n for n, side in enumerate(state.sides) if _measured(side.assessment, region)]
            if not used or used[0] != 0:
                continue
            traces = _traces(state, region, used, settings)
            found = _values(state, region, used, traces, settings)
            values[region, state.state] = found
            series.append(_series(region, state, found, ordered, treatments))
            lines += _histories(state, region, used, traces, ordered, kinds)
    return FollowUp(
        baseline=ordered[0].day,
        noise=noise,
        visits=tuple(_status(k, visit, states, treatments) for k, visit in enumerate(ordered)),
        series=tuple(series),
        changes=tuple(_changes(values, ordered, treatments, noise)),
        lines=tuple(lines),
        asymmetries=tuple(asymmetry_of(series, noise)),
        cycles=tuple(cycles_of(series, treatments)),
        next_photo=next_photo([v.day for v in ordered], treatments),
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


def _gather(state: Expression, visits: Sequence[VisitPhotos], settings: Settings) -> _State | None:
    """Lay all photos of one state onto the first of the baseline visit; None where the baseline has none."""
    photos = [(k, a) for k, visit in enumerate(visits) for name, a in visit.photos if name is state]
    if not photos or photos[0][0] != 0:
        return None
    sides = equally_soft([side_of(assessment, settings) for _, assessment in photos])
    first = sides[0]
    laid, findings = [], [tuple[Finding, ...]()]
    for side in sides[1:]:
        how = register(first.chart, side.chart, visible=side.skin.visible)
        findings.append(tuple(judge_visits(first, side, how, state)))
        laid.append(how)
    return _State(state, tuple(k for k, _ in photos), tuple(sides), tuple(laid), tuple(findings))


def _measured(assessment: Assessment, region: Region) -> bool:
    return any(m.region is region for m in assessment.regions)


def _traces(state: _State, region: Region, used: Sequence[int], settings: Settings) -> tuple[Trace, ...]:
    sides = [state.sides[n] for n in used]
    return trace_lines(sides, [state.laid[n - 1][region] for n in used[1:]], region, settings)


def _values(
    state: _State, region: Region, used: Sequence[int], traces: Sequence[Trace], settings: Settings
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
        value = Value(index, math.hypot(0.0, *own, soft, _COMMON_SD * abs(index)))
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
    for finding in findings:
        if finding.verdict is Verdict.REFUSE and finding.region in (None, region):
            return finding.advice
    whole = sum(length for length, _ in weighted)
    hidden = sum(length for length, seen in weighted if seen.seen_share < settings.min_seen_share)
    if hidden > _MOST_UNSEEN * whole:
        return (
            f"The photo hides {hidden / whole:.0%} of the lines of this region: clear it of hair and glasses."
        )
    return ""


def _mean(values: Sequence[Value]) -> Value:
    """Average the runs of a visit that can be compared."""
    fit = [value for value in values if not value.refused]
    if not fit:
        return values[0]
    index = float(np.mean([value.index for value in fit]))
    se = math.hypot(*(value.se for value in fit)) / len(fit)
    return Value(index, se)


def _series(
    region: Region,
    state: _State,
    values: Mapping[int, Value],
    visits: Sequence[VisitPhotos],
    treatments: Sequence[Treatment],
) -> Series:
    points = tuple(
        SeriesPoint(
            visits[k].day, days_since(visits[k].day, treatments), value.index, value.se, state.visits.count(k)
        )
        for k, value in sorted(values.items())
    )
    return Series(region, state.state, points)


# -- changes ---------------------------------------------------------------------------------------


def _changes(
    values: Mapping[tuple[Region, Expression], Mapping[int, Value]],
    visits: Sequence[VisitPhotos],
    treatments: Sequence[Treatment],
    noise: NoiseFigure,
) -> Iterator[Change]:
    """Judge each visit against the baseline and against the visit before."""
    for (region, state), found in values.items():
        numbers = sorted(found)
        for place, number in enumerate(numbers[1:], start=1):
            for earlier in dict.fromkeys((numbers[0], numbers[place - 1])):
                since, until = visits[earlier].day, visits[number].day
                treated = _treated(treatments, until)
                controls = [
                    (other[earlier], other[number])
                    for (place_, state_), other in values.items()
                    if state_ is state and treated and place_ not in treated and place_ is not region
                    if earlier in other and number in other
                ]
                judged = judge_change(found[earlier], found[number], noise, controls)
                yield Change(
                    region=region,
                    state=state,
                    since=since,
                    until=until,
                    difference=judged.difference,
                    se=judged.se,
                    smallest_detectable=judged.smallest_detectable,
                    share=judged.share,
                    verdict=judged.verdict,
                    reason=judged.reason,
                    treated=region in treated,
                )


def _treated(treatments: Sequence[Treatment], until: date) -> frozenset[Region]:
    """Return the regions that were treated on or before a day."""
    return frozenset(region for t in treatments if t.treated_on <= until for region in t.regions)


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
    state: _State,
    region: Region,
    used: Sequence[int],
    traces: Sequence[Trace],
    visits: Sequence[VisitPhotos],
    kinds: Mapping[int, Mapping[tuple[str, int], LineKind]],
) -> Iterator[LineHistory]:
    """Turn traces into histories: one sighting per visit, of its first run."""
    for number, trace in enumerate(traces, start=1):
        sightings: dict[int, LineSighting] = {}
        for sighting, n in zip(trace.sightings, used, strict=True):
            visit, sha256 = state.visits[n], state.sides[n].assessment.photo_sha256
            kind = kinds[visit].get((sha256, sighting.line), LineKind.INDETERMINATE)
            day, read = visits[visit].day, sighting.contrast
            sightings.setdefault(
                visit,
                LineSighting(day, sighting.line, read.value, read.se, read.limit, read.seen, kind),
            )
        seen = tuple(sightings[k] for k in sorted(sightings))
        yield LineHistory(region, state.state, number, trace.length_mm, seen, conversions_of(seen))


def _status(
    number: int, visit: VisitPhotos, states: Sequence[_State], treatments: Sequence[Treatment]
) -> VisitStatus:
    findings = tuple(
        (state.state, finding)
        for state in states
        for k, found in zip(state.visits, state.findings, strict=True)
        if k == number
        for finding in found
    )
    return VisitStatus(
        visit.day, days_since(visit.day, treatments), status_at(visit.day, treatments), findings
    )
