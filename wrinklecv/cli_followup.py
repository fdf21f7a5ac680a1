"""The commands of follow-up: import, follow-up, repeatability.

Each parses, makes one library call and prints; data to stdout, words to stderr.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .cli_parts import (
    JOBS,
    EveryCoreOption,
    JobsOption,
    PhotosOption,
    SettingsOption,
    StoreOption,
    SubjectArgument,
    every_core,
    measured_by,
    must_exist,
    noise_in,
    open_casebook,
    print_table,
    say,
    say_unscored,
)

if TYPE_CHECKING:
    from .histories import FollowUp, NoiseFigure
    from .intake import Imported, ImportSummary
    from .repeatability import Repeatability


def add_commands(app: typer.Typer) -> None:
    """Give `app` the commands of this module."""
    app.command("import", epilog="Example: wrinklecv import sample_images --store clinic")(take_in)
    app.command("follow-up", epilog="Example: wrinklecv follow-up 001 --out course")(follow)
    app.command("repeatability", epilog="Example: wrinklecv repeatability repeats --out noise")(repeat)


def take_in(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of photos.")],
    jobs: EveryCoreOption = None,
    settings: SettingsOption = None,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Take a folder of photos into the store, by names or manifest.csv, and treatments.csv with them.

    Prints path, status, subject, day and code of each photo. Importing a folder twice changes nothing.
    """
    must_exist([folder], "FOLDER")
    if not folder.is_dir():
        raise typer.BadParameter("Name a folder.", param_hint="FOLDER")
    from .intake import import_folder

    with open_casebook(store, photos) as opened:
        summary = import_folder(
            opened,
            folder,
            settings=measured_by(settings),
            jobs=every_core(jobs),
            progress=lambda one, done, total: _print_imported(one),
        )
    raise typer.Exit(_sum_up(summary))


def _print_imported(one: Imported) -> None:
    from .tables import escaped

    day = one.day.isoformat() if one.day else ""
    print(escaped(one.path), one.status, escaped(one.subject), day, one.code or "", sep="\t")


def _sum_up(summary: ImportSummary) -> int:
    """Say what was refused and why, and how many there were of each; return the exit code."""
    from collections import Counter

    from .tables import escaped

    for one in summary.photos:
        if one.message:
            say(f"{escaped(one.path)}: {escaped(one.message)}")
    for one in (*summary.treatments, *summary.faults):
        if one.message:
            say(escaped(one.message if one.message.startswith(one.path) else f"{one.path}: {one.message}"))
    for reason, count in sorted(summary.ignored.items()):
        say(f"{count} left out: {reason.replace('_', ' ')}.")
    for what, found in (("photo", summary.photos), ("treatment", summary.treatments)):
        counts = Counter(str(one.status).replace("_", " ") for one in found)
        parts = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        say(f"{len(found)} {what}{'' if len(found) == 1 else 's'}{': ' if parts else ''}{parts}.")
    return 0 if summary.photos and summary.is_complete else 1


def follow(
    code: SubjectArgument,
    json: Annotated[bool, typer.Option("--json", help="Print the whole course as JSON instead.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for changes.csv, series.csv, line_histories.csv and JSON.")
    ] = None,
    noise: Annotated[
        Path | None,
        typer.Option(
            help="repeatability.json of this clinic; else the store's own repeats, else literature."
        ),
    ] = None,
    windows: Annotated[
        Path | None,
        typer.Option(help="TOML file: what is usual when after a treatment; else windows.toml of the store."),
    ] = None,
    jobs: JobsOption = JOBS,
    settings: SettingsOption = None,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Follow a subject over its visits: what changed, and whether it is more than noise.

    Prints a row per region, state and pair of visits; higher = more lines, a difference below 0 is less.
    """
    from . import DISCLAIMER
    from .casebook import follow_subject
    from .follow_tables import CHANGE_VIEW, change_rows, follow_document
    from .tables import to_json
    from .windows import load_windows

    how = measured_by(settings)
    figure = noise_in(noise, how)
    with open_casebook(store, photos) as opened:
        course = follow_subject(
            opened,
            code,
            settings=how,
            jobs=jobs,
            noise=figure,
            windows=load_windows(windows) if windows else None,
        )
        if out:
            _write_course(out, code, course)
            opened.note("export", "follow-up")
    for one in course.unscored:
        say_unscored(one.name, one.message)
    if json:
        print(to_json(follow_document(code, course)), end="")
    else:
        print_table(CHANGE_VIEW, change_rows(code, course))
        _say_course(course)
        say(DISCLAIMER)
    raise typer.Exit(1 if course.unscored else 0)


def _write_course(out: Path, code: str, course: FollowUp) -> None:
    from .follow_tables import follow_files
    from .results import write_files

    write_files(out, follow_files(code, course))


def _say_course(course: FollowUp) -> None:
    for visit in course.visits:
        days = "" if visit.days is None else f", day {visit.days} since treatment"
        say(f"{visit.day}: {visit.status.replace('_', ' ')}{days}.")
        for advice in dict.fromkeys(finding.advice for _, finding in visit.findings):
            say(f"  {advice}")
    say(_noise_words(course.noise))
    if course.next_photo:
        say(f"Next photo: {course.next_photo}{' (has passed)' if course.next_photo < date.today() else ''}.")


def _noise_words(noise: NoiseFigure) -> str:
    """Say how large the noise is and whose; the best rig's is less than that of photos by hand."""
    more = "" if noise.own else " Photos by hand differ by more: small changes may be noise."
    return f"Photos of an unchanged face differ by {noise.relative_sd:.1%} (SD): {noise.source}.{more}"


def repeat(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Several shots of the same people, named with run-1, run-2."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for repeatability.csv and repeatability.json.")
    ] = None,
    jobs: EveryCoreOption = None,
    settings: SettingsOption = None,
) -> None:
    """Measure this clinic's own noise: how far photos of an unchanged face differ.

    Prints, per region and state, the within-subject SD, SEM, smallest detectable change (MDC95) and ICC(2,1)
    of the wrinkle index, each with its 95 % interval. `follow-up --noise` goes by the JSON file.
    """
    must_exist([folder], "FOLDER")
    from .repeatability import NOISE_COLUMNS, measure_repeatability, noise_rows
    from .tables import escaped

    workers = every_core(jobs)
    found = measure_repeatability(folder, settings=measured_by(settings), jobs=workers)
    if out:
        _write_noise(out, found)
    print_table(NOISE_COLUMNS, noise_rows(found))
    for name, reason in found.left_out:
        say(f"{escaped(name)}: {escaped(reason)}")
    say(_noise_words(found.pooled) if found.pooled else _TOO_FEW)
    raise typer.Exit(0 if found.pooled else 1)


_TOO_FEW = (
    "Too few repeats for a figure of this clinic: take 10 or more beyond the first of each face and "
    "expression, of two people or more."
)


def _write_noise(out: Path, found: Repeatability) -> None:
    from .follow_tables import as_csv
    from .repeatability import NOISE_COLUMNS, noise_rows, repeatability_document
    from .results import write_files
    from .tables import to_json

    table = as_csv(NOISE_COLUMNS, noise_rows(found))
    document = to_json(repeatability_document(found)).encode()
    write_files(out, {"repeatability.csv": table, "repeatability.json": document})
