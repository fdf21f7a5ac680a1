"""The same tables as CSV, Parquet and XLSX: typed, safe, the same bytes every time, whole or not there."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from builders import a_refusal, an_assessment, pretend
from openpyxl.utils.escape import unescape
from pair_builders import a_compared_line, a_comparison, an_outcome, pretend_pair
from pyarrow import parquet
from test_follow_tables import COURSE
from typer.testing import CliRunner

from wrinklecv import DISCLAIMER, cli, exports, tables, workbook
from wrinklecv.batch import score
from wrinklecv.columns import TABLES, Kind, columns_of
from wrinklecv.errors import OutputError
from wrinklecv.exports import COLUMN_LIST, WORKBOOK, Format, write_exports
from wrinklecv.follow_tables import change_rows, failed_row, history_rows
from wrinklecv.listing import Runs
from wrinklecv.pair_tables import average_rows, pair_line_rows, pair_rows
from wrinklecv.records import Expression, Outcome, Region, RegionMeasures, Status
from wrinklecv.totals import average_runs

FORMULAS = (
    *(
        f"{before}{sign}{rest}"
        for before in ("", " ", "\u00a0")
        for sign in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
        for rest in ("1+1", "cmd|' /C calc'!A0")
    ),
    *("\t=1+1", "\r=1+1", "\n=1+1", "\0=1+1", "\a=1", "\u200b=1", "\ufeff=1", "\ufffe=1"),
    *("'=1+1", "''", "-1.5", "+49 30 1", '=HYPERLINK("http://x")', "http://x.example"),
    *("%0A=1+1", "_x003D_1+1", "a\udcff\x85\\x"),
)


def some_rows(table: str) -> list[tables.Row]:
    """Return rows as a batch writes them: complete ones, and ones with nothing to tell."""
    good = Outcome("a.jpg", Status.SCORED, "ab" * 32, "1", "2", Expression.REST, "", an_assessment())
    refused = an_assessment(quality=(a_refusal(None),), lines=(), regions=())
    bad = Outcome("b.jpg", Status.REJECTED, assessment=refused)
    pair = an_outcome(a_comparison(lines=(a_compared_line(), a_compared_line(reason="too faint"))))
    mean = Runs(("1", "2", Expression.FROWN), average_runs([a_comparison(), a_comparison()]))
    rows: dict[str, list[tables.Row]] = {
        "photos": [tables.photo_row(good), tables.photo_row(bad)],
        "measures_long": list(tables.to_rows([an_assessment(), refused])),
        "measures_wide": [tables.wide_row(good), tables.wide_row(bad)],
        "lines": list(tables.line_rows(an_assessment())),
        "pairs": [*pair_rows(pair), *average_rows(mean)],
        "pair_lines": list(pair_line_rows(pair)),
        "changes": [*change_rows("1", COURSE), failed_row("2", "rejected", "no photo")],
        "line_histories": list(history_rows("1", COURSE)),
    }
    return rows[table]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of tables."""
    for table, columns in TABLES.items():
        write(tmp_path, table, columns, some_rows(table))
    return tmp_path


def write(out: Path, table: str, columns: tuple[str, ...], rows: list[tables.Row]) -> None:
    with (out / f"{table}.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        put = tables.csv_writer(stream, columns)
        for row in rows:
            put(row)


def in_csv(out: Path, table: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO((out / f"{table}.csv").read_text("utf-8-sig"), newline="")))


def in_parquet(out: Path, table: str) -> list[list[object]]:
    found = parquet.read_table(out / f"{table}.parquet")
    return [found.column_names, *([row[name] for name in found.column_names] for row in found.to_pylist())]


def in_workbook(out: Path, table: str) -> list[list[object]]:
    book = openpyxl.load_workbook(out / WORKBOOK)
    sheets = [sheet for sheet in book.worksheets if sheet.title.split(" (")[0] == table]
    assert all(cell.data_type != "f" and cell.hyperlink is None for s in sheets for row in s for cell in row)
    rows = [[cell.value for cell in sheets[0][1]]]
    rows += [list(row) for sheet in sheets for row in sheet.iter_rows(min_row=2, values_only=True)]
    # openpyxl leaves Excel's escapes of inline text as they are
    return [[unescape(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]


def as_told(cell: object) -> str:
    """Return a cell of any format as the CSV file has it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def same(rows: list[list[object]], table: list[list[str]]) -> bool:
    """Say whether both hold the same text, and the same numbers to the last bit."""
    for told, wanted in zip(rows, table, strict=True):
        for one, other in zip(map(as_told, told), wanted, strict=True):
            if one != other and float(one) != float(other):
                return False
    return True


@pytest.mark.parametrize("table", TABLES)
def test_every_format_says_the_same(out: Path, table: str) -> None:
    write_exports(out)
    assert len(in_csv(out, table)) > 2 or table in ("lines", "line_histories")
    assert same(in_parquet(out, table), in_csv(out, table))
    assert same(in_workbook(out, table), in_csv(out, table))


@pytest.mark.parametrize("table", TABLES)
def test_numbers_days_and_flags_are_typed(out: Path, table: str) -> None:
    """What the records hold as a number must not become text, nor text a number."""
    for row in some_rows(table):
        for (name, kind, unit), cell in zip(columns_of(table, TABLES[table]), row.values(), strict=True):
            if isinstance(cell, int | float):
                assert kind is Kind.NUMBER or (kind is Kind.WHOLE and isinstance(cell, int)), name
                assert unit, f"{name} has no unit"
            elif cell is not None and kind not in (Kind.TEXT, Kind.DAY, Kind.FLAG):
                pytest.fail(f"{name} holds {cell!r}")
    write_exports(out, [Format.PARQUET])
    types = {pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_()}
    assert set(parquet.read_schema(out / f"{table}.parquet").types) <= types


def test_days_are_days_and_flags_are_flags(out: Path) -> None:
    write_exports(out)
    changes = parquet.read_table(out / "changes.parquet").to_pylist()
    assert (changes[0]["since"], changes[-1]["since"]) == (date(2025, 1, 10), None)
    assert isinstance(changes[0]["treated"], bool)
    sheet = openpyxl.load_workbook(out / WORKBOOK)["changes"]
    [since] = [cell for cell in sheet[2] if sheet.cell(1, cell.column).value == "since"]
    assert since.is_date


def test_units_stand_in_the_list_of_columns_and_in_the_parquet_files(out: Path) -> None:
    write_exports(out)
    told = {(row["table"], row["column"]): row["unit"] for row in tables.read_csv(out / COLUMN_LIST)}
    assert set(told) == {(table, name) for table, names in TABLES.items() for name in names}
    assert told["measures_wide", "forehead_wrinkle_index_se"] == "mm*%/cm2"
    assert told["photos", "yaw_deg"] == "deg"
    assert told["changes", "days_since_treatment"] == "d"
    schema = parquet.read_schema(out / "measures_wide.parquet")
    assert schema.field("forehead_area_mm2").metadata[b"unit"] == b"mm2"
    assert schema.metadata[b"disclaimer"] == DISCLAIMER.encode()


def test_the_wide_table_holds_the_numbers_of_the_long_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("sub-1_ses-2_expr-rest.jpg", "b.jpg"):
        (tmp_path / "in" / name).write_bytes(b"good " + name.encode())
    (tmp_path / "in" / "c.jpg").write_bytes(b"faceless")
    score([tmp_path / "in"], tmp_path / "out", assess_one=pretend, compare_one=pretend_pair)
    wide = {row["path"]: row for row in tables.read_csv(tmp_path / "out" / "measures_wide.csv")}
    assert list(wide) == ["b.jpg", "c.jpg", "sub-1_ses-2_expr-rest.jpg"], "a row per photo, measured or not"
    long = list(tables.read_csv(tmp_path / "out" / "measures_long.csv"))
    assert len(long) == 2 * len(Region) * (len(RegionMeasures.__slots__) - 1 - 3)
    for row in long:
        assert wide[row["photo"]][f"{row['region']}_{row['metric']}"] == row["value"]
    assert wide["c.jpg"]["code"] == "no_face"
    assert wide["c.jpg"]["forehead_wrinkle_index"] == ""
    assert wide["sub-1_ses-2_expr-rest.jpg"]["subject"] == "1"


def test_an_empty_batch_has_every_table_with_its_header_and_types(tmp_path: Path) -> None:
    for table, columns in TABLES.items():
        write(tmp_path, table, columns, [])
    write_exports(tmp_path)
    for table, columns in TABLES.items():
        assert parquet.read_table(tmp_path / f"{table}.parquet").shape == (0, len(columns))
        assert in_workbook(tmp_path, table) == [list(columns)]


# spreadsheets run nothing


def test_there_are_sixty_ways_to_write_a_formula() -> None:
    assert len(set(FORMULAS)) >= 60


def test_no_cell_or_header_of_any_format_is_a_formula_and_all_text_comes_back(out: Path) -> None:
    columns = (*tables.PHOTO_COLUMNS, *FORMULAS)
    empty: tables.Row = dict.fromkeys(columns)
    rows = [empty | {"path": text, "subject": text, "yaw_deg": -1.5, FORMULAS[0]: text} for text in FORMULAS]
    write(out, "photos", columns, rows)
    write_exports(out)
    read = list(tables.read_csv(out / "photos.csv"))
    assert [tuple(row)[-len(FORMULAS) :] for row in read] == [FORMULAS] * len(FORMULAS)
    assert [(row["path"], row["subject"], row["yaw_deg"], row[FORMULAS[0]]) for row in read] == [
        (text, text, -1.5, text) for text in FORMULAS
    ]
    for found in (in_csv(out, "photos"), in_parquet(out, "photos"), in_workbook(out, "photos")):
        header = [tables.restored(str(name)) for name in found[0]]
        assert header == list(columns)
        at = header.index("yaw_deg")
        assert {float(str(row[at])) for row in found[1:]} == {-1.5}, "a number stays a number"
        assert [tables.restored(str(row[0])) for row in found[1:]] == list(FORMULAS)
        texts = [cell for row in found for cell in row if isinstance(cell, str) and cell != "-1.5"]
        assert not [
            t for t in texts if t.lstrip("\u00a0 \u200b\ufeff").startswith(tuple("=+-@＝＋－＠\t\r\n"))
        ]


def test_a_column_of_a_manifest_is_text_whatever_its_name(out: Path) -> None:
    columns = (*tables.PHOTO_COLUMNS, "scar_mm", "day", "own")
    write(
        out,
        "photos",
        columns,
        [tables.photo_row(Outcome("a", Status.SKIPPED)) | {"scar_mm": "3?", "day": "x"}],
    )
    write_exports(out)
    assert [row[-3:] for row in in_parquet(out, "photos")[1:]] == [["3?", "x", ""]]


# files


def test_the_same_tables_give_the_same_bytes_and_no_moment_in_them(out: Path) -> None:
    write_exports(out)
    first = exported(out)
    write_exports(out)
    assert exported(out) == first
    assert len(first) == len(TABLES) + 2
    with zipfile.ZipFile(out / WORKBOOK) as book:
        assert {info.date_time[0] for info in book.infolist()} == {1980}
        assert str(date.today().year).encode() not in book.read("docProps/core.xml")


def exported(out: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in out.iterdir()
        if path.stem not in TABLES or path.suffix != ".csv"
    }


def test_a_table_longer_than_a_sheet_goes_on_in_the_next_and_says_so(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 40)
    write_exports(out)
    assert same(in_workbook(out, "measures_long"), in_csv(out, "measures_long"))
    book = openpyxl.load_workbook(out / WORKBOOK)
    assert [s for s in book.sheetnames if s.startswith("measures_long")] == [
        *("measures_long", "measures_long (2)", "measures_long (3)")
    ]
    told = {row[0]: row[2:4] for row in book["about"].iter_rows(min_row=6, values_only=True)}
    assert told["measures_long"] == (39, "goes on in measures_long (2): a sheet holds 40 rows")
    assert told["measures_long (3)"] == (10, "continues measures_long")
    assert told["photos"] == (2, None)


def test_a_text_too_long_for_a_cell_is_cut_and_marked(out: Path) -> None:
    row = tables.photo_row(Outcome("a.jpg", Status.REJECTED, message="x" * 40_000))
    write(out, "photos", tables.PHOTO_COLUMNS, [row])
    write_exports(out)
    cell = str(in_workbook(out, "photos")[1][3])
    assert (len(cell), cell[-1]) == (workbook.MOST_SIGNS, "…")
    assert len(str(in_parquet(out, "photos")[1][3])) == 40_000


def test_formats_that_are_not_asked_for_leave_no_older_file_behind(out: Path) -> None:
    write_exports(out)
    write_exports(out, [Format.XLSX])
    assert not list(out.glob("*.parquet"))
    write_exports(out, [Format.CSV])
    assert sorted(path.name for path in out.iterdir()) == sorted([*(f"{t}.csv" for t in TABLES), COLUMN_LIST])


@pytest.mark.parametrize("format", [Format.PARQUET, Format.XLSX])
def test_a_full_disk_leaves_no_half_a_file(
    out: Path, format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_exports(out, [format])
    assert not [path.name for path in out.iterdir() if path.suffix != ".csv"]


def test_rows_on_their_way_into_a_workbook_wait_beside_it(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of people have no business in the machine's common folder for temporary files."""
    seen: set[Path] = set()
    real = workbook._write_row

    def note(*arguments: object) -> None:
        seen.update(path.parent.parent for path in out.glob(".rows-*/*"))
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(workbook, "_write_row", note)
    write_exports(out)
    (out / ".rows-of-a-killed-run").mkdir()
    (out / ".rows-of-a-killed-run" / "x").write_text("sub-001")
    write_exports(out)
    assert seen == {out}
    assert not list(out.glob(".*"))


# the door


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("empty")
    (folder / "in").mkdir()
    yield folder


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ([], {"parquet", "xlsx"}),
        (["--format", "csv"], set()),
        (["--format", "xlsx"], {"xlsx"}),
        (["--format", "parquet", "--format", "csv"], {"parquet"}),
    ],
)
def test_the_command_writes_the_formats_that_were_asked_for(
    empty: Path, words: list[str], there: set[str]
) -> None:
    told = CliRunner().invoke(
        cli.app, ["score", str(empty / "in"), "--out", str(empty / "out"), "--jobs", "1", *words]
    )
    assert told.exit_code == 1, "there was no photo"
    found = {path.suffix[1:] for path in (empty / "out").iterdir() if path.is_file() and path.stem[:1] != "."}
    assert found == {"csv", "json"} | there


def test_the_words_of_the_command_are_the_formats_there_are() -> None:
    assert [str(word) for word in cli.Written] == [str(word) for word in exports.Format]
