"""Assess many photos: one Outcome per file whatever happens, and a folder of tables at the end.

A worker process that crashes or hangs costs one row, not the batch. The same photos and settings
give byte-identical tables, with one process or many.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from .codes import Code
from .errors import PhotoError
from .listing import Found, Paths, find_photos, outcome_of
from .records import Assessment, Outcome, Photo, Status, Verdict
from .results import Results
from .settings import DEFAULTS, Settings
from .workers import Failed, Workers, at_work

PHOTO_TIMEOUT_S = 60.0
"""A 50-megapixel photo takes a few seconds; a network share that stopped answering takes for ever."""
OVERLAY_LONG_SIDE_PX = 1600


class Scored(NamedTuple):
    """What a worker brings back of one file: an assessment and its overlay (JPEG), or why there is none.

    The assessment comes without its chart: 3 MB of pixels are not carried between processes.
    """

    sha256: str
    assessment: Assessment | None = None
    overlay: bytes = b""
    code: Code | None = None
    message: str = ""


AssessOne = Callable[[Path, str, Settings, bool], Scored]
"""(file, path as shown, settings, is an overlay wanted?) → Scored."""


class Summary(NamedTuple):
    """How a batch went: files by status, and files that got no row, by reason."""

    statuses: Counter[Status]
    ignored: Counter[str]


def assess_file(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
    """Read and assess one file; a photo that cannot be measured is a Scored with its code."""
    from .assessment import assess
    from .photo import read_file, read_photo

    sha256 = ""
    try:
        content = read_file(file)
        sha256 = hashlib.sha256(content).hexdigest()  # a refused photo's row tells which bytes it was
        photo = read_photo(content, name=path)
        assessment = assess(photo, settings=settings)
    except PhotoError as error:
        return Scored(sha256, code=error.code, message=str(error))
    drawn = _overlay(photo, assessment) if overlay else b""
    return Scored(sha256, replace(assessment, chart=None), drawn)


def _overlay(photo: Photo, assessment: Assessment) -> bytes:
    """Draw the lines on the photo; return a JPEG of at most `OVERLAY_LONG_SIDE_PX`, without metadata."""
    import cv2

    from .draw import draw_lines, encode_jpeg

    pixels = draw_lines(photo, assessment)
    shrink = OVERLAY_LONG_SIDE_PX / max(pixels.shape)
    if shrink < 1:
        pixels = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return encode_jpeg(pixels)


def assess_many(
    paths: Paths, *, settings: Settings = DEFAULTS, jobs: int = 1, assess_one: AssessOne = assess_file
) -> Iterator[Outcome]:
    """Yield one Outcome per file of `paths`, in order, whatever happens to it.

    With `jobs` > 1 each photo is assessed in one of that many processes and has `PHOTO_TIMEOUT_S`;
    call it under ``if __name__ == "__main__":`` then, as multiprocessing asks. A bug is not caught.
    """
    with at_work(jobs) as workers:
        for outcome, _ in _outcomes(find_photos(paths), settings, workers, assess_one, overlays=False):
            yield outcome


def score(
    paths: Paths,
    out: str | Path,
    *,
    settings: Settings = DEFAULTS,
    jobs: int = 1,
    overlays: bool = True,
    progress: Callable[[Outcome, int, int], None] | None = None,
    command: Sequence[str] = (),
    assess_one: AssessOne = assess_file,
) -> Summary:
    """Assess the files of `paths`; write tables, JSON documents and overlays into the folder `out`.

    `progress` is called after each file with its Outcome, how many are done and how many there are.
    Raises OutputError when `out` cannot be written or holds the photos themselves.
    """
    paths = list(paths)
    summary = Summary(Counter(), Counter())
    with Results(Path(out), paths) as results, at_work(jobs) as workers:
        found = list(find_photos(paths, ignored=summary.ignored))
        steps = _outcomes(found, settings, workers, assess_one, overlays=overlays)
        for done, (outcome, overlay) in enumerate(steps, start=1):
            results.add(outcome, overlay)
            summary.statuses[outcome.status] += 1
            if progress:
                progress(outcome, done, len(found))
    files = {str(status): summary.statuses[status] for status in Status}
    results.write_run(settings, command, files, summary.ignored)
    return summary


def _outcomes(
    found: Iterable[Found], settings: Settings, workers: Workers, assess_one: AssessOne, *, overlays: bool
) -> Iterator[tuple[Outcome, bytes]]:
    """Yield (outcome, overlay) per file, in order."""
    tasks = ((f, None if f.refusal else (f.file, f.path, settings, overlays)) for f in found)
    first_with: dict[str, str] = {}
    for item, scored in workers.do(assess_one, tasks, timeout_s=PHOTO_TIMEOUT_S):
        if item.refusal is not None:
            yield item.refusal, b""
            continue
        if isinstance(scored, Failed):
            scored = Scored("", code=scored.code, message=scored.message)
        outcome = _judged(item.path, scored, first_with)
        yield outcome, scored.overlay if outcome.assessment else b""


def _judged(path: str, scored: Scored, first_with: dict[str, str]) -> Outcome:
    """Turn what a worker brought into an Outcome; `first_with` maps sha256 to the first path that had it."""
    sha256, assessment = scored.sha256, scored.assessment
    if sha256 and (first := first_with.setdefault(sha256, path)) != path:
        return outcome_of(path, Status.SKIPPED, Code.DUPLICATE_OF, f"The same bytes as {first}.", sha256)
    if assessment is None:
        machine = {Code.CRASHED: Status.CRASHED, Code.TIMED_OUT: Status.TIMED_OUT}
        status = machine.get(scored.code or Code.CRASHED, Status.REJECTED)
        return outcome_of(path, status, scored.code, scored.message, sha256)
    assessment = replace(assessment, chart=None)
    refusal = next((f for f in assessment.quality if f.verdict is Verdict.REFUSE), None)
    if refusal is not None and not assessment.regions:  # nothing could be measured
        return outcome_of(path, Status.REJECTED, refusal.code, refusal.advice, sha256, assessment)
    doubt = any(f.verdict is not Verdict.PASS for f in assessment.quality)
    status = Status.SCORED_FLAGGED if doubt else Status.SCORED
    return outcome_of(path, status, sha256=sha256, assessment=assessment)
