"""A subject's course on the screen: where it stands after a treatment, and each region over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from wrinklecv.histories import FollowUp, TreatmentStatus
from wrinklecv.pairs import SPEAKS_FOR
from wrinklecv.plots import plot_course
from wrinklecv.records import Expression, Region
from wrinklecv.timeline import bands, days_since, status_at
from wrinklecv.visits import SubjectPage, Treatment
from wrinklecv.windows import WINDOWS, Windows

from .parts import EXPRESSION_NAMES, HIGHER, REGION_NAMES, md, plain

STATE_NAMES = {Expression.REST: "Rest", **EXPRESSION_NAMES}
STATUS_NAMES = {
    TreatmentStatus.BASELINE: "Baseline",
    TreatmentStatus.TOO_EARLY: "Too early for an effect",
    TreatmentStatus.DEVELOPING: "Effect developing",
    TreatmentStatus.AT_OR_NEAR_PEAK: "At or near the peak",
    TreatmentStatus.MAINTAINED: "Effect maintained",
    TreatmentStatus.WEARING_OFF_EXPECTED: "Wearing off expected",
    TreatmentStatus.LATE: "Late: possible after repeated sessions",
    TreatmentStatus.BEYOND_EXPECTED_WINDOW: "Beyond the expected window",
}
"""What is usual so many days after a treatment: it says nothing of this subject's own lines."""


def state_of(region: Region) -> Expression:
    """Return the expression that speaks for a region."""
    return next(state for state, regions in SPEAKS_FOR.items() if region in regions)


def own_states(region: Region) -> tuple[Expression, Expression]:
    """Return the two states in which a region is followed: at rest, and in its own expression."""
    return Expression.REST, state_of(region)


def day_text(day: date) -> str:
    """Return a day as people read it, whatever their country: ``10 Jan 2025``."""
    return f"{day.day} {day:%b %Y}"


def days_text(days: int | None) -> str:
    """Return the days since a treatment in words."""
    if days is None:
        return "before any treatment"
    return "1 day" if days == 1 else f"{days} days"


# -- where it stands -------------------------------------------------------------------------------


def show_status(course: FollowUp, page: SubjectPage, today: date) -> None:
    """Say where the subject stands: by the last visit, today, and when the next photo is due."""
    last = course.visits[-1]
    columns = st.columns(3)
    with columns[0].container(border=True, height="stretch"):
        st.metric("Last visit with photos", day_text(last.day))
        st.caption(f"{STATUS_NAMES[last.status]} · {_since(last.days)}")
    with columns[1].container(border=True, height="stretch"):
        treated = page.treatments
        st.metric("Days since treatment, today", _today(treated, today))
        usual = STATUS_NAMES[status_at(today, treated, course.windows)]
        st.caption(usual if treated else "No treatment is recorded.")
    with columns[2].container(border=True, height="stretch"):
        st.metric("Next photo", day_text(course.next_photo) if course.next_photo else "—")
        st.caption(_due(course.next_photo, page.treatments, today))
    st.caption(
        "What is said of effects is what is usual so many days after a treatment, not what was measured "
        f"here. Suggested photos: {_photo_days(course.windows)}."
    )


def _photo_days(windows: Windows) -> str:
    usual = [str(day) for day in windows.photo_days if day <= windows.last_day]
    later = [str(day) for day in windows.photo_days if day > windows.last_day]
    more = f" ({', '.join(later)} too after {windows.many_sessions} or more sessions)" if later else ""
    return f"days {', '.join(usual)}{more}"


def _since(days: int | None) -> str:
    return days_text(days) if days is None else f"{days_text(days)} since treatment"


def _today(treatments: Sequence[Treatment], today: date) -> str:
    days = days_since(today, treatments)
    return "—" if days is None else str(days)


def _due(next_photo: date | None, treatments: Sequence[Treatment], today: date) -> str:
    if next_photo is None:
        return (
            "No photo is due any more."
            if treatments
            else "Record a treatment to have the next photo suggested."
        )
    if next_photo < today:
        return "This day has passed."
    return "Today." if next_photo == today else f"In {days_text((next_photo - today).days)}."


# -- plots -----------------------------------------------------------------------------------------


def show_plots(course: FollowUp, treatments: Sequence[Treatment]) -> None:
    """Plot each region over time: at rest and in the expression that speaks for it, two regions in a row."""
    st.subheader("Wrinkle index over time", anchor=False)
    regions = list(Region)
    for pair in (regions[:2], regions[2:]):
        for column, region in zip(st.columns(2, gap="medium"), pair, strict=True):
            with column.container(border=True):
                _show_plot(course, region, treatments)
    bars = "Bars are 95 % intervals, noise between visits included. Hollow: not comparable with the baseline."
    st.caption(f"{HIGHER} {bars} {_sources(treatments, course.windows)}".strip())


def _show_plot(course: FollowUp, region: Region, treatments: Sequence[Treatment]) -> None:
    states = own_states(region)
    st.markdown(f"**{REGION_NAMES[region]}** :gray[rest and {STATE_NAMES[states[1]].lower()}]")
    there = {one.state for one in course.series if one.region is region}
    missing = [STATE_NAMES[state].lower() for state in states if state not in there]
    if there.isdisjoint(states):
        st.info(f"Cannot be followed: {_no_baseline(missing)}", icon=":material/block:")
        return
    st.altair_chart(plot_course(course, region, treatments, states=states), theme="streamlit")
    if missing:
        st.caption(f"Not shown: {_no_baseline(missing)}")


def _no_baseline(missing: Sequence[str]) -> str:
    return f"no photo of the first visit in which this region could be measured ({', '.join(missing)})."


def _sources(treatments: Sequence[Treatment], windows: Windows) -> str:
    """Say what the bands of a timeline mean and who says so."""
    if not treatments:
        return ""
    expected = bands(len({t.treated_on for t in treatments}), windows)
    spans = "; ".join(f"{md(band.name)} on days {band.first_day} to {band.last_day}" for band in expected)
    sources = "; ".join(dict.fromkeys(band.source for band in expected))
    return f"Bands: {spans} after a treatment. Ranges, not promises; source: {md(sources)}."


# -- what is recorded ------------------------------------------------------------------------------


def show_record(course: FollowUp | None, page: SubjectPage) -> None:
    """List visits and treatments as they are stored."""
    told = {visit.day: visit for visit in course.visits} if course else {}
    windows = course.windows if course else WINDOWS
    with st.expander("Visits and treatments on record", icon=":material/list_alt:"):
        if page.visits:
            st.table(
                [
                    {
                        "Visit": day_text(visit.visited_on),
                        "Since treatment": days_text(days_since(visit.visited_on, page.treatments)),
                        "Usual then": STATUS_NAMES[status_at(visit.visited_on, page.treatments, windows)],
                        "Photos": ", ".join(
                            _photo_words(photo.kind, photo.expression) for photo in visit.photos
                        )
                        or "none",
                        "Followed": "yes" if visit.visited_on in told else "no",
                        "Notes": md(visit.notes),
                    }
                    for visit in sorted(page.visits, key=lambda visit: visit.visited_on)
                ],
                border="horizontal",
                hide_index=True,
                alt="Visits",
            )
        if page.treatments:
            st.table(
                [
                    {
                        "Treatment": day_text(given.treated_on),
                        "Regions": ", ".join(REGION_NAMES[region] for region in given.regions) or "not said",
                        "Product": md(given.product) or "not said",
                        "Units": "not said" if given.units is None else plain(given.units),
                        "Notes": md(given.notes),
                    }
                    for given in sorted(page.treatments, key=lambda given: given.treated_on)
                ],
                border="horizontal",
                hide_index=True,
                alt="Treatments",
            )


def _photo_words(kind: str, expression: Expression) -> str:
    if kind == "marking":
        return "marking (not scored)"
    return STATE_NAMES.get(expression, "unknown (not followed)").lower()
