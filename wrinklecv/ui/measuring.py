"""The worker processes that all sessions share, and how a page has something measured in them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, wait
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

import streamlit as st

from wrinklecv.codes import Code
from wrinklecv.errors import PhotoError
from wrinklecv.records import Assessment
from wrinklecv.settings import DEFAULTS
from wrinklecv.workers import Failed, Workers, is_answered, result_of, start_workers

from . import sight

Result = TypeVar("Result")

PHOTO_TIMEOUT_S = 30.0
"""A photo of 50 megapixels takes two seconds, on a busy machine several times that."""
_KEPT = "measured"
_MOST_KEPT = 2
"""Results of one kind that a session keeps: all kinds together are 20 MB."""
_SHARED: WeakValueDictionary[Hashable, Future[Any]] = WeakValueDictionary()
"""What some session keeps: another that asks for the same finds it. Gone with the last of them; but the pool
holds its last task until the next."""
_GLANCE_S = 0.2
_MOST_TRIES = 3
_MOST_WAIT_S = 10 * PHOTO_TIMEOUT_S
"""Others' photos come first; a future of a pool that another session had replaced never comes."""


@st.cache_resource(show_spinner=False, validate=lambda found: not found.is_stopped, on_release=Workers.stop)
def workers() -> Workers:
    """Return the processes that measure photos for all sessions; they know nothing of persons.

    Two at least: a photo that hangs holds up nobody else. They replace a pool of theirs that broke.
    """
    return start_workers(max(2, os.cpu_count() or 1), prepare=sight.prepare)


def begin(work: Callable[..., object], key: Hashable, *arguments: Any) -> None:
    """Begin what `measured` will be asked for in a moment, without waiting for it."""
    kept, whole_key = _kept(work), (key, DEFAULTS.digest)
    if whole_key not in kept and (work, whole_key) not in _SHARED:
        kept[whole_key] = _begun(work, whole_key, arguments)


def measured(work: Callable[..., Result], key: Hashable, *arguments: Any, words: str) -> Result:
    """Have `work` done in a worker process, showing `words` meanwhile; the same key again is not done again.

    key: hashes of the photos' bytes and what else matters; the settings are added. A run that ends
    meanwhile (another click, a closed tab) leaves the work going, and the next run finds it. Each session
    keeps its last few, and finds those of the others. Raises what `work` raises; PhotoError when its
    process died or hung.
    """
    kept, whole_key = _kept(work), (key, DEFAULTS.digest)
    shared_key, future = (work, whole_key), kept.get(whole_key)
    is_own = future is not None
    future = future or _SHARED.get(shared_key)
    tries = 0
    while future is None or not _comes(future, words):  # once more where the pool itself broke
        kept.pop(whole_key, None)
        tries += 1
        if tries > _MOST_TRIES:
            raise PhotoError(
                Code.CRASHED, "The processes that measure photos die. Free some memory; try again."
            )
        kept[whole_key] = future = _begun(work, whole_key, arguments)
        is_own = True
    kept.pop(whole_key, None)
    kept[whole_key] = future  # the newest stay longest
    while len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]
    result = result_of(future, PHOTO_TIMEOUT_S)
    if isinstance(result, Failed):
        if _SHARED.get(shared_key) is future:
            del _SHARED[shared_key]
        # The machine's fault as likely, or another session's: asked again, it is tried again.
        if not is_own or result.code is not Code.CRASHED:
            del kept[whole_key]
        raise PhotoError(result.code, result.message)
    return cast("Result", result)


def _kept(work: Callable[..., object]) -> dict[Hashable, Future[Any]]:
    """Return what this session keeps of one kind."""
    every = st.session_state.setdefault(_KEPT, {})
    return cast("dict[Hashable, Future[Any]]", every.setdefault(work, {}))


def _begun(work: Callable[..., object], whole_key: Hashable, arguments: tuple[Any, ...]) -> Future[Any]:
    """Begin some work, and let other sessions find it."""
    future = workers().begin(work, arguments, timeout_s=PHOTO_TIMEOUT_S)
    _SHARED[work, whole_key] = future
    return future


def _comes(future: Future[Any], words: str) -> bool:
    """Wait for a result; False where it never comes, since its pool was replaced.

    Another click or a closed tab ends the run meanwhile: that happens at calls of st.
    """
    place = st.empty()  # there in every run: what follows keeps its place on the page, and so its state
    if not future.done():
        pool = workers()
        with place.container(), st.spinner(words, show_time=True):
            hold = st.empty()
            until = time.monotonic() + _MOST_WAIT_S
            while pool.answers(future) and time.monotonic() < until and not wait((future,), _GLANCE_S).done:
                hold.empty()
        place.empty()
    return is_answered(future)


def thumbnails(photos: Mapping[str, tuple[bytes, Assessment | None]]) -> dict[str, bytes]:
    """Return small pictures of those photos that have an assessment, by the same keys."""
    tasks = ((key, (content, found) if found else None) for key, (content, found) in photos.items())
    made = workers().do(sight.thumbnail, tasks, timeout_s=PHOTO_TIMEOUT_S)
    return {key: picture for key, picture in made if isinstance(picture, bytes)}
