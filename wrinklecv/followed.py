"""Follow the subjects of a batch over their visits: one Course each, whatever happens to it.

A worker reads and assesses all photos of a subject anew, so that no charts are carried or kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from .changes import PRIOR_NOISE
from .codes import Code
from .errors import NotComparableError, PhotoError, StoreError, UnreadablePhotoError
from .histories import FollowUp, NoiseFigure, VisitPhotos
from .listing import Paths, Shot
from .manifests import day_of, read_treatments, subject_code
from .records import Assessment, Expression
from .settings import Settings
from .visits import Treatment
from .workers import Failed, Workers

COURSE_TIMEOUT_S = 1800.0
"""A photo takes a few seconds at most; hundreds of one subject are none too many."""


class CourseStatus(StrEnum):
    """What became of one subject."""

    FOLLOWED = "followed"
    REJECTED = "rejected"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one subject: its course, or the reason why there is none."""

    subject: str
    status: CourseStatus
    followed: FollowUp | None = None
    message: str = ""


def treatments_in(paths: Paths, ignored: Counter[str]) -> tuple[Treatment, ...]:
    """Return what the `treatments.csv` of folders among `paths` tell; what cannot be read is `ignored`."""
    found: list[Treatment] = []
    for path in map(Path, paths):
        try:
            treatments, faults = read_treatments(path) if path.is_dir() else ((), ())
        except StoreError:
            ignored["treatments.csv_is_not_such_a_table"] += 1
            continue
        found += (treatment for _, treatment in treatments)
        if faults:
            ignored["row_of_treatments.csv_with_a_fault"] += len(faults)
    return tuple(found)


def follow_all(
    subjects: Mapping[str, Sequence[Shot]],
    treatments: Sequence[Treatment],
    settings: Settings,
    workers: Workers,
    *,
    noise: NoiseFigure = PRIOR_NOISE,
) -> Iterator[Course]:
    """Yield what became of each of `subjects` (`find_subjects`), in order."""
    tasks = (
        (name, (own, tuple(t for t in treatments if t.subject == subject_code(name)), settings, noise))
        for name, own in subjects.items()
    )
    for name, result in workers.do(follow_shots, tasks, timeout_s=COURSE_TIMEOUT_S):
        yield _judged(name, result)


def find_subjects(shots: Iterable[Shot]) -> dict[str, list[Shot]]:
    """Return the photos of each subject whose names tell at least two days."""
    found: dict[str, list[Shot]] = {}
    for shot in shots:
        if shot.subject and day_of(shot.visit):
            found.setdefault(shot.subject, []).append(shot)
    return {name: own for name, own in found.items() if len({day_of(shot.visit) for shot in own}) > 1}


def follow_shots(
    shots: Sequence[Shot], treatments: Sequence[Treatment], settings: Settings, noise: NoiseFigure
) -> FollowUp | str:
    """Read and assess the photos of one subject anew and follow it; a sentence where that cannot be."""
    from .followup import follow_up

    by_day: dict[date, list[tuple[Expression, Assessment]]] = {}
    try:
        for shot in shots:
            day = day_of(shot.visit)
            if day is not None:
                by_day.setdefault(day, []).append((shot.expression, _assessed(shot, settings)))
        visits = [VisitPhotos(day, tuple(photos)) for day, photos in by_day.items()]
        return follow_up(visits, treatments=treatments, noise=noise, settings=settings)
    except (PhotoError, NotComparableError) as error:
        return str(error)


def _assessed(shot: Shot, settings: Settings) -> Assessment:
    from .assessment import assess
    from .photo import read_file, read_photo

    content = read_file(shot.file)
    if hashlib.sha256(content).hexdigest() != shot.sha256:
        message = f"{shot.path} changed after it was scored. Score the folder again."
        raise UnreadablePhotoError(Code.CHANGED_WHILE_READING, message)
    return assess(read_photo(content, name=shot.path), settings=settings)


def _judged(subject: str, result: FollowUp | str | Failed) -> Course:
    if isinstance(result, Failed):
        late = result.code is Code.TIMED_OUT
        status = CourseStatus.TIMED_OUT if late else CourseStatus.CRASHED
        return Course(subject, status, None, result.message)
    if isinstance(result, str):
        return Course(subject, CourseStatus.REJECTED, None, result)
    return Course(subject, CourseStatus.FOLLOWED, result)
