"""The page *Batch*: a folder of photos into tables, measured in the background, to be looked at again."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import streamlit as st

from wrinklecv.records import Status

from . import parts
from .batch_jobs import ENDS, Job, Phase, State, jobs, make_job, new_key, start
from .parts import md

_KEY, _CHOSEN = "batch-key", "batch-chosen"
_FOLDER, _UPLOAD = "A folder on this machine", "Upload photos"
_MOST_ROWS = 2000
_MOST_MB = 20
_WORDS = {
    Phase.STARTING: "Starting …",
    Phase.PHOTOS: "Measuring photos",
    Phase.PAIRS: "Comparing pairs",
    Phase.SUBJECTS: "Following subjects",
}
_ENDED = {
    Phase.FINISHED: ":blue-badge[:material/check_circle: Finished]",
    Phase.CANCELLED: ":gray-badge[:material/cancel: Cancelled]",
    Phase.FAILED: ":orange-badge[:material/error: Failed]",
    Phase.LOST: ":orange-badge[:material/error: Stopped]",
}
_GOOD = (Status.SCORED, Status.SCORED_FLAGGED)


def show() -> None:
    """Show the page."""
    st.title("Batch")
    st.markdown(
        "Measures a folder of photos into tables, a row per file whatever happens to it. Photos whose names "
        "tell subject and visit are compared and followed. It goes on while this page is closed."
    )
    _ask()
    found = {job.folder.name: job for job in jobs()}
    st.subheader("Batches", anchor=False)
    if not found:
        st.info("No batch yet. Name a folder or upload photos, then start.", icon=":material/folder_open:")
        return
    wanted = st.session_state.pop(f"{_CHOSEN}-next", None)
    if wanted in found:
        st.session_state[_CHOSEN] = wanted
    if st.session_state.get(_CHOSEN) not in found:
        st.session_state[_CHOSEN] = next(iter(found))
    name = st.selectbox(
        "Which batch", list(found), format_func=lambda name: _title(found[name]), key=_CHOSEN, width=620
    )
    job = found[name]
    if job.state().phase in ENDS:
        _show_end(job)
    else:
        _show_progress(job)


def _title(job: Job) -> str:
    asked = job.asked()
    what = "uploaded photos" if asked.uploaded else asked.folder
    return f"{job.began:%d %b %Y, %H:%M:%S} — {what}"


# -- asking ----------------------------------------------------------------------------------------


def _ask() -> None:
    """Ask what to measure, and start it once."""
    key = st.session_state.setdefault(_KEY, new_key())
    with st.container(border=True):
        how = st.segmented_control(
            "Photos", [_FOLDER, _UPLOAD], default=_FOLDER, required=True, label_visibility="collapsed"
        )
        folder, uploads = None, []
        if how == _UPLOAD:
            uploads = parts.ask_photos("Photos", key=f"batch-photos-{key}")
            st.caption("They are kept beside the results until they are measured, then deleted.")
        else:
            told = st.text_input(
                "Folder",
                placeholder="/home/me/photos",
                help="As this machine calls it. Folders inside are looked at too; nothing is changed there.",
            ).strip()
            # Path.expanduser and Path.is_dir raise at odd names; these do not.
            folder = Path(os.path.expanduser(told)) if told else None  # noqa: PTH111
        overlays = st.toggle("Write each photo with its lines drawn", value=True)
        ready = bool(folder or uploads)
        pressed = st.button("Start", type="primary", disabled=not ready, icon=":material/play_arrow:")
    if not pressed:
        return
    if folder is not None and not os.path.isdir(folder):  # noqa: PTH112
        st.error(f"There is no folder {md(str(folder))} on this machine.", icon=":material/error:")
        return
    given = [(file.name, file.getvalue()) for file in uploads]
    job = make_job(folder and folder.absolute(), given, key=key, overlays=overlays)
    st.session_state[f"{_CHOSEN}-next"] = job.folder.name
    st.session_state[_KEY] = new_key()
    st.rerun()


# -- under way -------------------------------------------------------------------------------------


@st.fragment(run_every=1.0)
def _show_progress(job: Job) -> None:
    """Show how far it is, anew every second."""
    state = job.state()
    if state.phase in ENDS:
        st.rerun()
    st.progress(state.done / state.total if state.total else 0.0, _progress_text(state))
    if state.statuses:
        st.caption(_counted(state.statuses))
    if job.is_cancelled:
        st.caption("It stops after the photo at hand …")
    elif st.button("Cancel", icon=":material/stop:", help="What is finished stays; it can go on later."):
        job.cancel()
        st.rerun(scope="fragment")


def _progress_text(state: State) -> str:
    words = _WORDS[state.phase]
    if not state.total:
        return words
    text = f"{words}: {state.done} of {state.total}"
    if (rate := state.per_second) is not None:
        text += f" · {rate:.1f} a second · about {_duration((state.total - state.done) / rate)} left"
    return text


def _duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _counted(statuses: dict[str, int]) -> str:
    named = (f"{number} {name.replace('_', ' ')}" for name, number in sorted(statuses.items()))
    return md(", ".join(named))


# -- at its end ------------------------------------------------------------------------------------


def _show_end(job: Job) -> None:
    """Show what came of it."""
    state = job.state()
    words, again, away = st.columns([4, 1, 1], vertical_alignment="center")
    words.markdown(f"{_ENDED[state.phase]} {_counted(state.statuses)}")
    if state.phase is not Phase.FINISHED and again.button("Go on", icon=":material/play_arrow:"):
        start(job)
        st.rerun()
    with away.popover("Delete", icon=":material/delete:"):
        st.markdown("Deletes the results. The photos in a folder of yours stay.")
        if st.button("Delete for good", type="primary"):
            job.delete()
            st.rerun()
    if state.message:
        st.error(md(state.message), icon=":material/error:")
    if state.phase is Phase.LOST:
        st.markdown(
            "Its process ended without a word: was the machine switched off? *Go on* begins it again."
        )
    table = job.results / "photos.csv"
    if not table.is_file():
        st.info("There are no tables yet: they are written at the end.", icon=":material/table:")
        return
    rows = _rows(table)
    _show_failures(rows)
    st.markdown("**What became of each file**")
    st.dataframe(rows[:_MOST_ROWS], hide_index=True, alt="What became of each file")
    if len(rows) > _MOST_ROWS:
        st.caption(f"The first {_MOST_ROWS} of {len(rows)} rows; all of them are in photos.csv.")
    _show_files(job)


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        wanted = ("path", "status", "code", "message", "subject", "visit", "expression", "run")
        return [{name: row.get(name, "") for name in wanted} for row in csv.DictReader(file)]


def _show_failures(rows: list[dict[str, str]]) -> None:
    bad = [row for row in rows if row["status"] not in _GOOD]
    if not bad:
        st.markdown("Every photo was measured." if rows else "No photo was found in the folder.")
        return
    st.markdown(f"**Not measured: {len(bad)} of {len(rows)}**")
    counts = Counter(row["code"] for row in bad)
    said = {row["code"]: row["message"] for row in reversed(bad)}
    table = [{"Reason": code, "Files": n, "For example": said[code]} for code, n in counts.most_common()]
    st.dataframe(table, hide_index=True, alt="Reasons why photos were not measured")


def _show_files(job: Job) -> None:
    """Offer the tables; those too large for a browser are named with their place."""
    st.markdown("**Files**")
    small: list[Path] = []
    large: list[Path] = []
    for path in sorted(job.results.iterdir()):
        if path.is_file() and path.suffix[1:] in parts.MIME:
            (small if path.stat().st_size < _MOST_MB * 2**20 else large).append(path)
    with st.container(horizontal=True):
        for path in small:
            parts.offer_file(path.name, path.stem, path.suffix[1:], path.read_bytes())
    for path in large:
        st.markdown(f"{md(path.name)} is too large for the browser: take it from the folder below.")
    st.caption("All of it, with a document and an overlay per photo, is in this folder:")
    st.code(str(job.results.absolute()), language=None)
