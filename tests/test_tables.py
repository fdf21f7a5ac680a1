"""Tables: rows, CSV text that no spreadsheet can misread, JSON documents."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields

import pytest
from builders import a_line, a_refusal, an_assessment, some_measures
from hypothesis import given
from hypothesis import strategies as st

from wrinklecv import DISCLAIMER, tables
from wrinklecv.codes import Code
from wrinklecv.records import Finding, Outcome, Region, RegionMeasures, Status, Verdict


def written(columns: tuple[str, ...], *rows: tables.Row) -> str:
    stream = io.StringIO(newline="")
    write = tables.csv_writer(stream, columns)
    for row in rows:
        write(row)
    return stream.getvalue()


def test_there_is_a_row_for_every_photo_region_and_metric() -> None:
    rows = list(tables.to_rows([an_assessment(), an_assessment(name="b.jpg")]))
    numbers = {f.name for f in fields(RegionMeasures)} - {"region"}
    metrics = {row["metric"] for row in rows}
    assert metrics == {name for name in numbers if not name.endswith(("_se", "_se_mm"))}
    assert len(rows) == 2 * len(Region) * len(metrics)
    assert all(tuple(row) == tables.MEASURE_COLUMNS for row in rows)
    index = next(row for row in rows if row["metric"] == "wrinkle_index")
    assert (index["value"], index["se"], index["unit"]) == (4.8, 0.7, "mm*%/cm2")


def test_a_refused_region_keeps_its_rows_with_an_empty_value_and_the_reason() -> None:
    measured = tuple(some_measures(region) for region in Region if region is not Region.GLABELLA)
    assessment = an_assessment(quality=(a_refusal(Region.GLABELLA),), regions=measured)
    rows = [row for row in tables.to_rows([assessment]) if row["region"] == "glabella"]
    assert rows
    assert {(row["value"], row["se"], row["verdict"], row["codes"]) for row in rows} == {
        (None, None, "refuse", "blurred")
    }
    others = [row for row in tables.to_rows([assessment]) if row["region"] != "glabella"]
    assert {(row["verdict"], row["codes"]) for row in others} == {("pass", "")}


def test_a_doubt_about_the_whole_photo_stands_in_every_region_once() -> None:
    doubt = Finding(Code.GRAY, Verdict.WARN, "The photo has no colour.")
    rows = list(tables.to_rows([an_assessment(quality=(doubt, doubt))]))
    assert {(row["verdict"], row["codes"]) for row in rows} == {("warn", "gray")}


def test_a_photo_row_has_every_column_whatever_became_of_the_file() -> None:
    good = Outcome("a.jpg", Status.SCORED, "ab" * 32, assessment=an_assessment())
    bad = Outcome("b.jpg", Status.REJECTED, code=Code.NO_FACE, message="No face was found.")
    for outcome in (good, bad):
        assert tuple(tables.photo_row(outcome)) == tables.PHOTO_COLUMNS
    assert tables.photo_row(good)["yaw_deg"] == 1.23457
    assert tables.photo_row(good)["verdict_forehead"] == "pass"
    assert tables.photo_row(bad)["yaw_deg"] is None
    assert tables.photo_row(bad)["code"] == "no_face"


def test_lines_are_numbered_and_know_where_they_begin_and_end() -> None:
    rows = list(tables.line_rows(an_assessment(lines=(a_line(), a_line(Region.GLABELLA)))))
    assert [(row["line"], row["region"]) for row in rows] == [(1, "forehead"), (2, "glabella")]
    assert all(tuple(row) == tables.LINE_COLUMNS for row in rows)
    assert [rows[0][name] for name in tables.LINE_COLUMNS[-5:-1]] == [100.12, 200.0, 220.0, 200.5]
    assert rows[0]["kind"] is None, "one photo alone does not tell it"


def test_the_document_holds_everything_and_is_json_for_any_reader() -> None:
    assessment = an_assessment(name="caf\udce9\n.jpg", quality=(a_refusal(Region.GLABELLA),))
    text = tables.to_json(tables.document(assessment))
    tree = json.loads(text, parse_constant=pytest.fail)
    assert text.isascii()
    assert text == tables.to_json(tables.document(assessment))
    assert tree["disclaimer"] == DISCLAIMER
    assert tree["photo"]["name"] == r"caf\xe9\n.jpg"
    assert tree["lines"][0]["path_xy"][2] == [220.0, 200.5]
    assert tree["lines"][0]["path_mm"][1] == [15.0, 0.0]
    assert tree["findings"][0]["advice"].startswith("The picture is blurred")
    assert tree["face"]["expression"] == {"_neutral": 0.0, "browInnerUp": 0.25}
    assert {region["region"] for region in tree["regions"]} == set(Region)
    assert set(tree["regions"][0]) == {f.name for f in fields(RegionMeasures)}


def test_an_empty_table_still_has_its_header() -> None:
    assert written(tables.LINE_COLUMNS) == ",".join(f'"{name}"' for name in tables.LINE_COLUMNS) + "\r\n"


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert written(("a", "b", "c"), {"a": -1.5, "b": None, "c": "-1.5"}).splitlines()[1] == '-1.5,"","\'-1.5"'


@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u200b", "\ufeff", " \u3000", "\a"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_text_that_a_spreadsheet_could_run_is_marked(sign: str, before: str) -> None:
    assert tables.safe_cell(f"{before}{sign}cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("sign", ["\t", "\r", "\n", "\0", "'"])
def test_text_that_begins_with_a_control_sign_or_a_mark_is_marked(sign: str) -> None:
    assert tables.safe_cell(f"{sign}1+1").startswith("'")


@pytest.mark.parametrize("text", ["photo.jpg", "1-2.jpg", "写真 ü 🙂.jpg", "a=b", ""])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert tables.safe_cell(text) == text


@given(st.text())
def test_any_text_makes_one_line_of_one_cell_and_can_be_restored(text: str) -> None:
    lines = written(("cell", "number"), {"cell": text, "number": -1}).split("\r\n")
    assert len(lines) == 3
    [cell, number] = next(csv.reader([lines[1]]))
    assert number == "-1"
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    restored = cell[1:] if cell.startswith("'") else cell
    assert restored == tables.escaped(text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\nb\tc\x1b[31m", r"a\nb\tc\x1b[31m"),
        ("a\udcffb", r"a\xffb"),
        ("a\\nb", r"a\\nb"),
        ("evil\u202egpj.exe", r"evil\u202egpj.exe"),
        ("zero\u200djoiner é", "zero\u200djoiner é"),
    ],
)
def test_names_are_shown_on_one_line_in_reading_order(raw: str, shown: str) -> None:
    assert tables.escaped(raw) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(1.23456789, 1.23457), (3, 3), (None, None), (float("nan"), None), (float("inf"), None), (-0.0, 0.0)],
)
def test_numbers_are_rounded_and_never_infinite(number: float | None, shown: float | None) -> None:
    assert tables.rounded(number) == shown
    assert str(tables.rounded(number)) == str(shown)


@given(st.text())
def test_every_text_comes_back_from_its_safe_form(text: str) -> None:
    assert tables.restored(tables.safe_cell(text)) == text


def test_a_raw_byte_and_the_control_sign_of_its_number_are_told_apart() -> None:
    shown = [tables.escaped(text) for text in ("\udc85", "\x85", "\\x85")]
    assert shown == [r"\x85", r"\u0085", r"\\x85"]
