"""The commands of what is on record: subjects, visits and treatments, their corrections, purge.

Each parses, makes one library call and prints; data to stdout, words to stderr.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from .cli_parts import (
    JOBS,
    JobsOption,
    PhotosOption,
    SettingsOption,
    StoreOption,
    SubjectArgument,
    measured_by,
    must_exist,
    open_casebook,
    print_table,
    say,
    say_unscored,
)

if TYPE_CHECKING:
    from .casebook import Measured, NewShot
    from .records import Region
    from .tables import Row
    from .visits import Treatment, Visit

subjects = typer.Typer(no_args_is_help=True, help="Add and list subjects.")
visits = typer.Typer(no_args_is_help=True, help="Add, list and correct the visits of a subject.")
treatments = typer.Typer(no_args_is_help=True, help="Add, list and correct the treatments of a subject.")


def add_commands(app: typer.Typer) -> None:
    """Give `app` the commands of this module."""
    app.add_typer(subjects, name="subjects", epilog="Example: wrinklecv subjects add 001")
    app.add_typer(visits, name="visits", epilog="Example: wrinklecv visits list 001")
    app.add_typer(treatments, name="treatments", epilog="Example: wrinklecv treatments list 001")
    app.command("purge", epilog="Example: wrinklecv purge 001 --yes")(purge)


def _day(text: str, hint: str) -> date:
    from .manifests import day_of

    day = day_of(text)
    if day is None:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2025-01-10.", param_hint=hint)
    if day > date.today() + timedelta(days=1):  # where the subject is, it may be tomorrow
        raise typer.BadParameter(f"{text} lies in the future. Check the year.", param_hint=hint)
    return day


NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="As `list` shows it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Numbered = TypeVar("Numbered", "Visit", "Treatment")


def _one(found: Sequence[Numbered], number: int) -> Numbered:
    """Return the visit or treatment with a number."""
    one = next((one for one in found if one.number == number), None)
    if one is None:
        there = ", ".join(str(one.number) for one in found) or "none"
        raise typer.BadParameter(f"There is no number {number}; there are: {there}.", param_hint="NUMBER")
    return one


def _key(*words: object) -> str:
    """Return the same key for the same words, so that a command run twice is a command run once."""
    return f"command-{hashlib.sha256(repr(words).encode()).hexdigest()}"


# -- subjects --------------------------------------------------------------------------------------


@subjects.command("add", epilog='Example: wrinklecv subjects add 001 --name "A. Smith"')
def add_subject(
    code: SubjectArgument,
    name: Annotated[str, typer.Option(help="Kept apart from all that is measured; may stay empty.")] = "",
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Add a subject; one that is there already stays as it is."""
    from .visits import Subject as Person

    with open_casebook(store, photos) as opened:
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
    with open_casebook(store, photos) as opened:
        while found := opened.subjects(search, after=str(rows[-1]["code"]) if rows else "", limit=1000):
            rows += ({"code": person.code, "name": person.name} for person in found)
    print_table(("code", "name"), rows)


# -- visits ----------------------------------------------------------------------------------------


@visits.command(
    "add", epilog="Example: wrinklecv visits add 001 2025-01-10 rest.jpg frown.jpg --rest rest.jpg"
)
def add_visit(
    code: SubjectArgument,
    day: Annotated[str, typer.Argument(metavar="DAY", help="Day of the visit, as 2025-01-10.")],
    shots: Annotated[list[Path], typer.Argument(metavar="PHOTO", help="The photos of the visit.")],
    rest: Annotated[
        Path | None, typer.Option(help="Which photo shows the relaxed face, where no name says so.")
    ] = None,
    marking: Annotated[
        list[Path] | None, typer.Option(help="A photo of puncture marks: kept, never scored. Repeatable.")
    ] = None,
    notes: Annotated[str, typer.Option(help="For people.")] = "",
    jobs: JobsOption = JOBS,
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

    with open_casebook(store, photos) as opened:
        key = _key(code, visited_on, notes, *(hashlib.sha256(shot.content).hexdigest() for shot in given))
        saved = save_visit(
            opened, code, visited_on, given, key=key, notes=notes, settings=measured_by(settings), jobs=jobs
        )
    columns = ("photo", "kind", "expression", "guessed", "status", "code")
    print_table(columns, (dict(zip(columns, _photo_cells(one), strict=True)) for one in saved.photos))
    for one in saved.photos:
        say_unscored(one.shot.name, one.message)
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


@visits.command("list", epilog="Example: wrinklecv visits list 001")
def list_visits(code: SubjectArgument, store: StoreOption = "", photos: PhotosOption = None) -> None:
    """Print a row per photo of each visit."""
    with open_casebook(store, photos) as opened:
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


@visits.command("change", epilog="Example: wrinklecv visits change 001 2 --day 2025-01-24")
def change_visit(
    code: SubjectArgument,
    number: NumberArgument,
    day: Annotated[str, typer.Option(help="The right day.")] = "",
    notes: Annotated[str | None, typer.Option(help="The right notes.")] = None,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Correct the day or the notes of a visit; the audit keeps which day it was."""
    with open_casebook(store, photos) as opened:
        visit = _one(opened.page(code).visits, number)
        new = replace(
            visit,
            visited_on=_day(day, "--day") if day else visit.visited_on,
            notes=visit.notes if notes is None else notes,
        )
        opened.change_visit(new)
    say(f"Visit {number} of subject {code} is of {new.visited_on}; it was stored as of {visit.visited_on}.")


@visits.command("remove", epilog="Example: wrinklecv visits remove 001 2")
def remove_visit(
    code: SubjectArgument,
    number: NumberArgument,
    yes: YesOption = False,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Delete a visit that was entered by mistake, with its photos; the audit keeps that it was."""
    with open_casebook(store, photos) as opened:
        visit = _one(opened.page(code).visits, number)
        if not yes:
            words = f"Delete visit {number} of {visit.visited_on} with {len(visit.photos)} photos?"
            typer.confirm(words, abort=True, err=True)
        opened.remove_visit(visit)
    say(f"Visit {number} of subject {code} is deleted.")


# -- treatments ------------------------------------------------------------------------------------


@treatments.command(
    "add", epilog="Example: wrinklecv treatments add 001 2025-01-10 glabella forehead --units 20"
)
def add_treatment(
    code: SubjectArgument,
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
    with open_casebook(store, photos) as opened:
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
def list_treatments(code: SubjectArgument, store: StoreOption = "", photos: PhotosOption = None) -> None:
    """Print a row per treatment."""
    with open_casebook(store, photos) as opened:
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


@treatments.command("change", epilog="Example: wrinklecv treatments change 001 1 --day 2025-01-12")
def change_treatment(
    code: SubjectArgument,
    number: NumberArgument,
    day: Annotated[str, typer.Option(help="The right day.")] = "",
    region: Annotated[
        list[str] | None, typer.Option(help="The right region, instead of all named before. Repeatable.")
    ] = None,
    product: Annotated[str | None, typer.Option(help="The right name of the product.")] = None,
    units: Annotated[float | None, typer.Option(min=0, help="The right units.")] = None,
    notes: Annotated[str | None, typer.Option(help="The right notes.")] = None,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Correct a treatment; what is not named stays, and the audit keeps which day it was."""
    with open_casebook(store, photos) as opened:
        was = _one(opened.page(code).treatments, number)
        new = replace(
            was,
            treated_on=_day(day, "--day") if day else was.treated_on,
            regions=_regions(region) if region else was.regions,
            product=was.product if product is None else product,
            units=was.units if units is None else units,
            notes=was.notes if notes is None else notes,
        )
        opened.change_treatment(new)
    say(f"Treatment {number} of subject {code} is of {new.treated_on}; it was stored as of {was.treated_on}.")


@treatments.command("remove", epilog="Example: wrinklecv treatments remove 001 1")
def remove_treatment(
    code: SubjectArgument,
    number: NumberArgument,
    yes: YesOption = False,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Delete a treatment that was entered by mistake; the audit keeps that it was, and its day.

    If it came from a treatments.csv, take it out there too: the next import would bring it back.
    """
    with open_casebook(store, photos) as opened:
        treatment = _one(opened.page(code).treatments, number)
        if not yes:
            regions = ", ".join(treatment.regions)
            typer.confirm(
                f"Delete treatment {number} of {treatment.treated_on} ({regions})?", abort=True, err=True
            )
        opened.remove_treatment(treatment)
    say(f"Treatment {number} of subject {code} is deleted.")


# -- gone -----------------------------------------------------------------------------------------


def purge(
    code: SubjectArgument,
    yes: YesOption = False,
    store: StoreOption = "",
    photos: PhotosOption = None,
) -> None:
    """Delete a subject for good: visits, treatments, photos and numbers. It cannot be undone."""
    if not yes:
        typer.confirm(f"Delete subject {code} with all photos, for good?", abort=True, err=True)
    with open_casebook(store, photos) as opened:
        gone = opened.purge(code)
    say(f"Deleted: {gone.visits} visits, {gone.treatments} treatments, {gone.photos} photos.")
    if gone.backups:
        say(f"These backups may still hold the subject: {', '.join(gone.backups)}.")
