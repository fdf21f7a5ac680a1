"""One batch in a process of its own: `python -m wrinklecv.ui.batch_job FOLDER`; a page only looks at it.

A page that is closed, a rerun, or the end of the app stops nothing half-way.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from wrinklecv.batch import score
from wrinklecv.errors import WrinkleError
from wrinklecv.followed import Course
from wrinklecv.listing import PairOutcome
from wrinklecv.records import Outcome

from .batch_jobs import Job, Phase, State

_BEAT_S = 1.0


class _Cancelled(KeyboardInterrupt):
    """Somebody asked the batch to stop; what is finished stays."""


class _Teller:
    """Tells how far the batch is: at every beat, so that its silence means its end."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._state = State()
        self._statuses: Counter[str] = Counter()
        self._over = threading.Event()
        self._beat = threading.Thread(target=self._beats, daemon=True)
        self._beat.start()

    def progress(self, what: Outcome | PairOutcome | Course, done: int, total: int) -> None:
        """Take note of what is done; stop the batch where that was asked for."""
        phase = Phase.PHOTOS
        if isinstance(what, Outcome):
            self._statuses[str(what.status)] += 1
        else:
            phase = Phase.PAIRS if isinstance(what, PairOutcome) else Phase.SUBJECTS
        began = self._state.began_at if phase is self._state.phase else time.time()
        self._state = State(phase, done, total, began, dict(self._statuses))
        if self._job.is_cancelled:
            raise _Cancelled

    def end(self, phase: Phase, message: str = "") -> None:
        """Say how it ended."""
        self._over.set()
        self._beat.join()
        self._job.tell(replace(self._state, phase=phase, message=message))

    def _beats(self) -> None:
        while True:
            with suppress(OSError):  # a full disk ends the batch with its own words
                self._job.tell(self._state)
            if self._over.wait(_BEAT_S):
                return


def main(folder: Path) -> None:
    """Measure what the job in `folder` asks for."""
    job = Job(folder)
    asked, teller = job.asked(), _Teller(job)
    phase, message = Phase.FAILED, "The batch ended by a fault of the program: see log.txt."
    try:
        score(
            [Path(asked.folder)],
            job.results,
            jobs=max(2, os.cpu_count() or 1),
            overlays=asked.overlays,
            progress=teller.progress,
            command=["app"],
        )
        phase, message = Phase.FINISHED, ""
    except _Cancelled:
        phase, message = Phase.CANCELLED, ""
    except WrinkleError as error:
        message = str(error)
    finally:
        teller.end(phase, message)
    if phase is Phase.FINISHED:  # only now: without that word it would be begun again, without photos
        shutil.rmtree(job.photos, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
