"""Write and read what was measured: assessments with their region measures, and comparisons."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Connection, Select, insert, select
from sqlalchemy.sql import and_

from ..documents import (
    OtherFieldsError,
    assessment_from,
    assessment_text,
    comparison_from,
    comparison_text,
)
from ..errors import StoreError
from ..model import MODEL_SHA256
from ..pairs import Comparison
from ..records import MEASURE_VERSION, Assessment, Region, RegionMeasures
from ..visits import PhotoKind
from .audit import Stamp
from .schema import assessments, comparisons, files, measures, photos, visits


@dataclass(frozen=True, slots=True)
class Method:
    """With what something was measured: numbers of different methods are never mixed."""

    settings_digest: str
    model_sha256: str = MODEL_SHA256
    measure_version: int = MEASURE_VERSION

    def where(self) -> ColumnElement[bool]:
        """Return the condition that an assessment was made so."""
        return and_(
            assessments.c.settings_digest == self.settings_digest,
            assessments.c.model_sha256 == self.model_sha256,
            assessments.c.measure_version == self.measure_version,
        )


def method_of(assessment: Assessment) -> Method:
    """Return with what `assessment` was made."""
    return Method(assessment.settings_digest, assessment.model_sha256, assessment.measure_version)


def save_assessments(connection: Connection, made: Iterable[Assessment], stamp: Stamp) -> None:
    """Store what is not there yet; the same photo measured in the same way gives the same numbers."""
    _assessment_ids(connection, list(made), stamp)


def save_comparisons(connection: Connection, made: Iterable[Comparison], stamp: Stamp) -> None:
    """Store what is not there yet, with both assessments."""
    for comparison in made:
        rest, expression = _assessment_ids(connection, [comparison.rest, comparison.expression], stamp)
        ids = {"rest_id": rest, "expression_id": expression}
        if connection.execute(select(comparisons.c.id).filter_by(**ids)).first() is None:
            text = comparison_text(comparison)
            connection.execute(insert(comparisons).values(**ids, recorded_at=stamp.at, document=text))


def of_photo(connection: Connection, sha256: str, method: Method) -> Assessment | None:
    """Return the assessment of a photo; None where it was not measured so."""
    where = (assessments.c.photo_sha256 == sha256, method.where())
    document = connection.execute(select(assessments.c.document).where(*where)).scalar()
    return None if document is None else _read(document)


def of_photos(
    connection: Connection, sha256s: Collection[str], method: Method, metric: str
) -> dict[str, dict[Region, tuple[float, float | None]]]:
    """Return one number of each region, with its standard error, of the photos that were measured so.

    A photo whose regions were all refused is there, without any.
    """
    is_it = (measures.c.assessment_id == assessments.c.id) & (measures.c.metric == metric)
    query = (
        select(assessments.c.photo_sha256, measures.c.region, measures.c.value, measures.c.se)
        .outerjoin(measures, is_it)
        .where(assessments.c.photo_sha256.in_(sha256s), method.where())
    )
    found: dict[str, dict[Region, tuple[float, float | None]]] = {}
    for sha256, region, value, se in connection.execute(query):
        regions = found.setdefault(sha256, {})
        if region is not None:
            regions[Region(region)] = (value, se)
    return found


def of_subject(connection: Connection, subject_id: int, method: Method) -> tuple[Assessment, ...]:
    """Return all assessments of a subject's photos, in the order in which they were stored."""
    query = select(assessments.c.document).where(
        assessments.c.photo_sha256.in_(photos_of(subject_id)), method.where()
    )
    return tuple(map(_read, connection.execute(query.order_by(assessments.c.id)).scalars()))


def pairs_of_subject(connection: Connection, subject_id: int, method: Method) -> tuple[Comparison, ...]:
    """Return all comparisons of a subject's photos, in the order in which they were stored."""
    rest, expression = assessments.alias(), assessments.alias()
    query = (
        select(comparisons.c.document, rest.c.document, expression.c.document)
        .join(rest, comparisons.c.rest_id == rest.c.id)
        .join(expression, comparisons.c.expression_id == expression.c.id)
        .where(
            comparisons.c.expression_id.in_(
                select(assessments.c.id).where(
                    assessments.c.photo_sha256.in_(photos_of(subject_id)), method.where()
                )
            )
        )
        .order_by(comparisons.c.id)
    )
    return tuple(_read_pair(*row) for row in connection.execute(query))


def photos_of(subject_id: int) -> Select[str]:
    """Return the query for the sha256 of a subject's photos."""
    return select(photos.c.sha256).join(visits).where(visits.c.subject_id == subject_id)


def _assessment_ids(connection: Connection, made: Sequence[Assessment], stamp: Stamp) -> list[int]:
    """Return the ids of assessments, those that were not there yet stored now."""
    named = {assessment.photo_sha256 for assessment in made}
    if not named:
        return []
    there = connection.execute(select(assessments.c.id, *_KEY).where(assessments.c.photo_sha256.in_(named)))
    ids = {tuple(key): number for number, *key in there}
    if any(_key(assessment) not in ids for assessment in made):
        _refuse_unfit(connection, named)
    rows: list[dict[str, object]] = []
    for assessment in made:
        key = _key(assessment)
        if key not in ids:
            values = dict(zip((column.name for column in _KEY), key, strict=True))
            new = insert(assessments).values(
                **values, recorded_at=stamp.at, document=assessment_text(assessment)
            )
            ids[key] = connection.execute(new).inserted_primary_key[0]  # type: ignore[index]
            rows += (row for region in assessment.regions for row in _measure_rows(ids[key], region))
    if rows:
        connection.execute(insert(measures), rows)
    return [ids[_key(assessment)] for assessment in made]


_KEY = (
    assessments.c.photo_sha256,
    assessments.c.settings_digest,
    assessments.c.model_sha256,
    assessments.c.measure_version,
)


def _key(assessment: Assessment) -> tuple[object, ...]:
    return tuple(getattr(assessment, column.name) for column in _KEY)


def _refuse_unfit(connection: Connection, sha256s: Collection[str]) -> None:
    there = connection.execute(select(files.c.sha256).where(files.c.sha256.in_(sha256s))).scalars()
    for sha256 in sorted(set(sha256s) - set(there)):
        raise StoreError(f"Photo {sha256[:12]} is not in the store. Save it in a visit first.")
    marked = select(photos.c.sha256).where(photos.c.sha256.in_(sha256s), photos.c.kind == PhotoKind.MARKING)
    for sha256 in connection.execute(marked).scalars():
        raise StoreError(f"Photo {sha256[:12]} shows markings: it is kept, never scored.")


def _error_of(metric: str) -> str:
    """Return the name that the standard error of `metric` has in `RegionMeasures`."""
    for unit in ("_mm", "_mm2"):
        if metric.endswith(unit):
            return f"{metric.removesuffix(unit)}_se{unit}"
    return f"{metric}_se"


_NAMES = tuple(field.name for field in fields(RegionMeasures) if field.name != "region")
_ERRORS = {name: error for name in _NAMES if (error := _error_of(name)) in _NAMES}
METRICS = tuple(name for name in _NAMES if name not in _ERRORS.values())
"""What has a row of its own in `measures`: every number of RegionMeasures, its error beside it."""


def _measure_rows(assessment_id: int, region: RegionMeasures) -> Iterator[dict[str, object]]:
    for metric in METRICS:
        value = float(getattr(region, metric))
        error = float(getattr(region, _ERRORS[metric])) if metric in _ERRORS else None
        if math.isfinite(value):
            yield {
                "assessment_id": assessment_id,
                "region": str(region.region),
                "metric": metric,
                "value": value,
                "se": error if error is not None and math.isfinite(error) else None,
            }


def _read(document: str) -> Assessment:
    try:
        return assessment_from(document)
    except OtherFieldsError as error:
        raise StoreError(f"A stored assessment cannot be read ({error}). Measure the photo again.") from error


def _read_pair(document: str, rest: str, expression: str) -> Comparison:
    try:
        return comparison_from(document, _read(rest), _read(expression))
    except OtherFieldsError as error:
        raise StoreError(
            f"A stored comparison cannot be read ({error}). Compare the photos again."
        ) from error
