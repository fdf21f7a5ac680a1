"""The newest courses of each subject are kept: looking at one again takes no measuring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "courses",
        sa.Column("subject_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_of", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "made_of", name="pk_courses"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_courses_subject_id"),
    )
