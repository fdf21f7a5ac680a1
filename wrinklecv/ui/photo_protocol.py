"""The page *Photo protocol*: what to shoot and how, with drawn examples beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from wrinklecv.codes import Code

from .parts import md

EXAMPLES = Path(__file__).parent / "examples"


class Example(NamedTuple):
    """A drawn face: its file, what it shows, what to say, and what the tool says of it (None: nothing)."""

    file: str
    title: str
    words: str
    code: Code | None = None


SHOTS = (
    Example("rest", "Rest", "Face relaxed, eyes open, lips closed. Wait a breath."),
    Example("brow_raise", "Brow raise", "“Lift your brows as high as you can.” For the forehead."),
    Example("frown", "Frown", "“Frown as if angry.” For the glabella, between the brows."),
    Example("smile", "Smile", "“Smile so that your eyes smile.” For the crow’s feet."),
)
FAULTS = (
    Example("turned", "Head turned", "Lines on the far side are seen too steeply.", Code.HEAD_TURNED),
    Example("chin_up", "Chin up or down", "Keep the line from ear to eye level.", Code.HEAD_TILTED),
    Example("side_light", "Light from one side", "Shadows make lines, and hide them.", Code.UNEVEN_LIGHT),
    Example(
        "hair", "Hair on the forehead", "Use a band; single hairs may read as lines.", Code.HAIR_OVER_FOREHEAD
    ),
    Example("glasses", "Glasses", "They cover the crow’s feet and the glabella.", Code.LITTLE_SKIN),
    Example("shine", "Shiny skin", "White spots hide lines: pat dry, no flash from the front.", Code.SHINE),
    Example("blurred", "Out of focus", "Focus on the eyes, hold still.", Code.BLURRED),
    Example("far", "Too far away", "Fill the frame; cropping later does not help.", Code.LOW_RESOLUTION),
)
_COLUMNS = 4
_GOOD, _BAD = ":blue[:material/check_circle:]", ":orange[:material/cancel:]"
_RULES = """
- **Same every time:** camera, lens, distance, place, light. What differs looks like a change.
- **Distance:** 1.5 m or so, with the zoom or a longer lens; not at arm’s length.
- **Frame:** hairline to chin, frontal, head level, eyes into the lens. At least 8 pixels per mm of skin for
  fine lines: a face that fills a 12-megapixel photo has more.
- **Light:** even, from the front or both sides; the same lamps.
- **Face:** hair back, no glasses, no make-up, nothing on the skin; before puncture sites are marked.
- **File:** the camera’s original. No beauty filter, portrait mode, screenshot or messenger: they smooth.
- **Three shots of each**, relaxing in between: they show how much photos of one face differ with you.
- **When:** before any treatment; then day 14; day 90; then every 30 days to day 180. Day 4 if you like.
"""
_NAMES = """
Named like this, no list is needed: subject, day of the visit, what is shown, number of the shot.
"""
_NAME = "sub-001_ses-20250110_expr-frown_run-1.jpg"


def show() -> None:
    """Show the page."""
    st.title("Photo protocol")
    st.markdown(
        "Four photos make a visit. Partial sets work: any pair of rest and expression gives what it can. "
        "All faces here are drawn; they are no persons."
    )
    st.subheader("What to shoot", anchor=False)
    _show_all(SHOTS)
    st.subheader("How", anchor=False)
    st.markdown(_RULES)
    st.subheader("What goes wrong", anchor=False)
    st.markdown("The tool notices these, and says so by the reason below each picture.")
    _show_all(FAULTS)
    st.subheader("File names", anchor=False)
    st.markdown(_NAMES)
    st.code(_NAME, language=None)
    st.markdown(
        "`expr-` is `rest`, `brow_raise`, `frown` or `smile`; upper or lower case, in any folder. Choose "
        "a code for the subject that names nobody. Other names work too: then you are asked."
    )


def _show_all(examples: tuple[Example, ...]) -> None:
    for first in range(0, len(examples), _COLUMNS):
        for column, one in zip(st.columns(_COLUMNS), examples[first : first + _COLUMNS], strict=False):
            with column.container(border=True, height="stretch"):
                st.image(EXAMPLES / f"{one.file}.jpg", alt=f"Drawn face: {one.title}", width="stretch")
                st.markdown(f"{_GOOD if one.code is None else _BAD} **{one.title}**")
                st.caption(one.words if one.code is None else f"{one.words} Reason: {md(one.code)}")
