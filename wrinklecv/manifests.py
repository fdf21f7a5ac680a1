"""CSV files that say what photos show (`manifest.csv`) and what was done when (`treatments.csv`).

A row with a fault is not guessed at: it is told with its file and line, and the others count.
"""

from __future__ import annotations

import math
import os
import posixpath
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import PureWindowsPath
from typing import TypeVar

from .codes import Code
from .errors import TableError
from .records import Expression, Region
from .remote import is_remote, join, parent
from .spreadsheets import Place, read_sheet
from .visits import PhotoKind, Treatment

MANIFEST = "manifest.csv"
TREATMENTS = "treatments.csv"
Kind = TypeVar("Kind", PhotoKind, Expression)
_OWN_COLUMNS = ("path", "subject", "visit_date", "expression", "run", "kind", "notes")
_DAY = re.compile(r"(\d{4})(-?)(\d\d)\2(\d\d)")
_REGIONS = {
    **{str(region): (region,) for region in Region},
    "crows_feet": (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT),
    "all": tuple(Region),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row of a manifest says of a photo; what is empty or None the file's name may tell.

    source: the manifest's name. path: as written; file: where that is, a path or an address. columns and
    cells: those that are passed through to the outputs.
    """

    source: str
    line: int
    path: str
    file: str
    subject: str
    day: date | None
    expression: Expression | None
    kind: PhotoKind | None
    run: str
    notes: str
    columns: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def extras(self) -> tuple[tuple[str, str], ...]:
        """What is passed through to the outputs, as (column, text), without what is empty."""
        return tuple((name, cell) for name, cell in zip(self.columns, self.cells, strict=True) if cell)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row: a code, and a sentence with file and line.

    path: as written; file: where that is, empty where it is nowhere that may be opened. whole: the row's
    cells do not fit the columns, so that the table as a whole cannot be trusted.
    """

    line: int
    message: str
    path: str = ""
    file: str = ""
    code: Code = Code.MANIFEST_FAULT
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest: name, the folder that its paths are relative to, columns that are passed through, rows."""

    name: str
    root: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]


class _RowError(ValueError):
    """A row says something that cannot be."""


def day_of(text: str) -> date | None:
    """Return the day that 20250110 or 2025-01-10 names, else None."""
    found = _DAY.fullmatch(text.strip())
    try:
        return date(int(found[1]), int(found[3]), int(found[4])) if found else None
    except ValueError:
        return None


def read_manifest(place: Place, *, trusting: bool = False) -> Manifest | None:
    """Return what a manifest says, and its rows with faults; None where there is no such file.

    Columns: path, and any of subject, visit_date, expression, run, kind, notes; others are passed through.
    Rows that name one photo twice and say the same of it are one; if they do not, all of them are faults.
    Nothing is opened: whether the photos are there is for others to see.
    Raises TableError when it is no table with a column `path`, or when cells do not fit the columns; with
    `trusting` such rows are faults.
    """
    sheet = read_sheet(place, ("path",))
    if sheet is None:
        return None
    root = parent(str(place)) if is_remote(place) else os.path.dirname(os.path.abspath(place))
    columns = tuple(c for c in sheet.columns if c and (c.lower() not in _OWN_COLUMNS or c.lower() == "notes"))
    entries: list[Entry] = []
    faults: list[Fault] = []
    for line, row in sheet.rows:
        if isinstance(row, str):
            if not trusting:
                raise TableError(f"{sheet.name}, line {line}: {row}.", line)
            faults.append(Fault(line, f"{sheet.name}, line {line}: {row}.", whole=True))
            continue
        told = _entry(sheet.name, root, columns, line, row)
        if isinstance(told, Entry):
            entries.append(told)
        else:
            faults.append(told)
    settled, conflicts = settle(entries)
    faults = sorted((*faults, *conflicts), key=lambda fault: fault.line)
    return Manifest(sheet.name, root, columns, tuple(settled.values()), tuple(faults))


def settle(entries: Iterable[Entry]) -> tuple[dict[str, Entry], list[Fault]]:
    """Return the entry of each file, and a fault for each row of those that rows disagree about."""
    by_file: dict[str, list[Entry]] = {}
    for entry in entries:
        by_file.setdefault(entry.file, []).append(entry)
    settled: dict[str, Entry] = {}
    faults: list[Fault] = []
    for file, rows in by_file.items():
        if len(rows) == 1 or len({_said(row) for row in rows}) == 1:
            settled[file] = rows[0]
            continue
        for row in rows:
            others = [other for other in rows if _said(other) != _said(row)]
            others.sort(key=lambda other: other.subject == row.subject)  # another subject is what matters
            faults.append(_conflict(row, others[0]))
    return settled, faults


def _said(entry: Entry) -> tuple[object, ...]:
    """Return what a row says of its photo, to be compared with another row."""
    told = (entry.subject, entry.day, entry.expression, entry.kind, entry.run)
    return *told, tuple(sorted(entry.extras))


def _conflict(entry: Entry, other: Entry) -> Fault:
    where = f"line {other.line}" if other.source == entry.source else f"{other.source}, line {other.line}"
    code, what = Code.MANIFEST_FAULT, f"{entry.path} is something else in {where}"
    if entry.subject != other.subject:
        code = Code.CONFLICTING_SUBJECT
        here, there = entry.subject or "(none)", other.subject or "(none)"
        what = f"{entry.path} is of subject {here} here and of {there} in {where}"
    message = f"{entry.source}, line {entry.line}: {what}. Correct the manifest."
    return Fault(entry.line, message, entry.path, entry.file, code)


def read_treatments(folder: Place) -> tuple[tuple[tuple[int, Treatment], ...], tuple[Fault, ...]]:
    """Return the treatments of `folder` with their lines, and the rows with faults; nothing without a file.

    Columns: subject, date, region (several separated by `;`, or `all`), and any of product, units, points
    (`x y; x y` in chart mm), notes. Raises TableError when the file cannot be read as such a table.
    """
    found: list[tuple[int, Treatment]] = []
    faults: list[Fault] = []
    place = join(str(folder), TREATMENTS) if is_remote(folder) else os.path.join(folder, TREATMENTS)
    sheet = read_sheet(place, ("subject", "date", "region"))
    for line, row in sheet.rows if sheet else ():
        if isinstance(row, str):
            raise TableError(f"{TREATMENTS}, line {line}: {row}.", line)
        try:
            found.append((line, _treatment(row)))
        except _RowError as error:
            faults.append(Fault(line, f"{TREATMENTS}, line {line}: {error}."))
    return tuple(found), tuple(faults)


def regions_of(text: str) -> tuple[Region, ...]:
    """Return the regions that `text` names, separated by `;` or `,`; raise ValueError for another word."""
    named: dict[Region, None] = {}
    for word in filter(None, (part.strip().lower() for part in re.split("[;,]", text))):
        key = re.sub("[- ]", "_", word)
        if key not in _REGIONS:
            raise _RowError(f"{word} is no region; there are {', '.join(_REGIONS)}")
        named |= dict.fromkeys(_REGIONS[key])
    return tuple(named)


def _entry(source: str, root: str, columns: tuple[str, ...], line: int, row: dict[str, str]) -> Entry | Fault:
    """Return what a row says, or what is wrong with it."""
    path = row["path"]
    file = _placed(root, path) if path else None
    begin = f"{source}, line {line}: "
    if path and file is None:
        message = (
            f"{begin}{path} lies outside the manifest's folder and was not opened. Write paths relative to "
            "that folder, and keep the photos in it."
        )
        return Fault(line, message, path, "", Code.OUTSIDE_ROOT)
    try:
        if file is None:
            raise _RowError("there is no path")
        kind = _one_of(PhotoKind, row.get("kind", ""), "kind")
        expression = _one_of(Expression, re.sub("[- ]", "_", row.get("expression", "")), "expression")
        if kind is PhotoKind.REST:
            if expression not in (None, Expression.REST):
                raise _RowError(f"the kind is rest, the expression {expression}")
            expression = Expression.REST
        subject, day = subject_code(row.get("subject", "")), _day(row.get("visit_date", ""))
    except _RowError as error:
        return Fault(line, f"{begin}{error}.", path, file or "")
    cells = tuple(row[name.lower()] for name in columns)
    run, notes = row.get("run", ""), row.get("notes", "")
    return Entry(source, line, path, file, subject, day, expression, kind, run, notes, columns, cells)


def _placed(root: str, text: str) -> str | None:
    """Return where `text` in the folder `root` is, None where that is not in it."""
    if is_remote(root):
        place = posixpath.normpath(text.replace("\\", "/"))
        outside = place.startswith(("/", "../")) or place in ("..", ".") or "://" in text
        return None if outside else join(root, place)
    slashed = text.replace("\\", "/")
    # As written first: a backslash may be part of a name. Macs write accents apart, spreadsheets together.
    forms = (text, slashed, unicodedata.normalize("NFC", slashed), unicodedata.normalize("NFD", slashed))
    for form in dict.fromkeys(forms):
        place = os.path.normpath(os.path.join(root, form))
        if os.path.isabs(form) or not _is_within(root, os.path.dirname(place)):
            return None
        if os.path.lexists(place):
            return place
    return None if PureWindowsPath(text).anchor else os.path.normpath(os.path.join(root, slashed))


@lru_cache(maxsize=256)
def _is_within(root: str, folder: str) -> bool:
    """Say whether `folder` lies in `root`, links followed."""
    real = os.path.realpath(root)
    try:
        return os.path.commonpath((real, os.path.realpath(folder))) == real
    except ValueError:  # another drive
        return False


def _treatment(row: dict[str, str]) -> Treatment:
    subject, day, regions = subject_code(row["subject"]), _day(row["date"]), regions_of(row["region"])
    if not subject or day is None or not regions:
        raise _RowError("a treatment needs a subject, a date and a region")
    units = _number(row["units"]) if row.get("units") else None
    if units is not None and units < 0:
        raise _RowError(f"units cannot be {units:g}")
    points = tuple(map(_point, filter(None, (part.strip() for part in row.get("points", "").split(";")))))
    return Treatment(subject, day, regions, row.get("product", ""), units, points, row.get("notes", ""))


def subject_code(text: str) -> str:
    """Return a subject's code without the `sub-` that file names have before it."""
    return re.sub("^sub-", "", text.strip(), flags=re.IGNORECASE)


def _point(text: str) -> tuple[float, float]:
    parts = re.split(r"[\s,]+", text)
    if len(parts) != 2:
        raise _RowError(f"a point is two numbers in mm, such as 12.5 -40, not {text!r}")
    return _number(parts[0]), _number(parts[1])


def _number(text: str) -> float:
    try:
        number = float(text.strip())
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _RowError(f"{text!r} is no number")
    return number


def _day(text: str) -> date | None:
    day = day_of(text)
    if text and day is None:
        raise _RowError(f"{text!r} is no day; write it as 2025-01-10")
    return day


def _one_of(kinds: type[Kind], text: str, column: str) -> Kind | None:
    word = text.lower()
    if word and word not in list(kinds):
        raise _RowError(f"{text!r} is no {column}; there are {', '.join(kinds)}")
    return kinds(word) if word else None
