"""The connection to the database: SQLite or PostgreSQL, one writer at a time, failures as sentences."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, OperationalError

from ..errors import StoreError

_FIRST_SAFE_WAL = (3, 51, 3)
"""Before it, two connections to a WAL database could destroy it (sqlite.org/wal.html, the WAL-reset bug)."""
_WAIT_S = 10
"""How long a writer waits for its turn before it is told that the store is in use."""
_WRITER = 0x77726E6B
"""Number of PostgreSQL's advisory lock that the one writer holds."""
_SENTENCES = {
    "locked": "is in use by another program. Try again in a moment; nothing was saved.",
    "readonly": "may not be written to: nothing was saved. Ask for the right to write in its folder.",
    "disk is full": "has no space left: nothing was saved. Free some space and try again.",
    "disk I/O": "cannot be read or written: the disk reports an error, or is full.",
    "unable to open": "cannot be opened. Check that its folder exists and may be written to.",
    "not a database": "is not a database of wrinklecv, or it is damaged. Restore it from a backup.",
    "malformed": "is damaged. Restore it from a backup.",
}


def journal_mode() -> str:
    """Return how SQLite keeps a commit whole: WAL where this SQLite's is sound, else a rollback journal."""
    return "WAL" if sqlite3.sqlite_version_info >= _FIRST_SAFE_WAL else "DELETE"


class Database:
    """One database by `url`; every method raises StoreError when it cannot be reached or used."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._engine = self._new_engine()

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Open a transaction that sees one moment of the database, whatever others write meanwhile."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with (
            self.saying(),
            self._engine.connect() as connection,
            connection.execution_options(**options).begin(),
        ):
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Open the one writing transaction; others wait. All is committed at its end, or nothing."""
        with self.saying(), _writer(self._engine) as connection:
            yield connection

    @contextmanager
    def rebuilding(self) -> Generator[Connection]:
        """Open a writing transaction in which tables may be rebuilt; references are checked at its end."""
        engine = self._new_engine(foreign_keys=False)
        try:
            with self.saying(), _writer(engine) as connection:
                yield connection
                if self.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise StoreError(f"{self} holds rows that refer to nothing. Restore it from a backup.")
        finally:
            engine.dispose()

    def outside(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """Run statements that no transaction may hold, such as VACUUM."""
        with self.saying(), closing(self._engine.raw_connection()) as raw:
            try:
                if not self.is_sqlite:
                    raw.driver_connection.autocommit = True  # type: ignore[union-attr]
                with closing(raw.cursor()) as cursor:
                    for statement, values in statements:
                        cursor.execute(statement, values)
            except sqlite3.Error as error:
                raise StoreError(self._sentence(str(error))) from error
            finally:
                raw.invalidate()

    def tables(self, connection: Connection) -> set[str]:
        """Return the names of the tables there are."""
        return set(inspect(connection).get_table_names())

    @contextmanager
    def saying(self) -> Generator[None]:
        """Turn what the database or the system says into a StoreError."""
        try:
            yield
        except OperationalError as error:
            raise StoreError(self._sentence(str(error.orig))) from error
        except DatabaseError as error:
            if type(error) is not DatabaseError:
                raise  # a bug of ours
            raise StoreError(self._sentence(str(error.orig))) from error
        except OSError as error:
            raise StoreError(
                f"{self} cannot be used: {error.strerror}. Free some space or check your rights there."
            ) from error

    def __str__(self) -> str:
        """Name the store for a person, without a password."""
        place = self.url.database if self.is_sqlite else self.url.render_as_string(hide_password=True)
        return f"The store {place}"

    def _sentence(self, answer: str) -> str:
        for part, sentence in _SENTENCES.items():
            if part in answer:
                return f"{self} {sentence}"
        return f"{self} cannot be used: {' '.join(answer.split())}."

    def _new_engine(self, *, foreign_keys: bool = True) -> Engine:
        try:
            engine = create_engine(self.url, connect_args={"timeout": _WAIT_S} if self.is_sqlite else {})
        except ModuleNotFoundError as error:
            raise StoreError(
                f"{self} needs the package {error.name}: install wrinklecv[postgres] for PostgreSQL."
            ) from error
        if self.is_sqlite:
            _set_up_sqlite(engine, foreign_keys)
        return engine


def schema_of(database: Database, connection: Connection) -> str:
    """Return the schema's version; empty where there is none yet."""
    if "alembic_version" not in database.tables(connection):
        return ""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found or "")


def make_private(file: Path) -> None:
    """Make an empty file that only its owner may read, where there is none: SQLite gives its others alike."""
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


@contextmanager
def _writer(engine: Engine) -> Generator[Connection]:
    with engine.connect() as connection, connection.execution_options(writes=True).begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _WRITER})
        yield connection


def _set_up_sqlite(engine: Engine, foreign_keys: bool) -> None:
    """Take transactions into our own hands: the driver's own begin too late, and not for every statement."""

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"journal_mode={journal_mode()}",
            "synchronous=FULL",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
            "secure_delete=ON",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
