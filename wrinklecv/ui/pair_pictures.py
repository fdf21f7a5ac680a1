"""A pair on the screen: both photos in one frame, and the line that was chosen across both."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from wrinklecv.draw import encode_jpeg
from wrinklecv.draw_pairs import SIDES, draw_kinds_on, lay_side_by_side
from wrinklecv.forced import mean_profile
from wrinklecv.frames import Cuts
from wrinklecv.pairs import ComparedLine, Comparison
from wrinklecv.records import LineKind, Region, Verdict
from wrinklecv.totals import verdict_of

from .blinker import show_blinking
from .pair_verdicts import because
from .parts import EXPRESSION_NAMES, REGION_NAMES, choose_place, md, place_name, plain, plus_minus
from .slider import show_slider
from .verdicts import lines_in_words

_SLIDER, _BESIDE, _BLINK = "Slider", "Side by side", "Blink"
_STROKES = {
    LineKind.STATIC: "blue, unbroken",
    LineKind.DEEPENED: "orange, thick with a white core",
    LineKind.DYNAMIC: "yellow, dashed",
    LineKind.INDETERMINATE: "white, dotted",
}


def show_pictures(comparison: Comparison, pictures: Mapping[Region | None, Cuts]) -> None:
    """Show both photos in one frame beside the lines; a line chosen in the table is marked in both."""
    st.subheader("The two photos in one frame", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "View", [_SLIDER, _BESIDE, _BLINK], default=_SLIDER, required=True, label_visibility="collapsed"
        )
        region = choose_place("pair-place")
        drawn = st.toggle("Draw lines", value=True)
    numbered = {
        number: line for number, line in enumerate(comparison.lines, start=1) if region in (None, line.region)
    }
    # Two photos side by side need the page's whole width.
    left, right = (st.container(), st.container()) if view == _BESIDE else st.columns(2, gap="medium")
    with right:
        chosen = _choose_line(comparison, region, numbered)
    with left:
        _show_view(view or _SLIDER, pictures[region], comparison, region, numbered, chosen, drawn=drawn)


def _show_view(
    view: str,
    cuts: Cuts,
    comparison: Comparison,
    region: Region | None,
    numbered: Mapping[int, ComparedLine],
    chosen: ComparedLine | None,
    *,
    drawn: bool,
) -> None:
    title = place_name(region)
    expression = EXPRESSION_NAMES[comparison.name].lower()
    if view == _BESIDE:
        picture = lay_side_by_side(cuts, comparison, region, drawn=drawn, marked=chosen)
        st.image(encode_jpeg(picture), alt=f"{title}: rest beside {expression}", width="stretch")
    else:
        numbers = tuple(numbered) if region else ()
        lines = tuple(numbered.values())
        before, after = (
            encode_jpeg(
                draw_kinds_on(cut, lines, side, numbers=numbers, marked=chosen) if drawn else cut.pixels
            )
            for cut, side in zip(cuts, SIDES, strict=True)
        )
        if view == _BLINK:
            show_blinking(before, after, ("rest", expression), key="blinker")
        else:
            show_slider(before, after, ("rest", expression), key="slider")
            st.caption("Drag the picture, or choose it with the tab key and use the arrow keys.")
    if drawn and view != _BESIDE:
        st.caption(_legend())
    st.caption(
        "Each photo is turned, scaled and shifted as a whole and never bent: what looks moved has moved. "
        "A dynamic line is drawn in the rest photo where it would be."
    )


def _legend() -> str:
    return "Lines: " + "; ".join(f"**{kind}** {stroke}" for kind, stroke in _STROKES.items()) + "."


# -- the lines -------------------------------------------------------------------------------------


def _choose_line(
    comparison: Comparison, region: Region | None, numbered: Mapping[int, ComparedLine]
) -> ComparedLine | None:
    """Show the lines as a table; return the chosen one, with its profile plotted."""
    refused = {r for r in Region if verdict_of(comparison, r) is Verdict.REFUSE}
    if region is not None and region in refused:
        st.markdown(because(comparison, region))
    if not numbered:
        st.markdown("No line was found here in either photo.")
        return None
    st.caption(
        "Choose a line to mark it in both photos and to see it across: tick the box in its row. "
        "*rest %* and *expr. %*: depth score (contrast) there; *static %*: static share."
    )
    choice = st.dataframe(
        [_row(number, line, told=line.region not in refused) for number, line in numbered.items()],
        column_order=[name for name in _COLUMNS if not (region and name == "region")],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        key=f"pair-{comparison.rest.photo_sha256}-{comparison.expression.photo_sha256}-{comparison.name}-{region}",
        column_config=_COLUMNS,
        alt=f"{lines_in_words(len(numbered))} of both photos",
    )
    rows = choice["selection"]["rows"]
    if not rows or rows[0] >= len(numbered):
        return None
    number = list(numbered)[rows[0]]
    _show_line(comparison, number, numbered[number], told=numbered[number].region not in refused)
    return numbered[number]


def _row(number: int, line: ComparedLine, *, told: bool) -> dict[str, object]:
    """Return one line; of a pair that cannot be compared there is nothing to say but where it is."""
    return {
        "number": number,
        "kind": str(line.kind),
        "region": REGION_NAMES[line.region],
        "length": line.length_mm,
        "rest": 100 * line.rest_contrast if told else None,
        "expression": 100 * line.expression_contrast if told else None,
        "share": 100 * line.static_share if told and line.static_share is not None else None,
        "sure": _sure(line),
    }


def _sure(line: ComparedLine) -> float | None:
    return min(100 * line.confidence, _MOST_SURE) if line.confidence else None


def _number(label: str, digits: int, about: str) -> ColumnConfig:
    return st.column_config.NumberColumn(label, format=f"%.{digits}f", width=52, help=about)


_MOST_SURE = 99.0
"""No photo makes a line's kind certain."""
_COLUMNS = {
    "number": st.column_config.NumberColumn("No.", width=32),
    "kind": st.column_config.TextColumn("Kind", width=96),
    "rest": _number("rest %", 1, "Depth score (contrast) at rest"),
    "expression": _number("expr. %", 1, "Depth score (contrast) in the expression"),
    "share": _number("static %", 0, "Static share: depth at rest / depth in expression"),
    "length": _number("mm", 1, "Length on the skin, by the rest photo’s scale"),
    "sure": _number("sure %", 0, "How sure the kind is; 99 stands for 99 and more"),
    "region": st.column_config.TextColumn("Region", width=118),
}


def _show_line(comparison: Comparison, number: int, line: ComparedLine, *, told: bool) -> None:
    """Show one line: what it is, its numbers, and the light across it in both photos."""
    share = _sure(line)
    sure = f", {share:.0f} % sure" if share else ""
    st.markdown(f"**Line {number}: {line.kind}**{sure}. {md(line.reason)}")
    if not told:
        return
    st.altair_chart(_profile(comparison, line), theme="streamlit", height=230)
    share_text = "not told"
    if (
        line.static_share is not None
        and line.static_share_low is not None
        and line.static_share_high is not None
    ):
        low, high = 100 * line.static_share_low, 100 * line.static_share_high
        share_text = f"{100 * line.static_share:.0f} % (90 % interval {low:.0f}–{high:.0f} %)"
    rest = _depth(line.rest_contrast, line.rest_contrast_se, line.rest_limit)
    expression = _depth(line.expression_contrast, line.expression_contrast_se, line.expression_limit)
    st.caption(
        f"Depth score (contrast): at rest {rest}; in expression {expression}. Static share "
        f"{share_text}. Width {line.width_mm:.1f} mm, length "
        f"{line.length_mm:.1f} mm. The plot is the mean light along the whole line; the depth scores are "
        "read from it with both photos’ blur allowed for, so they need not equal its lowest points."
    )


def _depth(value: float, se: float, limit: float) -> str:
    text = plus_minus(100 * value, 100 * se, "%")
    return text if value >= limit else f"{text}, below what that photo can show ({plain(100 * limit)} %)"


def _profile(comparison: Comparison, line: ComparedLine) -> alt.Chart:
    """Plot the light across a line in both photos."""
    points = [
        {"photo": name, "mm": float(mm), "light": 100 * float(light)}
        for name, assessment, path in (
            ("expression", comparison.expression, line.expression_path_mm),
            ("rest", comparison.rest, line.rest_path_mm),
        )
        if assessment.chart is not None
        for mm, light in zip(*mean_profile(assessment.chart, path), strict=True)
    ]
    order = ["rest", "expression"]
    colour = alt.Color("photo:N", scale=alt.Scale(domain=order, range=["#2f8fd0", "#d55e00"]), title=None)
    dash = alt.StrokeDash("photo:N", scale=alt.Scale(domain=order, range=[[5, 3], [1, 0]]), title=None)
    light = alt.Scale(zero=False)
    plot: alt.Chart = alt.Chart(alt.InlineData(values=points)).mark_line(strokeWidth=2)
    return plot.encode(
        x=alt.X("mm:Q", title="mm of skin beside the line"),
        y=alt.Y("light:Q", title="light against the skin beside, %", scale=light),
        color=colour.legend(orient="top"),
        strokeDash=dash.legend(orient="top"),
    )
