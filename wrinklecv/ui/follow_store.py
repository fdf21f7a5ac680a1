"""The store behind the page *Follow-up*: where it is, and a subject's course, measured once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Hashable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

import streamlit as st

from wrinklecv.casebook import Measured, clinic_noise, follow_subject
from wrinklecv.histories import FollowUp
from wrinklecv.settings import DEFAULTS
from wrinklecv.store import Store, open_store
from wrinklecv.visits import SubjectPage
from wrinklecv.windows import windows_of

from .follow_changes import Unscored
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


class Course(NamedTuple):
    """A subject's course, and the photos that gave no number."""

    followed: FollowUp
    unscored: tuple[Unscored, ...]


def course_of(page: SubjectPage) -> Course:
    """Follow a subject, or return what was followed before: the same photos, treatments, noise and settings.

    Only the visits of `page` are followed.

    Kept per session, the last few only: gone when the tab is closed.
    """
    with opened() as store:
        noise, windows = clinic_noise(store), windows_of(store.folder)
    photos = tuple((v.visited_on, p.sha256, p.kind, p.expression) for v in page.visits for p in v.photos)
    key: Hashable = (page.subject.code, photos, page.treatments, noise, windows, DEFAULTS.digest)
    courses = cast("dict[Hashable, Course]", st.session_state.setdefault(_COURSES, {}))
    if key in courses:
        return courses[key]
    days = {p.sha256: visit.visited_on for visit in reversed(page.visits) for p in visit.photos}
    unscored: list[Unscored] = []
    bar = st.progress(0.0, "Measuring the photos …")

    def tell(one: Measured, done: int, total: int) -> None:
        if one.code is not None:
            sha256 = hashlib.sha256(one.shot.content).hexdigest()
            unscored.append((days[sha256], one.shot.name, one.code, one.message))
        words = f"Measured {done} of {total} photos …" if done < total else "Following the lines …"
        bar.progress(done / (total + 1), words)

    pool = workers()
    try:
        with opened() as store:
            only = {visit.visited_on for visit in page.visits}
            followed = follow_subject(
                store, page.subject.code, jobs=pool, noise=noise, days=only, progress=tell
            )
    finally:
        bar.empty()
    courses[key] = Course(followed, tuple(unscored))
    while len(courses) > _MOST_COURSES:
        del courses[next(iter(courses))]
    return courses[key]
