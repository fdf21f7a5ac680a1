"""Records → Altair plots: the same plot on a page and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt

from .histories import FollowUp, Series
from .records import Expression, Region
from .timeline import bands
from .visits import Treatment

REST_COLOUR, EXPRESSION_COLOUR = "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito (2008); rest is drawn solid, expression dashed."""
_BAND_COLOURS = {"onset": "#e8e3d3", "peak": "#d8ead8", "wearing off": "#ece4ee"}
_HEIGHT_PX = 260


def plot_course(
    course: FollowUp,
    region: Region,
    treatments: Sequence[Treatment] = (),
    *,
    states: Sequence[Expression] = (),
) -> Any:
    """Plot one region over time: a curve per state with 95 % intervals, treatments, what is expected when.

    Returns an altair.LayerChart, as wide as what it is put in.

    states: which to show; all when empty. Curves of rest and expression are never merged.
    """
    shown = [s for s in course.series if s.region is region and (not states or s.state in states)]
    last = max((p.day for s in shown for p in s.points), default=course.baseline)
    if course.next_photo:
        last = max(last, course.next_photo)
    layers = [
        *_bands(treatments, last),
        *_curves(shown),
        *_marks(treatments, course.next_photo),
    ]
    return (
        alt.layer(*layers).resolve_scale(color="independent").properties(height=_HEIGHT_PX, width="container")
    )


def _bands(treatments: Sequence[Treatment], last: date) -> list[alt.Chart]:
    """Shade what is expected when after the last treatment."""
    if not treatments:
        return []
    days = {t.treated_on for t in treatments}
    start = max(days)
    rows = [
        {
            "from": _iso(start + timedelta(days=band.first_day)),
            "to": _iso(start + timedelta(days=band.last_day)),
            "expected": band.name,
            "source": band.source,
        }
        for band in bands(len(days))
        if start + timedelta(days=band.first_day) <= last + timedelta(days=30)
    ]
    base = alt.Chart(alt.InlineData(values=rows))
    return [
        base.mark_rect(opacity=0.6).encode(
            x=alt.X("from:T", title=None),
            x2="to:T",
            color=alt.Color(
                "expected:N",
                scale=alt.Scale(domain=list(_BAND_COLOURS), range=list(_BAND_COLOURS.values())),
                legend=alt.Legend(title="expected", orient="bottom"),
            ),
            tooltip=["expected:N", "source:N"],
        )
    ]


def _curves(series: Sequence[Series]) -> list[alt.Chart]:
    rows = [
        {
            "day": _iso(point.day),
            "state": one.state.value.replace("_", " "),
            "index": point.index,
            "low": point.index - 1.96 * point.index_se,
            "high": point.index + 1.96 * point.index_se,
            "days": "" if point.days is None else point.days,
            "photos": point.photos,
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
    ]
    y = alt.Y("index:Q", title="wrinkle index, mm·%/cm² (higher = more lines)", scale=alt.Scale(zero=True))
    return [
        base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=""), y2="high:Q", color=bare),
        base.mark_line(strokeWidth=2).encode(
            y=y,
            color=alt.Color("state:N", scale=colours, legend=legend),
            strokeDash=alt.StrokeDash("state:N", scale=dashes, legend=None),
        ),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=y, color=bare, tooltip=tooltip),
    ]


def _marks(treatments: Sequence[Treatment], next_photo: date | None) -> list[alt.Chart]:
    rows = [{"day": _iso(t.treated_on), "what": "treatment"} for t in treatments]
    if next_photo:
        rows.append({"day": _iso(next_photo), "what": "next photo"})
    if not rows:
        return []
    base = alt.Chart(alt.InlineData(values=rows)).encode(x="day:T")
    return [
        base.mark_rule(color="#555555", strokeDash=[2, 2]),
        base.mark_text(align="left", dx=4, y=8, fontSize=11, color="#555555").encode(text="what:N"),
    ]


def _iso(day: date) -> str:
    """Return a day as Vega reads it: at noon, so that no time zone moves it to another."""
    return f"{day.isoformat()}T12:00:00"
