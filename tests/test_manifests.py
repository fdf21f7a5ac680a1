"""Manifests and treatments as people write them: several kinds of CSV, and faults with their line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from wrinklecv.codes import Code
from wrinklecv.errors import TableError
from wrinklecv.manifests import Entry, Manifest, day_of, read_manifest, read_treatments
from wrinklecv.records import Expression, Region
from wrinklecv.visits import PhotoKind, Treatment


def written(folder: Path, name: str, text: str | bytes) -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def manifest(folder: Path, text: str | bytes) -> Manifest:
    """Write a manifest into `folder` and read it."""
    found = read_manifest(written(folder, "manifest.csv", text) / "manifest.csv")
    assert found is not None
    return found


def by_path(found: Manifest) -> dict[str, Entry]:
    return {entry.path: entry for entry in found.entries}


def test_a_day_is_written_in_two_ways_and_must_exist() -> None:
    assert day_of("20250110") == day_of(" 2025-01-10 ") == date(2025, 1, 10)
    assert [day_of(text) for text in ("", "2025-0110", "20250230", "10.1.2025", "2025-01-10x")] == [None] * 5


def test_a_folder_without_tables_has_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / "manifest.csv") is None
    assert read_treatments(tmp_path) == ((), ())


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_manifest_tells_what_its_columns_say_and_others_pass_through(tmp_path: Path, sign: str) -> None:
    rows = (
        ("Path", "camera", "subject", "visit_date", "expression", "kind", "run", "notes"),
        (r".\a\1.jpg", "X1", "sub-7", "2025-01-10", "Brow raise", "", "2", "hi"),
        ("b.jpg", "", "", "", "", "marking", "", ""),
    )
    text = "\ufeff" + "\r\n".join(sign.join(row) for row in rows)
    found = manifest(tmp_path, text)
    assert not found.faults
    assert found.columns == ("camera", "notes")
    one, other = found.entries
    assert (one.file, one.extras) == (str(tmp_path / "a" / "1.jpg"), (("camera", "X1"), ("notes", "hi")))
    assert (other.path, other.extras) == ("b.jpg", ())
    assert (one.subject, one.day, one.run, one.notes) == ("7", date(2025, 1, 10), "2", "hi")
    assert (one.expression, one.kind, one.line) == (Expression.BROW_RAISE, None, 2)
    assert (other.kind, other.expression, other.day, other.line) == (PhotoKind.MARKING, None, None, 3)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",1,", "there is no path"),
        ("a.jpg,1,2025-02-30", "'2025-02-30' is no day"),
        ("a.jpg,1,,grin", "'grin' is no expression; there are rest, brow_raise"),
        ("a.jpg,1,,smile,rest", "the kind is rest, the expression smile"),
    ],
)
def test_a_row_with_a_fault_is_told_with_its_line_and_the_others_count(
    tmp_path: Path, row: str, words: str
) -> None:
    text = f"path,subject,visit_date,expression,kind\nok.jpg,1\n\n{row}\nalso.jpg\n"
    found = manifest(tmp_path, text)
    (fault,) = found.faults
    assert list(by_path(found)) == ["ok.jpg", "also.jpg"]
    assert fault.code is Code.MANIFEST_FAULT
    assert fault.line == 4
    assert fault.message.startswith("manifest.csv, line 4: ")
    assert words in fault.message


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"subject\n1\n", 1, "the column path is missing. Found: subject"),
        (b"", 1, "the column path is missing. Found: nothing"),
        (b"path,Path\n", 1, "a column stands there twice: path"),
        (b"path," + b",".join(b"c%d" % n for n in range(2001)), 1, "2002 columns, more than 2000"),
        (b"path\na,b\n", 2, "2 cells under 1 columns"),
        (b"path\na\n\xff\n", 3, "not UTF-8"),
        ("path,notes\na.jpg,f\u00fcr\n".encode("latin-1"), 2, "not UTF-8"),
        (b'path\n"a\n', 2, "unexpected end of data"),
        (b'path\na.jpg\n"b"c.jpg\n', 3, "expected after"),
        (b"path\na.jpg\nb\0.jpg\n", 3, "a zero byte"),
        (b"path,\na.jpg,x\n", 2, "'x' stands in a column without a name"),
        (b"path,notes\na.jpg," + b"x" * 10_001, 2, "a cell holds 10001 signs"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_whole_with_its_line(
    tmp_path: Path, content: bytes, line: int, words: str
) -> None:
    with pytest.raises(TableError, match=f"^manifest.csv, line {line}: .*{words}") as refusal:
        manifest(tmp_path, content)
    assert refusal.value.line == line


def test_a_file_too_large_for_a_manifest_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "manifest.csv").open("wb") as stream:
        stream.write(b"path\n")
        stream.truncate(100 << 20)
    with pytest.raises(TableError, match=r"manifest.csv is larger than 64 MB"):
        read_manifest(tmp_path / "manifest.csv")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffpath,subject\r\na.jpg,7\r\nb.jpg,8\r\n".encode(),
        b"path;subject\ra.jpg;7\rb.jpg;8",
        "path\tsubject\r\na.jpg\t7\r\nb.jpg\t8\r\n".encode("utf-16"),
        b'"path","subject",,\n"a.jpg","7",,\n,,,\n"b.jpg",8\n\n',
        b"subject;path\n7;a.jpg\n7;a.jpg\n8;b.jpg\n7;./a.jpg\n",
        ("path,subject," + ",".join(f"c{n}" for n in range(998)) + "\na.jpg,7\nb.jpg,8\n").encode(),
    ],
    ids=["mark and CRLF", "semicolons and CR", "UTF-16, tabs", "empty columns", "rows twice", "1000 columns"],
)
def test_a_manifest_is_read_however_a_spreadsheet_writes_it(tmp_path: Path, text: bytes) -> None:
    found = manifest(tmp_path, text)
    assert not found.faults
    assert [(entry.path, entry.subject) for entry in found.entries] == [("a.jpg", "7"), ("b.jpg", "8")]


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ("a.jpg,1,\na.jpg,2,", Code.CONFLICTING_SUBJECT, "a.jpg is of subject 1 here and of 2 in line 3"),
        ("a.jpg,1,smile\nx/../a.jpg,1,", Code.MANIFEST_FAULT, "a.jpg is something else in line 3"),
    ],
)
def test_rows_that_disagree_about_a_photo_are_all_faults(
    tmp_path: Path, rows: str, code: Code, words: str
) -> None:
    found = manifest(tmp_path, f"path,subject,expression\n{rows}\nb.jpg,,\n")
    assert list(by_path(found)) == ["b.jpg"]
    assert [(fault.line, fault.code) for fault in found.faults] == [(2, code), (3, code)]
    assert words in found.faults[0].message


OUTSIDE = [
    "../a.jpg",
    "x/../../a.jpg",
    r"..\a.jpg",
    "/etc/passwd",
    r"C:\a.jpg",
    "C:a.jpg",
    "link/a.jpg",
    ".",
    "..",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_outside_the_manifests_folder_is_a_fault(tmp_path: Path, path: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"x")
    found = manifest(tmp_path / "in", f"path\n{path}\n")
    assert not found.entries
    assert [(fault.code, fault.path, fault.file) for fault in found.faults] == [(Code.OUTSIDE_ROOT, path, "")]


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("x/../a.jpg", "a.jpg"),
        (r".\sub\b.jpg", "sub/b.jpg"),
        (r"odd\name.jpg", r"odd\name.jpg"),
        ("e\u0301", "é"),
    ],
)
def test_a_path_is_found_however_it_is_written(tmp_path: Path, path: str, file: str) -> None:
    (tmp_path / r"odd\name.jpg").write_bytes(b"x")
    (tmp_path / "é").write_bytes(b"x")
    (entry,) = manifest(tmp_path, f"path\n{path}\n").entries
    assert entry.file == str(tmp_path / file)


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
