"""Batches: one row per file whatever happens, the same tables every time."""

from __future__ import annotations

import csv
import functools
import hashlib
import json
import os
import pickle
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import an_assessment, pretend
from pair_builders import a_compared_line, a_shot, pretend_pair

from wrinklecv import batch
from wrinklecv.batch import assess_many, compare_photos, score
from wrinklecv.codes import Code
from wrinklecv.errands import Compared, Scored, compare_files
from wrinklecv.errors import OutputError
from wrinklecv.followed import Course
from wrinklecv.listing import Pair, PairOutcome, PairStatus, find_pairs, find_photos, parse_name, shot_of
from wrinklecv.records import Assessment, Expression, LineKind, Outcome, Status
from wrinklecv.settings import DEFAULTS, Settings

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX file system")


def put(folder: Path, *names: str) -> Path:
    """Write files into `folder`, each with its own name as content."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"good " + os.fsencode(name))
    return folder


def listed(*paths: Path) -> list[str]:
    return [found.path for found in find_photos(paths)]


def codes(*paths: Path) -> dict[str, Code | None]:
    return {f.path: f.refusal.code if f.refusal else None for f in find_photos(paths)}


# which files


def test_a_folder_is_walked_in_sorted_order_with_paths_relative_to_it(tmp_path: Path) -> None:
    put(tmp_path, "b.JPG", "a/z.png", "a/deep/er/x.heic", "c", "B.jpg", "x.jpg.", "y.tif")
    assert listed(tmp_path) == ["B.jpg", "a/deep/er/x.heic", "a/z.png", "b.JPG", "c", "x.jpg.", "y.tif"]


def test_paths_of_several_arguments_are_relative_to_what_they_share(tmp_path: Path) -> None:
    put(tmp_path, "a/x.jpg", "b/x.jpg")
    assert listed(tmp_path / "b", tmp_path / "a" / "x.jpg") == ["b/x.jpg", "a/x.jpg"]
    assert listed(tmp_path / "a" / "x.jpg") == ["x.jpg"]


def test_each_file_is_found_once_however_often_it_is_named(tmp_path: Path) -> None:
    put(tmp_path, "a/x.jpg", "a/y.jpg")
    assert listed(tmp_path / "a" / "y.jpg", tmp_path, tmp_path / "a") == ["a/y.jpg", "a/x.jpg"]


def test_hidden_files_and_other_documents_are_counted_not_listed(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", ".b.jpg", "._a.jpg", ".git/c.jpg", "Thumbs.db", "notes.txt", "d/.DS_Store")
    ignored: Counter[str] = Counter()
    assert [found.path for found in find_photos([tmp_path], ignored=ignored)] == ["a.jpg"]
    assert ignored == {"hidden": 4, "not_a_photo_file": 2}


def test_a_file_that_was_named_is_taken_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path, ".hidden", "notes.txt")
    assert listed(tmp_path / ".hidden", tmp_path / "notes.txt") == [".hidden", "notes.txt"]


@posix
def test_links_and_pipes_get_a_row_and_are_never_opened(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg")
    (tmp_path / "good.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    assert codes(tmp_path) == {
        "a.jpg": None,
        "gone.jpg": Code.MISSING,
        "good.jpg": Code.SYMLINK,
        "pipe.jpg": Code.NOT_A_REGULAR_FILE,
        "round": Code.SYMLINK,
        "self.jpg": Code.SYMLINK,
        "zero.jpg": Code.SYMLINK,
    }


@posix
def test_a_folder_that_is_a_link_is_walked_when_it_was_asked_for(tmp_path: Path) -> None:
    put(tmp_path, "real/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert listed(tmp_path / "link") == ["a.jpg"]
    assert len(listed(tmp_path / "link", tmp_path / "real")) == 1


@posix
def test_an_unreadable_folder_gets_one_row_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/x.jpg", "b/y.jpg")
    real = os.listdir

    def listdir(folder: str) -> list[str]:  # root may read everything, so mode 000 would prove nothing
        if folder.endswith("a"):
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "listdir", listdir)
    assert codes(tmp_path) == {"a": Code.PERMISSION_DENIED, "b/y.jpg": None}


def test_a_missing_path_gets_a_row(tmp_path: Path) -> None:
    assert codes(tmp_path / "none.jpg") == {"none.jpg": Code.MISSING}


def test_a_photo_of_the_marked_face_is_skipped(tmp_path: Path) -> None:
    put(tmp_path, "sub-1_ses-2_expr-marking.jpg", "sub-1_kind-MARKING_run-1.jpg", "markings.jpg")
    assert codes(tmp_path) == {
        "markings.jpg": None,
        "sub-1_kind-MARKING_run-1.jpg": Code.MARKING_PHOTO,
        "sub-1_ses-2_expr-marking.jpg": Code.MARKING_PHOTO,
    }


# what the names tell


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "sub-001_ses-20250110_expr-frown_run-1.jpg",
            ("001", "20250110", Expression.FROWN, "1"),
        ),
        ("any/where/SUB-a_EXPR-Brow_Raise.JPG", ("a", "", Expression.BROW_RAISE, "")),
        ("run-2_expr-brow-raise_sub-B7.png", ("B7", "", Expression.BROW_RAISE, "2")),
        ("sub-1_expr-rest", ("1", "", Expression.REST, "")),
        ("sub-9/ses-1/IMG_0001.jpg", ("", "", Expression.UNKNOWN, "")),
        ("sub-1_expr-pout.jpg", ("1", "", Expression.UNKNOWN, "")),
        ("mysub-1.jpg", ("", "", Expression.UNKNOWN, "")),
    ],
)
def test_names_tell_subject_visit_expression_and_run(
    name: str, told: tuple[str, str, Expression, str]
) -> None:
    assert parse_name(name) == told


# one outcome per file


def a_mixed_folder(folder: Path) -> Path:
    """Write files that end in every way there is."""
    for number, word in enumerate(["good", "faceless", "refused", "good"]):
        (folder / f"{number}.jpg").write_bytes(f"{word} {number}".encode())
    (folder / "4.jpg").write_bytes(b"good 0")
    (folder / "5_marking.jpg").write_bytes(b"good 5")
    return folder


EXPECTED = [
    ("0.jpg", Status.SCORED, None),
    ("1.jpg", Status.REJECTED, Code.NO_FACE),
    ("2.jpg", Status.REJECTED, Code.BLURRED),
    ("3.jpg", Status.SCORED, None),
    ("4.jpg", Status.SKIPPED, Code.DUPLICATE_OF),
    ("5_marking.jpg", Status.SKIPPED, Code.MARKING_PHOTO),
]


def told(outcomes: list[Outcome]) -> list[tuple[str, Status, Code | None]]:
    return [(outcome.path, outcome.status, outcome.code) for outcome in outcomes]


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_file_gets_one_outcome_in_order(tmp_path: Path, jobs: int) -> None:
    outcomes = list(assess_many([a_mixed_folder(tmp_path)], jobs=jobs, assess_one=pretend))
    assert told(outcomes) == EXPECTED
    assert outcomes[4].message == "The same bytes as 0.jpg."
    assert outcomes[1].sha256 == hashlib.sha256(b"faceless 1").hexdigest()
    assert outcomes[2].assessment is not None, "what was seen is kept, with the reasons"


def test_a_crash_and_a_hang_cost_one_row_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "PHOTO_TIMEOUT_S", 3.0)
    words = {3: "crash", 4: "crash", 7: "hang"}
    for number in range(12):
        (tmp_path / f"{number:02}.jpg").write_text(f"{words.get(number, 'good')} {number}")
    outcomes = list(assess_many([tmp_path], jobs=2, assess_one=pretend))
    bad = dict.fromkeys((3, 4), (Status.CRASHED, Code.CRASHED)) | {7: (Status.TIMED_OUT, Code.TIMED_OUT)}
    assert [(o.status, o.code) for o in outcomes] == [bad.get(n, (Status.SCORED, None)) for n in range(12)]
    assert "exit code 11" in outcomes[3].message


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_is_not_swallowed(tmp_path: Path, jobs: int) -> None:
    (tmp_path / "a.jpg").write_text("bug")
    with pytest.raises(KeyError, match="a bug"):
        list(assess_many([tmp_path], jobs=jobs, assess_one=pretend))


def test_only_a_few_photos_are_under_way_at_a_time(tmp_path: Path) -> None:
    put(tmp_path, *(f"{number:03}.jpg" for number in range(60)))
    outcomes = assess_many([tmp_path], jobs=2, assess_one=pretend)
    assert next(outcomes).path == "000.jpg"
    outcomes.close()  # type: ignore[attr-defined]  # a generator; the pool stops with it


def test_a_batch_keeps_no_charts() -> None:
    sample = next((Path(__file__).parent.parent / "sample_images").glob("*.jpg"))
    [outcome] = assess_many([sample])
    assert outcome.assessment is not None
    assert outcome.assessment.regions
    assert outcome.assessment.chart is None, "3 MB of pixels for each photo"


def test_an_assessment_survives_the_way_between_processes() -> None:
    sent = an_assessment()
    got: Assessment = pickle.loads(pickle.dumps(sent))  # noqa: S301 - our own bytes
    assert not got.face.points_xy.flags.writeable
    assert not got.lines[0].path_mm.flags.writeable
    assert dict(got.face.expression) == dict(sent.face.expression)
    np.testing.assert_array_equal(got.lines[0].path_xy, sent.lines[0].path_xy)
    with pytest.raises(TypeError):
        got.face.expression["smile"] = 1.0  # type: ignore[index]


# a folder of results

TABLES = tuple(
    f"{name}.csv"
    for name in ("photos", "measures_long", "lines", "pairs", "pair_lines", "changes", "line_histories")
)


def tables_in(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in TABLES}


run = functools.partial(score, assess_one=pretend, compare_one=pretend_pair)


def test_the_results_hold_tables_documents_overlays_and_a_run_file(tmp_path: Path) -> None:
    photos, out = a_mixed_folder(put(tmp_path / "in", "notes.txt")), tmp_path / "out"
    seen: list[tuple[str, int, int]] = []

    def note(outcome: Outcome | PairOutcome | Course, done: int, total: int) -> None:
        assert isinstance(outcome, Outcome), "there is no pair, and nobody to follow"
        seen.append((outcome.path, done, total))

    summary = run([photos], out, progress=note)
    assert summary.statuses == {Status.SCORED: 2, Status.REJECTED: 2, Status.SKIPPED: 2}
    assert summary.ignored == {"not_a_photo_file": 1}
    assert seen[-1] == ("5_marking.jpg", 6, 6)
    text = (out / "photos.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.count(b"\r\n") == 7
    sha = hashlib.sha256(b"good 0").hexdigest()
    assert (out / "overlays" / f"{sha[:12]}_0.jpg").read_bytes() == b"\xff\xd8 overlay"
    assert json.loads((out / "json" / f"{sha[:12]}_0.json").read_text())["photo"]["sha256"] == sha
    assert len(list((out / "json").iterdir())) == 3
    found = json.loads((out / "run.json").read_text())
    assert found["settings_digest"] == DEFAULTS.digest
    assert found["files"]["scored"] == 2
    assert {"python", "wrinklecv", "numpy", "mediapipe"} <= set(found["versions"])
    assert not list(out.rglob("*.partial"))


def test_without_overlays_none_is_written(tmp_path: Path) -> None:
    run([put(tmp_path / "in", "a.jpg")], tmp_path / "out", overlays=False)
    assert not list((tmp_path / "out" / "overlays").iterdir())


def test_the_same_photos_give_the_same_bytes_with_any_number_of_processes(tmp_path: Path) -> None:
    photos = a_mixed_folder(put(tmp_path / "in", "a/b.jpg"))
    for out, jobs in (("one", 1), ("again", 1), ("two", 2)):
        run([photos], tmp_path / out, jobs=jobs)
    assert tables_in(tmp_path / "one") == tables_in(tmp_path / "again") == tables_in(tmp_path / "two")


def test_results_inside_the_photo_folder_are_not_walked_the_next_time(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg")
    run([tmp_path], tmp_path / "out")
    first = tables_in(tmp_path / "out")
    summary = run([tmp_path], tmp_path / "other")
    assert summary.ignored == {"own_results": 2}
    run([tmp_path], tmp_path / "out")
    assert tables_in(tmp_path / "out") == first == tables_in(tmp_path / "other")


def test_results_are_not_written_into_the_photos_own_folder(tmp_path: Path) -> None:
    put(tmp_path, "in/a.jpg")
    for out in (tmp_path / "in", tmp_path):
        with pytest.raises(OutputError, match="choose another folder"):
            run([tmp_path / "in"], out)
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a.jpg"]


def test_results_cannot_go_where_a_file_stands(tmp_path: Path) -> None:
    put(tmp_path, "in/a.jpg", "file")
    with pytest.raises(OutputError, match="Cannot write results"):
        run([tmp_path / "in"], tmp_path / "file" / "out")


def test_an_old_result_stands_when_a_run_breaks_off(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.jpg")
    run([tmp_path / "in"], tmp_path / "out")
    before = tables_in(tmp_path / "out") | {"run": (tmp_path / "out" / "run.json").read_bytes()}
    (tmp_path / "in" / "b.jpg").write_text("bug")
    with pytest.raises(KeyError):
        run([tmp_path / "in"], tmp_path / "out")
    assert tables_in(tmp_path / "out") | {"run": (tmp_path / "out" / "run.json").read_bytes()} == before
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_a_full_disk_is_said_plainly_and_leaves_the_old_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "in", "a.jpg")
    run([tmp_path / "in"], tmp_path / "out")
    before = tables_in(tmp_path / "out")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        run([put(tmp_path / "in", "b.jpg")], tmp_path / "out")
    assert tables_in(tmp_path / "out") == before
    assert not list((tmp_path / "out").rglob("*.partial"))


@posix
@pytest.mark.parametrize(
    "name",
    [
        b"CON.jpg",
        b"-rf.jpg",
        b"new\nline.jpg",
        b"\x1b[31mred.jpg",
        b"=cmd|' .jpg",
        b"x..\\..\\y.jpg",
        b"\xff\xfe.jpg",
        "写真 🙂.jpg".encode(),
        b"a" * 251 + b".jpg",
    ],
)
def test_any_name_is_scored_and_its_outputs_open_on_every_system(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(name)).write_bytes(b"good")
    summary = run([tmp_path / "in"], tmp_path / "out", jobs=2)
    assert summary.statuses == {Status.SCORED: 1}
    [document] = (tmp_path / "out" / "json").iterdir()
    assert document.name.isascii()
    assert len(document.name) < 100
    assert (tmp_path / "out" / "photos.csv").read_text("utf-8-sig").count("\n") == 2


def test_nothing_to_score_gives_tables_with_headers_only(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    summary = run([tmp_path / "in"], tmp_path / "out")
    assert not summary.statuses
    assert all(content.count(b"\n") == 1 for content in tables_in(tmp_path / "out").values())


def test_the_settings_reach_the_worker(tmp_path: Path) -> None:
    got: list[Settings] = []

    def note(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
        got.append(settings)
        return pretend(file, path, settings, overlay)

    settings = Settings(max_pose_deg=7.0)
    list(assess_many([put(tmp_path, "a.jpg")], settings=settings, assess_one=note))
    assert got == [settings]


# rest and expression

SAMPLES = Path(__file__).parent.parent / "sample_images"
BROWS, FROWN, REST, SMILE = (
    f"sub-001_ses-20250110_expr-{word}_run-1.jpg" for word in ("brow_raise", "frown", "rest", "smile")
)


def paired(*names: str) -> list[tuple[str, str]]:
    return [(pair.rest.path, pair.expression.path) for pair in find_pairs(map(a_shot, names))]


def test_photos_of_one_subject_and_visit_make_pairs_by_expression() -> None:
    names = ["s_sub-2_ses-1_expr-smile", "sub-1_ses-1_expr-rest", "sub-2_ses-1_expr-rest"]
    names += [
        "sub-1_ses-2_expr-frown",
        "sub-1_ses-1_expr-smile",
        "sub-1_ses-1_expr-brow_raise",
        "sub-1_ses-1",
    ]
    assert paired(*names) == [
        ("sub-2_ses-1_expr-rest", "s_sub-2_ses-1_expr-smile"),
        ("sub-1_ses-1_expr-rest", "sub-1_ses-1_expr-brow_raise"),
        ("sub-1_ses-1_expr-rest", "sub-1_ses-1_expr-smile"),
    ]


def test_names_without_subject_or_visit_make_no_pair() -> None:
    assert not paired("expr-rest", "expr-frown", "sub-1_expr-rest", "sub-1_expr-frown")


def test_each_run_goes_with_the_rest_photo_of_its_own_run_else_with_the_first() -> None:
    a = "sub-1_ses-1_expr-"
    assert paired(
        *(f"{a}{b}" for b in ("frown_run-1", "frown_run-2", "frown_run-3", "rest_run-2", "rest_run-3"))
    ) == [
        (f"{a}rest_run-2", f"{a}frown_run-1"),
        (f"{a}rest_run-2", f"{a}frown_run-2"),
        (f"{a}rest_run-3", f"{a}frown_run-3"),
    ]


def visit(folder: Path, **words: str) -> Path:
    """Write a visit of pretended photos, each with words that say what becomes of it and of its pair."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, said in words.items():
        expression, _, number = name.rpartition("_")
        (folder / f"sub-1_ses-1_expr-{expression}_run-{number}.jpg").write_text(said + f" {name}")
    return folder


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_pair_that_crashes_hangs_or_fails_costs_its_own_rows_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "PAIR_TIMEOUT_S", 3.0)
    photos = visit(
        tmp_path / "in",
        rest_1="good",
        brow_raise_1="good pair-crash",
        brow_raise_2="good",
        frown_1="good pair-hang",
        frown_2="faceless",
        smile_1="good pair-refused",
        smile_2="good",
    )
    summary = run([photos], tmp_path / "out", jobs=2)
    assert summary.statuses == {Status.SCORED: 6, Status.REJECTED: 1}
    assert summary.pairs == {
        PairStatus.COMPARED: 2,
        PairStatus.CRASHED: 1,
        PairStatus.TIMED_OUT: 1,
        PairStatus.REJECTED: 1,
    }
    told = [
        (r["expression"], r["run"], r["status"], r["codes"]) for r in rows(tmp_path / "out" / "pairs.csv")
    ]
    assert told[::4] == [
        ("brow_raise", "1", "crashed", "crashed"),
        ("brow_raise", "2", "compared", ""),
        ("frown", "1", "timed_out", "timed_out"),
        ("smile", "1", "rejected", "changed_while_reading"),
        ("smile", "2", "compared", ""),
    ]
    assert len(told) == 5 * 4


def test_a_bug_in_a_pair_is_not_swallowed_and_leaves_no_table(tmp_path: Path) -> None:
    def broken(*_: object) -> Compared:
        raise KeyError("a bug")

    photos = visit(tmp_path / "in", rest_1="good", frown_1="good")
    with pytest.raises(KeyError, match="a bug"):
        run([photos], tmp_path / "out", compare_one=broken)
    assert not list((tmp_path / "out").rglob("*.csv"))
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_several_runs_get_a_row_of_their_mean_below_them(tmp_path: Path) -> None:
    photos = visit(tmp_path / "in", rest_1="good", frown_1="good", frown_2="good", smile_1="good")
    run([photos], tmp_path / "out")
    found = [(row["expression"], row["run"]) for row in rows(tmp_path / "out" / "pairs.csv")[::4]]
    assert found == [("frown", "1"), ("frown", "2"), ("frown", "mean of 2"), ("smile", "1")]


def test_lines_get_their_kind_from_the_pair_and_at_rest_from_the_regions_own_expression(
    tmp_path: Path,
) -> None:
    kinds_in_turn = iter(("static", "deepened", "dynamic"))

    def compare_one(pair: Pair, settings: Settings, pictures: bool) -> Compared:
        kind = LineKind(next(kinds_in_turn))
        found = pretend_pair(pair, settings, pictures).comparison
        assert found is not None
        return Compared(replace(found, lines=(a_compared_line(kind=kind, rest_line=0, expression_line=0),)))

    photos = visit(tmp_path / "in", rest_1="good", brow_raise_1="good", brow_raise_2="good", frown_1="good")
    run([photos], tmp_path / "out", compare_one=compare_one)
    kinds = {row["photo"].split("expr-")[1]: row["kind"] for row in rows(tmp_path / "out" / "lines.csv")}
    assert kinds == {
        "rest_run-1.jpg": "static",  # a line of the forehead: what the first raised brows say
        "brow_raise_run-1.jpg": "static",
        "brow_raise_run-2.jpg": "deepened",
        "frown_run-1.jpg": "dynamic",
    }


def test_pictures_and_the_document_of_a_pair_bear_the_expression_photos_name(tmp_path: Path) -> None:
    photos = visit(tmp_path / "in", rest_1="good", frown_1="good")
    run([photos], tmp_path / "out")
    [document] = (tmp_path / "out" / "json").glob("*_pair.json")
    name = document.name.removesuffix("_pair.json")
    assert name.endswith("expr-frown_run-1")
    assert (tmp_path / "out" / "overlays" / f"{name}_kinds.jpg").read_bytes() == b"\xff\xd8 beside"
    assert (tmp_path / "out" / "overlays" / f"{name}_blink.gif").read_bytes() == b"GIF89a"
    run_file = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run_file["pairs"]["compared"] == 1


def test_names_from_data_are_escaped_in_the_tables_of_pairs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for word in ("rest", "frown"):
        (tmp_path / "in" / f"=1_sub-=2_ses-@3_expr-{word}.jpg").write_text("good " + word)
    run([tmp_path / "in"], tmp_path / "out")
    for name in ("pairs.csv", "pair_lines.csv"):
        row = rows(tmp_path / "out" / name)[0]
        assert (row["subject"], row["visit"]) == ("'=2", "'@3")
        assert row["rest_photo"].startswith("'=")


def test_drawn_visits_are_compared_alike_with_any_number_of_processes(tmp_path: Path) -> None:
    photos = tmp_path / "in"
    photos.mkdir()
    for name in (BROWS, FROWN, REST, SMILE):
        shutil.copy(SAMPLES / name, photos)
    (photos / SMILE.replace("run-1", "run-2")).write_bytes((SAMPLES / SMILE).read_bytes()[:200_000])
    for jobs in (1, 2):
        summary = score([photos], tmp_path / str(jobs), jobs=jobs, overlays=jobs == 2)
        assert summary.pairs == {PairStatus.COMPARED: 3}
        assert summary.statuses == {Status.SCORED: 4, Status.REJECTED: 1}, (
            "a broken photo costs its pair only"
        )
    one, two = tmp_path / "1", tmp_path / "2"
    assert tables_in(one) == tables_in(two)
    for file in (one / "json").iterdir():
        assert file.read_bytes() == (two / "json" / file.name).read_bytes()
    truth = json.loads((SAMPLES / "truth.json").read_text())
    for pair in rows(one / "pairs.csv"):
        if pair["own"] == "true":
            both = (REST, pair["expression_photo"])
            drawn = [sum(x["region"] == pair["region"] for x in truth[p]["lines"]) for p in both]
            assert int(pair["static_count"]) + int(pair["deepened_count"]) == drawn[0]
            assert int(pair["dynamic_count"]) == drawn[1] - drawn[0]
            assert float(pair["dynamic_gap"]) > 0
    frowned = [
        row for row in rows(one / "lines.csv") if row["photo"] == FROWN and row["region"] == "glabella"
    ]
    assert {row["kind"] for row in frowned} == {"deepened"}
    assert len(list((two / "overlays").glob("*_blink.gif"))) == 3


def test_a_photo_that_changed_between_the_passes_is_not_compared(tmp_path: Path) -> None:
    for name in (REST, FROWN):
        shutil.copy(SAMPLES / name, tmp_path)
    frown, rest = (
        shot_of(f, o) for f, o in zip(find_photos([tmp_path]), assess_many([tmp_path]), strict=True)
    )
    changed = Pair(rest, replace(frown, sha256="0" * 64), Expression.FROWN)
    got = compare_files(changed, DEFAULTS, False)
    assert (got.comparison, got.code) == (None, Code.CHANGED_WHILE_READING)


def test_photos_compared_by_hand_need_no_names(tmp_path: Path) -> None:
    for name, file in ((REST, "a.jpg"), (SMILE, "b.jpg"), (BROWS, "c.jpg")):
        shutil.copy(SAMPLES / name, tmp_path / file)
    found = compare_photos(tmp_path / "a.jpg", [tmp_path / "b.jpg", tmp_path / "c.jpg"], out=tmp_path / "out")
    assert [(p.name, p.pair.expression.path, p.status) for p in found.pairs] == [
        (Expression.BROW_RAISE, "c.jpg", PairStatus.COMPARED),
        (Expression.SMILE, "b.jpg", PairStatus.COMPARED),
    ]
    assert all(p.comparison and p.comparison.rest.chart is None for p in found.pairs)
    assert {row["expression"] for row in rows(tmp_path / "out" / "pairs.csv")} == {"brow_raise", "smile"}
    assert len(rows(tmp_path / "out" / "photos.csv")) == 3
