"""Courses of subjects, kept by what they were made of, so that none is followed anew at every look."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select

from .schema import courses

_MOST = 8
"""Of one subject: over all visits, and those of pairs that were looked at."""


def course_of(connection: Connection, subject_id: int, made_of: str) -> str | None:
    """Return the kept course of a subject that was made of this, None where there is none."""
    which = (courses.c.subject_id == subject_id) & (courses.c.made_of == made_of)
    return connection.execute(select(courses.c.document).where(which)).scalar_one_or_none()


def keep_course(connection: Connection, subject_id: int, made_of: str, document: str) -> None:
    """Keep a course; only the newest few of a subject stay."""
    own = courses.c.subject_id == subject_id
    connection.execute(delete(courses).where(own, courses.c.made_of == made_of))
    newest = connection.execute(select(func.max(courses.c.number)).where(own)).scalar_one() or 0
    row = {"subject_id": subject_id, "made_of": made_of, "number": newest + 1, "document": document}
    connection.execute(insert(courses).values(row))
    numbers = select(courses.c.number).where(own).order_by(courses.c.number.desc())
    stay = connection.execute(numbers.limit(_MOST)).scalars().all()
    connection.execute(delete(courses).where(own, courses.c.number < min(stay)))


def forget_courses(connection: Connection, subject_id: int) -> None:
    """Delete all courses of a subject: something that they were made of was taken away."""
    connection.execute(delete(courses).where(courses.c.subject_id == subject_id))
