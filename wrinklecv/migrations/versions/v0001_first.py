"""The first tables: subjects, visits, treatments, photos, assessments, comparisons, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    _make_people()
    _make_photos()
    _make_numbers()
    _make_audit()


def _moment(name: str) -> sa.Column[object]:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    return sa.Column(name, sa.DateTime(timezone=on_postgresql), nullable=False)


def _make_people() -> None:
    op.create_table(
        "subjects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        _moment("recorded_at"),
        sa.PrimaryKeyConstraint("id", name="pk_subjects"),
        sa.UniqueConstraint("code", name="uq_subjects_code"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subject_names",
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_subject_names"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_subject_names_subject_id"),
    )
    op.create_table(
        "visits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        _moment("recorded_at"),
        _moment("changed_at"),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=False),
        sa.Column("form_digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_visits_subject_id"),
        sa.UniqueConstraint("subject_id", "number", name="uq_visits_subject_id_number"),
        sa.UniqueConstraint("form_key", name="uq_visits_form_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "treatments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("treated_on", sa.Date(), nullable=False),
        sa.Column("regions", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("units", sa.Float()),
        sa.Column("points_mm", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        _moment("recorded_at"),
        _moment("changed_at"),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=False),
        sa.Column("form_digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_treatments"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_treatments_subject_id"),
        sa.UniqueConstraint("subject_id", "number", name="uq_treatments_subject_id_number"),
        sa.UniqueConstraint("form_key", name="uq_treatments_form_key"),
        sqlite_autoincrement=True,
    )


def _make_photos() -> None:
    op.create_table(
        "files",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        _moment("recorded_at"),
        sa.PrimaryKeyConstraint("sha256", name="pk_files"),
    )
    op.create_table(
        "photos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("expression", sa.String(16), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("consent", sa.String(16), nullable=False),
        sa.Column("original_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name="fk_photos_visit_id"),
        sa.ForeignKeyConstraint(["sha256"], ["files.sha256"], name="fk_photos_sha256"),
        sa.UniqueConstraint("visit_id", "sha256", name="uq_photos_visit_id_sha256"),
    )
    op.create_index("ix_photos_sha256", "photos", ["sha256"])


def _make_numbers() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("photo_sha256", sa.String(64), nullable=False),
        sa.Column("settings_digest", sa.String(64), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("measure_version", sa.Integer(), nullable=False),
        _moment("recorded_at"),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
        sa.ForeignKeyConstraint(["photo_sha256"], ["files.sha256"], name="fk_assessments_photo_sha256"),
        sa.UniqueConstraint(
            "photo_sha256",
            "settings_digest",
            "model_sha256",
            "measure_version",
            name="uq_assessments_key",
        ),
    )
    op.create_table(
        "measures",
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("metric", sa.String(64), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("se", sa.Float()),
        sa.PrimaryKeyConstraint("assessment_id", "region", "metric", name="pk_measures"),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessments.id"], name="fk_measures_assessment_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rest_id", sa.Integer(), nullable=False),
        sa.Column("expression_id", sa.Integer(), nullable=False),
        _moment("recorded_at"),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comparisons"),
        sa.ForeignKeyConstraint(["rest_id"], ["assessments.id"], name="fk_comparisons_rest_id"),
        sa.ForeignKeyConstraint(["expression_id"], ["assessments.id"], name="fk_comparisons_expression_id"),
        sa.UniqueConstraint("rest_id", "expression_id", name="uq_comparisons_rest_id_expression_id"),
    )
    op.create_index("ix_comparisons_expression_id", "comparisons", ["expression_id"])


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_refuses_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        )
