"""What a batch remembers of its photos until its end: on disk, so that a million of them need no memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from .errors import OutputError
from .listing import Shot
from .records import Expression
from .remote import is_remote


class Ledger:
    """Which bytes came first as which photo, the scored photos, and the kinds of their lines.

    SQLite's own temporary file: nobody else sees it, and it is gone with this process. Raises OutputError
    when the disk is full.
    """

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for command in (
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "PRAGMA cache_size=-1000",  # kB
            "CREATE TABLE photos (sha256 TEXT PRIMARY KEY, path TEXT, subject TEXT) WITHOUT ROWID",
            "CREATE TABLE kinds (sha256 TEXT PRIMARY KEY, kinds TEXT) WITHOUT ROWID",
            "CREATE TABLE shots (number INTEGER PRIMARY KEY, subject TEXT, visit TEXT, shot TEXT)",
            "CREATE INDEX visits ON shots (subject, visit)",
        ):
            self._do(command)

    def _do(self, command: str, given: tuple[str, ...] = ()) -> sqlite3.Cursor:
        """Execute a command; raise OutputError where there is no room for what is to be remembered."""
        try:
            return self._base.execute(command, given)
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"What a batch remembers until its end cannot be written to the machine's temporary folder: "
                f"{error}. Free some space there, or name another one in SQLITE_TMPDIR."
            ) from error

    def close(self) -> None:
        """Forget all."""
        self._base.close()

    def first_with(self, sha256: str, path: str, subject: str) -> tuple[str, str]:
        """Return the first path that had these bytes, and its subject: `path` itself when they are new."""
        new = (sha256, json.dumps(path), json.dumps(subject))
        self._do("INSERT OR IGNORE INTO photos VALUES (?, ?, ?)", new)
        asked = "SELECT path, subject FROM photos WHERE sha256 = ?"
        first, owner = self._do(asked, (sha256,)).fetchone()
        return str(json.loads(first)), str(json.loads(owner))

    def add(self, shot: Shot) -> None:
        """Remember a scored photo."""
        subject, visit = json.dumps(shot.subject), json.dumps(shot.visit)  # ASCII, whatever a name holds
        text = json.dumps([str(part) for part in astuple(shot)])
        self._do("INSERT INTO shots VALUES (NULL, ?, ?, ?)", (subject, visit, text))

    def visits(self) -> Iterator[list[Shot]]:
        """Yield the photos of each subject and visit, in the order of the first; none without both names."""
        yield from self._groups("subject, visit", "subject <> '\"\"' AND visit <> '\"\"'")

    def subjects(self) -> Iterator[list[Shot]]:
        """Yield the photos of each subject, in the order of the first; none without a name."""
        yield from self._groups("subject", "subject <> '\"\"'")

    def _groups(self, by: str, which: str) -> Iterator[list[Shot]]:
        groups = f"SELECT {by} FROM shots WHERE {which} GROUP BY {by} ORDER BY min(number)"  # noqa: S608
        same = " AND ".join(f"{name} = ?" for name in by.split(", "))
        members = f"SELECT shot FROM shots WHERE {same} ORDER BY number"  # noqa: S608 - our own words
        for group in self._do(groups):
            yield [_shot(text) for (text,) in self._do(members, group)]

    def kinds(self, sha256: str) -> list[str]:
        """Return what is known of a photo's lines, in their order; empty when no pair told."""
        row = self._do("SELECT kinds FROM kinds WHERE sha256 = ?", (sha256,)).fetchone()
        return list(json.loads(row[0])) if row else []

    def set_kinds(self, sha256: str, kinds: list[str]) -> None:
        """Remember the kinds of a photo's lines."""
        self._do("INSERT OR REPLACE INTO kinds VALUES (?, ?)", (sha256, json.dumps(kinds)))


def _shot(text: str) -> Shot:
    file, path, sha256, subject, visit, expression, run = json.loads(text)
    return Shot(
        file if is_remote(file) else Path(file), path, sha256, subject, visit, Expression(expression), run
    )
