"""Stores for tests: where they are made, what is put into them, and child processes that do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from builders import an_assessment
from scratch_postgres import MISSING, server_url
from sqlalchemy import create_engine, make_url, text

from wrinklecv.records import Expression
from wrinklecv.store import Store, open_store
from wrinklecv.visits import NewPhoto, Subject, VisitForm

KINDS = (
    "sqlite",
    pytest.param("postgresql", marks=(pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING))),
)


@dataclass(frozen=True)
class Place:
    """Where a store of one test is: its folder, or a URL and a folder."""

    where: str
    folder: Path

    def open(self, actor: str = "", **named: Any) -> AbstractContextManager[Store]:
        """Open the store."""
        return open_store(self.where, folder=self.folder, actor=actor, **named)

    @property
    def is_sqlite(self) -> bool:
        """Say whether the database is a file in the folder."""
        return "://" not in self.where

    def files(self) -> set[str]:
        """Name every photo file and everything on its way to be one."""
        found = [*(self.folder / "photos").rglob("*"), *(self.folder / "incoming").rglob("*")]
        return {path.name for path in found if path.is_file()}


def places(kind: str, folder: Path) -> Iterator[Place]:
    """Yield the place of a new store; on PostgreSQL it has a schema of its own, dropped at the end."""
    if kind == "sqlite":
        yield Place(str(folder / "store"), folder / "store")
        return
    name = f"test_{sha256(str(folder).encode()).hexdigest()[:16]}"
    url = make_url(server_url()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        own = url.update_query_dict({"options": f"-csearch_path={name}"})
        yield Place(own.render_as_string(hide_password=False), folder / "store")
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


def a_photo(
    content: bytes,
    expression: Expression = Expression.REST,
    *,
    run: str = "",
    name: str = "a.jpg",
    scored: bool = True,
) -> NewPhoto:
    """Return a photo to be stored, with an assessment unless it is not `scored`."""
    made = an_assessment(name=name, sha256=sha256(content).hexdigest()) if scored else None
    return NewPhoto(content, expression, run=run, original_name=name, assessment=made)


def a_form(
    key: str,
    subject: str = "001",
    day: date = date(2026, 1, 10),
    *photos: NewPhoto,
    notes: str = "",
    known_photos: bool = False,
) -> VisitForm:
    """Return a form; without photos it gets two of its own, told apart by `key`."""
    mine = photos or (
        a_photo(f"{key} at rest".encode()),
        a_photo(f"{key} smiling".encode(), Expression.SMILE),
    )
    return VisitForm(key, subject, day, mine, notes=notes, known_photos=known_photos)


def child(place: Place, work: str, *words: str) -> subprocess.Popen[str]:
    """Start a process of its own that does `work` (see the end of this file) in the store."""
    return subprocess.Popen(
        [sys.executable, __file__, place.where, str(place.folder), work, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )


def kill(process: subprocess.Popen[str]) -> None:
    """End a process at once, as a power cut would, and wait for its end."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def save_many(place: Place, subject: str, count: int) -> None:
    """Store visits one after the other; say so after each."""
    with place.open(actor=subject) as store:
        store.add_subject(Subject(subject))
        for number in range(count):
            photos = [
                a_photo(f"{subject} {number} {shot}".encode() * 5000, Expression.SMILE, run=str(shot))
                for shot in range(4)
            ]
            store.save_visit(a_form(f"{subject}-{number}", subject, date(2026, 1, 10), *photos))
            print(number, flush=True)


def purge_many(place: Place, count: int) -> None:
    """Purge subjects one after the other; say so after each."""
    with place.open() as store:
        for number in range(count):
            store.purge(f"S{number}")
            print(number, flush=True)


def main() -> None:
    """Do what the command line says."""
    where, folder, work, *words = sys.argv[1:]
    place = Place(where, Path(folder))
    if work == "save":
        save_many(place, words[0], int(words[1]))
    elif work == "purge":
        purge_many(place, int(words[0]))
    elif work == "upgrade":
        from wrinklecv.store.database import Database
        from wrinklecv.store.upgrade import upgrade

        database = Database(make_url(f"sqlite:///{place.folder}/wrinklecv.sqlite3"))
        print("go", flush=True)
        upgrade(database, place.folder, Path(words[0]))


if __name__ == "__main__":
    main()
