"""Records → Altair plots: the same plot on a page and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt

from .courses import cycle_points
from .histories import FollowUp, LineHistory, Series
from .records import Expression, Region
from .timeline import bands
from .visits import Treatment
from .windows import Windows

REST_COLOUR, EXPRESSION_COLOUR = "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito (2008); rest is drawn solid, expression dashed."""
_BAND_COLOURS = {"onset": "#e69f00", "peak": "#009e73", "wearing off": "#cc79a7"}
_BAND_OPACITY = 0.16
"""Orange, green and purple of the same palette, thin enough for a light and for a dark page."""
_GREY = "#888888"
_95 = 1.96
_HEIGHT_PX = 340


def plot_course(
    course: FollowUp,
    region: Region,
    treatments: Sequence[Treatment] = (),
    *,
    states: Sequence[Expression] = (),
) -> Any:
    """Plot one region over time: a curve per state with 95 % intervals, treatments, what is expected when.

    A visit that cannot be compared with the baseline is a hollow point, and no curve goes through it.
    Returns an altair.LayerChart, as wide as what it is put in.

    states: which to show; all when empty. Curves of rest and expression are never merged.
    """
    shown = [s for s in course.series if s.region is region and (not states or s.state in states)]
    last = max((p.day for s in shown for p in s.points), default=course.baseline)
    if course.next_photo:
        last = max(last, course.next_photo)
    layers = [
        *_bands(treatments, last, course.windows),
        *_curves(shown, course),
        *_marks(treatments, course.next_photo),
    ]
    return (
        alt.layer(*layers).resolve_scale(color="independent").properties(height=_HEIGHT_PX, width="container")
    )


def _bands(treatments: Sequence[Treatment], last: date, windows: Windows) -> list[alt.Chart]:
    """Shade what is expected when after each treatment, until the next."""
    days = sorted({t.treated_on for t in treatments})
    rows = []
    for sessions, start in enumerate(days, start=1):
        end = days[sessions] if sessions < len(days) else date.max
        for band in bands(sessions, windows):
            first = start + timedelta(days=band.first_day)
            if first < min(end, last + timedelta(days=30)):
                until = min(end, start + timedelta(days=band.last_day))
                rows.append(
                    {"from": _iso(first), "to": _iso(until), "expected": band.name, "source": band.source}
                )
    if not rows:
        return []
    base = alt.Chart(alt.InlineData(values=rows))
    return [
        base.mark_rect(opacity=_BAND_OPACITY).encode(
            x=alt.X("from:T", title=None),
            x2="to:T",
            color=alt.Color(
                "expected:N",
                scale=alt.Scale(domain=list(_BAND_COLOURS), range=list(_BAND_COLOURS.values())),
                legend=alt.Legend(title=None, orient="bottom", symbolOpacity=3 * _BAND_OPACITY),
            ),
            tooltip=["expected:N", "source:N"],
        )
    ]


def _curves(series: Sequence[Series], course: FollowUp) -> list[alt.Chart]:
    rows: list[dict[str, Any]] = [
        {
            "day": _iso(point.day),
            "state": one.state.value.replace("_", " "),
            "index": point.index,
            "low": course.interval(point)[0],
            "high": course.interval(point)[1],
            "days": "" if point.days is None else point.days,
            "photos": point.photos,
            "comparable": "no" if point.refused else "yes",
        }
        for one in series
        for point in one.points
    ]
    names = list(dict.fromkeys(str(row["state"]) for row in rows))
    colours = alt.Scale(
        domain=names, range=[REST_COLOUR if name == "rest" else EXPRESSION_COLOUR for name in names]
    )
    dashes = alt.Scale(domain=names, range=[[1, 0] if name == "rest" else [6, 3] for name in names])
    legend = alt.Legend(title=None, orient="top")
    bare = alt.Color("state:N", scale=colours, legend=None)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("day:T", title=None, axis=alt.Axis(format="%d %b %Y", labelAngle=-30, tickCount=6))
    )
    tooltip = [
        alt.Tooltip("day:T", title="visit"),
        alt.Tooltip("state:N", title="state"),
        alt.Tooltip("index:Q", title="wrinkle index", format=".1f"),
        alt.Tooltip("days:N", title="days since treatment"),
        alt.Tooltip("photos:Q", title="photos"),
        alt.Tooltip("comparable:N", title="comparable with the baseline"),
    ]
    fit = "datum.comparable == 'yes'"
    y = alt.Y(
        "index:Q", title=["wrinkle index, mm·%/cm²", "(higher = more lines)"], scale=alt.Scale(zero=True)
    )
    return [
        base.mark_rule(strokeWidth=1.5)
        .encode(y=alt.Y("low:Q", title=""), y2="high:Q", color=bare)
        .transform_filter(fit),
        base.mark_line(strokeWidth=2)
        .transform_filter(fit)
        .encode(
            y=y,
            color=alt.Color("state:N", scale=colours, legend=legend),
            strokeDash=alt.StrokeDash("state:N", scale=dashes, legend=None),
        ),
        base.mark_point(size=60, opacity=1).encode(
            y=y,
            color=bare,
            fill=alt.Color("state:N", scale=colours, legend=None),
            fillOpacity=alt.condition(fit, alt.value(1), alt.value(0)),
            tooltip=tooltip,
        ),
    ]


def _marks(treatments: Sequence[Treatment], next_photo: date | None) -> list[alt.Chart]:
    rows = [{"day": _iso(t.treated_on), "what": "treatment"} for t in treatments]
    if next_photo:
        rows.append({"day": _iso(next_photo), "what": "next photo"})
    if not rows:
        return []
    base = alt.Chart(alt.InlineData(values=rows)).encode(x="day:T")
    return [
        base.mark_rule(color=_GREY, strokeDash=[2, 2]),
        base.mark_text(align="left", dx=4, y=8, fontSize=11, color=_GREY).encode(text="what:N"),
    ]


def plot_cycles(course: FollowUp, region: Region, state: Expression, treatments: Sequence[Treatment]) -> Any:
    """Plot what followed each treatment of a region, laid over each other at the day of the treatment.

    Returns an altair.LayerChart, as wide as what it is put in. Visits that cannot be compared are left out.
    """
    rows = [
        {
            "days": (point.day - day).days,
            "treatment": f"{day:%d %b %Y}",
            "index": point.index,
            "low": course.interval(point)[0],
            "high": course.interval(point)[1],
        }
        for one in course.series
        if (one.region, one.state) == (region, state)
        for day, points in cycle_points(one, treatments)
        for point in points
    ]
    order = list(dict.fromkeys(str(row["treatment"]) for row in rows))
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("days:Q", title="days since the treatment"),
        color=alt.Color("treatment:N", sort=order, legend=alt.Legend(title="treatment", orient="top")),
    )
    y = alt.Y(
        "index:Q", title=["wrinkle index, mm·%/cm²", "(higher = more lines)"], scale=alt.Scale(zero=True)
    )
    tooltip = ["treatment:N", "days:Q", alt.Tooltip("index:Q", title="wrinkle index", format=".1f")]
    return alt.layer(
        base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=""), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=y, tooltip=tooltip),
    ).properties(height=_HEIGHT_PX, width="container")


def plot_lines(histories: Sequence[LineHistory]) -> Any:
    """Plot the depth score of lines over visits, with 95 % intervals; hollow where a line was not seen.

    Visits at which a line was hidden or not comparable have no point.
    Returns an altair.LayerChart, as wide as what it is put in. histories: of one region and state.
    """
    rows = [
        {
            "day": _iso(sighting.day),
            "line": str(history.number),
            "depth": 100 * sighting.contrast,
            "low": 100 * (sighting.contrast - _95 * sighting.contrast_se),
            "high": 100 * (sighting.contrast + _95 * sighting.contrast_se),
            "seen": "seen" if sighting.seen else "not seen",
        }
        for history in histories
        for sighting in history.sightings
        if not sighting.refused
    ]
    numbers = [str(history.number) for history in histories]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("day:T", title=None, axis=alt.Axis(format="%d %b %Y", labelAngle=-30, tickCount=6)),
        color=alt.Color("line:N", sort=numbers, legend=alt.Legend(title="line", orient="right")),
    )
    y = alt.Y("depth:Q", title=["depth score, %", "(higher = deeper)"], scale=alt.Scale(zero=True))
    tooltip = [
        alt.Tooltip("day:T", title="visit"),
        alt.Tooltip("line:N", title="line"),
        alt.Tooltip("depth:Q", title="depth score, %", format=".1f"),
        alt.Tooltip("seen:N", title="in the photo"),
    ]
    return alt.layer(
        base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=""), y2="high:Q"),
        base.mark_line(strokeWidth=1.5).encode(y=y),
        base.mark_point(size=60, opacity=1).encode(
            y=y,
            fillOpacity=alt.condition("datum.seen == 'seen'", alt.value(1), alt.value(0)),
            fill=alt.Color("line:N", sort=numbers, legend=None),
            tooltip=tooltip,
        ),
    ).properties(height=_HEIGHT_PX, width="container")


def _iso(day: date) -> str:
    """Return a day as Vega reads it: at noon, so that no time zone moves it to another."""
    return f"{day.isoformat()}T12:00:00"
