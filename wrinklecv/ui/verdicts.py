"""One photo's verdicts on the screen: which regions were measured, which not, and why."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from wrinklecv.records import Assessment, Finding, Region, RegionMeasures, Verdict

from .parts import HIGHER, REGION_NAMES, finding_text, md, plain, plus_minus

VERDICT_BADGES = {
    Verdict.PASS: ":blue-badge[:material/check_circle: Measured]",
    Verdict.WARN: ":orange-badge[:material/warning: Measured, with doubt]",
    Verdict.REFUSE: ":gray-badge[:material/block: Cannot tell]",
}
"""A word, a sign and a colour: blue, orange and grey differ to colour-blind eyes too."""
_ICONS = {
    Verdict.REFUSE: ":gray[:material/block:]",
    Verdict.WARN: ":orange[:material/warning:]",
    Verdict.PASS: ":blue[:material/info:]",
}


def show_verdicts(assessment: Assessment) -> None:
    """Say which regions could be measured, with the wrinkle index of each."""
    measured = {measures.region: measures for measures in assessment.regions}
    st.subheader(_overall(assessment), anchor=False)
    for column, region in zip(st.columns(len(Region)), Region, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{REGION_NAMES[region]}**")
            st.markdown(VERDICT_BADGES[assessment.verdict(region)])
            if region in measured:
                _show_index(measured[region])
            else:
                st.markdown(because(assessment, region))
    st.caption(HIGHER)


def _show_index(measures: RegionMeasures) -> None:
    index = plus_minus(measures.wrinkle_index, measures.wrinkle_index_se)
    st.metric("Wrinkle index, mm·%/cm²", index)
    if measures.line_count:
        length = plus_minus(measures.total_length_mm, measures.total_length_se_mm, "mm")
        st.caption(f"{lines_in_words(measures.line_count)}, {length} in all")
    else:
        st.caption(limit_in_words(measures))


def limit_in_words(measures: RegionMeasures) -> str:
    """Say that a region shows no line, and what would have been seen there."""
    limit = plain(100 * measures.detection_limit)
    return (
        f"No line was found. Detection limit: {limit} % (nine of ten lines of 10 mm so deep are found; "
        "shorter or fainter ones may be there)."
    )


def lines_in_words(lines: int) -> str:
    """Return a number of lines with its noun."""
    return "1 line" if lines == 1 else f"{lines} lines"


def _overall(assessment: Assessment) -> str:
    """Return the verdict on the whole photo as a sentence."""
    number, everything = len(assessment.regions), len(Region)
    if not number:
        return "No region can be measured in this photo"
    doubts = sum(assessment.verdict(measures.region) is Verdict.WARN for measures in assessment.regions)
    text = "All four regions were" if number == everything else f"{number} of {everything} regions were"
    doubtful = "all" if doubts == number > 1 else str(doubts)
    return f"{text} measured" + (f", {doubtful} with doubt" if doubts else "")


def because(assessment: Assessment, region: Region) -> str:
    """Return why a region was refused."""
    reasons = (f for f in assessment.quality if f.verdict is Verdict.REFUSE and f.region in (None, region))
    return "Cannot tell, because: " + " ".join(md(finding.advice) for finding in reasons)


def show_findings(
    findings: Sequence[Finding],
    *,
    whole: str = "Whole photo",
    none: str = "No doubt about the light, the sharpness or the head’s position.",
) -> None:
    """List every doubt once, the gravest first, with the regions it is about."""
    about: dict[str, list[Finding]] = {}
    for finding in findings:
        about.setdefault(f"{finding.code} {finding.verdict} {finding.advice}", []).append(finding)
    if not about:
        st.markdown(none)
        return
    order = (Verdict.REFUSE, Verdict.WARN, Verdict.PASS)
    for group in sorted(about.values(), key=lambda some: order.index(some[0].verdict)):
        names = [REGION_NAMES[f.region] if f.region else whole for f in group]
        icon = _ICONS[group[0].verdict]
        st.markdown(f"{icon} **{', '.join(names)}:** {finding_text(group[0])}")
