"""Take a folder of photos into a store: by their names or a manifest, visits whole, every file accounted for.

Importing a folder twice changes nothing: photos that a subject has already stay as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from .casebook import Measured, NewShot, comparisons_of, complete, new_photo
from .codes import Code
from .errors import PhotoError, StoreError
from .listing import Found, find_photos
from .manifests import MANIFEST, TREATMENTS, day_of, read_treatments
from .photo import read_file
from .records import Expression
from .settings import DEFAULTS, Settings
from .store import Store
from .visits import NewPhoto, PhotoKind, Subject, Treatment, Visit, VisitForm
from .workers import Jobs, Workers, at_work

_NO_PHOTOS = frozenset(
    (
        Code.EMPTY_FILE,
        Code.NOT_AN_IMAGE,
        Code.UNSUPPORTED_FORMAT,
        Code.TRUNCATED,
        Code.CORRUPT,
        Code.TOO_MANY_PIXELS,
        Code.TOO_SMALL,
        Code.METADATA_TOO_BIG,
        Code.ANIMATED,
    )
)
"""Files that are not kept: no photo, or a copy that went wrong, whose original may still come."""


class ImportStatus(StrEnum):
    """What became of one file or row."""

    IMPORTED = "imported"
    ALREADY_THERE = "already_there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one photo, or one row of a table (`path` is then its file and line).

    message: why it was refused; of an imported photo, why it is kept but cannot be scored; else empty.
    """

    path: str
    status: ImportStatus
    subject: str = ""
    day: date | None = None
    code: Code | None = None
    message: str = ""


class ImportSummary(NamedTuple):
    """What became of each photo, each treatment and each row with a fault; files that are neither, by why."""

    photos: tuple[Imported, ...]
    treatments: tuple[Imported, ...]
    faults: tuple[Imported, ...]
    ignored: Counter[str]

    @property
    def is_complete(self) -> bool:
        """Whether nothing was refused, and every photo that was imported can be scored."""
        return not any(one.message for one in (*self.photos, *self.treatments, *self.faults))


Progress = Callable[[Imported, int, int], None]
"""(what became of a photo, how many are done, how many there are)"""


@dataclass(frozen=True, slots=True)
class _Item:
    """One photo of a visit before it is read."""

    file: Path
    path: str
    subject: str
    day: date
    expression: Expression
    marking: bool
    run: str
    notes: str

    def told(self, status: ImportStatus, code: Code | None = None, message: str = "") -> Imported:
        return Imported(self.path, status, self.subject, self.day, code, message)


def import_folder(
    store: Store,
    folder: str | Path,
    *,
    settings: Settings = DEFAULTS,
    jobs: Jobs = 2,
    progress: Progress | None = None,
) -> ImportSummary:
    """Store the photos of `folder` with all that is measured in them, and the treatments it tells of.

    Subject, day, expression and run come from `manifest.csv` where it names the photo, else from the name
    (``sub-001_ses-20250110_expr-frown_run-1.jpg``); treatments from `treatments.csv`. Photos of one subject
    and day are one visit, stored whole; to a visit of that day that is there already they are added. A photo
    that cannot be scored is kept, with the reason; a file that is no whole photo is refused.
    Raises StoreError when the store cannot be used, TableError when a table cannot be read at all, with the
    line.
    """
    folder, ignored = Path(folder), Counter[str]()
    treatments, faults = read_treatments(folder)
    told: dict[str, Imported] = {}
    visits: dict[tuple[str, date], list[_Item]] = {}
    found = list(find_photos([folder], ignored=ignored))
    for photo in found:
        item = _planned(photo)
        if isinstance(item, Imported):
            told[photo.path] = item
        else:
            visits.setdefault((item.subject, item.day), []).append(item)
    steps = chain(list(told.values()), _taken_in(store, visits, settings, jobs))
    for done, one in enumerate(steps, start=1):
        told[one.path] = one
        if progress:
            progress(one, done, len(found))
    refused = [
        Imported(f"{TREATMENTS}, line {f.line}", ImportStatus.REFUSED, message=f.message) for f in faults
    ]
    return ImportSummary(
        tuple(told[path] for path in dict.fromkeys(photo.path for photo in found)),
        tuple(_treated(store, line, treatment) for line, treatment in treatments),
        tuple(refused),
        +ignored,
    )


def _planned(photo: Found) -> _Item | Imported:
    """Return what a photo is by manifest and name, or why it cannot be taken in."""
    subject, visit, expression, run = photo.told()
    marking = photo.refusal is not None and photo.refusal.code is Code.MARKING_PHOTO
    day, notes = day_of(visit), photo.entry.notes if photo.entry else ""
    if photo.refusal is not None and photo.refusal.code is not Code.MARKING_PHOTO:
        why = photo.refusal
        return Imported(photo.path, ImportStatus.REFUSED, subject, day, why.code, why.message)
    if not subject or day is None:
        lacks = "subject" if not subject else "day of the visit"
        message = (
            f"Neither its name nor {MANIFEST} tells the {lacks}. Name it like "
            "sub-001_ses-20250110_expr-rest.jpg, or write it into the manifest."
        )
        return Imported(photo.path, ImportStatus.REFUSED, subject, day, message=message)
    return _Item(Path(photo.file), photo.path, subject, day, expression, marking, run, notes)


# -- one visit -------------------------------------------------------------------------------------


def _taken_in(
    store: Store, visits: Mapping[tuple[str, date], Sequence[_Item]], settings: Settings, jobs: Jobs
) -> Iterator[Imported]:
    if not visits:
        return
    with at_work(jobs) as workers:
        for items in visits.values():
            yield from _visit(store, items, workers, settings)


def _visit(store: Store, items: Sequence[_Item], workers: Workers, settings: Settings) -> Iterator[Imported]:
    """Take in the photos of one visit; what the store will not have is refused together."""
    shots: dict[str, tuple[_Item, NewShot]] = {}
    for item in items:
        try:
            content = read_file(item.file)
        except PhotoError as error:
            yield item.told(ImportStatus.REFUSED, error.code, str(error))
            continue
        name = item.file.name.encode("utf-8", "replace").decode()
        shot = NewShot(content, name, item.expression, item.marking, item.run)
        sha256 = hashlib.sha256(content).hexdigest()
        first = shots.setdefault(sha256, (item, shot))[0]
        if first is not item:
            yield item.told(ImportStatus.REFUSED, Code.DUPLICATE_OF, f"The same bytes as {first.path}.")
    if not shots:
        return
    subject, day = items[0].subject, items[0].day
    store.add_subject(Subject(subject))
    visits = store.page(subject).visits
    there = {photo.sha256 for visit in visits for photo in visit.photos}
    yield from (i.told(ImportStatus.ALREADY_THERE) for sha256, (i, _) in shots.items() if sha256 in there)
    new = [both for sha256, both in shots.items() if sha256 not in there]
    same_day = next((visit for visit in visits if visit.visited_on == day), None)
    try:
        yield from _saved(store, new, same_day, workers, settings)
    except StoreError as error:
        for item, _ in new:
            yield item.told(ImportStatus.REFUSED, message=str(error))


def _saved(
    store: Store,
    new: Sequence[tuple[_Item, NewShot]],
    visit: Visit | None,
    workers: Workers,
    settings: Settings,
) -> list[Imported]:
    """Measure photos and save them in one transaction; compare them with those that are there already."""
    there = _stored(store, visit) if visit and new else []
    measured = complete([*there, *(shot for _, shot in new)], workers, settings)
    both = list(zip((item for item, _ in new), measured[len(there) :], strict=True))
    kept = [one for _, one in both if one.code not in _NO_PHOTOS]
    if kept:
        notes = "; ".join(dict.fromkeys(item.notes for item, _ in new if item.notes))
        fit = [one for one in measured if one.code not in _NO_PHOTOS]
        comparisons = tuple(comparisons_of(fit, workers, settings))
        photos = tuple(map(new_photo, kept))
        if visit:
            store.change_visit(visit, photos)
            store.save_comparisons(comparisons)
        else:
            subject, day = new[0][0].subject, new[0][0].day
            form = VisitForm(_key(subject, day, photos), subject, day, photos, comparisons, notes)
            store.save_visit(form)
    return [
        item.told(
            ImportStatus.REFUSED if one.code in _NO_PHOTOS else ImportStatus.IMPORTED, one.code, one.message
        )
        for item, one in both
    ]


def _stored(store: Store, visit: Visit) -> list[NewShot | Measured]:
    """Return the photos that a visit has already."""
    return [
        NewShot(store.photo(p.sha256), p.original_name, p.expression, p.kind is PhotoKind.MARKING, p.run)
        for p in visit.photos
    ]


def _key(subject: str, day: date, photos: Sequence[NewPhoto]) -> str:
    """Return the same key for the same photos of a visit, so that two imports at once store it once."""
    return _digest([subject, day.isoformat(), *sorted(photo.sha256 for photo in photos)])


# -- treatments ------------------------------------------------------------------------------------


def _treated(store: Store, line: int, treatment: Treatment) -> Imported:
    """Store one treatment, unless the subject has the very same already."""
    place = f"{TREATMENTS}, line {line}"
    one = Imported(place, ImportStatus.ALREADY_THERE, treatment.subject, treatment.treated_on)
    try:
        known = store.page(treatment.subject).treatments
        if any(replace(t, number=0, version=0) == treatment for t in known):
            return one
        regions = ";".join(treatment.regions)
        facts = [treatment.subject, treatment.treated_on.isoformat(), regions, treatment.product]
        told = [*facts, str(treatment.units), str(treatment.points_mm), treatment.notes]
        saved = store.save_treatment(_digest(told), treatment)
    except StoreError as error:
        return replace(one, status=ImportStatus.REFUSED, message=f"{place}: {error}")
    is_new = saved.number not in {t.number for t in known}
    return replace(one, status=ImportStatus.IMPORTED) if is_new else one


def _digest(told: Sequence[str]) -> str:
    return f"import-{hashlib.sha256(json.dumps(told).encode()).hexdigest()}"
