"""A pair's numbers on the screen: regions, what could not be told, movement, and how it is computed."""

from __future__ import annotations

import streamlit as st

from wrinklecv.pairs import Comparison, RegionComparison, Travel
from wrinklecv.records import LineKind, Region, Verdict
from wrinklecv.totals import verdict_of

from .pair_verdicts import because, interval_text
from .parts import EXPRESSION_NAMES, PAIR_HIGHER, REGION_NAMES, md, plain, plus_minus
from .verdicts import lines_in_words

_FORMULAS = """
- A line that was found in either photo is followed into the other, and its **depth score (contrast)** is read
  there along the same stretch of skin, whether or not it was found there.
- **Static share** of a line = depth score at rest / depth score in expression, 0–100 %, with its 90 %
  interval. Of a region: the mean over its lines that could be told, weighted by length.
- **Static**: as deep at rest, within the error. **Deepened**: seen at rest and deeper in the expression.
  **Dynamic**: seen in the expression, and the rest photo would have shown it. **Indeterminate**: the photos
  do not allow a judgement; the reason is given.
- **Dynamic gap** of a region = Σ(length in mm × deepening in %) / visible skin in cm², over its lines.
- **Wrinkle index**: as on the page *Assess a photo*, each photo’s own, by the rest photo’s scale.
- **Movement** is how far parts of the face went from rest to expression, beyond what the head did. It is
  shown beside the numbers and never divided into them.
"""
_MEASURES = (
    *((f"{kind.capitalize()} lines", "count; mm") for kind in LineKind),
    ("Wrinkle index at rest", "mm·%/cm²"),
    ("Wrinkle index in expression", "mm·%/cm²"),
    ("Dynamic gap", "mm·%/cm²"),
    ("Static share (90 % interval)", "%"),
    ("Laid together to within", "mm"),
)


def show_regions(comparison: Comparison) -> None:
    """Show all numbers: a row per measure with its unit, a column per region."""
    st.subheader("All numbers", anchor=False)
    told = {compared.region: compared for compared in comparison.regions}
    table = {
        "Measure": ["Moved by this expression", *(row[0] for row in _MEASURES)],
        "Unit": ["", *(row[1] for row in _MEASURES)],
    }
    for region in Region:
        if verdict_of(comparison, region) is Verdict.REFUSE:
            table[REGION_NAMES[region]] = ["cannot tell"] * (len(_MEASURES) + 1)
        else:
            table[REGION_NAMES[region]] = _cells(told[region])
    st.table(table, border="horizontal", hide_index=True, alt="All measures of all regions")
    st.caption(PAIR_HIGHER)


def _cells(compared: RegionComparison) -> list[str]:
    """Return the numbers of one region in the order of `_MEASURES`, after whether it is the expression's."""
    totals = [compared.total(kind) for kind in LineKind]
    return [
        "yes" if compared.own else "no: not its own region",
        *(f"{t.count}; {plain(t.length_mm)} mm" if t.count else "0" for t in totals),
        plus_minus(compared.rest_index, compared.rest_index_se),
        plus_minus(compared.expression_index, compared.expression_index_se),
        plus_minus(compared.dynamic_gap, compared.dynamic_gap_se),
        "no line told"
        if compared.static_share is None
        else f"{100 * compared.static_share:.0f} ({interval_text(compared)})",
        f"{compared.residual_mm:.2f}",
    ]


def show_untold(comparison: Comparison) -> None:
    """Say what could not be told, and why."""
    st.subheader("What could not be told", anchor=False)
    refused = [region for region in Region if verdict_of(comparison, region) is Verdict.REFUSE]
    for region in refused:
        st.markdown(f"- **{REGION_NAMES[region]}:** {because(comparison, region)}")
    reasons: dict[tuple[Region, str], list[int]] = {}
    for number, line in enumerate(comparison.lines, start=1):
        if line.kind is LineKind.INDETERMINATE and line.region not in refused:
            reasons.setdefault((line.region, line.reason), []).append(number)
    for (region, reason), numbers in reasons.items():
        which = f"{lines_in_words(len(numbers))} (no. {', '.join(map(str, numbers))})"
        st.markdown(f"- **{REGION_NAMES[region]}, {which}:** {md(reason)}")
    if not refused and not reasons:
        st.markdown("Every line that was found could be told.")


def show_movement(comparison: Comparison) -> None:
    """Show how far the face moved, beside the numbers."""
    st.subheader("How far the face moved", anchor=False)
    left, right = st.columns([3, 2], gap="medium")
    ways = {(t.part, t.side): t for t in comparison.travels}
    names = list(dict.fromkeys(t.part for t in comparison.travels))
    table = {"Part of the face": [name.capitalize() for name in names]}
    for side in ("left", "right"):
        table[f"Up, {side}, mm"] = [_way(ways[name, side], comparison, up=True) for name in names]
        table[f"Inwards, {side}, mm"] = [_way(ways[name, side], comparison, up=False) for name in names]
    left.table(table, border="horizontal", hide_index=True, alt="Movement of brows, lids and mouth")
    strengths = {
        "The landmark model’s own signs": [s.name for s in comparison.strengths],
        "Rest, 0–1": [f"{s.rest:.2f}" for s in comparison.strengths],
        "Expression, 0–1": [f"{s.expression:.2f}" for s in comparison.strengths],
    }
    right.table(
        strengths, border="horizontal", hide_index=True, alt="How strongly the landmark model sees it"
    )
    st.caption(
        f"From rest to {EXPRESSION_NAMES[comparison.name].lower()}, in the head’s own frame; ± is one "
        "standard error. Higher = more movement: up is towards the crown, inwards towards the middle of the "
        "face; below 0 is the other way. Left and right are the patient’s own. Movement is shown beside the "
        "lines and is never divided into them: less effort and fewer lines look alike in numbers."
    )


def _way(travel: Travel, comparison: Comparison, *, up: bool) -> str:
    return plus_minus(travel.up_mm if up else travel.in_mm, comparison.travel_se_mm)


def show_origin(comparison: Comparison) -> None:
    """Say how the numbers came about."""
    rest, expression = comparison.rest, comparison.expression
    with st.expander("How is this computed?", icon=":material/functions:"):
        st.markdown(_FORMULAS)
        st.caption(
            f"Measured with version {rest.measure_version} of the measurement, settings "
            f"{rest.settings_digest}, landmark model {rest.model_sha256[:12]}; rest photo "
            f"{rest.photo_sha256[:12]}, expression photo {expression.photo_sha256[:12]} (sha256)."
        )
