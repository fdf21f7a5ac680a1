"""What was done to the store: a table that only grows, each entry sealed with the hash of the one before.

A changed, deleted or inserted entry breaks the chain. A cut tail does not: keep the head (`Store.audit_head`)
with every export and compare.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from ..errors import StoreError
from ..visits import AuditEntry
from .schema import as_kept, audit, from_kept

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who does something, and when."""

    actor: str
    at: datetime


def append(
    connection: Connection,
    stamp: Stamp,
    action: str,
    target: str,
    details: dict[str, int | str] | None = None,
) -> None:
    """Add an entry, in the same transaction as what it tells of; `target` names rows by number only."""
    number, previous = _last(connection)
    at, told = stamp.at.astimezone(UTC).isoformat(), json.dumps(details or {}, sort_keys=True)
    row = (number + 1, at, as_kept(stamp.actor), action, as_kept(target), told, previous)
    connection.execute(insert(audit).values((*row, _seal(row))))


def entries(connection: Connection, after: int, limit: int) -> tuple[AuditEntry, ...]:
    """Return up to `limit` entries with a number above `after`, oldest first."""
    query = select(audit).where(audit.c.number > after).order_by(audit.c.number).limit(limit)
    return tuple(
        AuditEntry(
            row.number,
            datetime.fromisoformat(row.at),
            from_kept(row.actor),
            row.action,
            from_kept(row.target),
            json.loads(row.details),
            row.hash,
        )
        for row in connection.execute(query)
    )


def head(connection: Connection) -> str:
    """Return the newest entry's number and hash."""
    number, seal = _last(connection)
    return f"{number}:{seal}"


def last_moment(connection: Connection) -> datetime | None:
    """Return when the newest entry says it was written; None where there is none."""
    newest = connection.execute(select(audit.c.at).order_by(audit.c.number.desc()).limit(1)).scalar()
    return datetime.fromisoformat(newest) if newest else None


def verify(connection: Connection, known_head: str) -> int:
    """Check every seal and return how many there are.

    known_head: what `head` once returned, or empty; it must still be in the chain. Raises StoreError that
    says where the chain is broken.
    """
    wanted, _, seal = known_head.partition(":")
    number, previous, missing = 0, START, wanted not in ("", "0")
    query = select(audit).order_by(audit.c.number).execution_options(yield_per=5000)
    with connection.execute(query) as rows:
        for row in rows:
            number += 1
            is_known = str(number) == wanted
            missing = missing and not is_known
            whole = row[0] == number and row.previous == previous and row.hash == _seal(tuple(row[:-1]))
            if not whole or (is_known and row.hash != seal):
                raise StoreError(
                    f"The audit log was tampered with at entry {number}. Restore it from a backup."
                )
            previous = row.hash
    if missing:
        raise StoreError(f"The audit log ends at entry {number}: later entries were cut off.")
    return number


def _last(connection: Connection) -> tuple[int, str]:
    newest = select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
    last = connection.execute(newest).first()
    return (last.number, last.hash) if last else (0, START)


def _seal(row: tuple[int | str, ...]) -> str:
    """Return the sha256 of an entry's columns, the seal before it included."""
    return hashlib.sha256(json.dumps(row).encode()).hexdigest()
