"""The commands of follow-up: subjects, visits, treatments, import, follow-up, repeatability, purge.

Each parses, makes one library call and prints; data to stdout, words to stderr.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .cli_parts import must_exist, print_table, say

if TYPE_CHECKING:
    from datetime import date

    from .casebook import Measured, NewShot
    from .histories import FollowUp, NoiseFigure
    from .intake import Imported, ImportSummary
    from .records import Region
    from .repeatability import Repeatability
    from .settings import Settings
    from .store import Store
    from .tables import Row

_JOBS = 2
"""Processes for one visit or course: their start takes longer than a photo."""

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
Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject's code, such as 001.")]

subjects = typer.Typer(no_args_is_help=True, help="Add and list subjects.")
visits = typer.Typer(no_args_is_help=True, help="Add and list the visits of a subject.")
treatments = typer.Typer(no_args_is_help=True, help="Add and list the treatments of a subject.")


def add_commands(app: typer.Typer) -> None:
    """Give `app` the commands of this module."""
    app.add_typer(subjects, name="subjects", epilog="Example: wrinklecv subjects add 001")
    app.add_typer(visits, name="visits", epilog="Example: wrinklecv visits list 001")
    app.add_typer(treatments, name="treatments", epilog="Example: wrinklecv treatments list 001")
    app.command("import", epilog="Example: wrinklecv import sample_images --store clinic")(take_in)
    app.command("follow-up", epilog="Example: wrinklecv follow-up 001 --out course")(follow)
    app.command("repeatability", epilog="Example: wrinklecv repeatability repeats --out noise")(repeat)
    app.command("purge", epilog="Example: wrinklecv purge 001 --yes")(purge)


def _opened(where: str, photos: Path | None) -> AbstractContextManager[Store]:
    from .store import open_store

    return open_store(where or Path.home() / "wrinklecv", folder=photos, actor="command line")


def _measured_by(settings: Path | None) -> Settings:
    from .settings import DEFAULTS, load_settings

    return load_settings(settings) if settings else DEFAULTS


def _day(text: str, hint: str) -> date:
    from .manifests import day_of

    day = day_of(text)
    if day is None:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2025-01-10.", param_hint=hint)
    return day


def _key(*words: object) -> str:
    """Return the same key for the same words, so that a command run twice is a command run once."""
    return f"command-{hashlib.sha256(repr(words).encode()).hexdigest()}"


# -- subjects --------------------------------------------------------------------------------------


@subjects.command("add", epilog='Example: wrinklecv subjects add 001 --name "A. Smith"')
def add_subject(
    code: Subject,
    name: Annotated[str, typer.Option(help="Kept apart from all that is measured; may stay empty.")] = "",
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Add a subject; one that is there already stays as it is."""
    from .visits import Subject as Person

    with _opened(store, photos) as opened:
        opened.add_subject(Person(code, name))
    say(f"Subject {code} is in the store.")


@subjects.command("list", epilog="Example: wrinklecv subjects list --search smith")
def list_subjects(
    search: Annotated[str, typer.Option(help="Part of the code or name.")] = "",
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Print code and name of each subject."""
    rows: list[Row] = []
    with _opened(store, photos) as opened:
        while found := opened.subjects(search, after=str(rows[-1]["code"]) if rows else "", limit=1000):
            rows += ({"code": person.code, "name": person.name} for person in found)
    print_table(("code", "name"), rows)


# -- visits ----------------------------------------------------------------------------------------


@visits.command(
    "add", epilog="Example: wrinklecv visits add 001 2025-01-10 rest.jpg frown.jpg --rest rest.jpg"
)
def add_visit(
    code: Subject,
    day: Annotated[str, typer.Argument(metavar="DAY", help="Day of the visit, as 2025-01-10.")],
    shots: Annotated[list[Path], typer.Argument(metavar="PHOTO", help="The photos of the visit.")],
    rest: Annotated[
        Path | None, typer.Option(help="Which photo shows the relaxed face, where no name says so.")
    ] = None,
    marking: Annotated[
        list[Path] | None, typer.Option(help="A photo of puncture marks: kept, never scored. Repeatable.")
    ] = None,
    notes: Annotated[str, typer.Option(help="For people.")] = "",
    jobs: JobsOption = _JOBS,
    settings: SettingsOption = None,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Store a visit with its photos and all that is measured in them.

    Expressions come from the names, else they are guessed from the movement and said.
    """
    marked = [path.absolute() for path in marking or []]
    paths = dict.fromkeys([*(p.absolute() for p in shots), *marked, *([rest.absolute()] if rest else [])])
    must_exist(paths, "PHOTO")
    visited_on = _day(day, "DAY")
    at_rest = rest.absolute() if rest else None
    given = [_new_shot(path, at_rest=path == at_rest, marked=path in marked) for path in paths]
    from .casebook import save_visit

    with _opened(store, photos) as opened:
        key = _key(code, visited_on, notes, *(hashlib.sha256(shot.content).hexdigest() for shot in given))
        saved = save_visit(
            opened, code, visited_on, given, key=key, notes=notes, settings=_measured_by(settings), jobs=jobs
        )
    columns = ("photo", "kind", "expression", "guessed", "status", "code")
    print_table(columns, (dict(zip(columns, _photo_cells(one), strict=True)) for one in saved.photos))
    for one in saved.photos:
        _say_unscored(one)
    say(f"Visit {saved.visit.number} of subject {code} is in the store.")
    raise typer.Exit(1 if any(one.message for one in saved.photos) else 0)


def _new_shot(path: Path, *, at_rest: bool, marked: bool) -> NewShot:
    from .casebook import NewShot
    from .listing import parse_name
    from .photo import read_file
    from .records import Expression

    _, _, expression, run = parse_name(path)
    return NewShot(read_file(path), path.name, Expression.REST if at_rest else expression, marked, run)


def _photo_cells(one: Measured) -> tuple[str, ...]:
    from .casebook import new_photo

    stored = new_photo(one)
    status = "not_scored" if one.message else "kept" if one.shot.marking else "scored"
    guessed = "true" if one.guessed else "false"
    return one.shot.name, str(stored.kind), str(stored.expression), guessed, status, str(one.code or "")


def _say_unscored(one: Measured) -> None:
    from .tables import escaped

    if one.message:
        say(f"{escaped(one.shot.name)}: {one.message}")


@visits.command("list", epilog="Example: wrinklecv visits list 001")
def list_visits(code: Subject, store: StoreOption = "", photos: PhotosOption = None) -> None:
    """Print a row per photo of each visit."""
    with _opened(store, photos) as opened:
        page = opened.page(code)
    columns = ("visit", "day", "kind", "expression", "run", "photo", "sha256")
    rows: Iterable[Row] = (
        {
            "visit": visit.number,
            "day": visit.visited_on.isoformat(),
            "kind": str(photo.kind),
            "expression": str(photo.expression),
            "run": photo.run,
            "photo": photo.original_name,
            "sha256": photo.sha256,
        }
        for visit in sorted(page.visits, key=lambda visit: visit.visited_on)
        for photo in visit.photos
    )
    print_table(columns, rows)


# -- treatments ------------------------------------------------------------------------------------


@treatments.command(
    "add", epilog="Example: wrinklecv treatments add 001 2025-01-10 glabella forehead --units 20"
)
def add_treatment(
    code: Subject,
    day: Annotated[str, typer.Argument(metavar="DAY", help="Day of the treatment, as 2025-01-10.")],
    regions: Annotated[
        list[str],
        typer.Argument(
            metavar="REGION",
            help="forehead, glabella, crows_feet_left, crows_feet_right, crows_feet or all; left and right "
            "are the subject's own.",
        ),
    ],
    product: Annotated[str, typer.Option(help="Name of the product.")] = "",
    units: Annotated[float | None, typer.Option(min=0, help="How many units of it.")] = None,
    notes: Annotated[str, typer.Option(help="For people.")] = "",
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Store a treatment; the same command again stores nothing anew."""
    from .visits import Treatment

    treated_on, treated = _day(day, "DAY"), _regions(regions)
    with _opened(store, photos) as opened:
        treatment = Treatment(code, treated_on, treated, product, units, notes=notes)
        saved = opened.save_treatment(_key(treatment), treatment)
    say(f"Treatment {saved.number} of subject {code} is in the store.")


def _regions(words: list[str]) -> tuple[Region, ...]:
    from .manifests import regions_of

    try:
        return regions_of(";".join(words))
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="REGION") from error


@treatments.command("list", epilog="Example: wrinklecv treatments list 001")
def list_treatments(code: Subject, store: StoreOption = "", photos: PhotosOption = None) -> None:
    """Print a row per treatment."""
    with _opened(store, photos) as opened:
        page = opened.page(code)
    columns = ("treatment", "day", "regions", "product", "units", "notes")
    rows: Iterable[Row] = (
        {
            "treatment": one.number,
            "day": one.treated_on.isoformat(),
            "regions": ";".join(one.regions),
            "product": one.product,
            "units": one.units,
            "notes": one.notes,
        }
        for one in sorted(page.treatments, key=lambda one: one.treated_on)
    )
    print_table(columns, rows)


# -- many, followed, gone --------------------------------------------------------------------------


def take_in(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of photos.")],
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
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

    with _opened(store, photos) as opened:
        summary = import_folder(
            opened,
            folder,
            settings=_measured_by(settings),
            jobs=jobs or max(_JOBS, os.cpu_count() or 1),
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
    code: Subject,
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
    jobs: JobsOption = _JOBS,
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
    from .repeatability import read_noise
    from .tables import to_json

    unscored: list[Measured] = []
    measured_by = _measured_by(settings)
    figure = read_noise(noise, settings=measured_by) if noise else None
    with _opened(store, photos) as opened:
        course = follow_subject(
            opened,
            code,
            settings=measured_by,
            jobs=jobs,
            noise=figure,
            progress=lambda one, done, total: unscored.append(one) if one.message else None,
        )
        if out:
            _write_course(out, code, course)
            opened.note("export", "follow-up")
    for one in unscored:
        _say_unscored(one)
    if json:
        print(to_json(follow_document(code, course)), end="")
    else:
        print_table(CHANGE_VIEW, change_rows(code, course))
        _say_course(course)
        say(DISCLAIMER)
    raise typer.Exit(1 if unscored else 0)


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
        say(f"Next photo: {course.next_photo}.")


def _noise_words(noise: NoiseFigure) -> str:
    return f"Photos of an unchanged face differ by {noise.relative_sd:.1%} (SD): {noise.source}."


def repeat(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Several shots of the same people, named with run-1, run-2."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for repeatability.csv and repeatability.json.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
    settings: SettingsOption = None,
) -> None:
    """Measure this clinic's own noise: how far photos of an unchanged face differ.

    Prints, per region and state, the within-subject SD, SEM, smallest detectable change (MDC95) and ICC(2,1)
    of the wrinkle index, each with its 95 % interval. `follow-up --noise` goes by the JSON file.
    """
    must_exist([folder], "FOLDER")
    from .repeatability import NOISE_COLUMNS, measure_repeatability, noise_rows
    from .tables import escaped

    workers = jobs or max(_JOBS, os.cpu_count() or 1)
    found = measure_repeatability(folder, settings=_measured_by(settings), jobs=workers)
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


def purge(
    code: Subject,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Delete a subject for good: visits, treatments, photos and numbers. It cannot be undone."""
    if not yes:
        typer.confirm(f"Delete subject {code} with all photos, for good?", abort=True, err=True)
    with _opened(store, photos) as opened:
        gone = opened.purge(code)
    say(f"Deleted: {gone.visits} visits, {gone.treatments} treatments, {gone.photos} photos.")
    if gone.backups:
        say(f"These backups may still hold the subject: {', '.join(gone.backups)}.")
