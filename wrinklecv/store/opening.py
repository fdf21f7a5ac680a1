"""Open a store: find it, make it or bring it up to date, and tidy up what a crash left."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from ..errors import StoreError
from .database import Database, make_private, schema_of
from .schema import SCHEMA
from .store import Store

DATABASE = "wrinklecv.sqlite3"


@contextmanager
def open_store(
    where: str | Path,
    *,
    folder: str | Path | None = None,
    actor: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Generator[Store]:
    """Open the store in the folder `where`, or the one at a database URL; make it where there is none.

    folder: where a store with a URL keeps its photos. actor: who is working, for the audit. now: the clock.
    Brings an older schema up to date after a backup. Raises StoreError when the store cannot be used, or
    was written by a newer version.
    """
    url, place = _found(where, folder)
    database = Database(url)
    with database.saying():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if database.is_sqlite:
            make_private(Path(str(url.database)))
    try:
        with database.reading() as connection:
            is_current = schema_of(database, connection) == SCHEMA
        if not is_current:
            from .upgrade import upgrade  # Alembic takes a tenth of a second to import

            upgrade(database, place)
        store = Store(database, place, actor, now)
        store.tidy()
        yield store
    finally:
        database.close()


def _found(where: str | Path, folder: str | Path | None) -> tuple[URL, Path]:
    """Return the database's URL and the folder of the photos."""
    if isinstance(where, Path) or "://" not in where:
        place = Path(where).absolute()
        return URL.create("sqlite", database=str(place / DATABASE)), place
    try:
        url = make_url(where)
    except ArgumentError:
        raise StoreError("This is not the URL of a database, such as postgresql://host/name.") from None
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        database = Path(str(url.database)).absolute()
        return url.set(database=str(database)), Path(folder or database.parent).absolute()
    if backend != "postgresql":
        raise StoreError(f"A store can be in a folder or in PostgreSQL, not in {backend}.")
    if folder is None:
        raise StoreError("A store in PostgreSQL needs a folder for its photos: name one.")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url, Path(folder).absolute()
