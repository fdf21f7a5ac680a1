"""Whole copies of an SQLite database, made while others use it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from .database import Database
from .files import replace_safely

BACKUPS = "backups"


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
