"""What the columns of the tables in a folder of results hold: text, numbers with their unit, days, flags."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from . import follow_tables, pair_tables, tables

TABLES = {
    "photos": tables.PHOTO_COLUMNS,
    "measures_long": tables.MEASURE_COLUMNS,
    "measures_wide": tables.WIDE_COLUMNS,
    "lines": tables.LINE_COLUMNS,
    "pairs": pair_tables.PAIR_COLUMNS,
    "pair_lines": pair_tables.PAIR_LINE_COLUMNS,
    "changes": follow_tables.CHANGE_COLUMNS,
    "line_histories": follow_tables.HISTORY_COLUMNS,
}
"""The CSV files of a folder of results, without suffix, and our columns in them."""
LIST_COLUMNS = ("table", "column", "type", "unit")


class Kind(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    DAY = "day"
    FLAG = "true or false"


class Column(NamedTuple):
    """One column of a table: its name, what its cells hold, its unit (`1` for a bare number, '' for text)."""

    name: str
    kind: Kind
    unit: str


_WHOLE = frozenset(
    (
        *("width_px", "height_px", "measure_version", "line", "rest_line", "expression_line", "photo_line"),
        *("runs", "days", "days_since_treatment"),
    )
)
_DAYS = frozenset(("since", "until", "day"))
_FLAGS = frozenset(("own", "treated", "seen", "comparable"))
_INDICES = ("wrinkle_index", "rest_index", "expression_index", "dynamic_gap", "difference")
_BARE = ("contrast", "contrast_se", "signal_to_noise", "likelihood", "limit", "confidence", "relative_sd")
_UNITS = (  # ends of column names, in the order in which they are tried
    ("mm_per_cm2", "mm/cm2"),
    ("mm_per_px", "mm/px"),
    ("_mm2", "mm2"),
    ("_mm", "mm"),
    ("_deg", "deg"),
    ("_px", "px"),
    ("coverage", "share"),
    *((f"share{end}", "share") for end in ("", "_low", "_high", "_sd", "_se")),
    *((f"{name}{end}", "mm*%/cm2") for name in _INDICES for end in ("", "_se", "_sd")),
    ("smallest_detectable", "mm*%/cm2"),
    *((name, "1") for name in _BARE),
)


def columns_of(table: str, names: Sequence[str]) -> list[Column]:
    """Return what the columns `names` of `table` are; one that is none of ours, but a manifest's, is text."""
    return [_column(name) if name in TABLES[table] else Column(name, Kind.TEXT, "") for name in names]


def _column(name: str) -> Column:
    if name in _DAYS:
        return Column(name, Kind.DAY, "")
    if name in _FLAGS:
        return Column(name, Kind.FLAG, "")
    unit = "d" if name.startswith("days") else next((u for end, u in _UNITS if name.endswith(end)), "")
    if name in _WHOLE or name.endswith("_count"):
        return Column(name, Kind.WHOLE, unit or "1")
    if name in ("value", "se"):  # of measures_long, where another column tells the unit
        return Column(name, Kind.NUMBER, "see column unit")
    return Column(name, Kind.NUMBER if unit else Kind.TEXT, unit)


@contextmanager
def opened(out: Path, table: str) -> Generator[tuple[list[Column], Iterator[list[str]]]]:
    """Give the columns of a table in the folder `out` and its rows, cells as they stand in the CSV file."""
    with (out / f"{table}.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        yield columns_of(table, next(rows)), rows


def list_rows(out: Path) -> Iterator[tables.Row]:
    """Yield a row per column of each table in `out` (`LIST_COLUMNS`)."""
    for table in TABLES:
        with opened(out, table) as (columns, _):
            for name, kind, unit in columns:
                yield {"table": table, "column": tables.restored(name), "type": str(kind), "unit": unit}
