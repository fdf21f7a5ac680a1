"""The page *Before and after*: two visits of one subject at the same place and scale, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import streamlit as st

from wrinklecv.before_after import TwoVisits
from wrinklecv.casebook import clinic_noise
from wrinklecv.histories import Change, ChangeVerdict
from wrinklecv.pairs import SPEAKS_FOR
from wrinklecv.records import Expression, Region
from wrinklecv.visits import PhotoKind, StoredPhoto, SubjectPage

from . import sight
from .follow_course import STATE_NAMES, day_text
from .follow_store import course_of, opened
from .follow_subjects import choose_subject
from .measuring import measured
from .visit_pictures import BESIDE, DIFFERENCE, Days, choose_look, offer_pair, show_view
from .visit_verdicts import Told, show_comparability, show_told

_STATES = (Expression.REST, *SPEAKS_FOR)
_Shown = dict[date, list[StoredPhoto]]
"""The photos of one state by day, days in order."""


def show() -> None:
    """Show the page."""
    st.title("Before and after")
    st.markdown(
        "Shows two visits of one subject at the same place and scale, says whether the photos can be "
        "compared and what changed between them. Documents visible lines in photographs; everything stays "
        "on this machine."
    )
    code = choose_subject()
    if code is None:
        return
    with opened() as store:
        page = store.page(code)
        noise = clinic_noise(store)
    chosen = _choose(page)
    if chosen is None:
        return
    state, days, first, later = chosen
    with opened() as store:
        photos = store.photo(first.sha256), store.photo(later.sha256)
    key = (first.sha256, later.sha256, state, noise.relative_sd)
    found = measured(
        sight.lay_two, key, *photos, state, noise.relative_sd, words="Laying the two photos together …"
    )
    show_comparability(found)
    st.subheader("The two visits in one frame", anchor=False)
    look = choose_look(found)
    is_wide = look.view == BESIDE or not found.views[look.region].is_laid
    left, right = (st.container(), st.container()) if is_wide else st.columns([3, 2], gap="medium")
    if look.view == DIFFERENCE:  # what it may say hangs on the verdicts
        with right:
            told = _told(page, days, state, found, is_wide=is_wide)
        with left:
            show_view(found, look, days, _untold(told))
    else:
        with left:
            show_view(found, look, days, ())
        with right:
            _told(page, days, state, found, is_wide=is_wide)
    offer_pair(found, look, days, code)


# -- choosing --------------------------------------------------------------------------------------


def _choose(page: SubjectPage) -> tuple[Expression, Days, StoredPhoto, StoredPhoto] | None:
    """Ask for state and visits; say what is missing where there are no two."""
    code, shown = page.subject.code, {state: _photos(page, state) for state in _STATES}
    if not any(shown.values()):
        st.info(
            "This subject has no photo at rest or with a known expression yet. Add a visit on the page "
            "*Follow-up*: a photo at rest and one with each expression.",
            icon=":material/add_a_photo:",
        )
        return None
    usual = next((state for state in _STATES if len(shown[state]) > 1), Expression.REST)
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    state = left.segmented_control(
        "State",
        _STATES,
        default=usual,
        required=True,
        format_func=lambda state: STATE_NAMES[state],
        key=f"visits-state-{code}",
    )
    days = shown[state]
    if len(days) < 2:
        _say_missing(state, list(days), page)
        return None
    first = middle.selectbox(
        "First visit",
        list(days)[:-1],
        format_func=lambda day: _day(day, page),
        key=f"visits-first-{code}-{state}",
    )
    after = [day for day in days if day > first]
    later = right.selectbox(
        "Later visit",
        after,
        index=len(after) - 1,
        format_func=day_text,
        key=f"visits-later-{code}-{state}-{first}",
    )
    is_baseline = first == min(visit.visited_on for visit in page.visits if visit.photos)
    both = Days(first, later, is_baseline)
    return state, both, _shot(days[first], "first", middle), _shot(days[later], "later", right)


def _photos(page: SubjectPage, state: Expression) -> _Shown:
    found: _Shown = {}
    for visit in sorted(page.visits, key=lambda visit: (visit.visited_on, visit.number)):
        for photo in visit.photos:
            if photo.expression is state and photo.kind is not PhotoKind.MARKING:
                found.setdefault(visit.visited_on, []).append(photo)
    return found


def _day(day: date, page: SubjectPage) -> str:
    baseline = min(visit.visited_on for visit in page.visits if visit.photos)
    return day_text(day) + (" (baseline)" if day == baseline else "")


def _shot(photos: Sequence[StoredPhoto], which: str, place: st.delta_generator.DeltaGenerator) -> StoredPhoto:
    """Return the photo of a visit; where there are several shots, the one that is chosen."""
    if len(photos) == 1:
        return photos[0]
    number = place.selectbox(
        f"Shot of the {which} visit",
        range(len(photos)),
        format_func=lambda n: f"{n + 1} of {len(photos)}",
        key=f"visits-shot-{which}-{photos[0].sha256}",
    )
    return photos[number]


def _say_missing(state: Expression, days: Sequence[date], page: SubjectPage) -> None:
    name = STATE_NAMES[state].lower()
    when = f"Only the visit of {day_text(days[0])} has" if days else "No visit has"
    others = [STATE_NAMES[s].lower() for s in _STATES if len(_photos(page, s)) > 1]
    instead = f" Or choose another state: {', '.join(others)}." if others else ""
    st.info(
        f"{when} a photo of this state ({name}). Two visits are needed: add one on the page *Follow-up*, "
        f"with the same expression.{instead}",
        icon=":material/add_a_photo:",
    )


# -- what changed ----------------------------------------------------------------------------------


def _told(
    page: SubjectPage, days: Days, state: Expression, found: TwoVisits, *, is_wide: bool
) -> Told | None:
    """Show what changed between the two visits, by the course of Follow-up where it tells this pair."""
    if not {m.region for m in found.first.regions} & {m.region for m in found.later.regions}:
        st.markdown("**Did it change?**")
        st.markdown("Cannot tell: no region was measured in both photos, see above.")
        return None
    told = _changes(page, days, state, is_course=True)
    if not told.changes:
        pair = tuple(visit for visit in page.visits if visit.visited_on in (days.first, days.later))
        told = _changes(replace(page, visits=pair), days, state, is_course=False)
    show_told(told, state, is_wide=is_wide)
    return told


def _changes(page: SubjectPage, days: Days, state: Expression, *, is_course: bool) -> Told:
    course = course_of(page)
    changes = tuple(
        change
        for change in course.changes
        if (change.since, change.until, change.state) == (days.first, days.later, state)
    )
    return Told(changes, is_course, course.noise)


def _untold(told: Told | None) -> tuple[Region, ...]:
    changes: Sequence[Change] = told.changes if told else ()
    return tuple(c.region for c in changes if c.verdict is ChangeVerdict.NOT_COMPARABLE)
