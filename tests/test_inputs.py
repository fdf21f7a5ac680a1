"""What a batch can be given: patterns, manifests, addresses of stores; and plans without measuring."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from builders import pretend
from pair_builders import pretend_pair
from typer.testing import CliRunner

from wrinklecv import cli
from wrinklecv.batch import assess_many, score
from wrinklecv.codes import Code
from wrinklecv.errors import TableError, UnreadablePhotoError
from wrinklecv.listing import expand, find_pairs, find_photos, shot_of
from wrinklecv.photo import read_file
from wrinklecv.records import Expression, Outcome, Status
from wrinklecv.remote import is_remote, redacted
from wrinklecv.repeatability import measure_repeatability
from wrinklecv.tables import Row, read_csv

SAMPLES = Path(__file__).parent.parent / "sample_images"


def put(folder: Path, *names: str) -> Path:
    """Write files into `folder`, each with its own name as content."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"good " + os.fsencode(name))
    return folder


def told(*paths: Path | str) -> list[tuple[str, Code | None]]:
    return [(one.path, one.refusal.code if one.refusal else None) for one in find_photos(paths)]


def run(out: Path, *paths: Path | str, jobs: int = 1) -> dict[str, Row]:
    """Score with stand-ins; return the rows of photos.csv by path."""
    score(paths, out, jobs=jobs, assess_one=pretend, compare_one=pretend_pair, formats=())
    return {str(row["path"]): row for row in read_csv(out / "photos.csv")}


# patterns


def test_a_pattern_gives_what_matches_and_no_folder_twice(tmp_path: Path) -> None:
    put(tmp_path, "a/x.jpg", "a/deep/y.jpg", "a/z.png", "a/notes.txt", "a/.hidden.jpg", "b.jpg")
    ignored: Counter[str] = Counter()
    found = find_photos([f"{tmp_path}/a/**/*.jpg", f"{tmp_path}/b*"], ignored=ignored)
    assert [one.path for one in found] == ["a/deep/y.jpg", "a/x.jpg", "b.jpg"]
    assert not ignored
    found = find_photos([f"{tmp_path}/a/**"], ignored=ignored)
    assert [one.path for one in found] == ["deep/y.jpg", "x.jpg", "z.png"]
    assert ignored == {"not_a_photo_file": 1}
    assert [path for path, _ in told(f"{tmp_path}/[ab]")] == ["deep/y.jpg", "x.jpg", "z.png"], (
        "a matched folder"
    )


def test_the_odd_name_of_a_file_is_no_pattern(tmp_path: Path) -> None:
    put(tmp_path, "*?[a].jpg", "b.jpg", "[b].jpg")
    assert expand([tmp_path / "*?[a].jpg", tmp_path / "[b].jpg"]) == [
        str(tmp_path / "*?[a].jpg"),
        str(tmp_path / "[b].jpg"),
    ]


def test_a_pattern_that_matches_nothing_gets_a_row_and_is_wrong_usage(tmp_path: Path) -> None:
    assert told(f"{tmp_path}/*.jpg") == [("*.jpg", Code.MISSING)]
    done = CliRunner().invoke(cli.app, ["score", f"{tmp_path}/*.jpg", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_command_takes_patterns_that_the_shell_left_alone(tmp_path: Path) -> None:
    put(tmp_path, "a/x.jpg", "a/y.jpg")
    done = CliRunner().invoke(cli.app, ["score", f"{tmp_path}/**/*.jpg", "--dry-run"])
    assert [line.split("\t")[1] for line in done.stdout.splitlines()[1:]] == ["x.jpg", "y.jpg"]


# manifests

MANIFEST = """path,subject,visit_date,expression,run,kind,notes,arm,status
img/1.jpg,7,2025-01-10,rest,1,,calm,left,x
img/2.jpg,sub-7,20250110,,,expression,,right,
img/3.jpg,7,2025-02-01,brow raise,,,,,
img/4.jpg,,,,,marking,,,
img/sub-8_ses-2025-03-01_expr-smile.jpg,,,,,,,,
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with a manifest, and photos that it does not name."""
    names = ("1", "2", "3", "4", "sub-8_ses-2025-03-01_expr-smile", "sub-9_ses-20250110_expr-rest", "other")
    put(tmp_path / "in", *(f"img/{name}.jpg" for name in names))
    (tmp_path / "in" / "manifest.csv").write_text(MANIFEST)
    return tmp_path / "in"


def test_a_manifest_in_a_folder_overrides_names_and_passes_columns_through(
    tmp_path: Path, study: Path
) -> None:
    rows = run(tmp_path / "out", study)
    labels = {
        path: tuple(row[name] for name in ("subject", "visit", "expression", "run", "notes", "arm"))
        for path, row in rows.items()
    }
    assert labels == {
        "img/1.jpg": ("7", "20250110", "rest", "1", "calm", "left"),
        "img/2.jpg": ("7", "20250110", "unknown", "", "", "right"),
        "img/3.jpg": ("7", "20250201", "brow_raise", "", "", ""),
        "img/4.jpg": ("", "", "unknown", "", "", ""),
        "img/other.jpg": ("", "", "unknown", "", "", ""),
        "img/sub-8_ses-2025-03-01_expr-smile.jpg": ("8", "20250301", "smile", "", "", ""),
        "img/sub-9_ses-20250110_expr-rest.jpg": ("9", "20250110", "rest", "", "", ""),
    }
    assert rows["img/4.jpg"]["code"] == "marking_photo"
    assert rows["img/1.jpg"]["status"] == "scored"
    assert rows["img/1.jpg"]["manifest_status"] == "x", "a column of ours keeps its name and meaning"
    wide = {row["path"]: row for row in read_csv(tmp_path / "out" / "measures_wide.csv")}
    assert (wide["img/1.jpg"]["arm"], wide["img/2.jpg"]["arm"]) == ("left", "right")
    assert json.loads((tmp_path / "out" / "run.json").read_text())["ignored"] == {}


def test_a_manifest_that_is_named_gives_its_own_photos_only(tmp_path: Path, study: Path) -> None:
    rows = run(tmp_path / "out", study / "manifest.csv")
    assert list(rows) == [
        *(f"img/{n}.jpg" for n in range(1, 5)),
        "img/sub-8_ses-2025-03-01_expr-smile.jpg",
    ]
    assert run(tmp_path / "both", study, study / "manifest.csv") == run(tmp_path / "folder", study)


def test_a_kind_of_the_manifest_overrides_a_marking_in_the_name(tmp_path: Path) -> None:
    put(tmp_path, "a_marking.jpg", "b.jpg")
    (tmp_path / "manifest.csv").write_text("path,kind\na_marking.jpg,rest\nb.jpg,marking\n")
    assert told(tmp_path) == [("a_marking.jpg", None), ("b.jpg", Code.MARKING_PHOTO)]


def test_rows_with_a_fault_refuse_their_photos_and_the_others_go_on(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.jpg", "b.jpg", "twice.jpg", "again.jpg", ".hidden.jpg", "scan.dat", "free.jpg")
    put(tmp_path, "secret.jpg")
    (tmp_path / "in" / "manifest.csv").write_text(
        "path,subject,visit_date\n"
        "a.jpg,1,2025-01-10\n"
        "b.jpg,1,last spring\n"
        "twice.jpg,1,\n"
        "twice.jpg,2,\n"
        "../secret.jpg,1,\n"
        f"{tmp_path}/in/a.jpg,1,\n"
        "gone.jpg,1,\n"
        ",1,\n"
        ".hidden.jpg,1,\n"
        "scan.dat,1,\n"
        "again.jpg,3,\n"
        "again.jpg,3,\n"
    )
    out = tmp_path / "out"
    summary = score([tmp_path / "in"], out, assess_one=pretend, compare_one=pretend_pair, formats=())
    rows = [(row["path"], row["code"], row["subject"]) for row in read_csv(out / "photos.csv")]
    assert rows == [
        ("a.jpg", "", "1"),
        ("again.jpg", "", "3"),
        ("b.jpg", "manifest_fault", ""),
        ("free.jpg", "", ""),
        ("twice.jpg", "conflicting_subject", ""),
        ("twice.jpg", "conflicting_subject", ""),
        ("gone.jpg", "missing", "1"),
        (".hidden.jpg", "", "1"),
        ("scan.dat", "", "1"),
        ("../secret.jpg", "outside_root", ""),
        (f"{tmp_path}/in/a.jpg", "outside_root", ""),
        ("manifest.csv, line 9", "manifest_fault", ""),
    ]
    assert summary.statuses[Status.REJECTED] == 7
    message = next(row["message"] for row in read_csv(out / "photos.csv") if row["path"] == "twice.jpg")
    assert (
        message
        == "manifest.csv, line 4: twice.jpg is of subject 1 here and of 2 in line 5. Correct the manifest."
    )


def test_a_manifest_that_is_no_table_stops_everything_before_it_begins(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.jpg")
    (tmp_path / "in" / "manifest.csv").write_bytes(b"path,subject\na.jpg,M\xfcller\n")
    with pytest.raises(TableError, match="line 2: not UTF-8"):
        run(tmp_path / "out", tmp_path / "in")
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(cli.app, ["score", str(tmp_path / "in"), "--out", str(tmp_path / "out")])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "manifest.csv, line 2: not UTF-8" in done.stderr


def test_a_manifest_in_a_folder_inside_is_not_read_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path, "in/a.jpg", "in/manifest.csv")
    ignored: Counter[str] = Counter()
    assert [one.path for one in find_photos([tmp_path], ignored=ignored)] == ["in/a.jpg"]
    assert ignored == {"manifest_of_a_folder_inside": 1}


def test_the_same_bytes_named_for_two_subjects_are_refused_where_they_come_again(tmp_path: Path) -> None:
    for name in ("sub-1_expr-rest.jpg", "sub-2_expr-rest.jpg", "sub-1_expr-rest_run-2.jpg"):
        (tmp_path / name).write_bytes(b"good bytes")
    outcomes = list(assess_many([tmp_path], assess_one=pretend))
    assert [(one.path, one.code) for one in outcomes] == [
        ("sub-1_expr-rest.jpg", None),
        ("sub-1_expr-rest_run-2.jpg", Code.DUPLICATE_OF),
        ("sub-2_expr-rest.jpg", Code.CONFLICTING_SUBJECT),
    ]
    assert "sub-1_expr-rest.jpg, which is of subject 1, this one is of 2" in outcomes[2].message


def labelled_by_manifest(folder: Path, names: list[str]) -> Path:
    """Copy samples to names that tell nothing, and write what they told into a manifest."""
    folder.mkdir()
    rows = ["path;subject;visit_date;expression;run;clinic"]
    for number, name in enumerate(names):
        shutil.copy(SAMPLES / name, folder / f"IMG_{number:04}.jpg")
        parts = dict(
            part.split("-", 1)
            for part in name.removesuffix(".jpg").replace("brow_raise", "brow raise").split("_")
        )
        day = f"{parts['ses'][:4]}-{parts['ses'][4:6]}-{parts['ses'][6:]}"
        rows.append(f"IMG_{number:04}.jpg;{parts['sub']};{day};{parts['expr']};{parts['run']};Bern")
    (folder / "manifest.csv").write_text("\ufeff" + "\r\n".join(rows))
    return folder


def test_pairs_and_visits_go_by_manifest_as_by_name(tmp_path: Path) -> None:
    names = sorted(path.name for path in SAMPLES.glob("sub-001*.jpg"))
    folder = labelled_by_manifest(tmp_path / "in", names)
    outcomes = {one.path: one.told() for one in find_photos([folder])}
    by_name = [one.told() for one in find_photos([SAMPLES / name for name in names])]
    assert list(outcomes.values()) == by_name
    shots = [
        shot_of(one, one.labelled(Outcome(one.path, Status.SCORED, expression=Expression.UNKNOWN)))
        for one in find_photos([folder])
    ]
    assert len(list(find_pairs(shots))) == len(names) * 3 // 4


def test_repeats_go_by_manifest_too(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "a.jpg", "b.jpg")
    (folder / "manifest.csv").write_text("path,subject,expression\na.jpg,1,rest\n")
    found = measure_repeatability(folder, jobs=1)
    assert found.left_out == (
        ("b.jpg", "Neither its name nor a manifest tells subject and expression."),
        ("a.jpg", "There is no second shot of it."),
    )


# stores


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    store = fsspec.filesystem("memory")
    yield store
    store.rm("/", recursive=True)


def test_photos_of_a_store_are_listed_labelled_and_fetched_by_who_measures_them(
    memory: fsspec.AbstractFileSystem,
) -> None:
    name = "sub-001_ses-20250110_expr-rest_run-1.jpg"
    for place in (f"/clinic/a/{name}", "/clinic/plain.jpg", "/clinic/.hidden.jpg", "/clinic/notes.txt"):
        memory.pipe(place, (SAMPLES / name).read_bytes() + place.encode())
    memory.pipe("/clinic/manifest.csv", b"path,subject,camera\nplain.jpg,5,X\ngone.jpg,5,\n../x.jpg,5,\n")
    ignored: Counter[str] = Counter()
    found = list(find_photos(["memory://clinic"], ignored=ignored))
    assert [one.path for one in found] == [f"a/{name}", "plain.jpg", "gone.jpg", "../x.jpg"]
    assert ignored == {"hidden": 1, "not_a_photo_file": 1}
    outcomes = {one.path: one for one in assess_many(["memory://clinic"])}
    assert outcomes[f"a/{name}"].status is Status.SCORED_FLAGGED, "bytes follow the picture"
    assert (outcomes["plain.jpg"].subject, outcomes["plain.jpg"].extras) == ("5", (("camera", "X"),))
    assert (outcomes["gone.jpg"].code, outcomes["../x.jpg"].code) == (Code.MISSING, Code.OUTSIDE_ROOT)


def test_every_worker_fetches_its_photo_and_pairs_are_compared(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for word in ("rest", "frown"):
        shutil.copy(SAMPLES / f"sub-001_ses-20250110_expr-{word}_run-1.jpg", tmp_path / "in")
    for out, place, jobs in (("here", tmp_path / "in", 1), ("there", f"file://{tmp_path}/in", 2)):
        score([place], tmp_path / out, jobs=jobs, overlays=False, formats=())
    for table in ("photos", "measures_long", "pairs"):
        here, there = ((tmp_path / out / f"{table}.csv").read_bytes() for out in ("here", "there"))
        assert here == there
    assert b"compared" in here


def test_photos_of_several_addresses_stand_in_full(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    memory.pipe({"/a/x.jpg": b"1", "/b/x.jpg": b"2"})
    put(tmp_path, "y.jpg")
    assert [path for path, _ in told("memory://a", "memory://b/x.jpg", tmp_path / "y.jpg")] == [
        "memory://a/x.jpg",
        "memory://b/x.jpg",
        (tmp_path / "y.jpg").as_posix(),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, Code.MISSING), (b"", Code.EMPTY_FILE), (bytes((40 << 20) + 1), Code.FILE_TOO_BIG)],
)
def test_a_file_of_a_store_is_refused_for_the_same_reasons(
    memory: fsspec.AbstractFileSystem, content: bytes | None, code: Code
) -> None:
    if content is not None:
        memory.pipe("/a/x.jpg", content)
    with pytest.raises(UnreadablePhotoError) as refusal:
        read_file("memory://a/x.jpg")
    assert refusal.value.code is code


def test_what_a_store_answers_and_the_secrets_of_an_address_are_never_said(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/a/x.jpg", b"1")

    def refuse(*_: object, **__: object) -> bytes:
        raise ValueError("key AKIA-SECRET of https://user:SECRET@host is wrong")

    monkeypatch.setattr(type(memory), "cat_file", refuse)
    out = tmp_path / "out"
    score(["memory://a"], out, formats=(), command=["score", "s3://me:SECRET@host/b?X-Sig=SECRET", "--x"])
    [row] = read_csv(out / "photos.csv")
    assert (row["code"], row["message"]) == (
        "read_failed",
        "The file could not be fetched: the store answered with ValueError. Check the network.",
    )
    assert json.loads((out / "run.json").read_text())["command"] == ["score", "s3://host/b", "--x"]
    assert not [path for path in out.rglob("*") if path.is_file() and b"SECRET" in path.read_bytes()]


def test_a_store_that_cannot_be_asked_gets_a_row(tmp_path: Path) -> None:
    [(path, code)] = told(f"file://{tmp_path}/nothing")
    assert code is Code.MISSING
    assert path.endswith("nothing")


@pytest.mark.parametrize(
    "path", ["s3", "c:/x.jpg", "http://host/x.jpg", "zip://a::s3://b", "://x", "odd://x"]
)
def test_only_addresses_of_stores_are_addresses(path: str) -> None:
    assert not is_remote(path)
    assert not is_remote(Path("s3://bucket"))


def test_secrets_leave_an_address() -> None:
    assert redacted("sftp://user:pass@host/a.jpg?sig=1 --out x") == "sftp://host/a.jpg --out x"
    assert redacted("a?b.jpg") == "a?b.jpg"


# plans


def test_a_dry_run_says_what_would_be_done_and_opens_no_photo(
    tmp_path: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(study, "img/sub-7_ses-20250110_expr-frown.jpg")
    os.mkfifo(study / "img" / "pipe.jpg")
    done = CliRunner().invoke(cli.app, ["score", str(study), "--dry-run"])
    assert done.exit_code == 1, "there are files that would be refused"
    header, *lines = (line.split("\t") for line in done.stdout.splitlines())
    rows = [dict(zip(header, cells, strict=True)) for cells in lines]
    files = {row["path"]: row["status"] + row["code"] for row in rows if row["what"] == "file"}
    assert files["img/1.jpg"] == "to_measure"
    assert files["img/4.jpg"] == "skippedmarking_photo"
    assert files["img/pipe.jpg"] == "rejectednot_a_regular_file"
    [pair] = [row for row in rows if row["what"] == "pair"]
    assert (pair["path"], pair["rest_photo"]) == ("img/sub-7_ses-20250110_expr-frown.jpg", "img/1.jpg")
    [subject] = [row for row in rows if row["what"] == "subject"]
    assert (subject["subject"], subject["message"]) == ("7", "2 visits")
    assert "Nothing was measured." in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_without_a_dry_run_an_out_folder_is_needed(study: Path) -> None:
    assert CliRunner().invoke(cli.app, ["score", str(study)]).exit_code == 2


@pytest.mark.parametrize(
    ("text", "code", "faults"),
    [
        ("path,subject\na.jpg,1\nb.jpg,2\na.jpg,1\n", 0, []),
        (
            "path,subject,visit_date\na.jpg,1,\na.jpg,2,\ngone.jpg,,\n../b.jpg,,\nb.jpg,,soon\nlink.jpg,,\n,3,\n",
            1,
            [
                ("2", "a.jpg", "conflicting_subject"),
                ("3", "a.jpg", "conflicting_subject"),
                ("4", "gone.jpg", "missing"),
                ("5", "../b.jpg", "outside_root"),
                ("6", "b.jpg", "manifest_fault"),
                ("7", "link.jpg", "symlink"),
                ("8", "", "manifest_fault"),
            ],
        ),
        ("path\na.jpg\nx,y\nz,w\n", 2, [("3", "", "manifest_fault"), ("4", "", "manifest_fault")]),
        ("subject\n1\n", 2, [("1", "", "manifest_fault")]),
        ('path\na.jpg\n"b.jpg\n', 2, [("3", "", "manifest_fault")]),
    ],
    ids=["good", "rows with faults", "cells that do not fit", "no path", "an open quote"],
)
def test_validate_lists_every_fault_with_its_line(
    tmp_path: Path, text: str, code: int, faults: list[tuple[str, ...]]
) -> None:
    put(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "list.csv").write_text(text)
    done = CliRunner().invoke(cli.app, ["validate", str(tmp_path / "list.csv")])
    header, *rows = (line.split("\t") for line in done.stdout.splitlines())
    assert header == ["line", "path", "code", "message"]
    assert [tuple(row[:3]) for row in rows] == faults
    assert all(row[3].startswith(f"list.csv, line {row[0]}: ") for row in rows)
    assert done.exit_code == code


def test_validate_takes_a_folder_and_wants_a_manifest_in_it(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg")
    assert CliRunner().invoke(cli.app, ["validate", str(tmp_path)]).exit_code == 2
    (tmp_path / "manifest.csv").write_text("path\na.jpg\n")
    done = CliRunner().invoke(cli.app, ["validate", str(tmp_path)])
    assert (done.exit_code, done.stderr) == (0, "0 faults.\n")
