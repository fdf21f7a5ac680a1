"""A pair's verdicts on the screen: what can be told of each region, how static it is, and every doubt."""

from __future__ import annotations

import streamlit as st

from wrinklecv.pairs import Comparison, RegionComparison
from wrinklecv.records import LineKind, Region, Verdict
from wrinklecv.totals import reasons_of, verdict_of

from .parts import EXPRESSION_NAMES, PAIR_HIGHER, REGION_NAMES, md
from .verdicts import lines_in_words, show_findings

_BADGES = {
    Verdict.PASS: ":blue-badge[:material/check_circle: Compared]",
    Verdict.WARN: ":orange-badge[:material/warning: Compared, with doubt]",
    Verdict.REFUSE: ":gray-badge[:material/block: Cannot tell]",
}


def show_pair_verdicts(comparison: Comparison) -> None:
    """Say of which regions the pair can tell, with the static share of each; then every doubt."""
    st.subheader(_overall(comparison), anchor=False)
    told = {compared.region: compared for compared in comparison.regions}
    for column, region in zip(st.columns(len(Region)), Region, strict=True):
        verdict = verdict_of(comparison, region)
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{REGION_NAMES[region]}**")
            st.markdown(_BADGES[verdict])
            if verdict is Verdict.REFUSE:
                st.markdown(because(comparison, region))
            else:
                _show_share(told[region], comparison)
    st.caption(PAIR_HIGHER)
    show_findings(
        comparison.findings,
        whole="Both photos",
        none="No doubt about the pair: light, sharpness, head and movement are fit to be compared.",
    )
    for name, assessment in (("rest", comparison.rest), ("expression", comparison.expression)):
        if assessment.quality:
            with st.expander(f"Doubts about the {name} photo ({len(assessment.quality)})"):
                show_findings(assessment.quality)


def _show_share(compared: RegionComparison, comparison: Comparison) -> None:
    if compared.static_share is not None:
        st.metric("Static share", f"{100 * compared.static_share:.0f} %")
        st.caption(f"90 % interval: {interval_text(compared)} %")
    counts = [(compared.total(kind).count, kind) for kind in LineKind]
    words = ", ".join(f"{count} {kind}" for count, kind in counts if count)
    st.caption(words or "no line in either photo")
    if not compared.own:
        name = EXPRESSION_NAMES[comparison.name].lower()
        st.caption(f"Not the {name}’s own region: what is dynamic here takes another expression to tell.")


def interval_text(compared: RegionComparison) -> str:
    """Return the interval of a region's static share, in %; nothing where no line was told."""
    if compared.static_share_low is None or compared.static_share_high is None:
        return ""
    return f"{100 * compared.static_share_low:.0f}–{100 * compared.static_share_high:.0f}"


def because(comparison: Comparison, region: Region) -> str:
    """Return why a region could not be told."""
    reasons = (f for f in reasons_of(comparison, region) if f.verdict is Verdict.REFUSE)
    return "Cannot tell, because: " + " ".join(md(finding.advice) for finding in reasons)


def _overall(comparison: Comparison) -> str:
    """Return the verdict on the whole pair as a sentence."""
    fit = [r for r in comparison.regions if verdict_of(comparison, r.region) is not Verdict.REFUSE]
    if not fit:
        return "These two photos cannot be compared"
    known = {compared.region for compared in fit}
    lines = sum(line.region in known for line in comparison.lines)
    where = "all four regions" if len(fit) == len(Region) else f"{len(fit)} of {len(Region)} regions"
    doubts = sum(verdict_of(comparison, r.region) is Verdict.WARN for r in fit)
    tail = f", {'all' if doubts == len(fit) > 1 else doubts} with doubt" if doubts else ""
    return f"{lines_in_words(lines).capitalize()} compared in {where}{tail}"
