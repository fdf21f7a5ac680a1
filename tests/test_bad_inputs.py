"""Hostile files through the command and the library: each gets its row, nothing dies, nothing leaks.

The files are those of `hostile.py`; the rows stand in docs/bad_inputs.md, with the situations I01 to I10.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import hostile
import pytest
from hostile import CANARIES, CLOSED, NAMES, OBJECTS, Case

from wrinklecv.batch import assess_many, score
from wrinklecv.codes import Code
from wrinklecv.errands import Scored, assess_file
from wrinklecv.photo import read_photo
from wrinklecv.records import Outcome, Region, Status
from wrinklecv.settings import Settings
from wrinklecv.tables import Row, read_csv

ROOT = Path(__file__).parents[1]
GOOD = ("sub-001_ses-20250110_expr-frown_run-1.jpg", "sub-002_ses-20250110_expr-rest_run-1.jpg")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the files need a POSIX file system")


class Run(NamedTuple):
    """What the command did with a folder of hostile files and two good photos."""

    folder: Path
    out: Path
    cases: list[Case]
    rows: dict[str, Row]
    exit_code: int
    data: str
    words: str


def scored_by_command(folder: Path, out: Path, *more: str) -> subprocess.CompletedProcess[bytes]:
    """Score `folder` in a process of its own, which may be killed but must not hang."""
    words = [sys.executable, "-m", "wrinklecv", "score", str(folder), "--out", str(out), "--jobs", "2"]
    return subprocess.run([*words, "--format", "csv", *more], cwd=ROOT, capture_output=True, timeout=1800)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Case]]:
    """The hostile files, and two good photos among them."""
    folder = tmp_path_factory.mktemp("hostile")
    made = hostile.write(folder)
    for name in GOOD:
        shutil.copy(hostile.SAMPLES / name, folder / "deep" / name)
    return folder, made


@pytest.fixture(scope="module")
def run(corpus: tuple[Path, list[Case]], tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, made = corpus
    out = tmp_path_factory.mktemp("out")
    done = scored_by_command(folder, out)
    rows = {str(row["path"]): row for row in read_csv(out / "photos.csv")}
    return Run(folder, out, made, rows, done.returncode, done.stdout.decode(), done.stderr.decode())


def is_as_wanted(case: Case, row: Row | None) -> bool:
    """Say whether a case got its row: see `Case`."""
    status, _, code = case.row.partition(", ")
    if row is None or status == "no row":
        return row is None and status == "no row"
    if status == "scored":
        doubts = str(row["codes"]).split(";")
        return str(row["status"]).startswith("scored") and (not code or code in doubts)
    return (row["status"], row["code"]) == (status, code)


def test_there_are_enough_hostile_files(run: Run) -> None:
    ids = [case.id for case in (*run.cases, *CLOSED)]
    assert len(set(ids)) == len(ids) >= 160


def test_every_hostile_file_gets_its_row(run: Run) -> None:
    wrong = [
        (c.id, c.row, run.rows.get(c.name)) for c in run.cases if not is_as_wanted(c, run.rows.get(c.name))
    ]
    assert wrong == []


def test_one_file_is_one_row_and_one_line_and_all_are_accounted_for(run: Run) -> None:
    lines = [line.split("\t") for line in run.data.splitlines()]
    assert len(lines) == len(run.rows) == len(list(read_csv(run.out / "photos.csv")))
    assert [(status, code) for _, status, code in lines] == [
        (r["status"], r["code"]) for r in run.rows.values()
    ]
    named = {case.name for case in run.cases} | {f"deep/{name}" for name in GOOD}
    assert set(run.rows) <= named
    counts = json.loads((run.out / "run.json").read_text())
    assert counts["ignored"] == {"hidden": 2, "not_a_photo_file": 1}
    assert sum(counts["files"].values()) == len(run.rows)
    assert run.exit_code == 1


def test_the_command_says_nothing_odd(run: Run) -> None:
    assert "Traceback" not in run.words
    assert all(sign == "\n" or sign.isprintable() or sign in "\t\u200d" for sign in run.data + run.words)


def numbers(out: Path) -> dict[str, dict[tuple[str, str], Row]]:
    """Return the long table by photo, region and metric, without the photo's name and doubts."""
    found: dict[str, dict[tuple[str, str], Row]] = {}
    for row in read_csv(out / "measures_long.csv"):
        kept = {name: row[name] for name in ("value", "se", "unit")}
        found.setdefault(str(row["photo"]), {})[str(row["region"]), str(row["metric"])] = kept
    return found


def test_what_stands_beside_the_picture_changes_no_number(run: Run) -> None:
    """Twins hold the same pixels: other bytes, another name or format, turned with a mark that says so."""
    found, name_of = numbers(run.out), {case.id: case.name for case in run.cases}
    twins = [case for case in run.cases if case.twin and case.row.startswith("scored")]
    assert len(twins) > 50
    assert [case.id for case in twins if found[case.name] != found[name_of[case.twin]]] == []


def test_a_photo_that_was_enlarged_gives_the_same_numbers_within_their_error(run: Run) -> None:
    found, name_of = numbers(run.out), {case.id: case.name for case in run.cases}
    for region in Region:
        one, other = (found[name_of[name]][str(region), "wrinkle_index"] for name in ("F01", "F20"))
        error = math.hypot(float(str(one["se"])), float(str(other["se"])))
        assert abs(float(str(one["value"])) - float(str(other["value"]))) < 2 * error


def test_good_photos_among_hostile_ones_keep_their_numbers_to_the_last_bit(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in GOOD:
        shutil.copy(hostile.SAMPLES / name, tmp_path / "in")
    score([tmp_path / "in"], tmp_path / "out", overlays=False, formats=())
    alone, among = numbers(tmp_path / "out"), numbers(run.out)
    assert [alone[name] for name in GOOD] == [among[f"deep/{name}"] for name in GOOD]


def test_nothing_of_what_a_file_hides_reaches_an_output(run: Run) -> None:
    written = {path: path.read_bytes() for path in run.out.rglob("*") if path.is_file()}
    assert len(written) > 100
    told = b"".join(written.values()) + run.data.encode() + run.words.encode()
    assert [canary for canary in CANARIES if canary in told] == []
    assert b"PK\3\4" not in told
    pictures = [content for path, content in written.items() if path.suffix == ".jpg"]
    assert len(pictures) > 50
    assert {content.count(b"\xff\xd8\xff") for content in pictures} == {1}, "one picture, no thumbnail"
    assert not any(b"Exif" in content or b"ICC_PROFILE" in content for content in pictures)


def test_no_name_reaches_the_file_system_through_an_output(run: Run) -> None:
    written = [path.relative_to(run.out) for path in run.out.rglob("*")]
    assert all(str(path).isascii() and len(path.name) < 120 and len(path.parts) <= 5 for path in written)
    assert not (ROOT / "pwned").exists()
    assert sorted(path.name for path in run.out.iterdir() if path.is_dir()) == ["json", "kept", "overlays"]


@pytest.mark.slow
def test_the_library_gives_the_same_rows_as_the_command(run: Run) -> None:
    outcomes = list(assess_many([run.folder], jobs=2))
    told = [(one.path, str(one.status), str(one.code or "")) for one in outcomes]
    assert told == [(path, row["status"], row["code"]) for path, row in run.rows.items()]


@pytest.mark.slow
def test_a_thousand_good_photos_among_hostile_ones_are_bit_equal_to_a_clean_run(
    corpus: tuple[Path, list[Case]], tmp_path: Path
) -> None:
    folder, _ = corpus
    content = (hostile.SAMPLES / GOOD[0]).read_bytes()
    (tmp_path / "good").mkdir()
    for number in range(1000):
        (tmp_path / "good" / f"{number:04}.jpg").write_bytes(hostile.marked(content, f"copy {number}"))
    shutil.copytree(folder, tmp_path / "both", symlinks=True, copy_function=os.link, ignore=_no_pipes)
    shutil.copytree(tmp_path / "good", tmp_path / "both" / "good")
    for name in ("good", "both"):
        assert scored_by_command(tmp_path / name, tmp_path / f"{name}_out", "--no-overlays").returncode < 2
    alone, among = numbers(tmp_path / "good_out"), numbers(tmp_path / "both_out")
    assert len(alone) == 1000
    assert [name for name in alone if alone[name] != among[f"good/{name}"]] == []


def _no_pipes(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("H06")]


# what may not be read


AS_NOBODY = """
import json, os, sys
from wrinklecv import assessment, exif, face, landmarker, photo  # while they may be read
from wrinklecv.batch import assess_many

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
told = [(one.path, str(one.status), str(one.code or "")) for one in assess_many([sys.argv[1]])]
print(json.dumps(told))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own belong to one user."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_what_may_not_be_read_gets_a_row_and_the_rest_goes_on(open_folder: Path) -> None:
    """Root may read everything, so that a child process becomes nobody first."""
    closed_file, closed_folder = (open_folder / case.name for case in CLOSED)
    closed_folder.mkdir()
    for path in (closed_file, closed_folder / "x.jpg", open_folder / "page.jpg"):
        path.write_bytes(b"<html>")
    closed_file.chmod(0)
    closed_folder.chmod(0)
    (open_folder / "page.jpg").chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(open_folder)], cwd=ROOT, capture_output=True, timeout=120
    )
    assert json.loads(done.stdout or "null") == [
        *([case.name, *case.row.split(", ")] for case in CLOSED),
        ["page.jpg", "rejected", "not_an_image"],
    ], done.stderr


# situations

FACE = hostile.SAMPLES / hostile.FACE


def outcome_when(happens: Callable[[Path], object], folder: Path) -> Outcome:
    """Return what becomes of a photo to which something happens between listing and reading."""
    shutil.copy(FACE, folder / "a.jpg")

    def late(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
        happens(file)
        return assess_file(file, path, settings, overlay)

    [outcome] = assess_many([folder], assess_one=late)
    return outcome


def test_i01_a_file_replaced_after_listing_is_known_by_the_bytes_that_were_measured(tmp_path: Path) -> None:
    other = hostile.SAMPLES / GOOD[1]
    outcome = outcome_when(lambda file: shutil.copy(other, file), tmp_path)
    assert outcome.assessment is not None
    sha256 = hashlib.sha256(other.read_bytes()).hexdigest()
    assert outcome.sha256 == outcome.assessment.photo_sha256 == sha256


def test_i02_a_file_deleted_after_listing_is_missing(tmp_path: Path) -> None:
    outcome = outcome_when(lambda file: file.unlink(), tmp_path)
    assert (outcome.status, outcome.code) == (Status.REJECTED, Code.MISSING)


def test_i03_a_file_that_grows_while_it_is_read_is_refused_and_taken_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    content = FACE.read_bytes()
    (tmp_path / "in" / "a.jpg").write_bytes(content[:-5000])
    look = os.fstat

    def copied_on(descriptor: int) -> os.stat_result:
        told = look(descriptor)
        if told.st_size == len(content) - 5000:
            (tmp_path / "in" / "a.jpg").write_bytes(content)
        return told

    monkeypatch.setattr("wrinklecv.photo.os.fstat", copied_on)
    first, then = (next(iter(assess_many([tmp_path / "in"]))) for _ in range(2))
    assert (first.status, first.code) == (Status.REJECTED, Code.CHANGED_WHILE_READING)
    assert (then.status, then.sha256) == (Status.SCORED, hashlib.sha256(content).hexdigest())


def test_i04_names_that_differ_in_case_only_are_two_files(tmp_path: Path) -> None:
    for name in ("A.jpg", "a.jpg"):
        (tmp_path / name).write_bytes(b"<html>" + name.encode())
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system takes both names for one")
    assert [one.path for one in assess_many([tmp_path])] == ["A.jpg", "a.jpg"]


def test_i10_the_path_that_a_browser_makes_up_is_a_name_and_nothing_more() -> None:
    photo = read_photo(FACE.read_bytes(), name=r"C:\fakepath\..\x.jpg")
    assert (photo.name, photo.findings) == (r"C:\fakepath\..\x.jpg", ())


# the document


def test_the_document_tells_the_row_of_every_case() -> None:
    told = (ROOT / "docs" / "bad_inputs.md").read_text("utf-8")
    cases = [*hostile.cases(), *OBJECTS, *CLOSED]
    assert [case.id for case in cases if hostile.document_row(case) not in told] == []
    assert all(f"| I{number:02} |" in told for number in range(1, 11))
    assert len(NAMES) == 29
