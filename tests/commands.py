"""Run a command as a person does, and read the table it prints."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from typer.testing import CliRunner, Result

from wrinklecv.cli import app


def run(*words: str | Path, store: Path | None = None, home: str = "/nonexistent") -> Result:
    where = {"WRINKLECV_STORE": str(store) if store else "", "WRINKLECV_PHOTOS": "", "COLUMNS": "200"}
    return CliRunner().invoke(app, [str(word) for word in words], env={**where, "HOME": home})


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))
