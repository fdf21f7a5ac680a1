"""Assess many photos, compare pairs, follow subjects: one outcome each, and a folder of tables.

A worker process that crashes or hangs costs one photo or pair, not the batch. The same photos and
settings give byte-identical tables, in any order, with one process or many, in one go or in several: what a
run finished, the next one takes over. Pairs come second: a worker reads and assesses both photos anew (a
tenth of a second each), so that no charts are carried or kept. Subjects with several visits come third, in
the same way.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from .changes import PRIOR_NOISE
from .cluster import on_cluster
from .codes import Code
from .errands import (
    AssessOne,
    Compared,
    ComparePair,
    Place,
    Scored,
    assess_file,
    compare_files,
    compare_pair,
    forget_rest,
    note_crash,
    note_pair_crash,
    score_file,
)
from .exports import Format, write_exports
from .followed import Course, CourseStatus, follow_all, followed_in, treatments_in
from .histories import NoiseFigure
from .ledger import Ledger
from .listing import (
    Found,
    Pair,
    PairOutcome,
    PairStatus,
    Paths,
    Runs,
    Shot,
    columns_in,
    find_pairs,
    find_photos,
    outcome_of,
    read_manifests,
    shot_of,
)
from .manifests import Manifest
from .pairs import SPEAKS_FOR, Comparison
from .records import Expression, Outcome, Status, Verdict
from .results import Results
from .settings import DEFAULTS, Settings
from .totals import average_runs, reasons_of, verdict_of
from .visits import Treatment
from .walking import in_order
from .workers import Failed, Workers, at_work

PHOTO_TIMEOUT_S = 60.0
"""A 50-megapixel photo takes a few seconds; a network share that stopped answering takes for ever."""
PAIR_TIMEOUT_S = 2 * PHOTO_TIMEOUT_S

Progress = Callable[[Outcome | PairOutcome | Course, int, int], None]
"""(what became of a file, pair or subject, how many of that kind are done, how many there are)"""
_SCORED = (Status.SCORED, Status.SCORED_FLAGGED)
_MACHINE = {
    Code.CRASHED: Status.CRASHED,
    Code.OUT_OF_MEMORY: Status.CRASHED,
    Code.TIMED_OUT: Status.TIMED_OUT,
}


class Summary(NamedTuple):
    """How a batch went: files by status, files that got no row by reason, pairs and subjects by status.

    taken_over: how many files, pairs and subjects an earlier run had finished.
    """

    statuses: Counter[Status]
    ignored: Counter[str]
    pairs: Counter[PairStatus]
    courses: Counter[CourseStatus]
    taken_over: Counter[str]


class Visit(NamedTuple):
    """What became of the photos of one visit and of its pairs, those of one expression together."""

    photos: list[Outcome]
    pairs: list[PairOutcome]

    def runs(self) -> list[Runs]:
        """Return the pairs of each expression that has several, with their mean."""
        series = (list(pairs) for _, pairs in groupby(self.pairs, key=lambda pair: pair.series))
        return [runs for pairs in series if (runs := _averaged(pairs))]


def assess_many(
    paths: Paths, *, settings: Settings = DEFAULTS, jobs: int = 1, assess_one: AssessOne = assess_file
) -> Iterator[Outcome]:
    """Yield one Outcome per file of `paths`, in order, whatever happens to it.

    With `jobs` > 1 each photo is assessed in one of that many processes and has `PHOTO_TIMEOUT_S`;
    call it under ``if __name__ == "__main__":`` then, as multiprocessing asks. A bug is not caught.
    """
    with at_work(jobs) as workers, closing(Ledger()) as ledger:
        steps = _outcomes(find_photos(paths), settings, workers, assess_one, ledger)
        for _, outcome, _ in steps:
            yield outcome


def score(
    paths: Paths,
    out: str | Path,
    *,
    settings: Settings = DEFAULTS,
    jobs: int = 1,
    apart: bool = False,
    cluster: str = "",
    anew: bool = False,
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
    two days or more, with the treatments that `treatments.csv` in a folder of `paths` tells. The order of
    `paths` changes nothing. What an earlier run into `out` finished is taken over, unless all is to be
    measured `anew`; an exception, Ctrl-C too, leaves what is finished for the next run, and the tables as
    they were. apart: in a process of its own even with one job, so that a crash costs one photo. cluster:
    address of a Dask scheduler, or "local", whose machines do the work instead (docs/cluster.md). `progress`
    is called after each file, then after each pair, then after each subject. noise: of unchanged faces.
    formats: of the tables; CSV files are always written.
    Raises OutputError when `out` cannot be written or holds the photos themselves.
    """
    summary = Summary(Counter(), Counter(), Counter(), Counter(), Counter())
    tops = in_order(paths, ignored=summary.ignored)
    manifests = read_manifests(tops)
    treatments = treatments_in(tops, summary.ignored)
    out = Path(out).absolute()  # on a cluster other machines write there too
    results = Results(out, tops, columns_in(manifests))
    with results.alone():
        with ExitStack() as stack:
            stack.enter_context(results)
            places = [results.documents, *(Path(top) for top in tops[:1] if os.path.lexists(top))]
            workers = stack.enter_context(
                on_cluster(cluster, jobs, places) if cluster else at_work(jobs, apart=apart)
            )
            kept = results.kept(settings, anew=anew)
            place = Place(kept, results.documents, results.overlays if overlays else None)
            run = _Run(results, workers, settings, place, summary, progress or _silent)
            run.photos(tops, manifests, assess_one)
            run.pairs(compare_one)
            run.courses(treatments, noise)
        write_exports(out, formats)
        _write_run(results, settings, command, summary)
    return summary


def _silent(outcome: Outcome | PairOutcome | Course, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of `score`: what its three rounds share."""

    results: Results
    workers: Workers
    settings: Settings
    place: Place
    summary: Summary
    progress: Progress

    def photos(self, paths: Sequence[str], manifests: Sequence[Manifest], assess_one: AssessOne) -> None:
        """Assess the files; the results' ledger remembers those that were scored."""
        ledger, summary = self.results.ledger, self.summary
        with closing(_Total(paths, manifests)) as total:
            found = find_photos(paths, ignored=summary.ignored, manifests=manifests)
            steps = _outcomes(found, self.settings, self.workers, assess_one, ledger, self.place)
            for done, (item, outcome, scored) in enumerate(steps, start=1):
                self.results.add(outcome, scored.overlay if outcome.assessment else b"", scored.document)
                summary.statuses[outcome.status] += 1
                copied = outcome.code is Code.DUPLICATE_OF  # its first may be of this very run
                summary.taken_over["files"] += scored.taken_over and not copied
                self.progress(outcome, done, max(done, total.number))
                if outcome.status in _SCORED and outcome.expression is not Expression.UNKNOWN:
                    ledger.add(shot_of(item, outcome))

    def pairs(self, compare_one: ComparePair) -> None:
        """Compare the pairs among the scored photos."""
        visits = self.results.ledger.visits
        total = sum(1 for visit in visits() for _ in find_pairs(visit))
        pairs = (pair for visit in visits() for pair in find_pairs(visit))
        steps = _pair_outcomes(pairs, self.settings, self.workers, compare_one, self.place)
        for done, (outcome, compared) in enumerate(_written(steps, self.results), start=1):
            self.summary.pairs[outcome.status] += 1
            self.summary.taken_over["pairs"] += compared.taken_over
            self.progress(outcome, done, total)

    def courses(self, treatments: Sequence[Treatment], noise: NoiseFigure) -> None:
        """Follow the subjects that have several visits."""
        subjects = self.results.ledger.subjects
        total = sum(1 for _ in followed_in(subjects()))
        courses = follow_all(
            followed_in(subjects()),
            treatments,
            self.settings,
            self.workers,
            noise=noise,
            kept=self.place.kept,
        )
        for done, course in enumerate(courses, start=1):
            if course.followed:
                self.results.add_course(course.subject, course.followed)
            else:
                self.results.add_failed_course(course.subject, course.status, course.message)
            self.summary.courses[course.status] += 1
            self.summary.taken_over["subjects"] += course.taken_over
            self.progress(course, done, total)


class _Total:
    """How many files there are, counted meanwhile: nobody waits for a hundred thousand to be listed."""

    def __init__(self, paths: Sequence[str], manifests: Sequence[Manifest]) -> None:
        self.number = 0
        self._paths = paths
        self._manifests = manifests
        self._closed = False
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        for _ in find_photos(self._paths, manifests=self._manifests):
            self.number += 1
            if self._closed:
                return

    def close(self) -> None:
        self._closed = True


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
        results = Results(Path(out), paths) if out is not None else None
        if results:
            stack.enter_context(results.alone())
            stack.enter_context(results)
        workers, found = Workers(1), list(find_photos(paths))
        ledger = stack.enter_context(closing(Ledger()))
        pictures = out is not None
        photos = list(_outcomes(found, settings, workers, assess_file, ledger, pictures=pictures))
        shots = [shot_of(item, outcome) if outcome.status in _SCORED else None for item, outcome, _ in photos]
        pairs = [_pair(shots[0], shot, name) for shot in shots[1:] if shots[0] and shot]
        compared = _pair_outcomes(pairs, settings, workers, compare_files, pictures=pictures)
        steps = sorted(compared, key=lambda step: step[0].series)
        if results:
            for _, outcome, scored in photos:
                results.add(outcome, scored.overlay if outcome.assessment else b"")
            list(_written(steps, results))
    visit = Visit([outcome for _, outcome, _ in photos], [outcome for outcome, _ in steps])
    if results and out is not None:
        write_exports(Path(out))
        statuses = Counter(o.status for o in visit.photos)
        pairs_told = Counter(p.status for p in visit.pairs)
        summary = Summary(statuses, Counter(), pairs_told, Counter(), Counter())
        _write_run(results, settings, command, summary)
    return visit


def _pair(rest: Shot, expression: Shot, name: Expression) -> Pair:
    told = next((n for n in (name, expression.expression) if n in SPEAKS_FOR), Expression.UNKNOWN)
    return Pair(rest, expression, told)


def _write_run(results: Results, settings: Settings, command: Sequence[str], summary: Summary) -> None:
    files = {str(status): summary.statuses[status] for status in Status}
    pairs = {str(status): summary.pairs[status] for status in PairStatus}
    courses = {str(status): summary.courses[status] for status in CourseStatus}
    taken_over = {what: summary.taken_over[what] for what in ("files", "pairs", "subjects")}
    counts = {"files": files, "pairs": pairs, "subjects": courses, "taken_over": taken_over}
    results.write_run(settings, command, counts, summary.ignored)


def _outcomes(
    found: Iterable[Found],
    settings: Settings,
    workers: Workers,
    assess_one: AssessOne,
    ledger: Ledger,
    place: Place | None = None,
    *,
    pictures: bool = False,
) -> Iterator[tuple[Found, Outcome, Scored]]:
    """Yield (file, outcome, what the worker brought) per file, in order.

    place: where finished results are kept, and what an earlier run finished is taken from; without it nothing
    is kept, and `pictures` says whether overlays are drawn.
    """
    work: Callable[..., Scored] = partial(score_file, assess_one) if place else assess_one
    tasks = ((f, None if f.refusal else (f.file, f.path, settings, place or pictures)) for f in found)
    for item, scored in workers.do(work, tasks, timeout_s=PHOTO_TIMEOUT_S):
        if item.refusal is not None:
            yield item, item.refusal, Scored("")
            continue
        if isinstance(scored, Failed):
            scored = note_crash(item.file, item.path, scored, place.kept if place else None)
        yield item, _judged(item, scored, ledger), scored


def _judged(item: Found, scored: Scored, ledger: Ledger) -> Outcome:
    """Turn what a worker brought into an Outcome, with what the manifest says of the file."""
    outcome = item.labelled(_outcome(item.path, scored))
    if not scored.sha256 or scored.code in _MACHINE:  # the same bytes may fare better in another file
        return outcome
    first, subject = ledger.first_with(scored.sha256, item.path, outcome.subject)
    if first == item.path:
        return outcome
    status, code, message = Status.SKIPPED, Code.DUPLICATE_OF, f"The same bytes as {first}."
    if subject != outcome.subject:  # one of the two names is wrong
        status, code = Status.REJECTED, Code.CONFLICTING_SUBJECT
        words = f"of subject {subject or '(none)'}, this one is of {outcome.subject or '(none)'}"
        message = f"The same bytes as {first}, which is {words}. Correct the names or the manifest."
    return item.labelled(outcome_of(item.path, status, code, message, scored.sha256))


def _outcome(path: str, scored: Scored) -> Outcome:
    """Return the Outcome of one file by itself."""
    sha256, assessment = scored.sha256, scored.assessment
    if assessment is None:
        status = _MACHINE.get(scored.code or Code.CRASHED, Status.REJECTED)
        return outcome_of(path, status, scored.code, scored.message, sha256)
    assessment = replace(assessment, chart=None)
    refusal = next((f for f in assessment.quality if f.verdict is Verdict.REFUSE), None)
    if refusal is not None and not assessment.regions:  # nothing could be measured
        return outcome_of(path, Status.REJECTED, refusal.code, refusal.advice, sha256, assessment)
    doubt = any(f.verdict is not Verdict.PASS for f in assessment.quality)
    status = Status.SCORED_FLAGGED if doubt else Status.SCORED
    return outcome_of(path, status, sha256=sha256, assessment=assessment)


def _written(
    steps: Iterable[tuple[PairOutcome, Compared]], results: Results
) -> Iterator[tuple[PairOutcome, Compared]]:
    """Write and yield what became of each pair; write the mean below the runs of one expression."""
    for _, series in groupby(steps, key=lambda step: step[0].series):
        pairs = []
        for outcome, compared in series:
            pairs.append(outcome)
            results.add_pair(outcome, compared.side_by_side, compared.blink)
            yield outcome, compared
        if runs := _averaged(pairs):
            results.add_average(runs)


def _averaged(pairs: Sequence[PairOutcome]) -> Runs | None:
    """Return the mean over the runs of one expression; None where fewer than two were compared."""
    told = [pair.comparison for pair in pairs if pair.comparison]
    return Runs(pairs[0].series, average_runs(told)) if len(told) > 1 else None


def _pair_outcomes(
    pairs: Iterable[Pair],
    settings: Settings,
    workers: Workers,
    compare_one: ComparePair,
    place: Place | None = None,
    *,
    pictures: bool = False,
) -> Iterator[tuple[PairOutcome, Compared]]:
    """Yield (outcome, what the worker brought) per pair, in order; `place` and `pictures` as for files."""
    work: Callable[..., Compared] = partial(compare_pair, compare_one) if place else compare_one
    tasks = ((pair, (pair, settings, place or pictures)) for pair in pairs)
    try:
        for pair, compared in workers.do(work, tasks, timeout_s=PAIR_TIMEOUT_S):
            if isinstance(compared, Failed):
                compared = note_pair_crash(pair, compared, place.kept if place else None)
            yield _judged_pair(pair, compared), compared
    finally:
        forget_rest()


def _judged_pair(pair: Pair, compared: Compared) -> PairOutcome:
    """Turn what a worker brought into a PairOutcome."""
    comparison = compared.comparison
    if comparison is None:
        status = PairStatus(_MACHINE.get(compared.code or Code.CRASHED, Status.REJECTED))
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
