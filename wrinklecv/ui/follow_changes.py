"""Changes on the screen: since the baseline and since the visit before, and what could not be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from wrinklecv.histories import Change, ChangeVerdict, FollowUp, NoiseFigure, Unscored
from wrinklecv.records import Region, Verdict

from .follow_course import STATE_NAMES, day_text, own_states
from .parts import HIGHER, REGION_NAMES, finding_text, md, plain, plus_minus

_BADGES = {
    ChangeVerdict.NO_DETECTABLE_CHANGE: ":gray-badge[:material/drag_handle: No detectable change]",
    ChangeVerdict.NOT_COMPARABLE: ":orange-badge[:material/block: Not comparable]",
}
_FEWER = ":blue-badge[:material/arrow_downward: Changed: lower]"
_MORE = ":violet-badge[:material/arrow_upward: Changed: higher]"


def show_changes(course: FollowUp) -> None:
    """Show the changes of one visit, against the baseline and against the visit before."""
    st.subheader("Did it change?", anchor=False)
    days = sorted({change.until for change in course.changes}, reverse=True)
    if not days:
        st.markdown("One visit shows no change yet: add another visit of the same expressions.")
        return
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    day = left.selectbox("Visit", days, format_func=day_text)
    every = right.toggle(
        "Also expressions of other regions",
        help="A smile says little of the forehead: only rest and a region’s own expression speak for it.",
    )
    shown = [c for c in course.changes if c.until == day and (every or c.state in own_states(c.region))]
    first = [c for c in shown if c.since == course.baseline]
    since = sorted({c.since for c in shown} - {course.baseline})
    _show_table(f"Since the baseline, {day_text(course.baseline)}", first)
    if since:
        before = since[-1] if len(since) == 1 else None
        title = "Since the visit before" + (f", {day_text(before)}" if before else "")
        _show_table(title, [c for c in shown if c.since != course.baseline])
    else:
        st.caption("The visit before is the baseline.")
    st.caption(
        f"{HIGHER} A difference beyond the smallest detectable change (MDC95) is called a change. If "
        "the noise figure holds for these photos, an unchanged face stays within it 19 times of 20: of "
        f"{len(shown)} rows, about {len(shown) / 20:.1f} would be called changed by chance. Control: "
        f"what untreated regions did between the same photos. {noise_text(course.noise)}"
    )


def noise_text(noise: NoiseFigure) -> str:
    """Say plainly where the noise figure comes from."""
    whose = "this clinic’s own" if noise.own else "from the literature, not this clinic’s own"
    more = (
        " Shots of one visit do not show all that differs between visits."
        if noise.own
        else " Photos taken by hand differ by more, so small changes may be noise: several shots per "
        "expression at each visit will give the clinic its own."
    )
    return (
        f"Noise of an unchanged face: {100 * noise.relative_sd:.1f} % SD, {whose}: {md(noise.source)}.{more}"
    )


def _show_table(title: str, changes: Sequence[Change]) -> None:
    st.markdown(f"**{title}**")
    if not changes:
        st.markdown("No region was measured at both visits.")
        return
    order = {region: place for place, region in enumerate(Region)}
    several = len({change.since for change in changes}) > 1
    rows = []
    for change in sorted(changes, key=lambda c: order[c.region]):
        row = {
            "Region": REGION_NAMES[change.region] + ("" if change.treated else " (untreated)"),
            "State": STATE_NAMES[change.state],
            "Difference, mm·%/cm²": signed(change.difference, change.se),
            "Smallest detectable": plain(change.smallest_detectable),
            "Share": "—" if change.share is None else f"{100 * change.share:+.0f}\u00a0%".replace("-", "−"),
            "Control": _control(change),
            "Verdict": verdict_badge(change),
            "Why": md(change.reason),
            "In doubt": ", ".join(code.replace("_", " ") for code in change.doubts),
        }
        rows.append({"Since": day_text(change.since), **row} if several else row)
    for name in ("Why", "In doubt"):
        if not any(row[name] for row in rows):
            for row in rows:
                del row[name]
    st.table(rows, border="horizontal", hide_index=True, alt=f"Changes {title}")


def _control(change: Change) -> str:
    if change.control_share is None or change.control_se is None:
        return "none"
    return f"{signed(100 * change.control_share, 100 * change.control_se)}\u00a0%"


def verdict_badge(change: Change) -> str:
    """Return a change's verdict as Markdown: a word, a sign and a colour."""
    if change.verdict is ChangeVerdict.CHANGED:
        return _FEWER if change.difference < 0 else _MORE
    return _BADGES[change.verdict]


def signed(value: float, se: float) -> str:
    """Return a difference with its sign and standard error."""
    return f"{'+' if value > 0 else ''}{plus_minus(value, se)}".replace("-", "−")


# -- what could not be compared --------------------------------------------------------------------


def show_untold(course: FollowUp) -> None:
    """Say what could not be compared, or only with doubt, and why."""
    st.subheader("What could not be compared", anchor=False)
    told = dict.fromkeys(
        (
            *(_unscored_text(one) for one in course.unscored),
            *_missing(course),
            *_findings(course, Verdict.REFUSE),
            *_findings(course, Verdict.WARN),
        )
    )
    for text in told:
        st.markdown(text)
    if not told:
        st.markdown("All photos of the same state could be compared with those of the baseline.")


def _unscored_text(one: Unscored) -> str:
    photo = f"**{day_text(one.day)}, photo {md(one.name)}:**"
    return f":gray[:material/block:] {photo} {md(one.message)} :gray[({md(one.code)})]"


def _missing(course: FollowUp) -> Iterable[str]:
    """Yield what a region's own states lack at some visit."""
    series = {(one.region, one.state): {point.day for point in one.points} for one in course.series}
    for region in Region:
        for state in own_states(region):
            where = f":gray[:material/block:] **{REGION_NAMES[region]}, {STATE_NAMES[state].lower()}:**"
            there = series.get((region, state))
            if there is None:
                yield f"{where} not measured at the baseline, so there is nothing to compare with."
                continue
            absent = [day_text(visit.day) for visit in course.visits if visit.day not in there]
            if absent:
                yield f"{where} not measured at {', '.join(absent)}."


def _findings(course: FollowUp, verdict: Verdict) -> Iterable[str]:
    icon = ":gray[:material/block:]" if verdict is Verdict.REFUSE else ":orange[:material/warning:]"
    for visit in course.visits:
        for state, finding in visit.findings:
            if finding.verdict is verdict:
                region = f", {REGION_NAMES[finding.region].lower()}" if finding.region else ""
                where = f"{day_text(visit.day)}, {STATE_NAMES[state].lower()}{region}"
                yield f"{icon} **{where}:** {finding_text(finding)}"
