"""Visits with what is measured in them: taken in, kept in a store, and followed.

Photos are measured in worker processes: one that crashes or hangs costs itself, not the visit. A store keeps
the photos byte for byte but no charts, so a subject's course is measured anew from the photos (a few tenths
of a second each) unless the store keeps it: made of the same photos in the same way by the same program.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import NamedTuple

from .agreement import Origin, measure_noise
from .changes import PRIOR_NOISE, own_noise
from .codes import Code
from .comparison import compare
from .documents import OtherFieldsError, course_from, course_text
from .errors import PhotoError, StoreError, WorkersError
from .followup import follow_up
from .histories import FollowUp, NoiseFigure, Unscored, VisitPhotos
from .kept import SOURCES, key_of, way_of_measuring
from .movement import guess_expression
from .pairs import SPEAKS_FOR, Comparison
from .records import Assessment, Expression, Region, Verdict
from .settings import DEFAULTS, Settings
from .store import Method, Store
from .visits import Consent, NewPhoto, PhotoKind, StoredPhoto, SubjectPage, Treatment, Visit, VisitForm
from .windows import Windows, windows_of
from .workers import Failed, Jobs, Workers, at_work

PHOTO_TIMEOUT_S = 60.0
_FOLLOW_TIMEOUT_S, _FOLLOW_PHOTO_TIMEOUT_S = 30.0, 10.0
"""For a course, and for each of its photos: a third of a second, on a busy machine many times that."""
_PERHAPS_ONCE = (Code.CRASHED, Code.TIMED_OUT, Code.OUT_OF_MEMORY)
"""Perhaps the machine's fault: such a course is not kept."""
_WHY = {
    Code.TIMED_OUT: "it took too long. Try again when this machine is less busy.",
    Code.OUT_OF_MEMORY: "it took more memory than is allowed. Free some, or follow fewer visits.",
    Code.CRASHED: "the process died twice. Free some memory and try again; please report it if it stays so.",
}
_LEAST_DEGREES = 10
"""Repeats that a clinic's own noise rests on, beyond the first of each visit and expression."""
_MOST_SETS = 100
"""The newest sets of repeats are enough: 100 give the noise to 7 %."""
_CLEAR = 3.0
"""Regions with an index below so many standard errors have too little to measure a relative noise on."""


@dataclass(frozen=True, slots=True, eq=False)
class NewShot:
    """One photo as it comes in: the file's own bytes, its name for people, and what is known about it.

    expression: UNKNOWN is guessed from the movement against the rest photo. A photo of MARKING is never
    scored.
    """

    content: bytes
    name: str = ""
    expression: Expression = Expression.UNKNOWN
    marking: bool = False
    run: str = ""
    consent: Consent = Consent.NOT_RECORDED


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What became of one photo.

    shot: with its expression, a guess where `guessed`. assessment: with its chart, None where nothing could
    be read. code, message: why the photo cannot be scored; None and empty where it can, or is a marking.
    """

    shot: NewShot
    guessed: bool = False
    assessment: Assessment | None = None
    code: Code | None = None
    message: str = ""

    @property
    def is_scored(self) -> bool:
        """Whether at least one region was measured."""
        return self.assessment is not None and self.code is None


class SavedVisit(NamedTuple):
    """The visit as it is stored, and what became of each photo that was given."""

    visit: Visit
    photos: tuple[Measured, ...]


Progress = Callable[[Measured, int, int], None]
"""(what became of a photo, how many are done, how many there are)"""


# -- one visit -------------------------------------------------------------------------------------


def measure_visit(
    photos: Sequence[NewShot], *, settings: Settings = DEFAULTS, jobs: Jobs = 2
) -> tuple[Measured, ...]:
    """Measure the photos of one visit, in the order given, and guess the expressions that nobody told.

    A photo that cannot be measured, or whose process dies or hangs, is a result with its code and sentence.
    With `jobs` > 1 call it under ``if __name__ == "__main__":``, as multiprocessing asks.
    """
    if all(shot.marking for shot in photos):
        return tuple(map(Measured, photos))
    with at_work(jobs) as workers:
        return tuple(_guessed(list(_measured(photos, workers, settings))))


def save_visit(
    store: Store,
    subject: str,
    day: date,
    shots: Sequence[NewShot | Measured],
    *,
    key: str,
    notes: str = "",
    settings: Settings = DEFAULTS,
    jobs: Jobs = 2,
) -> SavedVisit:
    """Measure what is not measured yet, compare rest with each expression, and save the visit whole.

    shots: NewShot, or Measured as `measure_visit` returned them (with another expression, where a person
    knew better: ``replace(measured, shot=replace(measured.shot, expression=…))``). key: made once per form;
    the same form again returns the visit that it made. Photos that cannot be scored are stored too; `photos`
    of the answer tell why. Raises StoreError when the store will not take the visit: then nothing is saved.
    """
    with at_work(jobs) as workers:
        measured = complete(shots, workers, settings)
        form = VisitForm(
            key,
            subject,
            day,
            tuple(new_photo(one) for one in measured),
            tuple(comparisons_of(measured, workers, settings)),
            notes,
        )
    return SavedVisit(store.save_visit(form), measured)


def new_photo(measured: Measured) -> NewPhoto:
    """Return a measured photo as the store takes it."""
    shot = measured.shot
    expression = Expression.UNKNOWN if shot.marking else shot.expression
    assessment = None if shot.marking else measured.assessment
    return NewPhoto(
        shot.content, expression, shot.marking, shot.run, shot.consent, shot.name, assessment=assessment
    )


def complete(
    shots: Sequence[NewShot | Measured], workers: Workers, settings: Settings
) -> tuple[Measured, ...]:
    """Return all photos measured, expressions guessed where nobody told, and shots of one kind numbered."""
    new = [shot for shot in shots if isinstance(shot, NewShot)]
    found = _measured(new, workers, settings)
    measured = [next(found) if isinstance(shot, NewShot) else shot for shot in shots]
    return tuple(_numbered(_guessed(measured)))


def _guessed(measured: Sequence[Measured]) -> Iterator[Measured]:
    """Guess the expressions that nobody told by the movement from the first rest photo."""
    rest = next((m for m in measured if m.is_scored and m.shot.expression is Expression.REST), None)
    for one in measured:
        told = one.shot.marking or one.shot.expression is not Expression.UNKNOWN
        if told or rest is None or rest.assessment is None or one.assessment is None:
            yield one
            continue
        guess = guess_expression(rest.assessment.face, one.assessment.face)
        yield replace(one, shot=replace(one.shot, expression=guess), guessed=True)


def _numbered(measured: Iterable[Measured]) -> Iterator[Measured]:
    """Number the shots of one expression where nobody did: repeats are known by their run."""
    measured = list(measured)
    total = Counter(m.shot.expression for m in measured if not m.shot.marking)
    taken = {(m.shot.expression, m.shot.run) for m in measured}
    for one in measured:
        shot, run = one.shot, 1
        if shot.run or shot.marking or total[shot.expression] < 2:
            yield one
            continue
        while (shot.expression, str(run)) in taken:
            run += 1
        taken.add((shot.expression, str(run)))
        yield replace(one, shot=replace(shot, run=str(run)))


# -- in the workers --------------------------------------------------------------------------------


class Read(NamedTuple):
    """What a worker brings back of one photo."""

    assessment: Assessment | None = None
    code: Code | None = None
    message: str = ""


def assess_bytes(content: bytes, name: str, settings: Settings) -> Read:
    """Assess one photo; one that cannot be measured is a Read with its code."""
    from .assessment import assess
    from .photo import read_photo

    try:
        return Read(assess(read_photo(content, name=name), settings=settings))
    except PhotoError as error:
        return Read(None, error.code, str(error))


def compare_two(rest: Assessment, expression: Assessment, name: Expression, settings: Settings) -> Comparison:
    """Compare two assessments; the answer comes without charts."""
    found = compare(rest, expression, name=name, settings=settings)
    return replace(found, rest=replace(rest, chart=None), expression=replace(expression, chart=None))


def _measured(shots: Iterable[NewShot], workers: Workers, settings: Settings) -> Iterator[Measured]:
    """Yield what became of each shot, in order; markings are not looked at."""
    tasks = ((shot, None if shot.marking else (shot.content, shot.name, settings)) for shot in shots)
    for shot, read in workers.do(assess_bytes, tasks, timeout_s=PHOTO_TIMEOUT_S):
        if read is None:
            yield Measured(shot)
        elif isinstance(read, Failed):
            yield Measured(shot, code=read.code, message=read.message)
        else:
            yield _judged(shot, read)


def _judged(shot: NewShot, read: Read) -> Measured:
    """Say why a photo cannot be scored: it could not be read, or every region was refused."""
    found = read.assessment
    why = next((f for f in found.quality if f.verdict is Verdict.REFUSE), None) if found else None
    if found is None or found.regions or why is None:
        return Measured(shot, False, found, read.code, read.message)
    return Measured(shot, False, found, why.code, why.advice)


def comparisons_of(
    measured: Sequence[Measured], workers: Workers, settings: Settings
) -> Iterator[Comparison]:
    """Yield the comparison of each expression with the rest photo of its run, else with the first.

    measured: the photos of one visit, with their charts. A pair that crashes or hangs is left out.
    """
    at_rest = [m for m in measured if m.is_scored and m.shot.expression is Expression.REST]
    tasks = []
    for one in measured if at_rest else ():
        name = one.shot.expression
        if one.is_scored and name in SPEAKS_FOR:
            rest = next((r for r in at_rest if r.shot.run == one.shot.run), at_rest[0])
            tasks.append((None, (rest.assessment, one.assessment, name, settings)))
    for _, found in workers.do(compare_two, tasks, timeout_s=PHOTO_TIMEOUT_S):
        if not isinstance(found, Failed):
            yield found


# -- a subject's course ----------------------------------------------------------------------------


def follow_subject(
    store: Store,
    code: str,
    *,
    settings: Settings = DEFAULTS,
    jobs: Jobs = 2,
    noise: NoiseFigure | None = None,
    days: Collection[date] | None = None,
    windows: Windows | None = None,
    progress: Progress | None = None,
    known: dict[str, FollowUp] | None = None,
) -> FollowUp:
    """Follow a subject over all its visits, or those of `days`: as the store keeps it, else measured anew.

    Visits of one day count as one. Photos of markings and of an unknown expression are left out, and so are
    those that cannot be scored (`unscored`). noise: of unchanged faces; else the clinic's own
    (`clinic_noise`). windows: what is usual when after a treatment; else the store's own `windows.toml`.
    `progress` is told of each photo that is measured. known: courses that the caller keeps, by what they were
    made of; this one is added.
    Raises StoreError for an unknown subject, NotComparableError without a scored photo, WorkersError when the
    process that follows dies or hangs.
    """
    page = store.page(code)
    noise = noise or clinic_noise(store, settings=settings)
    windows = windows or windows_of(store.folder)
    photos = _photos_to_follow(page, days)
    made_of = _made_of(photos, page.treatments, noise, settings, windows)
    known = {} if known is None else known
    if made_of not in known and (kept := store.course(code, made_of)):
        with contextlib.suppress(OtherFieldsError):
            known[made_of] = course_from(kept)
    if made_of in known:
        return known[made_of]
    with at_work(jobs) as workers:
        visits, unscored = _measured_visits(store, photos, workers, settings, progress)
        task = (visits, page.treatments, noise, settings, windows)
        timeout_s = _FOLLOW_TIMEOUT_S + _FOLLOW_PHOTO_TIMEOUT_S * len(photos)
        ((_, found),) = workers.do(_follow, [(None, task)], timeout_s=timeout_s)
    if isinstance(found, Failed):
        raise WorkersError(f"The lines of this subject could not be followed: {_WHY[found.code]}")
    followed, sources = found
    course: FollowUp = replace(followed, unscored=unscored)
    known[made_of] = course
    if sources == SOURCES and not any(photo.code in _PERHAPS_ONCE for photo in unscored):
        with contextlib.suppress(StoreError):  # a full disk does not keep anybody from looking
            store.keep_course(page, made_of, course_text(course))
    return course


def _made_of(
    photos: Iterable[tuple[date, StoredPhoto]],
    treatments: Iterable[Treatment],
    noise: NoiseFigure,
    settings: Settings,
    windows: Windows,
) -> str:
    """Return the same for two courses exactly when nothing in them can differ."""
    return key_of(
        (SOURCES, way_of_measuring(settings)),
        [(day, photo.sha256, photo.expression, photo.original_name) for day, photo in photos],
        [asdict(treatment) for treatment in treatments],
        (asdict(noise), asdict(windows)),
    )


def _photos_to_follow(page: SubjectPage, days: Collection[date] | None) -> list[tuple[date, StoredPhoto]]:
    """Return the photos that show a known expression, with their days; the same photo twice is one photo."""
    photos: dict[str, tuple[date, StoredPhoto]] = {}
    for visit in sorted(page.visits, key=lambda visit: visit.visited_on):
        for photo in visit.photos if days is None or visit.visited_on in days else ():
            if photo.kind is not PhotoKind.MARKING and photo.expression is not Expression.UNKNOWN:
                photos.setdefault(photo.sha256, (visit.visited_on, photo))
    return list(photos.values())


def _measured_visits(
    store: Store,
    photos: Sequence[tuple[date, StoredPhoto]],
    workers: Workers,
    settings: Settings,
    progress: Progress | None,
) -> tuple[list[VisitPhotos], tuple[Unscored, ...]]:
    """Measure photos of a store; return those that can be scored by days, and the others."""
    shots = (NewShot(store.photo(p.sha256), p.original_name, p.expression) for _, p in photos)
    by_day: dict[date, list[tuple[Expression, Assessment]]] = {}
    unscored = []
    found = zip(photos, _measured(shots, workers, settings), strict=True)
    for done, ((day, _), one) in enumerate(found, start=1):
        if one.is_scored and one.assessment is not None:
            by_day.setdefault(day, []).append((one.shot.expression, one.assessment))
        elif one.code is not None:
            unscored.append(Unscored(day, one.shot.name, one.code, one.message))
        if progress:
            progress(one, done, len(photos))
    return [VisitPhotos(day, tuple(shown)) for day, shown in by_day.items()], tuple(unscored)


def _follow(
    visits: Sequence[VisitPhotos],
    treatments: Sequence[Treatment],
    noise: NoiseFigure,
    settings: Settings,
    windows: Windows,
) -> tuple[FollowUp, str]:
    """Follow the lines, in a worker; return with which program, too."""
    course = follow_up(visits, treatments=treatments, noise=noise, settings=settings, windows=windows)
    return course, SOURCES


def clinic_noise(store: Store, *, settings: Settings = DEFAULTS) -> NoiseFigure:
    """Return what photos of an unchanged face differ by: from the store's own repeats, else the literature's.

    Repeats are several runs of one expression at one visit; a photo counts once, whoever it is kept for. The
    relative standard deviation of the whole wrinkle index, pooled over regions: each index over the mean of
    its repeats. Lines that come and go between two photos count, those that follow-up forces do not, so the
    figure is on the safe side; and it is never below the best fixed rig's. With fewer than 10 repeats it is
    the literature's, unless even these exclude that as too small.
    """
    seen, sets = set[str](), list[list[str]]()
    for repeats in store.repeats()[-_MOST_SETS:]:
        sets.append([photo.sha256 for photo in repeats if photo.sha256 not in seen])
        seen.update(sets[-1])
    indices = store.measures(seen, Method(settings.digest), "wrinkle_index")
    measured = [[indices[sha256] for sha256 in one if sha256 in indices] for one in sets]
    degrees = sum(max(0, len(one) - 1) for one in measured)
    rows = [row for one in measured for row in _relative_indices(one)]
    noise = measure_noise(rows, least_degrees=_LEAST_DEGREES)
    value, low = noise.own.value, noise.own.low
    if value is None or low is None:
        return PRIOR_NOISE
    enough = noise.origin is Origin.OWN and degrees >= _LEAST_DEGREES
    if enough or low > PRIOR_NOISE.relative_sd:
        return own_noise(value, f"{degrees} repeated photos of this store")
    return PRIOR_NOISE


def _relative_indices(
    repeats: Sequence[Mapping[Region, tuple[float, float | None]]],
) -> Iterator[list[float]]:
    """Yield each region's indices over their mean, where all photos show the region and it has lines."""
    for region in Region:
        here = [one[region] for one in repeats if region in one]
        mean = sum(index for index, _ in here) / max(1, len(here))
        error = math.sqrt(sum((math.nan if se is None else se) ** 2 for _, se in here) / max(1, len(here)))
        if len(here) == len(repeats) > 1 and mean > _CLEAR * error:
            yield [index / mean for index, _ in here]
