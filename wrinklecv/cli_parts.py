"""What the commands share: words on stderr, tables on stdout, and options that several have."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .remote import is_remote

if TYPE_CHECKING:
    from .histories import NoiseFigure
    from .settings import Settings
    from .store import Store
    from .tables import Row


StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="WRINKLECV_STORE",
        show_default="~/wrinklecv",
        help="Folder of the store, or URL of a PostgreSQL database.",
    ),
]
PhotosOption = Annotated[
    Path | None,
    typer.Option("--photos", envvar="WRINKLECV_PHOTOS", help="Folder for the photos of a PostgreSQL store."),
]
SettingsOption = Annotated[Path | None, typer.Option(help="TOML file that says how to measure.")]
JobsOption = Annotated[int, typer.Option(min=1, help="Processes that measure.")]
EveryCoreOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Processes; default: one per core.")
]
NoiseOption = Annotated[
    Path | None,
    typer.Option("--noise", help="repeatability.json of this clinic; else the figure of the literature."),
]
SubjectArgument = Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject's code, such as 001.")]
JOBS = 2
"""Processes for one visit or course: their start takes longer than a photo. Also the least for many photos,
so that a crash costs one photo on one core too."""


@contextmanager
def open_casebook(where: str, photos: Path | None) -> Generator[Store]:
    """Open the store that was named, or the one in the user's home; say where its clock and ours disagree."""
    from .store import open_store

    with open_store(where or Path.home() / "wrinklecv", folder=photos, actor="command line") as store:
        if warning := store.clock_warning():
            say(f"Warning: {warning}")
        yield store


def measured_by(settings: Path | None) -> Settings:
    """Read the settings that were named, or return the usual ones."""
    from .settings import DEFAULTS, load_settings

    return load_settings(settings) if settings else DEFAULTS


def noise_in(path: Path | None, settings: Settings) -> NoiseFigure | None:
    """Read the clinic's own figure, where one was named."""
    from .repeatability import read_noise

    return read_noise(path, settings=settings) if path else None


def every_core(jobs: int | None) -> int:
    """Return how many processes measure many photos."""
    return jobs or max(JOBS, os.cpu_count() or 1)


def say_unscored(name: str, why: str) -> None:
    """Say why a photo was not scored; nothing where it was."""
    from .tables import escaped

    if why:
        say(f"{escaped(name)}: {why}")


def say(words: str) -> None:
    """Print words for a person."""
    typer.echo(words, err=True)


def must_exist(paths: Iterable[str | Path], hint: str) -> None:
    """Raise a usage error for the first path that is not there; of an address in a store nobody knows yet."""
    for path in paths:
        if not os.path.lexists(path) and not is_remote(path):
            from .tables import escaped

            raise typer.BadParameter(f"{escaped(str(path))} does not exist.", param_hint=hint)


def print_table(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print a header and rows, cells apart by tabs."""
    from .tables import escaped

    print(*columns, sep="\t")
    for row in rows:
        cells = (row[name] for name in columns)
        print(*("" if c is None else escaped(c) if isinstance(c, str) else c for c in cells), sep="\t")
