"""Batches on disk: each is a folder that its own process fills, and that any page can look at.

A folder holds `job.json` (what was asked), `state.json` (how far it is; written anew every second while its
process lives), `photos/` (what was uploaded, until it is measured), `results/`. A file `cancel` asks to stop.
No Streamlit: the process that measures reads this file too.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from wrinklecv.errors import OutputError
from wrinklecv.whole_files import write_whole

_SILENT_S = 30.0
"""A process that wrote nothing for so long is gone: it writes every second."""
_NAMED = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_MOST_BYTES = 200


class Phase(StrEnum):
    """What a batch is doing, or how it ended."""

    STARTING = "starting"
    PHOTOS = "photos"
    PAIRS = "pairs"
    SUBJECTS = "subjects"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"


ENDS = (Phase.FINISHED, Phase.CANCELLED, Phase.FAILED, Phase.LOST)


@dataclass(frozen=True, slots=True)
class State:
    """How far a batch is: `done` of `total` of what its phase is about, photos by status, why it failed."""

    phase: Phase = Phase.STARTING
    done: int = 0
    total: int = 0
    began_at: float = field(default_factory=time.time)
    """When the first of this phase was begun; seconds since 1970."""
    statuses: dict[str, int] = field(default_factory=dict)
    message: str = ""

    @property
    def per_second(self) -> float | None:
        """Return how many are done a second, None where too little is done to tell."""
        passed_s = time.time() - self.began_at
        return self.done / passed_s if self.done >= 2 and passed_s > 1 else None


class Asked(NamedTuple):
    """What a batch is to measure: a folder, whether it was uploaded, and whether overlays are wanted."""

    folder: str
    uploaded: bool
    overlays: bool


@dataclass(frozen=True, slots=True)
class Job:
    """One batch on disk."""

    folder: Path

    @property
    def results(self) -> Path:
        """Where its tables and pictures are."""
        return self.folder / "results"

    @property
    def photos(self) -> Path:
        """Where its uploaded photos are, until they are measured."""
        return self.folder / "photos"

    @property
    def began(self) -> datetime:
        """When it was asked for."""
        return datetime.strptime(self.folder.name[:15], "%Y%m%d-%H%M%S")

    def asked(self) -> Asked:
        """Return what was asked for."""
        return Asked(**json.loads((self.folder / "job.json").read_text("utf-8")))

    def state(self) -> State:
        """Return how far it is; LOST where its process ended without a word."""
        path = self.folder / "state.json"
        try:
            told = json.loads(path.read_text("utf-8"))
            silent_s = time.time() - path.stat().st_mtime
        except (FileNotFoundError, ValueError):  # not told yet, or the disk was full
            return State(
                Phase.LOST if time.time() - self.began.timestamp() > 2 * _SILENT_S else Phase.STARTING
            )
        state = State(Phase(told.pop("phase")), **told)
        if state.phase not in ENDS and silent_s > _SILENT_S:
            return State(Phase.LOST, state.done, state.total, state.began_at, state.statuses)
        return state

    def tell(self, state: State) -> None:
        """Write down how far it is, whole or not at all."""
        write_whole(self.folder / "state.json", json.dumps(asdict(state)).encode(), synced=False)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "cancel").exists()

    def cancel(self) -> None:
        """Ask it to stop after the photo at hand."""
        (self.folder / "cancel").touch()

    def delete(self) -> None:
        """Delete it with its results; the photos of a folder of yours stay."""
        shutil.rmtree(self.folder)


def jobs_folder() -> Path:
    """Return where batches are kept: in the store's folder, or in the home folder where it has none."""
    told = os.environ.get("WRINKLECV_STORE", "")
    store = Path.home() / "wrinklecv" if not told or "://" in told else Path(told)
    return store / "batches"


def jobs() -> list[Job]:
    """Return all batches, the newest first."""
    folder = jobs_folder()
    found = [path for path in folder.iterdir() if _NAMED.fullmatch(path.name)] if folder.is_dir() else []
    return [Job(path) for path in sorted(found, reverse=True) if (path / "job.json").is_file()]


def make_job(folder: Path | None, uploads: Sequence[tuple[str, bytes]], *, key: str, overlays: bool) -> Job:
    """Write down a batch of a folder, or of uploaded photos (name, content), and start it once per `key`.

    Raises OutputError when it cannot be written.
    """
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{key[:8]}"
    place = jobs_folder() / name
    try:
        jobs_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        if before := next((job for job in jobs() if job.folder.name.endswith(key[:8])), None):
            return before
        place.mkdir(mode=0o700)
        job = Job(place)
        if folder is None:
            job.photos.mkdir(mode=0o700)
            for file, content in zip(_file_names([n for n, _ in uploads]), uploads, strict=True):
                (job.photos / file).write_bytes(content[1])
        asked = Asked(str(job.photos if folder is None else folder), folder is None, overlays)
        write_whole(place / "job.json", json.dumps(asked._asdict()).encode())
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)  # no page would show these photos, to be deleted
        raise OutputError(
            f"The batch cannot be written to {place} ({error.strerror}). Free some space, or set "
            "WRINKLECV_STORE to a folder you may write to."
        ) from error
    start(job)
    return job


def new_key() -> str:
    """Return a key for a form: the same form twice is one batch."""
    return secrets.token_hex(4)


def start(job: Job) -> None:
    """Start the batch's process, or go on where it stopped; it goes on when the app ends."""
    (job.folder / "cancel").unlink(missing_ok=True)
    job.tell(State())
    with (job.folder / "log.txt").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "wrinklecv.ui.batch_job", str(job.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    threading.Thread(target=child.wait, daemon=True).start()  # no zombie is left


def _file_names(names: Sequence[str]) -> list[str]:
    """Return file names that every system can keep, each once: they tell subject, visit and expression."""
    taken: set[str] = set()
    made = []
    for name in names:
        plain = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]', "_", name.encode("utf-8", "replace").decode())
        found = _SUFFIX.search(plain)
        suffix = found.group() if found else ""
        stem = plain.removesuffix(suffix).strip(". ") or "photo"
        stem = stem.encode()[:_MOST_BYTES].decode("utf-8", "ignore")
        file, number = f"{stem}{suffix}", 1
        while file.casefold() in taken:
            number += 1
            file = f"{stem} ({number}){suffix}"
        taken.add(file.casefold())
        made.append(file)
    return made
