"""Delete rows for good: photos with their numbers, whole visits, whole subjects."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Table, delete, func, or_, select

from .kept_courses import forget_courses
from .rows import owner_of
from .schema import (
    assessments,
    comparisons,
    files,
    measures,
    photos,
    subject_names,
    subjects,
    treatments,
    visits,
)


def remove_photos(connection: Connection, ids: Collection[int]) -> set[str]:
    """Delete photos of visits; what nobody else has, with its numbers. Return the sha256 of those."""
    if not ids:
        return set()
    named = set(connection.execute(select(photos.c.sha256).where(photos.c.id.in_(ids))).scalars())
    connection.execute(delete(photos).where(photos.c.id.in_(ids)))
    kept = set(connection.execute(select(photos.c.sha256).where(photos.c.sha256.in_(named))).scalars())
    orphans = named - kept
    if orphans:
        _remove_numbers(connection, orphans)
        connection.execute(delete(files).where(files.c.sha256.in_(orphans)))
    return orphans


def remove_visit(connection: Connection, visit_id: int) -> set[str]:
    """Delete one visit, and the courses kept of its subject; return the photos that nobody has now."""
    forget_courses(connection, owner_of(connection, visits, visit_id))
    ids = connection.execute(select(photos.c.id).where(photos.c.visit_id == visit_id)).scalars().all()
    orphans = remove_photos(connection, ids)
    connection.execute(delete(visits).where(visits.c.id == visit_id))
    return orphans


def remove_subject(connection: Connection, subject_id: int) -> tuple[dict[str, int], set[str]]:
    """Delete a subject with all it has; return how much that was, and the photos that nobody has now."""
    ids = (
        connection.execute(select(photos.c.id).join(visits).where(visits.c.subject_id == subject_id))
        .scalars()
        .all()
    )
    counts = {
        "visits": _count(connection, visits, subject_id),
        "treatments": _count(connection, treatments, subject_id),
        "photos": len(ids),
    }
    orphans = remove_photos(connection, ids)
    forget_courses(connection, subject_id)
    for table in (visits, treatments, subject_names):
        connection.execute(delete(table).where(table.c.subject_id == subject_id))
    connection.execute(delete(subjects).where(subjects.c.id == subject_id))
    return counts, orphans


def _remove_numbers(connection: Connection, sha256s: Collection[str]) -> None:
    """Delete what was measured in these photos, and pairs of which one is among them."""
    made = select(assessments.c.id).where(assessments.c.photo_sha256.in_(sha256s))
    connection.execute(
        delete(comparisons).where(or_(comparisons.c.rest_id.in_(made), comparisons.c.expression_id.in_(made)))
    )
    connection.execute(delete(measures).where(measures.c.assessment_id.in_(made)))
    connection.execute(delete(assessments).where(assessments.c.photo_sha256.in_(sha256s)))


def _count(connection: Connection, table: Table, subject_id: int) -> int:
    return connection.execute(
        select(func.count()).select_from(table).where(table.c.subject_id == subject_id)
    ).scalar_one()
