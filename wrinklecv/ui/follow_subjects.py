"""Choose a subject, add one, or take in the drawn sample subjects."""

from __future__ import annotations

import streamlit as st

from wrinklecv.visits import Subject

from .follow_store import opened
from .samples import is_importing, offer_samples

_CODE = "follow-code"
_WANTED = "follow-wanted"
_SEARCH = "follow-search"
_MOST_SHOWN = 50


def choose_subject() -> str | None:
    """Ask for a subject; return the code of the chosen one."""
    with opened() as store:
        is_empty = not store.subjects(limit=1)
    if is_empty or is_importing():
        _begin()
        return None
    left, middle, right = st.columns([2, 3, 1.4], vertical_alignment="bottom")
    if _WANTED in st.session_state:
        st.session_state[_CODE] = st.session_state.pop(_WANTED)
        st.session_state[_SEARCH] = ""
    search = left.text_input("Find by code or name", key=_SEARCH, placeholder="part of it is enough").strip()
    chosen = st.session_state.get(_CODE)
    with opened() as store:
        found = store.subjects(search, limit=_MOST_SHOWN + 1)
        # Who was chosen stays chosen, however many others there are.
        also = store.subjects(chosen, limit=_MOST_SHOWN) if chosen and not search else ()
    names = {subject.code: subject.name for subject in found[:_MOST_SHOWN]}
    names |= {subject.code: subject.name for subject in also if subject.code == chosen}
    st.session_state[_CODE] = chosen if chosen in names else None
    code = middle.selectbox(
        "Subject",
        list(names),
        key=_CODE,
        format_func=lambda code: f"{code} — {names[code]}" if names.get(code) else code,
        placeholder="Choose a subject" if names else "None found",
    )
    with right.popover("Add a subject", icon=":material/person_add:", width="stretch"):
        _add()
    if len(found) > _MOST_SHOWN:
        st.caption(f"The first {_MOST_SHOWN} are listed: type more of the code to find others.")
    if code is None:
        st.info(
            "Choose a subject to see its course, or add one."
            if names
            else "No subject has this code or name.",
            icon=":material/person_search:",
        )
    return code


def go_to(code: str) -> None:
    """Show this subject from the next run on."""
    st.session_state[_WANTED] = code


def _begin() -> None:
    """Say what to do in a store that is empty."""
    st.info(
        "No subject is recorded yet. Add the first one, then its first visit: a photo at rest and one with "
        "each expression, taken before any treatment. Or look at the drawn sample subjects first.",
        icon=":material/person_add:",
    )
    left, right = st.columns(2, gap="large")
    with left.container(border=True):
        st.markdown("**Add a subject**")
        _add()
    with right.container(border=True):
        st.markdown("**Drawn sample subjects**")
        if offer_samples():
            go_to("001")
            st.rerun()


def _add() -> None:
    with st.form("follow-add", border=False, clear_on_submit=True):
        code = st.text_input(
            "Code", help="What everything hangs on, such as 001. Choose one that names nobody."
        )
        name = st.text_input("Name (optional)", help="Kept apart from the code; in no file that is exported.")
        if st.form_submit_button("Add", type="primary"):
            subject = Subject(code.strip(), name.strip())
            with opened() as store:
                store.add_subject(subject)
            go_to(subject.code)
            st.rerun()
