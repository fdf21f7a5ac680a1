"""The page *Follow-up*: a subject's lines over visits and treatments, and what of it is a change."""

from __future__ import annotations

from datetime import date

import streamlit as st

from wrinklecv.errors import WrinkleError
from wrinklecv.records import Expression
from wrinklecv.settings import DEFAULTS
from wrinklecv.visits import PhotoKind, SubjectPage

from .follow_changes import show_changes, show_untold
from .follow_corrections import correct_entry
from .follow_course import show_plots, show_record, show_status
from .follow_lines import show_asymmetry, show_cycles, show_lines, show_method
from .follow_store import course_of, opened, told
from .follow_subjects import choose_subject
from .follow_treatment import ask_treatment
from .follow_visit import ask_visit
from .parts import md

_COURSE, _VISIT, _TREATMENT = "Course", "Add a visit", "Add a treatment"
_VIEW = "follow-view"


def show() -> None:
    """Show the page."""
    st.title("Follow-up")
    st.markdown(
        "Follows the lines of one person over visits, at rest and in expression, and tells a change from "
        "what two photos of an unchanged face differ by. Documents visible lines in photographs; everything "
        "stays on this machine."
    )
    code = choose_subject()
    if code is None:
        return
    with opened() as store:
        page, warning = store.page(code), store.clock_warning()
    name = f" — {md(page.subject.name)}" if page.subject.name else ""
    st.subheader(f"Subject {md(code)}{name}", anchor=False)
    if warning:
        st.warning(md(warning), icon=":material/schedule:")
    done, saying = told(), st.session_state.setdefault("follow-saying", {})
    saves = st.session_state.setdefault("follow-saves", {})
    if code in done:
        saves[code] = saves.get(code, 0) + 1
        saying[code] = done.pop(code)
    view = st.segmented_control(
        "View",
        [_COURSE, _VISIT, _TREATMENT],
        default=_COURSE if page.visits or code in saves else _VISIT,
        required=True,
        # New after each save: a late second click still tells the browser's old choice, which counts no more.
        key=f"{_VIEW}-{code}-{saves.get(code, 0)}",
        label_visibility="collapsed",
    )
    if view != _COURSE:
        saying.clear()
    elif code in saying:  # until another view is chosen
        st.success(saying[code], icon=":material/check_circle:")
    if view == _VISIT:
        ask_visit(code, date.today())
    elif view == _TREATMENT:
        ask_treatment(code, date.today())
    else:
        _show_course(page)


def _show_course(page: SubjectPage) -> None:
    photos = [p for v in page.visits for p in v.photos if p.kind is not PhotoKind.MARKING]
    if not any(p.expression is not Expression.UNKNOWN for p in photos):
        st.info(
            "No photo at rest or with a known expression yet. Choose *Add a visit* above: a photo at rest "
            "and one with each expression, the first time before any treatment.",
            icon=":material/add_a_photo:",
        )
        show_record(None, page)
        correct_entry(page, date.today())
        return
    try:
        course = course_of(page)
    except WrinkleError:
        show_record(None, page)
        correct_entry(page, date.today())
        raise
    show_status(course, page, date.today())
    show_record(course, page)
    correct_entry(page, date.today())
    show_plots(course, page.treatments)
    show_changes(course)
    show_untold(course)
    show_lines(course)
    show_asymmetry(course)
    show_cycles(course, page.treatments)
    show_method(course, DEFAULTS.digest)
