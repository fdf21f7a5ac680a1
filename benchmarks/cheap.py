"""One run of a batch with a cheap measurement, in a process of its own that may be killed.

``python -m benchmarks.cheap PHOTOS OUT JOBS NOTES`` prints the parent's memory after 1,000 and 10,000 photos
and notes each measurement in the file NOTES. Reading and decoding are real, the lines those of one sample.
Nothing heavy is imported at the top: each worker begins by importing this.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wrinklecv.errands import Scored
    from wrinklecv.followed import Course
    from wrinklecv.listing import PairOutcome
    from wrinklecv.records import Assessment, Outcome
    from wrinklecv.settings import Settings

SAMPLE = Path(__file__).parent.parent / "sample_images" / "sub-002_ses-20250110_expr-rest_run-1.jpg"
CRASHES = b"this photo kills its process"
NOTES = "WRINKLECV_BENCH_NOTES"


@functools.cache
def _like() -> Assessment:
    from wrinklecv.assessment import assess
    from wrinklecv.photo import read_photo

    return replace(assess(read_photo(SAMPLE)), chart=None)


def measure(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
    """Stand in for `assess_file`: read and decode the photo, and tell its mean light as the yaw."""
    from wrinklecv.errands import Scored
    from wrinklecv.photo import read_file, read_photo

    del settings, overlay
    content = read_file(file)
    if CRASHES in content[:200]:
        os.kill(os.getpid(), signal.SIGSEGV)
    photo = read_photo(content, name=path)
    like = _like()
    face = replace(like.face, yaw_deg=float(photo.pixels.mean()))
    found = replace(like, photo_name=path, photo_sha256=photo.sha256, face=face)
    with Path(os.environ[NOTES]).open("a", encoding="ascii") as notes:
        notes.write(f"{photo.sha256}\n")
    return Scored(photo.sha256, found)


def memory_mb(pid: int | str = "self", what: str = "VmRSS") -> float:
    """Return the memory of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(status.split(f"{what}:")[1].split()[0]) / 1024


def run(photos: str, out: str, jobs: str, notes: str) -> int:
    """Score the folder; print what the parent takes, and what was taken over."""
    from wrinklecv.batch import score
    from wrinklecv.errors import OutputError

    os.environ[NOTES] = notes
    taken: dict[str, float] = {}

    def watch(outcome: Outcome | PairOutcome | Course, done: int, total: int) -> None:
        del outcome, total
        if done in (1_000, 10_000):
            taken[str(done)] = memory_mb()

    try:
        summary = score(
            [photos], out, jobs=int(jobs), apart=True, progress=watch, assess_one=measure, formats=()
        )
    except OutputError as error:
        print(error)
        return 2
    print(json.dumps({"memory_mb": taken, "taken_over": summary.taken_over["files"]}))
    return 0


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
