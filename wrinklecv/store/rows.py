"""What saving visits and saving treatments have in common: keys, versions, numbers."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, insert, select, update

from ..errors import StoreError
from ..visits import Treatment, Visit
from .audit import Stamp
from .schema import subjects


def subject_id(connection: Connection, code: str) -> int:
    """Return the id of a subject; raise StoreError when there is none."""
    found = connection.execute(select(subjects.c.id).where(subjects.c.code == code)).scalar()
    if found is None:
        raise StoreError(f"There is no subject {code}. Add it first, or check the code.")
    return int(found)


def owner_of(connection: Connection, table: Table, row_id: int) -> int:
    """Return the id of the subject whose visit or treatment it is."""
    return int(connection.execute(select(table.c.subject_id).where(table.c.id == row_id)).scalar_one())


def saved_before(connection: Connection, table: Table, key: str, digest: str) -> int | None:
    """Return the id of what was saved under this form's key; raise StoreError when it was something else."""
    if not key:
        raise StoreError("A form needs a key of its own, so that a second click saves nothing twice.")
    found = connection.execute(select(table.c.id, table.c.form_digest).where(table.c.form_key == key)).first()
    if found and found.form_digest != digest:
        raise StoreError(
            "This form was saved before with other content. Open a new one, or change that visit."
        )
    return found.id if found else None


def current(connection: Connection, table: Table, record: Visit | Treatment, word: str, stamp: Stamp) -> int:
    """Return the id of what `record` was read from, with its version raised; raise StoreError if outdated."""
    owner = subject_id(connection, record.subject)
    found = connection.execute(
        select(table.c.id, table.c.version, table.c.changed_at, table.c.changed_by).where(
            table.c.subject_id == owner, table.c.number == record.number
        )
    ).first()
    name = f"{word} {record.number} of subject {record.subject}"
    if found is None:
        raise StoreError(f"{name} is not there any more: nothing was saved.")
    if found.version != record.version:
        by = f" by {found.changed_by}" if found.changed_by else ""
        raise StoreError(
            f"{name} was changed{by} at {found.changed_at:%Y-%m-%d %H:%M:%S} UTC, after you opened it: "
            "nothing was saved. Open it again and repeat your change."
        )
    connection.execute(
        update(table)
        .where(table.c.id == found.id)
        .values(version=found.version + 1, changed_at=stamp.at, changed_by=stamp.actor)
    )
    return int(found.id)


def next_number(connection: Connection, table: Table, owner: int) -> int:
    """Return the number of a subject's next visit or treatment."""
    newest = connection.execute(select(func.max(table.c.number)).where(table.c.subject_id == owner)).scalar()
    return (newest or 0) + 1


def insert_row(connection: Connection, table: Table, **values: object) -> int:
    """Add a row and return its id."""
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    return int(key[0])  # type: ignore[index]
