"""The store behind the page *Follow-up*: where it is, and a subject's course."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import streamlit as st

from wrinklecv.casebook import Measured, follow_subject
from wrinklecv.histories import FollowUp
from wrinklecv.store import Store, open_store
from wrinklecv.visits import SubjectPage

from .measuring import workers

_COURSES = "follow-courses"
_MOST_COURSES = 4


def place() -> str | Path:
    """Return where the store is: WRINKLECV_STORE (a folder or a database's URL), else in the home folder."""
    told = os.environ.get("WRINKLECV_STORE", "")
    return told if "://" in told else Path(told or Path.home() / "wrinklecv")


@contextmanager
def opened() -> Generator[Store]:
    """Open the store for one action."""
    with open_store(place(), folder=os.environ.get("WRINKLECV_PHOTOS"), actor="app") as store:
        yield store


def told() -> dict[str, str]:
    """Return what was saved a moment ago, by subject, to be said when the page is drawn next."""
    return cast("dict[str, str]", st.session_state.setdefault("follow-told", {}))


def course_of(page: SubjectPage) -> FollowUp:
    """Follow a subject, or return what was followed before: the same photos, treatments, noise and settings.

    Only the visits of `page` are followed. The session keeps the last few too: the store does not keep one
    with a photo that crashed, nor on a full disk.
    """
    bar = st.empty()
    known = cast("dict[str, FollowUp]", st.session_state.setdefault(_COURSES, {}))

    def tell(one: Measured, done: int, total: int) -> None:
        words = f"Measured {done} of {total} photos …" if done < total else "Following the lines …"
        bar.progress(done / (total + 1), words)

    only, pool = {visit.visited_on for visit in page.visits}, workers()
    try:
        with opened() as store:
            code = page.subject.code
            return follow_subject(store, code, jobs=pool, days=only, progress=tell, known=known)
    finally:
        bar.empty()
        while len(known) > _MOST_COURSES:
            del known[next(iter(known))]
