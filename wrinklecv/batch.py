"""Assess many photos, compare pairs, follow subjects: one outcome each, and a folder of tables.

A worker process that crashes or hangs costs one photo or pair, not the batch. The same photos and
settings give byte-identical tables, with one process or many. Pairs come second: a worker reads and
assesses both photos anew (a tenth of a second each), so that no charts are carried or kept. Subjects with
several visits come third, in the same way.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from .changes import PRIOR_NOISE
from .codes import Code
from .errors import PhotoError, UnreadablePhotoError
from .exports import Format, write_exports
from .followed import Course, CourseStatus, find_subjects, follow_all, treatments_in
from .histories import NoiseFigure
from .listing import (
    Found,
    Pair,
    PairOutcome,
    PairStatus,
    Paths,
    Runs,
    Shot,
    find_pairs,
    find_photos,
    outcome_of,
    shot_of,
)
from .pairs import SPEAKS_FOR, Comparison
from .records import Assessment, Bytes, Expression, Outcome, Photo, Status, Verdict
from .results import Results
from .settings import DEFAULTS, Settings
from .totals import average_runs, reasons_of, verdict_of
from .workers import Failed, Workers, at_work

PHOTO_TIMEOUT_S = 60.0
"""A 50-megapixel photo takes a few seconds; a network share that stopped answering takes for ever."""
PAIR_TIMEOUT_S = 2 * PHOTO_TIMEOUT_S
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


class Compared(NamedTuple):
    """What a worker brings back of one pair: a comparison and its pictures, or why there is none."""

    comparison: Comparison | None = None
    side_by_side: bytes = b""
    blink: bytes = b""
    code: Code | None = None
    message: str = ""


ComparePair = Callable[[Pair, Settings, bool], Compared]
"""(pair, settings, are pictures wanted?) → Compared."""


Progress = Callable[[Outcome | PairOutcome | Course, int, int], None]
"""(what became of a file, pair or subject, how many of that kind are done, how many there are)"""
_SCORED = (Status.SCORED, Status.SCORED_FLAGGED)


class Summary(NamedTuple):
    """How a batch went: files by status, files that got no row by reason, pairs and subjects by status."""

    statuses: Counter[Status]
    ignored: Counter[str]
    pairs: Counter[PairStatus]
    courses: Counter[CourseStatus]


class Visit(NamedTuple):
    """What became of the photos of one visit and of its pairs, those of one expression together."""

    photos: list[Outcome]
    pairs: list[PairOutcome]

    def runs(self) -> list[Runs]:
        """Return the pairs of each expression that has several, with their mean."""
        series = (list(pairs) for _, pairs in groupby(self.pairs, key=lambda pair: pair.series))
        return [runs for pairs in series if (runs := _averaged(pairs))]


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


def compare_files(pair: Pair, settings: Settings, pictures: bool) -> Compared:
    """Read, assess and compare the two photos of a pair."""
    from .comparison import compare

    try:
        rest_photo, rest = _last_rest(pair.rest, settings)
        photo, expression = _assessed(pair.expression, settings)
    except PhotoError as error:
        return Compared(code=error.code, message=str(error))
    found = compare(rest, expression, name=pair.name, settings=settings)
    found = replace(found, rest=replace(rest, chart=None), expression=replace(expression, chart=None))
    if not pictures:
        return Compared(found)
    from .draw_pairs import blink, side_by_side

    beside = _jpeg(side_by_side(rest_photo, photo, found))
    return Compared(found, beside, blink(rest_photo, photo, found))


def _assessed(shot: Shot, settings: Settings) -> tuple[Photo, Assessment]:
    """Read and assess a photo that was scored before."""
    from .assessment import assess
    from .photo import read_file, read_photo

    content = read_file(shot.file)
    if hashlib.sha256(content).hexdigest() != shot.sha256:
        message = "The file changed after it was scored. Score the folder again."
        raise UnreadablePhotoError(Code.CHANGED_WHILE_READING, message)
    photo = read_photo(content, name=shot.path)
    return photo, assess(photo, settings=settings)


_last_rest = lru_cache(maxsize=1)(_assessed)
"""The expressions of one visit come one after the other and share their rest photo."""


def _overlay(photo: Photo, assessment: Assessment) -> bytes:
    """Draw the lines on the photo."""
    from .draw import draw_lines

    return _jpeg(draw_lines(photo, assessment))


def _jpeg(pixels: Bytes) -> bytes:
    """Return a JPEG of at most `OVERLAY_LONG_SIDE_PX`, without metadata."""
    import cv2

    from .draw import encode_jpeg

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
    progress: Progress | None = None,
    command: Sequence[str] = (),
    assess_one: AssessOne = assess_file,
    compare_one: ComparePair = compare_files,
    noise: NoiseFigure = PRIOR_NOISE,
    formats: Collection[Format] = tuple(Format),
) -> Summary:
    """Assess the files of `paths`, compare pairs, follow subjects; write tables and pictures into `out`.

    Pairs are photos whose names give the same subject and visit; subjects are followed where their visits are
    two days or more, with the treatments that `treatments.csv` in a folder of `paths` tells. `progress` is
    called after each file, then after each pair, then after each subject. noise: of unchanged faces.
    formats: of the tables; CSV files are always written.
    Raises OutputError when `out` cannot be written or holds the photos themselves.
    """
    paths = list(paths)
    summary = Summary(Counter(), Counter(), Counter(), Counter())
    treatments = treatments_in(paths, summary.ignored)
    shots: list[Shot] = []
    with Results(Path(out), paths) as results, at_work(jobs) as workers:
        found = list(find_photos(paths, ignored=summary.ignored))
        steps = _outcomes(found, settings, workers, assess_one, overlays=overlays)
        for done, (item, (outcome, overlay)) in enumerate(zip(found, steps, strict=True), start=1):
            results.add(outcome, overlay)
            summary.statuses[outcome.status] += 1
            if progress:
                progress(outcome, done, len(found))
            if outcome.status in _SCORED and outcome.expression is not Expression.UNKNOWN:
                shots.append(shot_of(item, outcome))
        pairs = list(find_pairs(shots))
        compared = _pair_outcomes(pairs, settings, workers, compare_one, pictures=overlays)
        for done, told in enumerate(_written(compared, results), start=1):
            summary.pairs[told.status] += 1
            if progress:
                progress(told, done, len(pairs))
        subjects = find_subjects(shots)
        courses = follow_all(subjects, treatments, settings, workers, noise=noise)
        for done, course in enumerate(courses, start=1):
            if course.followed:
                results.add_course(course.subject, course.followed)
            else:
                results.add_failed_course(course.subject, course.status, course.message)
            summary.courses[course.status] += 1
            if progress:
                progress(course, done, len(subjects))
    write_exports(Path(out), formats)
    _write_run(results, settings, command, summary)
    return summary


def compare_photos(
    rest: str | Path,
    expressions: Sequence[str | Path],
    *,
    name: Expression = Expression.UNKNOWN,
    settings: Settings = DEFAULTS,
    out: str | Path | None = None,
    command: Sequence[str] = (),
) -> Visit:
    """Compare one rest photo with photos of expressions, in this process.

    name: which expression all of them show; else their names tell, else the movement.
    out: a folder for the same files as `score` writes.
    Raises OutputError when `out` cannot be written or holds the photos themselves.
    """
    paths = [rest, *expressions]
    with ExitStack() as stack:
        results = stack.enter_context(Results(Path(out), paths)) if out is not None else None
        workers, found = Workers(1), list(find_photos(paths))
        photos = list(_outcomes(found, settings, workers, assess_file, overlays=out is not None))
        shots = [
            shot_of(f, o) if o.status in _SCORED else None for f, (o, _) in zip(found, photos, strict=True)
        ]
        pairs = [_pair(shots[0], shot, name) for shot in shots[1:] if shots[0] and shot]
        compared = _pair_outcomes(pairs, settings, workers, compare_files, pictures=out is not None)
        steps = sorted(compared, key=lambda step: step[0].series)
        if results:
            for outcome, overlay in photos:
                results.add(outcome, overlay)
            list(_written(steps, results))
    visit = Visit([outcome for outcome, _ in photos], [outcome for outcome, _ in steps])
    if results and out is not None:
        write_exports(Path(out))
        statuses = Counter(o.status for o in visit.photos)
        summary = Summary(statuses, Counter(), Counter(p.status for p in visit.pairs), Counter())
        _write_run(results, settings, command, summary)
    return visit


def _pair(rest: Shot, expression: Shot, name: Expression) -> Pair:
    told = next((n for n in (name, expression.expression) if n in SPEAKS_FOR), Expression.UNKNOWN)
    return Pair(rest, expression, told)


def _write_run(results: Results, settings: Settings, command: Sequence[str], summary: Summary) -> None:
    files = {str(status): summary.statuses[status] for status in Status}
    pairs = {str(status): summary.pairs[status] for status in PairStatus}
    courses = {str(status): summary.courses[status] for status in CourseStatus}
    counts = {"files": files, "pairs": pairs, "subjects": courses}
    results.write_run(settings, command, counts, summary.ignored)


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
        machine = {
            Code.CRASHED: Status.CRASHED,
            Code.OUT_OF_MEMORY: Status.CRASHED,
            Code.TIMED_OUT: Status.TIMED_OUT,
        }
        status = machine.get(scored.code or Code.CRASHED, Status.REJECTED)
        return outcome_of(path, status, scored.code, scored.message, sha256)
    assessment = replace(assessment, chart=None)
    refusal = next((f for f in assessment.quality if f.verdict is Verdict.REFUSE), None)
    if refusal is not None and not assessment.regions:  # nothing could be measured
        return outcome_of(path, Status.REJECTED, refusal.code, refusal.advice, sha256, assessment)
    doubt = any(f.verdict is not Verdict.PASS for f in assessment.quality)
    status = Status.SCORED_FLAGGED if doubt else Status.SCORED
    return outcome_of(path, status, sha256=sha256, assessment=assessment)


def _written(steps: Iterable[tuple[PairOutcome, Compared]], results: Results) -> Iterator[PairOutcome]:
    """Write and yield what became of each pair; write the mean below the runs of one expression."""
    for _, series in groupby(steps, key=lambda step: step[0].series):
        pairs = []
        for outcome, compared in series:
            pairs.append(outcome)
            results.add_pair(outcome, compared.side_by_side, compared.blink)
            yield outcome
        if runs := _averaged(pairs):
            results.add_average(runs)


def _averaged(pairs: Sequence[PairOutcome]) -> Runs | None:
    """Return the mean over the runs of one expression; None where fewer than two were compared."""
    told = [pair.comparison for pair in pairs if pair.comparison]
    return Runs(pairs[0].series, average_runs(told)) if len(told) > 1 else None


def _pair_outcomes(
    pairs: Iterable[Pair], settings: Settings, workers: Workers, compare_one: ComparePair, *, pictures: bool
) -> Iterator[tuple[PairOutcome, Compared]]:
    """Yield (outcome, what the worker brought) per pair, in order."""
    tasks = ((pair, (pair, settings, pictures)) for pair in pairs)
    try:
        for pair, compared in workers.do(compare_one, tasks, timeout_s=PAIR_TIMEOUT_S):
            if isinstance(compared, Failed):
                compared = Compared(code=compared.code, message=compared.message)
            yield _judged_pair(pair, compared), compared
    finally:
        _last_rest.cache_clear()


def _judged_pair(pair: Pair, compared: Compared) -> PairOutcome:
    """Turn what a worker brought into a PairOutcome."""
    comparison = compared.comparison
    if comparison is None:
        machine = {
            Code.CRASHED: PairStatus.CRASHED,
            Code.OUT_OF_MEMORY: PairStatus.CRASHED,
            Code.TIMED_OUT: PairStatus.TIMED_OUT,
        }
        status = machine.get(compared.code or Code.CRASHED, PairStatus.REJECTED)
        return PairOutcome(pair, status, None, compared.code, compared.message)
    return judge_pair(pair, comparison)


def judge_pair(pair: Pair, comparison: Comparison) -> PairOutcome:
    """Say what became of a compared pair; that none of the expression's own regions is told is a refusal."""
    own = SPEAKS_FOR[comparison.name]
    if all(verdict_of(comparison, region) is Verdict.REFUSE for region in own):
        found = (f for region in own for f in reasons_of(comparison, region))
        why = next(f for f in found if f.verdict is Verdict.REFUSE)
        return PairOutcome(pair, PairStatus.REJECTED, comparison, why.code, why.advice)
    doubt = any(f.verdict is not Verdict.PASS for f in comparison.findings)
    return PairOutcome(pair, PairStatus.COMPARED_FLAGGED if doubt else PairStatus.COMPARED, comparison)
