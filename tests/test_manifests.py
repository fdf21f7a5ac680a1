"""Manifests and treatments as people write them: several kinds of CSV, and faults with their line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from wrinklecv.errors import StoreError
from wrinklecv.manifests import day_of, read_manifest, read_treatments
from wrinklecv.records import Expression, Region
from wrinklecv.visits import PhotoKind, Treatment


def written(folder: Path, name: str, text: str | bytes) -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_a_day_is_written_in_two_ways_and_must_exist() -> None:
    assert day_of("20250110") == day_of(" 2025-01-10 ") == date(2025, 1, 10)
    assert [day_of(text) for text in ("", "2025-0110", "20250230", "10.1.2025", "2025-01-10x")] == [None] * 5


def test_a_folder_without_tables_has_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == ({}, ())
    assert read_treatments(tmp_path) == ((), ())


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_manifest_tells_what_its_columns_say_and_others_are_passed_over(tmp_path: Path, sign: str) -> None:
    rows = (
        ("Path", "camera", "subject", "visit_date", "expression", "kind", "run", "notes"),
        (r".\a\1.jpg", "X1", "sub-7", "2025-01-10", "Brow raise", "", "2", "hi"),
        ("b.jpg", "", "", "", "", "marking", "", ""),
    )
    text = "\ufeff" + "\r\n".join(sign.join(row) for row in rows)
    entries, faults = read_manifest(written(tmp_path, "manifest.csv", text))
    assert not faults
    one, other = entries["a/1.jpg"], entries["b.jpg"]
    assert (one.subject, one.day, one.run, one.notes) == ("7", date(2025, 1, 10), "2", "hi")
    assert (one.expression, one.kind, one.line) == (Expression.BROW_RAISE, None, 2)
    assert (other.kind, other.expression, other.day, other.line) == (PhotoKind.MARKING, None, None, 3)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",1,", "there is no path"),
        ("a.jpg,1,2025-02-30", "'2025-02-30' is no day"),
        ("ok.jpg,1,", "stands in line 2 already"),
        ("a.jpg,1,,grin", "'grin' is no expression; there are rest, brow_raise"),
        ("a.jpg,1,,smile,rest", "the kind is rest, the expression smile"),
    ],
)
def test_a_row_with_a_fault_is_told_with_its_line_and_the_others_count(
    tmp_path: Path, row: str, words: str
) -> None:
    text = f"path,subject,visit_date,expression,kind\nok.jpg,1\n\n{row}\nalso.jpg\n"
    entries, (fault,) = read_manifest(written(tmp_path, "manifest.csv", text))
    assert list(entries) == ["ok.jpg", "also.jpg"]
    assert fault.line == 4
    assert fault.message.startswith("manifest.csv, line 4: ")
    assert words in fault.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"subject\n1\n", "line 1: the column path is missing. Found: subject"),
        (b"path,path\n", "line 1: a column stands there twice"),
        (b"path\na,b\n", "line 2: 2 cells under 1 columns"),
        (b"path\na\n\xff\n", "line 3: not UTF-8"),
        (b'path\n"a\n', "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_with_its_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(StoreError, match=words):
        read_manifest(written(tmp_path, "manifest.csv", content))


def test_treatments_are_read_with_regions_units_and_points(tmp_path: Path) -> None:
    text = (
        "subject,date,region,product,units,points,notes\n"
        'sub-1,20250110,"glabella; crows feet",A,20,"1.5 -40; -3,2",first\n'
        "1,2025-03-01,all,,,,\n"
    )
    found, faults = read_treatments(written(tmp_path, "treatments.csv", text))
    regions = (Region.GLABELLA, Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT)
    assert not faults
    assert found == (
        (2, Treatment("1", date(2025, 1, 10), regions, "A", 20, ((1.5, -40.0), (-3.0, 2.0)), "first")),
        (3, Treatment("1", date(2025, 3, 1), tuple(Region))),
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,2025-01-10,", "needs a subject, a date and a region"),
        ("1,2025-01-10,chin", "chin is no region; there are forehead"),
        ("1,2025-01-10,all,,many", "'many' is no number"),
        ("1,2025-01-10,all,,-1", "units cannot be -1"),
        ("1,2025-01-10,all,,,1 2 3", "a point is two numbers"),
    ],
)
def test_a_treatment_with_a_fault_is_told_with_its_line(tmp_path: Path, row: str, words: str) -> None:
    text = f"subject,date,region,product,units,points\n{row}\n"
    found, (fault,) = read_treatments(written(tmp_path, "treatments.csv", text))
    assert not found
    assert fault.message.startswith("treatments.csv, line 2: ")
    assert words in fault.message
