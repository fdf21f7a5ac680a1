"""The tables of the store, as the newest migration leaves them; a test holds the two together.

Moments are UTC, days are days, texts are kept as they are. Photo files lie beside the database, by sha256.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

SCHEMA = "0002"
"""The newest migration (`migrations/versions`)."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, so that a migration can find it again on SQLite."""

_MARK = "\x1a"
_NOT_STORABLE = re.compile(f"[\0{_MARK}\ud800-\udfff]")
_KEPT = re.compile(f"{_MARK}([0-9a-f]{{4}})")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with a zone, kept as UTC: SQLite forgets zones."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Let PostgreSQL keep the zone."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into UTC; refuse one that does not say its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} does not say its time zone")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def as_kept(value: str) -> str:
    """Return what `KeptText` writes into the database."""
    return _NOT_STORABLE.sub(lambda found: f"{_MARK}{ord(found[0]):04x}", value)


def from_kept(value: str) -> str:
    """Return what `as_kept` was given."""
    return _KEPT.sub(lambda found: chr(int(found[1], 16)), value)


class KeptText(TypeDecorator[str]):
    r"""Any Python text, given back as it was.

    Databases refuse NUL or lone surrogates (bytes of a file name that are not UTF-8): these are kept as
    U+001A and four hexadecimal digits, U+001A itself too. Everything else stands as it is.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write signs that no database takes as escapes."""
        return None if value is None else as_kept(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Undo the escapes."""
        return None if value is None else from_kept(value)


class PlainTree(TypeDecorator[Any]):
    """Lists, dicts, texts and numbers, kept as JSON text in ASCII."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Write JSON."""
        return json.dumps(value, sort_keys=True, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read JSON."""
        return None if value is None else json.loads(value)


metadata = MetaData(naming_convention=NAMING)


def _number() -> Column[int]:
    return Column("id", Integer, primary_key=True)


subjects = Table(
    "subjects",
    metadata,
    _number(),
    Column("code", KeptText, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    UniqueConstraint("code"),
    sqlite_autoincrement=True,  # the audit names subjects by id: one is never given twice
)
subject_names = Table(
    "subject_names",
    metadata,
    Column("subject_id", ForeignKey("subjects.id"), primary_key=True),
    Column("name", KeptText, nullable=False),
)
visits = Table(
    "visits",
    metadata,
    _number(),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("visited_on", Date, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", KeptText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("notes", KeptText, nullable=False),
    Column("form_key", KeptText, nullable=False),
    Column("form_digest", String(64), nullable=False),
    UniqueConstraint("subject_id", "number"),
    UniqueConstraint("form_key"),
    sqlite_autoincrement=True,
)
treatments = Table(
    "treatments",
    metadata,
    _number(),
    Column("subject_id", ForeignKey("subjects.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("treated_on", Date, nullable=False),
    Column("regions", PlainTree, nullable=False),
    Column("product", KeptText, nullable=False),
    Column("units", Float),
    Column("points_mm", PlainTree, nullable=False),
    Column("notes", KeptText, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", KeptText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("form_key", KeptText, nullable=False),
    Column("form_digest", String(64), nullable=False),
    UniqueConstraint("subject_id", "number"),
    UniqueConstraint("form_key"),
    sqlite_autoincrement=True,
)
files = Table(
    "files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)
photos = Table(
    "photos",
    metadata,
    _number(),
    Column("visit_id", ForeignKey("visits.id"), nullable=False),
    Column("sha256", ForeignKey("files.sha256"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("expression", String(16), nullable=False),
    Column("run", KeptText, nullable=False),
    Column("consent", String(16), nullable=False),
    Column("original_name", KeptText, nullable=False),
    UniqueConstraint("visit_id", "sha256"),
    Index(None, "sha256"),
)
assessments = Table(
    "assessments",
    metadata,
    _number(),
    Column("photo_sha256", ForeignKey("files.sha256"), nullable=False),
    Column("settings_digest", String(64), nullable=False),
    Column("model_sha256", String(64), nullable=False),
    Column("measure_version", Integer, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint(
        "photo_sha256", "settings_digest", "model_sha256", "measure_version", name="uq_assessments_key"
    ),
)
measures = Table(
    "measures",
    metadata,
    Column("assessment_id", ForeignKey("assessments.id"), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("metric", String(64), primary_key=True),
    Column("value", Float, nullable=False),
    Column("se", Float),
    sqlite_with_rowid=False,
)
comparisons = Table(
    "comparisons",
    metadata,
    _number(),
    Column("rest_id", ForeignKey("assessments.id"), nullable=False),
    Column("expression_id", ForeignKey("assessments.id"), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("rest_id", "expression_id"),
    Index(None, "expression_id"),
)
courses = Table(
    "courses",
    metadata,
    Column("subject_id", ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
    Column("made_of", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("document", Text, nullable=False),
)
"""The newest courses of each subject, so that none is followed anew at every look."""
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
