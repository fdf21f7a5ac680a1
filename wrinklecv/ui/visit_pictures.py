"""Two visits on the screen: slider, blink, side by side, difference; and as a file to keep."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

import streamlit as st

from wrinklecv import DISCLAIMER
from wrinklecv.before_after import TwoVisits
from wrinklecv.draw import encode_jpeg, encode_png
from wrinklecv.draw_visits import (
    Pictures,
    View,
    blanked,
    draw_difference,
    draw_sheet,
    draw_visits,
    lay_beside,
    say_noise,
)
from wrinklecv.records import Bytes, Region
from wrinklecv.tables import escaped

from .blinker import show_blinking
from .follow_course import STATE_NAMES, day_text
from .parts import REGION_NAMES, choose_place, file_stem, offer_files, place_name
from .slider import show_slider
from .visit_verdicts import overall

SLIDER, BLINK, BESIDE, DIFFERENCE = "Slider", "Blink", "Side by side", "Difference"
_SHEET, _REGIONS = "The pair as shown", "Regions only, de-identified"
_MATCHED = "exposure matched for viewing only"
_ALIKE_STOPS = 0.05
"""A tenth of what people see: nothing to match."""


class Days(NamedTuple):
    """The days of the two visits, and whether the first is the baseline."""

    first: date
    later: date
    is_baseline: bool

    def names(self, *, matched: bool) -> tuple[str, str]:
        """Return what stands on the two pictures."""
        baseline = " (baseline)" if self.is_baseline else ""
        return (
            f"{day_text(self.first)}{baseline}",
            f"{day_text(self.later)}{f', {_MATCHED}' if matched else ''}",
        )

    @property
    def apart(self) -> str:
        """How long lies between them, in words."""
        days = (self.later - self.first).days
        return "1 day" if days == 1 else f"{days} days"


class Chosen(NamedTuple):
    """What is to be shown of a pair, and how."""

    view: str
    region: Region | None
    lines: bool
    stops: float


def choose_look(found: TwoVisits) -> Chosen:
    """Ask what to show and how."""
    with st.container(horizontal=True, vertical_alignment="center"):
        view = st.segmented_control(
            "View",
            [SLIDER, BLINK, BESIDE, DIFFERENCE],
            default=SLIDER,
            required=True,
            key="visits-view",
            label_visibility="collapsed",
        )
        region = choose_place("visits-place")
        still = view == DIFFERENCE
        lines = st.toggle("Draw lines", key="visits-lines", disabled=still)
        match = st.toggle(
            "Match exposure",
            key="visits-match",
            disabled=still,
            help="Shows the later photo as bright as the first. For viewing only: nothing is measured on it.",
        )
    stops = found.stops if match and not still and abs(found.stops) >= _ALIKE_STOPS else 0.0
    return Chosen(view or SLIDER, region, lines and not still, stops)


def show_view(found: TwoVisits, chosen: Chosen, days: Days, untold: Collection[Region]) -> None:
    """Show one view of the pair; side by side alone where the skin does not tell how they lie.

    untold: regions whose change is not comparable: the difference map says nothing of them.
    """
    view = found.views[chosen.region]
    title = f"{place_name(chosen.region)}, {STATE_NAMES[found.state].lower()}"
    names = days.names(matched=bool(chosen.stops))
    key = f"{found.first.photo_sha256}-{found.later.photo_sha256}-{chosen.region}"
    if not view.is_laid and chosen.view != BESIDE:
        st.warning(
            "The skin of the two photos does not agree here, so they are not laid on each other: side by "
            "side only, at the same scale, each where its own landmarks are.",
            icon=":material/layers_clear:",
        )
    if chosen.view == DIFFERENCE and view.is_laid:
        st.image(
            encode_jpeg(draw_difference(view, untold=untold)),
            alt=f"{title}: where lines are deeper or shallower at the later visit",
            width="stretch",
        )
        _say_difference(view, untold, chosen.region)
        return
    pictures = draw_visits(
        view, (found.first, found.later), chosen.region, lines=chosen.lines, stops=chosen.stops
    )
    if chosen.view == BESIDE or not view.is_laid:
        st.image(encode_jpeg(lay_beside(pictures, names)), alt=f"{title}: {names[0]} beside {names[1]}")
    elif chosen.view == BLINK:
        show_blinking(encode_jpeg(pictures[0]), encode_jpeg(pictures[1]), names, key=f"visits-blink-{key}")
    else:
        show_slider(encode_jpeg(pictures[0]), encode_jpeg(pictures[1]), names, key=f"visits-slider-{key}")
        st.caption("Drag the picture, or choose it with the tab key and use the arrow keys.")
    st.caption(" ".join((laid_words(view), _stops_words(found, chosen))))
    if chosen.lines:
        st.caption(
            "Lines: those found in each photo by itself, one colour per region. A line that is found in one "
            "photo only need not be new or gone: the changes read every line in both photos."
        )


def laid_words(view: View) -> str:
    """Say how the two photos were brought together."""
    if view.residual_mm is None:
        return "Not laid together: each photo upright, both at the same scale by their landmarks."
    return (
        f"Laid together by the skin itself, {view.residual_mm:.2f} mm apart (median). Each photo is "
        "turned, scaled and shifted as a whole and never bent: what looks moved has moved."
    )


def _stops_words(found: TwoVisits, chosen: Chosen) -> str:
    how = "brighter" if found.stops > 0 else "darker"
    if chosen.stops:
        return (
            f"The later photo is shown {abs(found.stops):.1f} stops {how}: {_MATCHED}, numbers come from the "
            "photo as it was taken."
        )
    return "Shown as they were taken." if abs(found.stops) >= _ALIKE_STOPS else "Exposed alike."


def _say_difference(view: View, untold: Collection[Region], region: Region | None) -> None:
    hidden = [REGION_NAMES[one].lower() for one in Region if one in untold and region in (None, one)]
    if hidden:
        st.markdown(
            f":gray[:material/block:] Hatched because not comparable, see beside: {', '.join(hidden)}."
        )
    st.caption(
        f"{say_noise(view.overlay, untold)} "
        "Compared are lines, not light: how dark each is against the skin beside it. Exposure and slow "
        "shading fall out; light from another side and another effort do not: see the verdict above. Whether "
        "a region changed is told by its number, not by this picture."
    )


# -- to keep ---------------------------------------------------------------------------------------


def offer_pair(found: TwoVisits, chosen: Chosen, days: Days, code: str) -> None:
    """Offer the pair as one picture, made anew from pixels."""
    st.subheader("Keep this pair", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.segmented_control(
            "What to keep",
            [_SHEET, _REGIONS],
            default=_SHEET,
            required=True,
            key="visits-keep",
            label_visibility="collapsed",
        )
        form = st.segmented_control(
            "File",
            ["JPEG", "PNG"],
            default="JPEG",
            required=True,
            key="visits-file",
            label_visibility="collapsed",
        )
    sheet = _regions_sheet(found, chosen, days) if kind == _REGIONS else _sheet(found, chosen, days, code)
    content = encode_png(sheet) if form == "PNG" else encode_jpeg(sheet)
    stem = "before-after_regions" if kind == _REGIONS else f"{file_stem(code + '.')}_before-after"
    offer_files(stem, ((f"Save as {form}", "png" if form == "PNG" else "jpg", content),))
    st.caption(
        "The picture is drawn anew and carries none of the photos’ metadata. *Regions only* leaves out code, "
        "days and face: de-identified, which reduces but does not remove the risk of recognition."
        if kind == _REGIONS
        else "The picture is drawn anew and carries none of the photos’ metadata, but it shows a face and "
        "the subject’s code."
    )


def _sheet(found: TwoVisits, chosen: Chosen, days: Days, code: str) -> Bytes:
    view = found.views[chosen.region]
    where = place_name(chosen.region)
    heading = f"Subject {escaped(code)} · {STATE_NAMES[found.state]} · {where}"
    names = days.names(matched=bool(chosen.stops))
    notes = [f"{overall(found)}. {laid_words(view)}", *_matched_note(chosen, found), DISCLAIMER]
    return draw_sheet(heading, [("", names, _drawn(found, chosen, chosen.region))], notes)


def _regions_sheet(found: TwoVisits, chosen: Chosen, days: Days) -> Bytes:
    matched = f", {_MATCHED}" if chosen.stops else ""
    names = "First visit", f"{days.apart} later{matched}"
    rows = []
    for region in Region:
        view = found.views[region]
        title = REGION_NAMES[region] + ("" if view.is_laid else ": not laid together, same scale only")
        rows.append((title, names, blanked(_drawn(found, chosen, region), view)))
    notes = [
        f"{STATE_NAMES[found.state]}. {overall(found)}.",
        *_matched_note(chosen, found),
        "De-identified: reduces but does not remove the risk of recognition.",
        DISCLAIMER,
    ]
    return draw_sheet("", rows, notes)


def _drawn(found: TwoVisits, chosen: Chosen, region: Region | None) -> Pictures:
    both = found.first, found.later
    return draw_visits(found.views[region], both, region, lines=chosen.lines, stops=chosen.stops)


def _matched_note(chosen: Chosen, found: TwoVisits) -> list[str]:
    if not chosen.stops:
        return []
    how = "brighter" if found.stops > 0 else "darker"
    return [f"Later photo shown {abs(found.stops):.1f} stops {how}: {_MATCHED}."]
