"""Correct what was entered wrongly: a visit's day and notes, a treatment, or a treatment that never was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import streamlit as st

from wrinklecv.records import Region
from wrinklecv.visits import SubjectPage, Treatment, Visit

from .follow_course import day_text
from .follow_store import opened, told
from .parts import REGION_NAMES

_FIRST_DAY = date(1990, 1, 1)


def correct_entry(page: SubjectPage, today: date) -> None:
    """Ask what was entered wrongly and how it should be, and save that once."""
    both: list[Visit | Treatment] = [*page.visits, *page.treatments]
    entries = sorted(both, key=_day)
    if not entries:
        return
    with st.expander("Correct an entry", icon=":material/edit:"):
        entry = st.selectbox("Entry", entries, index=None, format_func=_name, placeholder="Choose an entry")
        if isinstance(entry, Visit):
            _ask_visit(page.subject.code, entry, today)
        elif isinstance(entry, Treatment):
            _ask_treatment(page.subject.code, entry, today)


def _day(entry: Visit | Treatment) -> date:
    return entry.visited_on if isinstance(entry, Visit) else entry.treated_on


def _name(entry: Visit | Treatment) -> str:
    word = "Visit" if isinstance(entry, Visit) else "Treatment"
    return f"{word} {entry.number}, {day_text(_day(entry))}"


def _ask_visit(code: str, visit: Visit, today: date) -> None:
    with st.form(f"follow-correct-visit-{visit.number}-{visit.version}", border=False):
        day = st.date_input(
            "Day of the visit",
            visit.visited_on,
            min_value=min(_FIRST_DAY, visit.visited_on),
            max_value=max(today, visit.visited_on),
            format="YYYY-MM-DD",
        )
        notes = st.text_area("Notes", visit.notes, height=68)
        wanted = st.form_submit_button("Save the correction", type="primary")
    if not wanted:
        return
    with opened() as store:
        store.change_visit(replace(visit, visited_on=day, notes=notes.strip()))
    told()[code] = f"The visit is corrected: it is of {day_text(day)}."
    st.rerun()


def _ask_treatment(code: str, was: Treatment, today: date) -> None:
    with st.form(f"follow-correct-treatment-{was.number}-{was.version}", border=False):
        left, right = st.columns(2)
        day = left.date_input(
            "Day of the treatment",
            was.treated_on,
            min_value=min(_FIRST_DAY, was.treated_on),
            max_value=max(today, was.treated_on),
            format="YYYY-MM-DD",
        )
        regions = right.multiselect(
            "Treated regions", list(Region), default=list(was.regions), format_func=REGION_NAMES.__getitem__
        )
        product = left.text_input("Product (optional)", was.product)
        units = right.number_input("Units (optional)", min_value=0.0, value=was.units, step=1.0)
        notes = st.text_area("Notes", was.notes, height=68)
        never = st.checkbox("There was no such treatment: remove it")
        st.caption("The audit log keeps that it was corrected or removed, and its day.")
        wanted = st.form_submit_button("Save the correction", type="primary")
    if not wanted:
        return
    if not regions and not never:
        st.warning("Name at least one treated region, or remove the treatment.", icon=":material/warning:")
        return
    new = replace(
        was,
        treated_on=day,
        regions=tuple(regions),
        product=product.strip(),
        units=units,
        notes=notes.strip(),
    )
    with opened() as store:
        if never:
            store.remove_treatment(was)
        else:
            store.change_treatment(new)
    told()[code] = "The treatment is removed." if never else f"The treatment is corrected: {day_text(day)}."
    st.rerun()
