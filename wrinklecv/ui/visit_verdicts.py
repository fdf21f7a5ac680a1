"""Two photos of two visits: may they be compared, and what changed between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from wrinklecv.before_after import TwoVisits
from wrinklecv.codes import Code
from wrinklecv.histories import Change, ChangeVerdict, NoiseFigure
from wrinklecv.records import Expression, Region, Verdict

from .follow_changes import noise_text, signed, verdict_badge
from .follow_course import STATE_NAMES, state_of
from .parts import HIGHER, REGION_NAMES, md, plain
from .verdicts import show_findings

_ASPECTS: dict[str, tuple[Code, ...]] = {
    "Pose": (Code.POSE_DIFFERS,),
    "Scale": (Code.SCALE_DIFFERS,),
    "Light": (Code.LIGHT_DIFFERS,),
    "Exposure": (Code.EXPOSURE_DIFFERS,),
    "Sharpness": (Code.SHARPNESS_DIFFERS, Code.SMOOTHED),
    "Expression": (Code.EXPRESSION_DIFFERS, Code.REST_SHOWS_EXPRESSION),
    "Same skin shown": (Code.NOT_LAID_TOGETHER, Code.COVERAGE_DIFFERS),
}
_CHIPS = {
    Verdict.PASS: ":blue-badge[:material/check_circle: {}: alike]",
    Verdict.WARN: ":orange-badge[:material/warning: {}: in doubt]",
    Verdict.REFUSE: ":gray-badge[:material/block: {}: too different]",
}
_ORDER = (Verdict.PASS, Verdict.WARN, Verdict.REFUSE)
_OVERALL = {
    Verdict.PASS: "These two photos can be compared",
    Verdict.WARN: "These two photos can be compared, with doubt",
}


def overall(found: TwoVisits) -> str:
    """Return the verdict on the two photos as a sentence."""
    refused = [region for region in Region if found.verdict(region) is Verdict.REFUSE]
    if len(refused) == len(Region):
        return "These two photos cannot be compared"
    if refused:
        names = ", ".join(REGION_NAMES[region].lower() for region in refused)
        return f"These two photos can be compared, but not the {names}"
    return _OVERALL[found.verdict()]


def show_comparability(found: TwoVisits) -> None:
    """Say whether the photos can be compared, aspect by aspect, with every reason."""
    st.subheader(overall(found), anchor=False)
    chips = [_CHIPS[_worst(found, codes)].format(name) for name, codes in _ASPECTS.items()]
    st.markdown(" ".join(chips))
    if found.findings:
        show_findings(found.findings, whole="Both photos")
    for name, assessment in (("first", found.first), ("later", found.later)):
        doubts = [finding for finding in assessment.quality if finding.verdict is not Verdict.PASS]
        if doubts:
            with st.expander(f"Doubts about the {name} photo alone ({len(doubts)})"):
                show_findings(doubts)


def _worst(found: TwoVisits, codes: tuple[Code, ...]) -> Verdict:
    verdicts = [finding.verdict for finding in found.findings if finding.code in codes]
    return max(verdicts, key=_ORDER.index, default=Verdict.PASS)


# -- what changed ----------------------------------------------------------------------------------


class Told(NamedTuple):
    """Changes between the two visits in one state, where they come from, and the noise they are held to."""

    changes: tuple[Change, ...]
    is_course: bool
    noise: NoiseFigure


def show_told(told: Told, state: Expression, *, is_wide: bool) -> None:
    """Show the changes of the state's own regions as cards, those of others behind a click."""
    st.markdown("**Did it change?**")
    own = [region for region in Region if state in (Expression.REST, state_of(region))]
    mine = [change for change in told.changes if change.region in own]
    others = [change for change in told.changes if change.region not in own]
    for region in own:
        if region not in {change.region for change in mine}:
            name = REGION_NAMES[region]
            st.markdown(f":gray[:material/block:] **{name}:** not measured at both visits: cannot tell.")
    _show_cards(mine, is_wide=is_wide)
    if others:
        words = f"Other regions in this state ({len(others)})"
        with st.expander(words):
            st.caption(f"A {STATE_NAMES[state].lower()} says little of them: it is not their own expression.")
            _show_cards(others, is_wide=is_wide)
    st.caption(
        f"{HIGHER} Difference of the wrinkle index, mm·%/cm². "
        + ("The same numbers as on the page *Follow-up*. " if told.is_course else _ALONE)
        + noise_text(told.noise)
    )


_ALONE = (
    "Follow-up judges each visit against the baseline and the visit before; this pair is neither, so these "
    "two visits were followed alone. "
)


def _show_cards(changes: Sequence[Change], *, is_wide: bool) -> None:
    """Show one card per change, side by side where there is room."""
    order = list(Region)
    ordered = sorted(changes, key=lambda one: order.index(one.region))
    places = st.columns(max(1, len(ordered))) if is_wide else [st.container() for _ in ordered]
    for change, place in zip(ordered, places, strict=False):
        with place.container(border=True, gap="small"):
            untreated = "" if change.treated else " :gray[(untreated)]"
            st.markdown(f"**{REGION_NAMES[change.region]}**{untreated} {verdict_badge(change)}")
            share = "" if change.share is None else f" ({100 * change.share:+.0f} %)".replace("-", "−")
            st.markdown(
                f"{signed(change.difference, change.se)}{share} "
                f":gray[· smallest detectable {plain(change.smallest_detectable)}]"
            )
            if change.verdict is ChangeVerdict.NOT_COMPARABLE:
                st.markdown(md(change.reason))
            if change.doubts:
                doubts = ", ".join(code.replace("_", " ") for code in change.doubts)
                st.markdown(f":orange[:material/warning:] In doubt: {md(doubts)}.")
