"""Add a visit in one step: photos accepted or refused, expressions confirmed, all saved once and whole."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import cast

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from wrinklecv.casebook import Measured, NewShot, measure_visit, save_visit
from wrinklecv.codes import Code
from wrinklecv.listing import parse_name
from wrinklecv.movement import STRENGTHS, guess_expression
from wrinklecv.records import Assessment, Expression
from wrinklecv.visits import Consent

from .follow_course import STATE_NAMES
from .follow_store import opened, told
from .measuring import thumbnails, workers
from .parts import HOW_TO, PHOTO_TYPES, md

_FORMS = "follow-forms"
_MARKING, _UNKNOWN = "marking", "unknown"
_SHOWS = {
    **{state.value: name for state, name in STATE_NAMES.items()},
    _MARKING: "Marking of puncture sites (stored, never scored)",
    _UNKNOWN: "Something else (stored, not followed)",
}
_CONSENTS = {
    Consent.NOT_RECORDED: "not recorded",
    Consent.OWN_RECORD: "for the own record",
    Consent.STUDY: "for the record and studies",
    Consent.PUBLICATION: "for record, studies and publication",
}
_ONLY_MARKING = (Code.NO_FACE, Code.MANY_FACES, Code.FACE_TOO_SMALL, Code.FACE_CUT, Code.FACE_ROTATED)
"""Whole photos in which nothing can be measured: as a marking they can be kept."""


@dataclass
class _Form:
    """A visit that is being entered: its key for saving once, and what was measured so far, by sha256."""

    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    measured: dict[str, Measured] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)


def ask_visit(code: str, today: date) -> None:
    """Ask for a visit, and save it once when a person says so."""
    forms = cast("dict[str, _Form]", st.session_state.setdefault(_FORMS, {}))
    form = forms.setdefault(code, _Form())
    left, right = st.columns([1, 3], gap="medium")
    day = left.date_input(
        "Day of the visit",
        today,
        min_value=date(1990, 1, 1),
        max_value=today,
        format="YYYY-MM-DD",
        key=f"visit-day-{form.key}",
    )
    uploads = right.file_uploader(
        "Photos of this visit: at rest and with each expression; several shots of each are welcome",
        type=PHOTO_TYPES,
        accept_multiple_files=True,
        help=HOW_TO,
        key=f"visit-photos-{form.key}",
    )
    st.caption(f"{HOW_TO} Photograph before puncture sites are marked.")
    notes = st.text_area("Notes (optional)", height=68, key=f"visit-notes-{form.key}")
    consent = st.selectbox(
        "Consent to the use of these photos",
        list(_CONSENTS),
        format_func=_CONSENTS.__getitem__,
        key=f"visit-consent-{form.key}",
        width=420,
    )
    if not uploads:
        st.info("Nothing is saved before you press *Save the visit*.", icon=":material/add_a_photo:")
        return
    _measure(form, uploads)
    shots = _confirm(form, uploads)
    st.caption("Nothing is saved before you press this button. The files are kept byte for byte as they are.")
    save, drop = st.columns([1, 4])
    if drop.button("Discard this form", type="tertiary", key=f"visit-drop-{form.key}"):
        forms.pop(code, None)
        st.rerun()
    if save.button("Save the visit", type="primary", disabled=not shots, key=f"visit-save-{form.key}"):
        done, pool = told(), workers()
        kept = [replace(one, shot=replace(one.shot, consent=consent)) for one in shots]
        with st.spinner("Saving …", show_time=True), opened() as store:
            # Nothing here speaks with the page: a second click or a closed tab would end this run midway.
            saved = save_visit(store, code, day, kept, key=form.key, notes=notes.strip(), jobs=pool)
            done[code] = f"The visit is saved, with {_photos(len(saved.visit.photos))}."
            forms.pop(code, None)
        st.rerun()


def _photos(number: int) -> str:
    return "1 photo" if number == 1 else f"{number} photos"


# -- measuring -------------------------------------------------------------------------------------


def _measure(form: _Form, uploads: Sequence[UploadedFile]) -> None:
    """Measure the photos that were not measured yet."""
    new = {_sha256(file): file for file in uploads if _sha256(file) not in form.measured}
    if not new:
        return
    shots = [NewShot(file.getvalue(), file.name, parse_name(file.name)[2]) for file in new.values()]
    with st.spinner(f"Measuring {_photos(len(new))} …", show_time=True):
        found = dict(zip(new, measure_visit(shots, jobs=workers()), strict=True))
        form.pictures |= thumbnails({s: (m.shot.content, m.assessment) for s, m in found.items()})
        form.measured |= found


def _sha256(file: UploadedFile) -> str:
    return hashlib.sha256(file.getvalue()).hexdigest()


def _guesses(measured: Sequence[Measured]) -> list[Expression]:
    """Return what each photo shows: by its name, else by the movement from the rest photo.

    Where no name tells the rest photo, it is the one in which the landmark model sees the least movement.
    """
    shown = [(one.shot.expression, one.assessment) for one in measured]
    seen = [(told, a) for told, a in shown if a is not None]
    rest = next((a for told, a in seen if told is Expression.REST), None)
    if rest is None:
        untold = [a for told, a in seen if told is Expression.UNKNOWN]
        rest = min(untold, key=_strength) if len(untold) > 1 else None
    return [_guess(told, found, rest) for told, found in shown]


def _guess(told: Expression, found: Assessment | None, rest: Assessment | None) -> Expression:
    if told is not Expression.UNKNOWN or found is None or rest is None:
        return told
    return Expression.REST if found is rest else guess_expression(rest.face, found.face)


def _strength(assessment: Assessment) -> float:
    names = [name for some in STRENGTHS.values() for name in some]
    return sum(assessment.face.expression.get(name, 0.0) for name in names)


# -- confirming ------------------------------------------------------------------------------------


def _confirm(form: _Form, uploads: Sequence[UploadedFile]) -> list[Measured]:
    """Show each file with its fate and what it shows, for a person to confirm; return what is to be saved."""
    files = {_sha256(file): file.name for file in reversed(uploads)}
    order = list(dict.fromkeys(_sha256(file) for file in uploads))
    measured = [replace(form.measured[s], shot=replace(form.measured[s].shot, name=files[s])) for s in order]
    usable = [(s, m) for s, m in zip(order, measured, strict=True) if m.assessment or m.code in _ONLY_MARKING]
    st.markdown(f"**{_photos(len(usable))} accepted.** What each photo shows is a guess: please confirm.")
    guesses = dict(zip(order, _guesses(measured), strict=True))
    result = []
    for sha256, one in zip(order, measured, strict=True):
        chosen = _show_file(form, sha256, one, guesses[sha256])
        if chosen is not None:
            result.append(chosen)
    if len(uploads) > len(order):
        twice = len(uploads) - len(order)
        st.markdown(f":gray[:material/content_copy: {_photos(twice)} given twice: kept once.]")
    untold = sum(one.shot.expression is Expression.UNKNOWN and not one.shot.marking for one in result)
    if untold:
        st.warning(
            f"What {_photos(untold)} shows is not told: choose it, or it is stored and not followed.",
            icon=":material/help:",
        )
    elif result and not any(one.shot.expression is Expression.REST for one in result):
        st.warning(
            "No photo at rest is among them: lines cannot be told static or dynamic.", icon=":material/info:"
        )
    return result


def _show_file(form: _Form, sha256: str, one: Measured, guess: Expression) -> Measured | None:
    """Show one file; return it as it is to be saved, None where it is not."""
    with st.container(border=True):
        picture, words, choice = st.columns([1, 3, 3], vertical_alignment="center")
        if sha256 in form.pictures:
            picture.image(form.pictures[sha256], width=110, alt=f"Photo {one.shot.name}")
        words.markdown(f"**{md(one.shot.name)}**  \n{_fate(one)}")
        if one.assessment is None and one.code not in _ONLY_MARKING:
            return None
        options = list(_SHOWS) if one.assessment else ["", _MARKING]
        shows = choice.selectbox(
            "What it shows" + (" (from its name)" if one.shot.expression is not Expression.UNKNOWN else ""),
            options,
            index=options.index(guess.value) if one.assessment else 0,
            format_func=lambda value: _SHOWS.get(value, "Leave it out"),
            key=f"visit-shows-{form.key}-{sha256}",
        )
    if shows == "":
        return None
    if shows == _MARKING:
        return Measured(replace(one.shot, expression=Expression.UNKNOWN, marking=True))
    return replace(one, shot=replace(one.shot, expression=Expression(shows)))


def _fate(one: Measured) -> str:
    """Say whether a file is accepted, and why not."""
    why = f"{md(one.message)} :gray[({md(one.code or '')})]"
    if one.assessment is None:
        return f":gray-badge[:material/block: Refused] {why}"
    if not one.is_scored:
        return f":orange-badge[:material/warning: Kept, but nothing to measure] {why}"
    regions = len(one.assessment.regions)
    return f":blue-badge[:material/check_circle: Accepted] :gray[{regions} of 4 regions measured]"
