"""The page that the app opens on: what can be done here, and the first step where nothing was done yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from .follow_store import opened
from .follow_subjects import go_to
from .measuring import workers
from .samples import is_importing, offer_samples

_SAYS = {
    "assess-photo": (
        "face",
        "One photo: its lines by region, with uncertainty, and the lines behind each number.",
    ),
    "rest-and-expression": (
        "compare",
        "Two photos of one face: which lines are static, deepened or dynamic.",
    ),
    "batch": ("folder_open", "A folder of photos into tables; goes on while this page is closed."),
    "follow-up": (
        "timeline",
        "One person over visits and treatments: what changed, and whether it is more than noise.",
    ),
    "before-and-after": (
        "flip",
        "Two visits of one person at the same place and scale, and whether they can be compared.",
    ),
    "photo-protocol": (
        "photo_camera",
        "What to shoot and how, with good and bad examples beside each other.",
    ),
    "about": ("info", "Formulas, versions, accuracy, what it cannot tell, and where the data lie."),
}
"""By a page's path: its sign, and what it is for."""
_COLUMNS = 3


def show(sections: Mapping[str, Sequence[StreamlitPage]]) -> None:
    """Show the page; `sections` are the pages to go to."""
    st.title("Wrinkle lines in photographs")
    st.markdown(
        "Measures visible lines of forehead, glabella and crow’s feet: open formulas, with uncertainty, and "
        "“cannot tell” where a photo does not allow a number. Everything stays on this machine."
    )
    _first_step(sections)
    for name, pages in sections.items():
        st.subheader(name, anchor=False)
        for column, page in zip(st.columns(_COLUMNS), pages, strict=False):
            with column.container(border=True, height="stretch"):
                icon, words = _SAYS[page.url_path]
                st.page_link(page, icon=f":material/{icon}:")
                st.caption(words)
    workers()  # they start while a person reads this, so that the first photo need not wait for them


def _first_step(sections: Mapping[str, Sequence[StreamlitPage]]) -> None:
    """Where no subject is recorded, offer the drawn ones."""
    with opened() as store:
        is_empty = not store.subjects(limit=1)
    if not is_empty and not is_importing():
        return
    with st.container(border=True):
        st.markdown("**New here?** No subject is recorded yet.")
        if offer_samples():
            go_to("001")
            st.switch_page(next(p for some in sections.values() for p in some if p.url_path == "follow-up"))
