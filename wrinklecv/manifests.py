"""CSV files that say what photos show (`manifest.csv`) and what was done when (`treatments.csv`).

A row with a fault is not guessed at: it is told with its file and line, and the others count.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from .errors import StoreError
from .records import Expression, Region
from .visits import PhotoKind, Treatment

MANIFEST = "manifest.csv"
TREATMENTS = "treatments.csv"
Kind = TypeVar("Kind", PhotoKind, Expression)
_MOST_BYTES = 64 * 1024 * 1024
_DAY = re.compile(r"(\d{4})(-?)(\d\d)\2(\d\d)")
_REGIONS = {
    **{str(region): (region,) for region in Region},
    "crows_feet": (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT),
    "all": tuple(Region),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manifest says of one photo; what is empty or None the file's name may tell."""

    line: int
    path: str
    subject: str
    day: date | None
    expression: Expression | None
    kind: PhotoKind | None
    run: str
    notes: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row, a sentence with file and line."""

    line: int
    message: str


class _RowError(ValueError):
    """A row says something that cannot be."""


def day_of(text: str) -> date | None:
    """Return the day that 20250110 or 2025-01-10 names, else None."""
    found = _DAY.fullmatch(text.strip())
    try:
        return date(int(found[1]), int(found[3]), int(found[4])) if found else None
    except ValueError:
        return None


def read_manifest(folder: Path) -> tuple[dict[str, Entry], tuple[Fault, ...]]:
    """Return what `folder`'s manifest says of each path, and the rows with faults; nothing without one.

    Columns: path, and any of subject, visit_date, expression, run, kind, notes; others are passed over.
    Raises StoreError when the file cannot be read as a table with a column `path`.
    """
    entries: dict[str, Entry] = {}
    faults: list[Fault] = []
    for line, row in _rows(folder / MANIFEST, ("path",)):
        try:
            entry = _entry(line, row)
            if entry.path in entries:
                raise _RowError(f"{entry.path} stands in line {entries[entry.path].line} already")
            entries[entry.path] = entry
        except _RowError as error:
            faults.append(_fault(MANIFEST, line, error))
    return entries, tuple(faults)


def read_treatments(folder: Path) -> tuple[tuple[tuple[int, Treatment], ...], tuple[Fault, ...]]:
    """Return the treatments of `folder` with their lines, and the rows with faults; nothing without a file.

    Columns: subject, date, region (several separated by `;`, or `all`), and any of product, units, points
    (`x y; x y` in chart mm), notes. Raises StoreError when the file cannot be read as such a table.
    """
    found: list[tuple[int, Treatment]] = []
    faults: list[Fault] = []
    for line, row in _rows(folder / TREATMENTS, ("subject", "date", "region")):
        try:
            found.append((line, _treatment(row)))
        except _RowError as error:
            faults.append(_fault(TREATMENTS, line, error))
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


def _fault(name: str, line: int, error: Exception) -> Fault:
    return Fault(line, f"{name}, line {line}: {error}.")


def _entry(line: int, row: dict[str, str]) -> Entry:
    path = row["path"].replace("\\", "/").removeprefix("./")
    if not path:
        raise _RowError("there is no path")
    kind = _one_of(PhotoKind, row.get("kind", ""), "kind")
    expression = _one_of(Expression, re.sub("[- ]", "_", row.get("expression", "")), "expression")
    if kind is PhotoKind.REST:
        if expression not in (None, Expression.REST):
            raise _RowError(f"the kind is rest, the expression {expression}")
        expression = Expression.REST
    return Entry(
        line,
        path,
        subject_code(row.get("subject", "")),
        _day(row.get("visit_date", "")),
        expression,
        kind,
        row.get("run", ""),
        row.get("notes", ""),
    )


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


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row that is not empty, by column name in lower case."""
    reader = csv.reader(io.StringIO(text := _text(path), newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if not text:
            return
        missing = [name for name in needed if name not in header]
        if missing or len(set(header)) < len(header):
            what = f"the column {missing[0]} is missing" if missing else "a column stands there twice"
            raise StoreError(f"{path.name}, line 1: {what}. Found: {', '.join(header) or 'nothing'}.")
        last = 1
        for cells in reader:
            line, last = last + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                if len(cells) > len(header):
                    raise StoreError(
                        f"{path.name}, line {line}: {len(cells)} cells under {len(header)} columns. Put text "
                        "that holds a comma in quotes."
                    )
                padded = [*cells, *[""] * (len(header) - len(cells))]
                yield line, {name: cell.strip() for name, cell in zip(header, padded, strict=True)}
    except csv.Error as error:
        raise StoreError(f"{path.name}, line {reader.line_num}: {error}. Save it as CSV again.") from error


def _delimiter(text: str) -> str:
    """Return what separates the cells of the first line; some spreadsheets write semicolons or tabs."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _text(path: Path) -> str:
    """Return the file's text; empty where there is no such file."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(f"{path.name} cannot be read: {error.strerror}.") from error
    if len(content) > _MOST_BYTES:
        raise StoreError(f"{path.name} is larger than {_MOST_BYTES // 1024**2} MB. Is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise StoreError(f"{path.name}, line {line}: not UTF-8. Save it as CSV UTF-8.") from error
