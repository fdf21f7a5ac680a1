"""Histories of lines on the screen; left against right; and how long an effect lasted."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from wrinklecv.histories import Asymmetry, Cycle, FollowUp, LineHistory, LineSighting
from wrinklecv.plots import plot_cycles, plot_lines
from wrinklecv.records import Expression, LineKind, Region
from wrinklecv.visits import Treatment

from .follow_changes import noise_text
from .follow_course import STATE_NAMES, day_text, days_text, own_states
from .parts import HIGHER, REGION_NAMES, plain, plus_minus

_95 = 1.96
_FORMULAS = """
- All photos of one state (rest, or one expression) are laid onto the first of the baseline visit. Each
  **line** that was found at any visit is followed through all of them, and its **depth score (contrast)** is
  read along the same stretch of skin, whether or not it was found there: a line’s number is its identity.
- **Wrinkle index** of a visit = Σ(length in mm × depth score in %) / visible skin in cm² over these lines, by
  the baseline’s lengths and skin. Unit: mm·%/cm². Higher = more lines. Rest and expression are never merged.
- **Smallest detectable change** (MDC95) = 1.96 × the standard deviation of a difference between two photos
  of an unchanged face: √2 × the noise figure, the readings’ own errors (at least 2 mm·%/cm² each), and the
  control’s.
- **Control**: regions that were not treated show how far the photos themselves differ. A change that the
  control shows too is *not comparable*, and so is a region that stayed the same while the control moved.
- **Kind** of a line: by rest and expression photos of the same visit, as on the page *Rest and expression*.
- **Left against right** = (left − right) / mean of both, beside the eyes; its 95 % interval holds the noise
  figure.
- **Days to half the effect**: when the index had come back half of the way from its lowest value to that
  before the treatment, on a straight line between two visits, which are given. Told only where both the fall
  and the way back are changes beyond the smallest detectable one.
"""


def show_lines(course: FollowUp) -> None:
    """Show the history of each line of a chosen region and state."""
    st.subheader("The history of each line", anchor=False)
    left, right = st.columns([3, 2])
    region = (
        left.segmented_control(
            "Region",
            list(Region),
            default=Region.FOREHEAD,
            required=True,
            format_func=REGION_NAMES.__getitem__,
            wrap=True,
        )
        or Region.FOREHEAD
    )
    state = (
        right.segmented_control(
            "State",
            own_states(region),
            default=Expression.REST,
            required=True,
            format_func=STATE_NAMES.__getitem__,
            key=f"follow-state-{region}",
        )
        or Expression.REST
    )
    lines = [line for line in course.lines if line.region is region and line.state is state]
    if not lines:
        st.markdown("No line was found here at any visit, or the region could not be followed.")
        return
    st.altair_chart(plot_lines(lines), theme="streamlit", key=f"follow-lines-{region}-{state}")
    st.table(
        [_line_row(line) for line in lines],
        border="horizontal",
        hide_index=True,
        alt=f"Lines of {REGION_NAMES[region]}",
    )
    known = state is not Expression.REST
    st.caption(
        "Depth score (contrast) in %: higher = deeper. ± is the reading’s own standard error: from photo to "
        "photo an unchanged line differs by 6 % of its depth and more. Not seen: below what the photo "
        "would have shown, which is given; hollow in the plot. Cannot be compared: hidden, or its photo is "
        "refused; not in the plot. "
        + (
            "Kind: by rest and expression of that visit. A conversion is a line that turned from dynamic to "
            "visible at rest, or back."
            if known
            else "Kinds and conversions are told by the expression’s lines: choose that state."
        )
    )


def _line_row(line: LineHistory) -> dict[str, str]:
    row = {"Line": str(line.number), "Length, mm": plain(line.length_mm)}
    for sighting in line.sightings:
        row[day_text(sighting.day)] = _sighting(sighting, kind=line.state is not Expression.REST)
    if line.state is not Expression.REST:
        row["Conversions"] = (
            "; ".join(
                f"{c.before} → {c.after}, {day_text(c.since)} to {day_text(c.until)}"
                for c in line.conversions
            )
            or "none"
        )
    return row


def _sighting(sighting: LineSighting, *, kind: bool) -> str:
    depth = plus_minus(100 * sighting.contrast, 100 * sighting.contrast_se)
    if sighting.refused:
        return "cannot be compared"
    seen = depth if sighting.seen else f"not seen (limit {plain(100 * sighting.limit)})"
    told = "kind not told" if sighting.kind is LineKind.INDETERMINATE else str(sighting.kind)
    return f"{seen}; {told}" if kind else seen


# -- left and right --------------------------------------------------------------------------------


def show_asymmetry(course: FollowUp) -> None:
    """Compare the skin beside the left eye with that beside the right."""
    st.subheader("Left against right, beside the eyes", anchor=False)
    shown = [a for a in course.asymmetries if a.state in own_states(Region.CROWS_FEET_LEFT)]
    if not shown:
        st.markdown("No visit has lines on both sides to compare.")
        return
    st.table(
        [
            {
                "Visit": day_text(one.day),
                "State": STATE_NAMES[one.state],
                "Left − right, % of their mean": _percent(one.value),
                "95 % interval": " to ".join(_percent(one.value + far * one.se) for far in (-_95, _95)),
                "Reading": _side(one),
            }
            for one in shown
        ],
        border="horizontal",
        hide_index=True,
        alt="Left against right",
    )
    st.caption(
        "Above 0: more lines on the patient’s left, which is on the right of the picture. Light from one "
        "side and a turned head make one side look deeper, and the interval does not hold that: trust what "
        "stays over visits."
    )


def _percent(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "−")


def _side(one: Asymmetry) -> str:
    if abs(one.value) <= _95 * one.se:
        return "no detectable difference"
    return "more lines on the left" if one.value > 0 else "more lines on the right"


# -- how long --------------------------------------------------------------------------------------


def show_cycles(course: FollowUp, treatments: Sequence[Treatment]) -> None:
    """Show after how many days half of each treatment's effect was gone."""
    st.subheader("Days to half the effect", anchor=False)
    shown = [c for c in course.cycles if c.state in own_states(c.region)]
    if not treatments:
        st.markdown("No treatment is recorded.")
        return
    if not shown:
        st.markdown("No treated region could be followed.")
        return
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for cycle in shown:
        key = day_text(cycle.treated_on), STATE_NAMES[cycle.state]
        row = rows.setdefault(
            key, {"Treatment": key[0], "State": key[1]} | dict.fromkeys(REGION_NAMES.values(), "—")
        )
        told = "not shown"
        if cycle.days_to_half is not None and cycle.between:
            told = f"{days_text(cycle.days_to_half)} (between days {cycle.between[0]} and {cycle.between[1]})"
        row[REGION_NAMES[cycle.region]] = told
    st.table(list(rows.values()), border="horizontal", hide_index=True, alt="Days to half the effect")
    st.caption(
        "Not shown: the visits do not reach the day on which half of the effect was gone, or no effect "
        "beyond the noise was measured. The more visits, the closer the day is known. Dash: not treated "
        "then, or not moved by this expression."
    )
    _show_overlaid(course, treatments, shown)


def _show_overlaid(course: FollowUp, treatments: Sequence[Treatment], cycles: Sequence[Cycle]) -> None:
    """Lay the courses after several treatments of a region over each other, rest and expression apart."""
    several = [
        key
        for key in dict.fromkeys((c.region, c.state) for c in cycles)
        if sum((c.region, c.state) == key for c in cycles) > 1
    ]
    if not several:
        return
    region, state = st.selectbox(
        "Courses after each treatment, from its day on",
        several,
        format_func=lambda key: f"{REGION_NAMES[key[0]]}, {STATE_NAMES[key[1]].lower()}",
    )
    st.altair_chart(plot_cycles(course, region, state, treatments), theme="streamlit", key="follow-cycles")


def show_method(course: FollowUp, digest: str) -> None:
    """Say how the numbers came about."""
    with st.expander("How is this computed?", icon=":material/functions:"):
        st.markdown(_FORMULAS)
        st.caption(f"{HIGHER} {noise_text(course.noise)} Settings {digest}.")
