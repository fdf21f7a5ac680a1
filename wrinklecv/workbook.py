"""The tables of a folder of results as one XLSX workbook, written row by row.

Text is written as text, never as a formula or link, and numbers as numbers.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from . import DISCLAIMER
from .columns import LIST_COLUMNS, TABLES, Column, Kind, list_rows, opened
from .tables import safe_cell

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_576
"""Of a sheet, its header included: more Excel cannot show."""
MOST_SIGNS = 32_767
"""Of a cell: longer text is cut and ends with …"""
_WHEN = datetime(1980, 1, 1)
_FIRST_DAY = date(1900, 3, 1)  # Excel takes 1900 for a leap year
_ROWS = ".rows-"
"""How the names of folders begin that hold rows on their way into a workbook."""
_WORDS = (
    DISCLAIMER,
    "Higher = more lines. Left and right are the subject's own.",
    "A text that a spreadsheet could take for a formula begins with '. Units stand in the sheet columns.",
)


class _Sheet(NamedTuple):
    """What the first sheet says of another one."""

    name: str
    table: str
    rows: int
    note: str


def write_workbook(stream: IO[bytes], out: Path) -> None:
    """Write the tables in `out` as a workbook: a sheet per table, several where rows do not suffice.

    The first sheet lists them; the last tells type and unit of each column.
    """
    from xlsxwriter import Workbook

    for left in out.glob(f"{_ROWS}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    # Rows go to temporary files beside the results, not to the machine's common folder: they name people.
    with tempfile.TemporaryDirectory(dir=out, prefix=_ROWS) as temporary:
        book = Workbook(stream, {"constant_memory": True, "tmpdir": temporary})
        book.use_zip64()
        book.set_properties({"created": _WHEN, "title": "wrinklecv results", "comments": DISCLAIMER})
        about = book.add_worksheet("about")
        _write_about(book, about, [sheet for table in TABLES for sheet in _sheets(book, out, table)])
        columns = [Column(name, Kind.TEXT, "") for name in LIST_COLUMNS]
        last = _begin(book, "columns", columns)
        for row, told in enumerate(list_rows(out), start=1):
            _write_row(last, row, columns, [safe_cell(str(told[name])) for name in LIST_COLUMNS])
        book.close()


def _write_about(book: Workbook, about: Worksheet, sheets: Iterable[_Sheet]) -> None:
    bold = book.add_format({"bold": True})
    about.set_column(0, 1, 22)
    for row, words in enumerate(_WORDS):
        about.write_string(row, 0, words)
    for at, name in enumerate(_Sheet._fields):
        about.write_string(len(_WORDS) + 1, at, name, bold)
    for row, sheet in enumerate(sheets, start=len(_WORDS) + 2):
        about.write_string(row, 0, sheet.name)
        about.write_string(row, 1, sheet.table)
        about.write_number(row, 2, sheet.rows)
        if sheet.note:
            about.write_string(row, 3, sheet.note)


def _sheets(book: Workbook, out: Path, table: str) -> Iterator[_Sheet]:
    """Write one table and yield what is to be said of each of its sheets."""
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    with opened(out, table) as (columns, rows):
        name, number, cells = table, 1, next(rows, None)
        while True:
            sheet, row = _begin(book, name, columns), 0
            while cells is not None and row < MOST_ROWS - 1:
                row += 1
                _write_row(sheet, row, columns, cells, day)
                cells = next(rows, None)
            before = f"continues {table}" if number > 1 else ""
            number += 1
            following = f"{table} ({number})"
            after = f"goes on in {following}: a sheet holds {MOST_ROWS:,} rows" if cells is not None else ""
            yield _Sheet(name, table, row, "; ".join(filter(None, (before, after))))
            if cells is None:
                return
            name = following


def _begin(book: Workbook, name: str, columns: Sequence[Column]) -> Worksheet:
    """Add a sheet with a header that stays in sight."""
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for at, column in enumerate(columns):
        sheet.set_column(at, at, min(40, max(10, len(column.name) + 2)))
        sheet.write_string(0, at, _cut(column.name), bold)
    return sheet


def _write_row(
    sheet: Worksheet, row: int, columns: Sequence[Column], cells: Sequence[str], day: Format | None = None
) -> None:
    for at, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        if not cell:
            continue
        if column.kind in (Kind.WHOLE, Kind.NUMBER):
            sheet.write_number(row, at, float(cell))
        elif column.kind is Kind.FLAG:
            sheet.write_boolean(row, at, cell == "true")
        elif column.kind is Kind.DAY and (told := date.fromisoformat(cell)) >= _FIRST_DAY:
            sheet.write_datetime(row, at, told, day)
        else:
            sheet.write_string(row, at, _cut(cell))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SIGNS else f"{text[: MOST_SIGNS - 1]}…"
