"""Bring a store's tables up to this version: a backup first, then all steps in one transaction."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from ..errors import StoreError
from .database import Database
from .files import replace_safely

SCRIPTS = Path(__file__).parent.parent / "migrations"
BACKUPS = "backups"

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


def schema_of(database: Database, connection: Connection) -> str:
    """Return the schema's version; empty where there is none yet."""
    if "alembic_version" not in database.tables(connection):
        return ""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found or "")


def back_up(database: Database, folder: Path, why: str) -> Path:
    """Write a whole copy of an SQLite database into `backups/`, photos not included; return where it is."""
    backups = folder / BACKUPS
    backups.mkdir(mode=0o700, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{why}.sqlite3"
    partial = backups / f"{name}.partial"
    database.outside(("VACUUM INTO ?", (str(partial),)))
    partial.chmod(0o600)
    replace_safely(partial, backups / name)
    return backups / name


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config
