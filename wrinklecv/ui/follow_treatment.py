"""Record a treatment: when, where, and with what; once, however often the button is pressed."""

from __future__ import annotations

import uuid
from datetime import date

import streamlit as st

from wrinklecv.records import Region
from wrinklecv.visits import Treatment

from .follow_store import opened, told
from .parts import REGION_NAMES

_KEY = "follow-treatment-key"


def ask_treatment(code: str, today: date) -> None:
    """Ask for a treatment, and save it once when a person says so."""
    keys, done = st.session_state.setdefault(_KEY, {}), told()
    key = keys.setdefault(code, uuid.uuid4().hex)
    with st.form(f"follow-treatment-{key}"):
        left, right = st.columns(2)
        day = left.date_input(
            "Day of the treatment", today, min_value=date(1990, 1, 1), max_value=today, format="YYYY-MM-DD"
        )
        regions = right.multiselect(
            "Treated regions",
            list(Region),
            format_func=REGION_NAMES.__getitem__,
            help="What is not named counts as untreated, and shows how far the photos themselves differ.",
        )
        product = left.text_input("Product (optional)")
        units = right.number_input("Units (optional)", min_value=0.0, value=None, step=1.0)
        notes = st.text_area("Notes (optional)", height=68)
        st.caption("It is recorded as you say it: the tool gives no advice on dose, product or interval.")
        wanted = st.form_submit_button("Save the treatment", type="primary")
    if not wanted:
        return
    if not regions:
        st.warning("Name at least one treated region.", icon=":material/warning:")
        return
    treatment = Treatment(code, day, tuple(regions), product.strip(), units, notes=notes.strip())
    with opened() as store:
        store.save_treatment(key, treatment)
    done[code] = "The treatment is saved."
    keys.pop(code, None)
    st.rerun()
