"""Follow the subjects of a batch over their visits: one Course each, whatever happens to it.

A worker reads and assesses all photos of a subject anew, so that no charts are carried or kept.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from functools import partial

from .changes import PRIOR_NOISE
from .codes import Code
from .documents import OtherFieldsError, course_from, course_text
from .errors import NotComparableError, PhotoError, TableError, UnreadablePhotoError
from .histories import FollowUp, NoiseFigure, VisitPhotos
from .kept import Kept, key_of, photo_key
from .listing import Paths, Shot, table_folder
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
    """What became of one subject: its course, or the reason why there is none.

    taken_over: from an earlier run.
    """

    subject: str
    status: CourseStatus
    followed: FollowUp | None = None
    message: str = ""
    taken_over: bool = False


def treatments_in(paths: Paths, ignored: Counter[str]) -> tuple[Treatment, ...]:
    """Return what `treatments.csv` in the folders of `paths` tells; what cannot be read is `ignored`."""
    found: list[Treatment] = []
    folders = (folder for path in paths if (folder := table_folder(path)))
    for folder in dict.fromkeys(folders):
        try:
            treatments, faults = read_treatments(folder)
        except TableError:
            ignored["treatments.csv_is_not_such_a_table"] += 1
            continue
        found += (treatment for _, treatment in treatments)
        if faults:
            ignored["row_of_treatments.csv_with_a_fault"] += len(faults)
    return tuple(found)


def follow_all(
    subjects: Iterable[tuple[str, Sequence[Shot]]],
    treatments: Sequence[Treatment],
    settings: Settings,
    workers: Workers,
    *,
    noise: NoiseFigure = PRIOR_NOISE,
    kept: Kept | None = None,
) -> Iterator[Course]:
    """Yield what became of each of `subjects` (`followed_in`), in order.

    kept: where finished courses are kept, and those of an earlier run are taken over from.
    """
    work = partial(follow_or_take_over, follow_shots)
    tasks = _tasks(subjects, treatments, settings, noise, kept)
    for (name, key), result in workers.do(work, tasks, timeout_s=COURSE_TIMEOUT_S):
        if kept and isinstance(result, Failed) and result.code is Code.CRASHED:
            kept.write(key, {"died": result.message})  # the next run does not try it again
        yield _judged(name, result)


def _tasks(
    subjects: Iterable[tuple[str, Sequence[Shot]]],
    treatments: Sequence[Treatment],
    settings: Settings,
    noise: NoiseFigure,
    kept: Kept | None,
) -> Iterator[tuple[tuple[str, str], tuple[object, ...]]]:
    """Yield ((subject, name of its result), arguments for a worker)."""
    for name, shots in subjects:
        own = tuple(t for t in treatments if t.subject == subject_code(name))
        photos = [(photo_key(shot.sha256, shot.path), shot.visit, shot.expression) for shot in shots]
        key = key_of("course", photos, [asdict(treatment) for treatment in own], asdict(noise))
        yield (name, key), (shots, own, settings, noise, kept, key)


def followed_in(subjects: Iterable[Sequence[Shot]]) -> Iterator[tuple[str, list[Shot]]]:
    """Yield (subject, photos with a day) where the names of a subject's photos tell at least two days."""
    for photos in subjects:
        own = [shot for shot in photos if day_of(shot.visit)]
        if len({day_of(shot.visit) for shot in own}) > 1:
            yield own[0].subject, own


FollowOne = Callable[[Sequence[Shot], Sequence[Treatment], Settings, NoiseFigure], FollowUp | str]


def follow_or_take_over(
    follow_one: FollowOne,
    shots: Sequence[Shot],
    treatments: Sequence[Treatment],
    settings: Settings,
    noise: NoiseFigure,
    kept: Kept | None,
    key: str,
) -> tuple[FollowUp | Failed | str, bool]:
    """Return the course of one subject, or why there is none, and whether an earlier run had it finished.

    Raises OutputError when it cannot be kept.
    """
    tree = kept.read(key) if kept else None
    if tree is not None and "died" in tree:
        return Failed(Code.CRASHED, str(tree["died"])), True
    if tree is not None:
        with contextlib.suppress(OtherFieldsError, KeyError):
            return course_from(tree["course"]), True
    found = follow_one(shots, treatments, settings, noise)
    if kept is None or isinstance(found, str):  # a file that changed or vanished: the next run tries again
        return found, False
    text = course_text(found)
    kept.write(key, {"course": text})
    return course_from(text), False


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


def _judged(subject: str, result: tuple[FollowUp | Failed | str, bool] | Failed) -> Course:
    found, taken_over = (result, False) if isinstance(result, Failed) else result
    if isinstance(found, Failed):
        late = found.code is Code.TIMED_OUT
        status = CourseStatus.TIMED_OUT if late else CourseStatus.CRASHED
        return Course(subject, status, None, found.message, taken_over)
    if isinstance(found, str):
        return Course(subject, CourseStatus.REJECTED, None, found)
    return Course(subject, CourseStatus.FOLLOWED, found, taken_over=taken_over)
