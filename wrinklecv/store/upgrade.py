"""Bring a store's tables up to this version: a backup first, then all steps in one transaction.

The only file that needs Alembic: it is imported when there is something to do.
"""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from ..errors import StoreError
from .backups import back_up
from .database import Database, schema_of

SCRIPTS = Path(__file__).parent.parent / "migrations"

_one_at_a_time = threading.Lock()  # Alembic's context is one per process


def upgrade(database: Database, folder: Path, scripts: Path = SCRIPTS) -> None:
    """Run the steps that are missing; raise StoreError when the schema is newer, or is none of ours."""
    with _one_at_a_time, database.rebuilding() as connection:
        config = _config(scripts)
        found = schema_of(database, connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found and found not in known:
            raise StoreError(
                f"{database} was written by a newer wrinklecv (schema {found}; this one knows up to "
                f"{max(known)}). Install the newer version; nothing was changed."
            )
        if not found and database.tables(connection):
            raise StoreError(f"{database} holds tables of something else. Choose a database of its own.")
        if found and database.is_sqlite:
            back_up(database, folder, f"schema-{found}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config
