"""What the commands share: words on stderr, tables on stdout, paths that must exist."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from .tables import Row


def say(words: str) -> None:
    """Print words for a person."""
    typer.echo(words, err=True)


def must_exist(paths: Iterable[Path], hint: str) -> None:
    """Raise a usage error for the first path that is not there."""
    for path in paths:
        if not os.path.lexists(path):
            from .tables import escaped

            raise typer.BadParameter(f"{escaped(str(path))} does not exist.", param_hint=hint)


def print_table(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print a header and rows, cells apart by tabs."""
    from .tables import escaped

    print(*columns, sep="\t")
    for row in rows:
        cells = (row[name] for name in columns)
        print(*("" if c is None else escaped(c) if isinstance(c, str) else c for c in cells), sep="\t")
