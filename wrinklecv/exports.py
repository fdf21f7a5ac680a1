"""The tables of a folder of results in other formats: Parquet, an XLSX workbook, and a list of all columns.

They are made from the finished CSV files, row by row: a hundred thousand photos need no memory, and all
formats say the same, text in its safe form (`tables.restored` gives it back). The same CSV files give the
same bytes. Each file is written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import IO

from . import DISCLAIMER, tables
from .columns import LIST_COLUMNS, TABLES, Kind, list_rows, opened
from .kept import cannot_write
from .whole_files import replacing
from .workbook import write_workbook

WORKBOOK = "results.xlsx"
COLUMN_LIST = "columns.csv"
_BLOCK_BYTES = 16 << 20


class Format(StrEnum):
    """In which files the tables are written; the CSV files always are."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


def write_exports(out: Path, formats: Collection[Format] = tuple(Format)) -> None:
    """Write the tables in `out` in other formats too; files of formats that are not asked for go away.

    An older export would stand beside newer tables. Raises OutputError when `out` cannot be written.
    """
    wanted = {f"{name}.parquet": Format.PARQUET for name in TABLES} | {WORKBOOK: Format.XLSX}
    try:
        for name in wanted:
            (out / name).unlink(missing_ok=True)
        with replacing(out / COLUMN_LIST, "w") as stream:
            _write_list(stream, out)
        if Format.PARQUET in formats:
            for table in TABLES:
                with replacing(out / f"{table}.parquet", "wb") as stream:
                    _write_parquet(stream, out, table)
        if Format.XLSX in formats:
            with replacing(out / WORKBOOK, "wb") as stream:
                write_workbook(stream, out)
    except OSError as error:
        raise cannot_write(out, error) from error


def _write_list(stream: IO[str], out: Path) -> None:
    write = tables.csv_writer(stream, LIST_COLUMNS)
    for row in list_rows(out):
        write(row)


def _write_parquet(stream: IO[bytes], out: Path, table: str) -> None:
    """Write a table with typed columns, empty cells of numbers as null; a field's metadata tell its unit."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    types = {
        Kind.TEXT: pa.string(),
        Kind.WHOLE: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.DAY: pa.date32(),
        Kind.FLAG: pa.bool_(),
    }
    with opened(out, table) as (columns, rows):
        is_empty = next(rows, None) is None
    fields = [pa.field(c.name, types[c.kind], metadata={"unit": c.unit} if c.unit else None) for c in columns]
    schema = pa.schema(fields, metadata={"disclaimer": DISCLAIMER})
    with parquet.ParquetWriter(stream, schema) as writer:
        if is_empty:  # pyarrow wants a row below the header
            return
        batches = arrow_csv.open_csv(
            out / f"{table}.csv",
            read_options=arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=schema, null_values=[""], true_values=["true"], false_values=["false"]
            ),
        )
        for batch in batches:
            writer.write_batch(batch.cast(schema))
