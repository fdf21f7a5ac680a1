"""Read subjects with all that belongs to them, in a small fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from ..errors import StoreError
from ..records import Expression, Region
from ..visits import (
    Consent,
    PhotoKind,
    StoredAssessment,
    StoredMeasure,
    StoredPhoto,
    Subject,
    SubjectPage,
    Treatment,
    Visit,
)
from .numbers import photos_of
from .schema import assessments, files, measures, photos, subject_names, subjects, treatments, visits


def page(connection: Connection, code: str) -> SubjectPage:
    """Return all that the page of a subject shows; raise StoreError when there is none."""
    found = connection.execute(_people().where(subjects.c.code == code)).first()
    if found is None:
        raise StoreError(f"There is no subject {code}. Add it first, or check the code.")
    number = found.id
    given = connection.execute(
        select(treatments).where(treatments.c.subject_id == number).order_by(treatments.c.number)
    )
    return SubjectPage(
        Subject(found.code, found.name or ""),
        _visits(connection, visits.c.subject_id == number),
        tuple(_treatment(found.code, row) for row in given),
        tuple(_assessments(connection, number)),
    )


def people(connection: Connection, search: str, after: str, limit: int) -> tuple[Subject, ...]:
    """Return up to `limit` subjects by code, from the one after `after`; with `search` in code or name."""
    query = _people().where(subjects.c.code > after).order_by(subjects.c.code).limit(limit)
    if search:
        query = query.where(
            or_(
                subjects.c.code.contains(search, autoescape=True),
                subject_names.c.name.contains(search, autoescape=True),
            )
        )
    return tuple(Subject(row.code, row.name or "") for row in connection.execute(query))


def visit(connection: Connection, visit_id: int) -> Visit:
    """Return one visit by its id."""
    return _visits(connection, visits.c.id == visit_id)[0]


def treatment(connection: Connection, treatment_id: int) -> Treatment:
    """Return one treatment by its id."""
    row = connection.execute(
        select(treatments, subjects.c.code).join(subjects).where(treatments.c.id == treatment_id)
    ).one()
    return _treatment(row.code, row)


def repeats(connection: Connection, code: str) -> tuple[tuple[StoredPhoto, ...], ...]:
    """Return the photos that show the same, by visit and expression: one of each run, two runs at least.

    code: one subject's; empty for all. Markings are left out, and so are photos of an unknown expression.
    """
    query = (
        _photos()
        .add_columns(visits.c.id.label("visit"))
        .join(visits)
        .where(photos.c.kind != PhotoKind.MARKING, photos.c.expression != Expression.UNKNOWN)
        .order_by(visits.c.subject_id, visits.c.number, photos.c.expression, photos.c.id)
    )
    if code:
        query = query.join(subjects).where(subjects.c.code == code)
    found = []
    for _, alike in groupby(connection.execute(query), lambda row: (row.visit, row.expression)):
        runs: dict[str, StoredPhoto] = {}
        for row in alike:
            runs.setdefault(row.run, _photo(row))
        if len(runs) > 1:
            found.append(tuple(runs.values()))
    return tuple(found)


def _people() -> Select[Any]:
    return select(subjects.c.id, subjects.c.code, subject_names.c.name).outerjoin(subject_names)


def _photos() -> Select[Any]:
    return select(photos, files.c.size_bytes).join(files)


def _visits(connection: Connection, which: Any) -> tuple[Visit, ...]:
    """Return visits in the order they were stored, with their photos: two statements."""
    held: dict[int, list[StoredPhoto]] = {}
    for row in connection.execute(_photos().join(visits).where(which).order_by(photos.c.id)):
        held.setdefault(row.visit_id, []).append(_photo(row))
    found = connection.execute(
        select(visits, subjects.c.code).join(subjects).where(which).order_by(visits.c.number)
    )
    return tuple(
        Visit(
            subject=row.code,
            number=row.number,
            visited_on=row.visited_on,
            recorded_at=row.recorded_at,
            version=row.version,
            notes=row.notes,
            photos=tuple(held.get(row.id, ())),
        )
        for row in found
    )


def _photo(row: Row[Any]) -> StoredPhoto:
    return StoredPhoto(
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        kind=PhotoKind(row.kind),
        expression=Expression(row.expression),
        run=row.run,
        consent=Consent(row.consent),
        original_name=row.original_name,
    )


def _treatment(code: str, row: Row[Any]) -> Treatment:
    return Treatment(
        subject=code,
        treated_on=row.treated_on,
        regions=tuple(map(Region, row.regions)),
        product=row.product,
        units=row.units,
        points_mm=tuple((x, y) for x, y in row.points_mm),
        notes=row.notes,
        number=row.number,
        version=row.version,
    )


def _assessments(connection: Connection, subject_id: int) -> Iterator[StoredAssessment]:
    """Yield with what each photo was measured, and the numbers: two statements."""
    mine = assessments.c.photo_sha256.in_(photos_of(subject_id))
    numbers: dict[int, list[StoredMeasure]] = {}
    regions = {str(region): region for region in Region}
    query = (
        select(measures).join(assessments).where(mine).order_by(measures.c.assessment_id, measures.c.region)
    )
    for number, region, metric, value, se in connection.execute(query):
        numbers.setdefault(number, []).append(StoredMeasure(regions[region], metric, value, se))
    columns = [column for column in assessments.c if column.name != "document"]
    for row in connection.execute(select(*columns).where(mine).order_by(assessments.c.id)):
        yield StoredAssessment(
            photo_sha256=row.photo_sha256,
            settings_digest=row.settings_digest,
            model_sha256=row.model_sha256,
            measure_version=row.measure_version,
            measures=tuple(numbers.get(row.id, ())),
        )
