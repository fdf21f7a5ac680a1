"""What can be done with an open store: each method is one transaction, and one sentence when it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from ..errors import StoreError
from ..pairs import Comparison
from ..records import Assessment, Region
from ..visits import (
    AuditEntry,
    NewPhoto,
    Purge,
    StoredPhoto,
    Subject,
    SubjectPage,
    Sweep,
    Treatment,
    Visit,
    VisitForm,
)
from . import audit, kept_courses, numbers, reading, removing, saving
from .audit import Stamp
from .backups import BACKUPS, back_up
from .database import Database
from .files import PhotoFiles
from .numbers import Method
from .rows import subject_id
from .schema import files, metadata

_MOST_BEHIND = timedelta(minutes=5)
"""Clocks of several computers on one store may differ by this."""


class Store:
    """An open store (`open_store`). Every method raises StoreError when it cannot do what it was asked."""

    def __init__(self, database: Database, folder: Path, actor: str, now: Callable[[], datetime]) -> None:
        self._database, self._folder = database, folder
        self._actor, self._now = actor, now
        with database.saying():
            self._files = PhotoFiles(folder)

    # -- subjects ----------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where the photos lie, and what a clinic sets for itself."""
        return self._folder

    def add_subject(self, subject: Subject) -> None:
        """Store a subject; one that is there already stays as it is. A code with another name is refused."""
        with self._writing() as (connection, stamp):
            saving.add_subject(connection, subject, stamp)

    def rename_subject(self, subject: Subject) -> None:
        """Give the subject with this code this name; an empty one takes the name away."""
        with self._writing() as (connection, stamp):
            saving.rename_subject(connection, subject, stamp)

    def subjects(self, search: str = "", *, after: str = "", limit: int = 100) -> tuple[Subject, ...]:
        """Return up to `limit` subjects by code, from the one after `after`; `search` in code or name."""
        with self._database.reading() as connection:
            return reading.people(connection, search, after, limit)

    def page(self, code: str) -> SubjectPage:
        """Return a subject with its visits, treatments and the region measures of all its photos."""
        with self._database.reading() as connection:
            return reading.page(connection, code)

    def purge(self, code: str) -> Purge:
        """Delete a subject for good: rows, photos, numbers; the audit keeps that it was, not who.

        Other copies are not ours to delete: the answer names the backups that may still hold it.
        """
        with self._writing() as (connection, stamp):
            number = subject_id(connection, code)
            counts, orphans = removing.remove_subject(connection, number)
            audit.append(connection, stamp, "purge", f"subject {number}", dict(counts))
            self._files.note(orphans)
        self.tidy()
        self._compact()
        return Purge(**counts, backups=tuple(sorted(path.name for path in self._backups())))

    # -- visits ------------------------------------------------------------------------------------

    def save_visit(self, form: VisitForm) -> Visit:
        """Store a visit with its photos and all that was measured in them, or nothing at all.

        The same form again returns the visit that it made. Raises StoreError when a photo belongs to another
        subject or visit already, unless `form.known_photos`.
        """
        with self._writing() as (connection, stamp):
            number, contents = saving.save_visit(connection, form, stamp)
            note = self._place(contents)
            saved = reading.visit(connection, number)
        self._forget(note)
        return saved

    def change_visit(
        self, visit: Visit, added: Sequence[NewPhoto] = (), *, known_photos: bool = False
    ) -> Visit:
        """Make a stored visit what `visit` says and add photos; photos that `visit` lacks are deleted.

        Raises StoreError, and changes nothing, when it was changed since `visit` was read.
        """
        with self._writing() as (connection, stamp):
            number, contents, orphans = saving.change_visit(
                connection, visit, added, stamp, known_photos=known_photos
            )
            note = self._place(contents, orphans - contents.keys())
            saved = reading.visit(connection, number)
        if orphans:
            self._tidy_if_possible()
        self._forget(note)
        return saved

    def remove_visit(self, visit: Visit) -> None:
        """Delete a visit that was entered by mistake, with its photos and their numbers."""
        with self._writing() as (connection, stamp):
            number = saving.current_visit(connection, visit, stamp)
            self._files.note(removing.remove_visit(connection, number))
            audit.append(
                connection, stamp, "delete", f"visit {number}", {"day": visit.visited_on.isoformat()}
            )
        self._tidy_if_possible()

    def repeats(self, code: str = "") -> tuple[tuple[StoredPhoto, ...], ...]:
        """Return photos that show the same in other runs, visit by visit; of one subject, or of all."""
        with self._database.reading() as connection:
            return reading.repeats(connection, code)

    def photo(self, sha256: str) -> bytes:
        """Return the bytes of a stored photo, exactly as they came."""
        with self._database.reading() as connection:
            found = connection.execute(select(files.c.sha256).where(files.c.sha256 == sha256)).first()
            if found is None:
                raise StoreError(f"There is no photo {sha256[:12]} in the store.")
            return self._files.read(found.sha256)

    # -- treatments --------------------------------------------------------------------------------

    def save_treatment(self, key: str, treatment: Treatment) -> Treatment:
        """Store a treatment; the same form (`key`) again returns the one that it made."""
        with self._writing() as (connection, stamp):
            return reading.treatment(connection, saving.save_treatment(connection, key, treatment, stamp))

    def change_treatment(self, treatment: Treatment) -> Treatment:
        """Make a stored treatment what `treatment` says, unless it was changed since that was read."""
        with self._writing() as (connection, stamp):
            return reading.treatment(connection, saving.change_treatment(connection, treatment, stamp))

    def remove_treatment(self, treatment: Treatment) -> None:
        """Delete a treatment that was entered by mistake."""
        with self._writing() as (connection, stamp):
            saving.remove_treatment(connection, treatment, stamp)

    # -- what was measured -------------------------------------------------------------------------

    def save_assessments(self, assessments: Iterable[Assessment]) -> None:
        """Store what was measured in stored photos; what is there already stays."""
        with self._writing() as (connection, stamp):
            numbers.save_assessments(connection, assessments, stamp)

    def save_comparisons(self, comparisons: Iterable[Comparison]) -> None:
        """Store comparisons of stored photos, with their assessments; what is there already stays."""
        with self._writing() as (connection, stamp):
            numbers.save_comparisons(connection, comparisons, stamp)

    def assessment(self, sha256: str, method: Method) -> Assessment | None:
        """Return what was measured in a photo, without its chart; None where it was not measured so."""
        with self._database.reading() as connection:
            return numbers.of_photo(connection, sha256, method)

    def measures(
        self, sha256s: Collection[str], method: Method, metric: str
    ) -> dict[str, dict[Region, tuple[float, float | None]]]:
        """Return one of `METRICS` of each region, with its standard error, of photos measured so."""
        with self._database.reading() as connection:
            return numbers.of_photos(connection, sha256s, method, metric)

    def assessments(self, code: str, method: Method) -> tuple[Assessment, ...]:
        """Return what was measured in all photos of a subject, without charts."""
        with self._database.reading() as connection:
            return numbers.of_subject(connection, subject_id(connection, code), method)

    def comparisons(self, code: str, method: Method) -> tuple[Comparison, ...]:
        """Return all comparisons of a subject's photos."""
        with self._database.reading() as connection:
            return numbers.pairs_of_subject(connection, subject_id(connection, code), method)

    def course(self, code: str, made_of: str) -> str | None:
        """Return the course of a subject that `keep_course` was given as made of this, None without."""
        with self._database.reading() as connection:
            return kept_courses.course_of(connection, subject_id(connection, code), made_of)

    def keep_course(self, page: SubjectPage, made_of: str, document: str) -> None:
        """Keep the course of a subject, the newest few, until a visit or treatment is changed or removed.

        page: what it was made from. Raises StoreError when visits or treatments are others meanwhile.
        """
        with self._writing() as (connection, _):
            now = reading.page(connection, page.subject.code)
            if (now.visits, now.treatments) != (page.visits, page.treatments):
                raise StoreError("The subject was changed while it was followed. Look at it again.")
            number = subject_id(connection, page.subject.code)
            kept_courses.keep_course(connection, number, made_of, document)

    # -- the store itself --------------------------------------------------------------------------

    def note(self, action: str, target: str, **details: int | str) -> None:
        """Write into the audit what was done with the data elsewhere, such as an export."""
        with self._writing() as (connection, stamp):
            audit.append(connection, stamp, action, target, details)

    def audit(self, *, after: int = 0, limit: int = 1000) -> tuple[AuditEntry, ...]:
        """Return up to `limit` audit entries with a number above `after`, oldest first."""
        with self._database.reading() as connection:
            return audit.entries(connection, after, limit)

    def clock_warning(self) -> str:
        """Return a sentence where this computer's clock runs behind the newest record, else nothing.

        What came first is told by the order of the records, never by the clock; only their moments are wrong.
        """
        with self._database.reading() as connection:
            last = audit.last_moment(connection)
        now = self._now()
        if last is None or last - now <= _MOST_BEHIND:
            return ""
        return (
            f"This computer's clock says {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC, but the newest record is "
            f"of {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC. Set the clock: days since treatment, and the "
            "moments of what is saved now, go by it."
        )

    def audit_head(self) -> str:
        """Return number and hash of the newest entry: kept elsewhere, it shows whether a tail was cut off."""
        with self._database.reading() as connection:
            return audit.head(connection)

    def verify_audit(self, known_head: str = "") -> int:
        """Return how many entries there are; raise StoreError where they were tampered with."""
        with self._database.reading() as connection:
            return audit.verify(connection, known_head)

    def sweep(self, *, contents: bool = False) -> Sweep:
        """Hold photo files against rows: move strangers aside, name what is gone; read all if `contents`."""
        with self._writing() as (connection, stamp):
            known = set(connection.execute(select(files.c.sha256)).scalars())
            found = sorted(self._files.names())
            there = {path.name for path in found if path == self._files.path(path.name)}
            strangers = [
                path for path in found if path != self._files.path(path.name) or path.name not in known
            ]
            moved = tuple(self._files.move_aside(path) for path in strangers)
            missing = tuple(sorted(known - there))
            if moved:
                audit.append(connection, stamp, "sweep", "photos", {"moved_aside": len(moved)})
        kept = sorted(known & there) if contents else []
        with self._database.saying():
            return Sweep(moved, missing, tuple(name for name in kept if self._files.is_damaged(name)))

    def back_up(self) -> Path:
        """Write a whole copy of the database (SQLite only, without the photos) and return where it is."""
        if not self._database.is_sqlite:
            raise StoreError(f"{self._database} is backed up with PostgreSQL's own pg_dump.")
        with self._database.saying():
            path = back_up(self._database, self._folder, "backup")
        self.note("backup", path.name)
        return path

    # -- inside ------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Generator[tuple[Connection, Stamp]]:
        """Be the one writer; if it fails, photo files go the way of the rows."""
        with contextlib.ExitStack() as undone:
            undone.callback(self._tidy_if_possible)
            with self._database.writing() as connection:
                self._files.tidy(lambda named: _known(connection, named))
                yield connection, Stamp(self._actor, self._now())
            undone.pop_all()

    def _place(self, contents: saving.Contents, orphans: Iterable[str] = ()) -> Path | None:
        note = self._files.note({*contents, *orphans})
        self._files.place(contents)
        return note

    def _forget(self, note: Path | None) -> None:
        """Drop the note of a save that was committed."""
        with self._database.saying():
            if note is not None:
                note.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Delete files that a crash left on the way; opening a store does it."""
        with self._database.saying():
            if not self._files.has_notes():
                return
        with self._database.writing() as connection:
            self._files.tidy(lambda named: _known(connection, named))

    def _tidy_if_possible(self) -> None:
        with contextlib.suppress(StoreError):  # what was done or has failed is told; the next opener tidies
            self.tidy()

    def _compact(self) -> None:
        """Leave nothing of deleted rows in the database's files."""
        if self._database.is_sqlite:
            self._database.outside(("VACUUM", ()), ("PRAGMA wal_checkpoint(TRUNCATE)", ()))
        else:
            named = (table.name for table in metadata.sorted_tables if table.name != "audit")
            self._database.outside(*((f"VACUUM FULL {name}", ()) for name in named))

    def _backups(self) -> Iterable[Path]:
        return (self._folder / BACKUPS).glob("*.sqlite3*")


def _known(connection: Connection, named: list[str]) -> set[str]:
    return set(connection.execute(select(files.c.sha256).where(files.c.sha256.in_(named))).scalars())
