"""CSV files as people and spreadsheets write them: rows with their line, or a refusal that names the line.

Commas, semicolons or tabs; UTF-8 with or without mark, or Excel's UTF-16; any line ends. Never half-read:
what is no whole table is refused whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import PurePath

from .errors import TableError
from .remote import fetch, is_remote

MOST_BYTES = 64 << 20
MOST_COLUMNS = 2000
MOST_SIGNS = 10_000
"""Of a cell."""
Place = str | PathLike[str]
"""A path, or an address in a store."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its columns as they are written, and its rows, to be read once.

    Each row comes with its line: cells by column name in lower case, or a sentence when its cells do not fit
    the columns.
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, dict[str, str] | str]]


def read_sheet(place: Place, needed: tuple[str, ...]) -> Sheet | None:
    """Return the table in a CSV file, None where there is no such file; empty rows are passed over.

    Raises TableError, also while the rows are read, for what is no table with the columns `needed`.
    """
    name = PurePath(place).name
    content = _content(place, name)
    if content is None:
        return None
    text = _text(content, name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        columns = tuple(cell.strip() for cell in next(reader, []))
    except csv.Error as error:
        raise TableError(f"{name}, line 1: {error}. Save it as CSV again.", 1) from error
    names = [column.lower() for column in columns]
    filled = [column for column in names if column]
    missing = [column for column in needed if column not in names]
    what = ""
    if missing:
        what = f"the column {missing[0]} is missing. Found: {', '.join(filled)[:200] or 'nothing'}"
    elif twice := next((column for column in filled if names.count(column) > 1), ""):
        what = f"a column stands there twice: {twice}"
    elif len(columns) > MOST_COLUMNS:
        what = f"there are {len(columns)} columns, more than {MOST_COLUMNS}"
    if what:
        raise TableError(f"{name}, line 1: {what}.", 1)
    return Sheet(name, columns, _rows(name, names, reader))


def _rows(
    name: str, names: list[str], reader: Iterator[list[str]]
) -> Iterator[tuple[int, dict[str, str] | str]]:
    last: int = reader.line_num  # type: ignore[attr-defined]
    try:
        for cells in reader:
            line, last = last + 1, reader.line_num  # type: ignore[attr-defined]
            if any(cell.strip() for cell in cells):
                yield line, _row(names, cells)
    except csv.Error as error:
        raise TableError(f"{name}, line {last + 1}: {error}. Save it as CSV again.", last + 1) from error


def _row(names: list[str], cells: list[str]) -> dict[str, str] | str:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return f"{len(cells)} cells under {len(names)} columns. Put text that holds a comma in quotes"
    row = dict.fromkeys(names, "")
    for name, cell in zip(names, cells, strict=False):
        text = cell.strip()
        if len(text) > MOST_SIGNS:
            return f"a cell holds {len(text)} signs, more than {MOST_SIGNS}"
        if text and not name:
            return f"{text[:40]!r} stands in a column without a name"
        row[name] = text
    return row


def _delimiter(text: str) -> str:
    """Return what separates the cells of the first line; some spreadsheets write semicolons or tabs."""
    first = next(iter(text[:100_000].splitlines()), "")
    return max(",;\t", key=first.count)


def _content(place: Place, name: str) -> bytes | None:
    """Return the file's bytes; None where there is no such file."""
    try:
        if is_remote(place):
            content, _ = fetch(str(place), MOST_BYTES)
        else:
            with open(place, "rb") as stream:
                content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TableError(f"{name} cannot be read: {error.strerror}.") from error
    if len(content) > MOST_BYTES:
        raise TableError(f"{name} is larger than {MOST_BYTES >> 20} MB. Is it the right file?")
    return content


def _text(content: bytes, name: str) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TableError(f"{name}, line {line}: not UTF-8. Save it as CSV UTF-8.", line) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(f"{name}, line {line}: it holds a zero byte. Save it as CSV UTF-8.", line)
    return text
