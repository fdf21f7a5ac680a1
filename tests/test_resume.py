"""Going on where a run stopped: nothing lost, nothing twice, nothing of another kind taken over."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from builders import an_assessment, pretend
from pair_builders import pretend_pair
from test_batch import BROWS, FROWN, REST, SAMPLES, a_mixed_folder, put, rows, tables_in, visit

from wrinklecv import batch, kept, photo
from wrinklecv.batch import score
from wrinklecv.codes import Code
from wrinklecv.errands import Compared, Scored, note_crash
from wrinklecv.errors import OutputError
from wrinklecv.exports import Format, write_exports
from wrinklecv.ledger import Ledger
from wrinklecv.listing import Found, Pair, PairStatus
from wrinklecv.plans import plan
from wrinklecv.records import Status
from wrinklecv.settings import Settings
from wrinklecv.workers import Failed

run = functools.partial(score, assess_one=pretend, compare_one=pretend_pair)


def forbidden(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
    raise AssertionError(f"{path} was measured again")


def forbidden_pair(pair: Pair, settings: Settings, pictures: bool) -> Compared:
    raise AssertionError(f"{pair.expression.path} was compared again")


def files_in(out: Path) -> dict[str, bytes]:
    """Return all that a run wrote for people, but for run.json, which tells the time."""
    found = (file for file in out.rglob("*") if file.is_file() and "kept" not in file.parts)
    return {str(f.relative_to(out)): f.read_bytes() for f in found if f.name != "run.json"}


def noting(seen: list[str]) -> Callable[[Path, str, Settings, bool], Scored]:
    """Return what stands in for `assess_file` and notes what it was asked for."""

    def assess_one(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
        seen.append(path)
        return pretend(file, path, settings, overlay)

    return assess_one


def test_a_finished_folder_is_taken_over_whole_refused_photos_too(tmp_path: Path) -> None:
    photos, out = a_mixed_folder(put(tmp_path / "in", "b.jpg")), tmp_path / "out"
    assert run([photos], out).taken_over["files"] == 0, "a copy of a photo of this run neither"
    before = files_in(out)
    summary = score([photos], out, assess_one=forbidden)
    assert summary.taken_over["files"] == 5, "all but a copy, and the photo of the marked face: never opened"
    assert files_in(out) == before
    assert json.loads((out / "run.json").read_text())["taken_over"]["files"] == 5


def test_what_was_finished_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.jpg", "b.jpg", "c.jpg")
    run([tmp_path / "in"], tmp_path / "out")
    (tmp_path / "in" / "a.jpg").rename(tmp_path / "in" / "z.jpg")
    (tmp_path / "in" / "b.jpg").write_text("good but other bytes")
    seen: list[str] = []
    score([tmp_path / "in"], tmp_path / "out", assess_one=noting(seen))
    assert seen == ["b.jpg"]
    run([tmp_path / "in"], tmp_path / "fresh")
    assert tables_in(tmp_path / "out") == tables_in(tmp_path / "fresh")


def test_a_name_that_ends_otherwise_may_be_a_doubt_and_is_measured_again(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.jpg")
    run([tmp_path / "in"], tmp_path / "out")
    (tmp_path / "in" / "a.jpg").rename(tmp_path / "in" / "a.png")
    seen: list[str] = []
    score([tmp_path / "in"], tmp_path / "out", assess_one=noting(seen))
    assert seen == ["a.png"]


@pytest.mark.parametrize("harm", ["torn", "bit", "empty", "foreign", "gone", "old record"])
def test_a_result_that_is_damaged_or_not_its_own_is_made_again(tmp_path: Path, harm: str) -> None:
    photos, out = put(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    run([photos], out)
    before = files_in(out)
    one, other = sorted(file for file in (out / "kept").rglob("*") if file.is_file())
    content = one.read_bytes()
    if harm == "old record":  # as an earlier version wrote it: well kept, but a field is missing
        place = kept.Kept(out / "kept", one.parent.parent.name)
        tree = place.read(one.name)
        assert tree
        del tree["message"]
        place.write(one.name, tree)
    elif harm == "gone":
        one.unlink()
    else:
        bits = content[:200] + bytes([content[200] ^ 1]) + content[201:]
        harmed = {"torn": content[:-9], "bit": bits, "empty": b"", "foreign": other.read_bytes()}
        one.write_bytes(harmed[harm])
    seen: list[str] = []
    score([photos], out, assess_one=noting(seen))
    assert len(seen) == 1
    assert files_in(out) == before
    assert one.read_bytes() == content


def test_other_settings_or_versions_measure_again_and_the_first_ones_are_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, out = put(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    run([photos], out)
    assert run([photos], out, settings=Settings(max_pose_deg=7.0)).taken_over["files"] == 0
    with monkeypatch.context() as patch:
        patch.setattr(kept, "MEASURE_VERSION", 99)
        assert run([photos], out).taken_over["files"] == 0
    with monkeypatch.context() as patch:
        patch.setattr(kept, "version", lambda name: "0" if name == "mediapipe" else "1")
        assert run([photos], out).taken_over["files"] == 0
    assert score([photos], out, assess_one=forbidden).taken_over["files"] == 2


def test_all_is_measured_anew_when_asked(tmp_path: Path) -> None:
    photos, out = put(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    run([photos], out)
    seen: list[str] = []
    summary = score([photos], out, assess_one=noting(seen), anew=True)
    assert (seen, summary.taken_over["files"]) == (["a.jpg", "b.jpg"], 0)


def test_the_order_in_which_photos_are_named_changes_nothing(tmp_path: Path) -> None:
    photos = a_mixed_folder(put(tmp_path / "in", "a/b.jpg", "a-b.jpg"))
    run([photos], tmp_path / "one")
    names = sorted(file for file in photos.rglob("*.jpg"))
    run(names, tmp_path / "two")
    run([*names[3:], *names[:3]][::-1], tmp_path / "three", jobs=2)
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two") == files_in(tmp_path / "three")


def test_a_run_that_breaks_off_keeps_what_is_finished_and_the_old_tables(tmp_path: Path) -> None:
    photos, out = put(tmp_path / "in", *(f"{number}.jpg" for number in range(9))), tmp_path / "out"
    run([photos], out)
    before = tables_in(out)
    put(photos, "more1.jpg", "more2.jpg", "more3.jpg")

    def stop(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
        if path == "more3.jpg":
            raise KeyboardInterrupt
        return pretend(file, path, settings, overlay)

    with pytest.raises(KeyboardInterrupt):
        score([photos], out, assess_one=stop)
    assert tables_in(out) == before
    seen: list[str] = []
    score([photos], out, assess_one=noting(seen))
    assert seen == ["more3.jpg"]
    run([photos], tmp_path / "fresh")
    assert files_in(out) == files_in(tmp_path / "fresh")


def test_a_photo_that_killed_its_workers_is_not_tried_again_unless_asked(tmp_path: Path) -> None:
    photos, out = put(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    (photos / "a.jpg").write_text("crash")
    first = run([photos], out, jobs=2)
    assert first.statuses == {Status.CRASHED: 1, Status.SCORED: 1}
    before = files_in(out)
    again = score([photos], out, assess_one=forbidden)
    assert (again.statuses, again.taken_over["files"]) == (first.statuses, 2)
    assert files_in(out) == before
    assert [row["code"] for row in rows(out / "photos.csv")] == ["crashed", ""]
    asked = run([photos], out, jobs=2, anew=True)
    assert (asked.statuses, asked.taken_over["files"]) == (first.statuses, 0)


def test_one_job_apart_survives_a_crash_too(tmp_path: Path) -> None:
    photos = put(tmp_path / "in", "b.jpg")
    (photos / "a.jpg").write_text("crash")
    summary = run([photos], tmp_path / "out", jobs=1, apart=True)
    assert summary.statuses == {Status.CRASHED: 1, Status.SCORED: 1}


def test_pairs_are_taken_over_and_one_that_killed_its_workers_too(tmp_path: Path) -> None:
    words = {
        "rest_1": "good",
        "frown_1": "good",
        "frown_2": "good pair-crash",
        "smile_1": "good pair-refused",
    }
    photos, out = visit(tmp_path / "in", **words), tmp_path / "out"
    first = run([photos], out, jobs=2)
    before = files_in(out)
    seen: list[str] = []

    def compare_one(pair: Pair, settings: Settings, pictures: bool) -> Compared:
        seen.append(pair.expression.path)
        return pretend_pair(pair, settings, pictures)

    again = score([photos], out, assess_one=forbidden, compare_one=compare_one)
    assert seen == ["sub-1_ses-1_expr-smile_run-1.jpg"], "a file that had changed is tried again"
    assert (again.pairs, again.taken_over["pairs"]) == (first.pairs, 2)
    assert again.pairs == {PairStatus.COMPARED: 1, PairStatus.CRASHED: 1, PairStatus.REJECTED: 1}
    assert files_in(out) == before


def test_drawn_visits_are_taken_over_and_missing_pictures_are_drawn_again(tmp_path: Path) -> None:
    photos, out = tmp_path / "in", tmp_path / "out"
    photos.mkdir()
    second = REST.replace("20250110", "20250124")
    for name in (REST, FROWN, second, "treatments.csv"):
        shutil.copy(SAMPLES / name, photos)
    (photos / "broken.jpg").write_bytes((SAMPLES / BROWS).read_bytes()[:90_000])
    score([photos], out)
    before = files_in(out)
    assert {"changes.csv", "line_histories.csv"} <= set(before)
    again = score([photos], out, assess_one=forbidden, compare_one=forbidden_pair)
    assert again.taken_over == {"files": 4, "pairs": 1, "subjects": 1}
    assert files_in(out) == before
    overlays = sorted((out / "overlays").glob("*"))
    overlays[0].unlink()
    overlays[1].write_bytes(b"\xff\xd8 of another run")
    overlays[2].unlink()
    score([photos], out, assess_one=forbidden)
    assert files_in(out) == before


def test_two_runs_do_not_write_to_one_folder_at_once(tmp_path: Path) -> None:
    photos = put(tmp_path / "in", "a.jpg")

    def meanwhile(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
        with pytest.raises(OutputError, match="Another run is writing"):
            run([photos], tmp_path / "out")
        return pretend(file, path, settings, overlay)

    assert score([photos], tmp_path / "out", assess_one=meanwhile).statuses == {Status.SCORED: 1}
    assert run([photos], tmp_path / "out").taken_over["files"] == 1


def test_a_folder_is_one_runs_until_its_last_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, out, tried = put(tmp_path / "in", "a.jpg"), tmp_path / "out", []

    def meanwhile(place: Path, formats: Collection[Format]) -> None:
        assert not (out / "run.json").exists(), "it spoke of the tables before"
        with pytest.raises(OutputError, match="Another run is writing"):
            tried.append(run([photos], out))
        write_exports(place, formats)

    run([photos], out)
    monkeypatch.setattr("wrinklecv.batch.write_exports", meanwhile)
    run([photos], out)
    assert not tried and (out / "run.json").exists()


def test_a_photo_without_numbers_keeps_no_document_of_an_earlier_run(tmp_path: Path) -> None:
    photos, out = put(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    run([photos], out)
    assert len(list((out / "json").iterdir())) == len(list((out / "overlays").iterdir())) == 2

    def faceless(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
        found = pretend(file, path, settings, overlay)
        told = Scored(found.sha256, code=Code.NO_FACE, message="No face was found.")
        return told if path == "a.jpg" else found

    score([photos], out, assess_one=faceless, anew=True)
    assert [file.name[12:] for file in (out / "json").iterdir()] == ["_b.json"]
    assert [file.name[12:] for file in (out / "overlays").iterdir()] == ["_b.jpg"]


def test_a_photo_on_a_disk_that_does_not_answer_is_not_read_again_by_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "read_file", lambda file: pytest.fail("it would hang"))
    slow = Failed(Code.TIMED_OUT, "Measuring it took longer than 60 s.")
    assert note_crash(tmp_path / "a.jpg", "a.jpg", slow, None).sha256 == ""


def test_a_photo_that_failed_by_the_machine_takes_no_copy_along() -> None:
    ledger = Ledger()
    lost = Scored("1" * 64, code=Code.CRASHED, message="The process that measured it died.")
    good = Scored("1" * 64, an_assessment(sha256="1" * 64))
    found = [
        batch._judged(Found(Path(name), name), one, ledger).status
        for name, one in (("a.jpg", lost), ("b.jpg", good), ("c.jpg", good))
    ]
    ledger.close()
    assert found == [Status.CRASHED, Status.SCORED, Status.SKIPPED]


def test_a_full_temporary_folder_is_said(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger._do("PRAGMA max_page_count=20")
    with pytest.raises(OutputError, match="temporary folder"):
        for number in range(5000):
            ledger.first_with(f"{number:064x}", "a.jpg", "")
    ledger.close()


def test_what_is_planned_is_what_is_done_however_the_folders_are_named(tmp_path: Path) -> None:
    visit(tmp_path / "a", rest_1="good", frown_2="good")
    visit(tmp_path / "b", rest_3="good")
    named = [tmp_path / "b", tmp_path / "a"]
    run(named, tmp_path / "out")
    done = {row["rest_photo"] for row in rows(tmp_path / "out" / "pairs.csv")}
    assert {pair.rest.path for pair in plan(named).pairs} == done == {"a/sub-1_ses-1_expr-rest_run-1.jpg"}


def test_what_a_killed_run_left_half_written_is_removed(tmp_path: Path) -> None:
    photos, out = put(tmp_path / "in", "a.jpg"), tmp_path / "out"
    run([photos], out)
    left = [out / ".x.partial", out / "json" / ".y.partial", out / "kept" / "unfinished" / ".z.partial"]
    for file in left:
        file.write_text("half")
    run([photos], out)
    assert not any(file.exists() for file in left)


def test_a_full_disk_under_a_worker_is_said_plainly_and_what_is_kept_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, out = put(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    run([photos], out)
    before = files_in(out)
    put(photos, "c.jpg", "d.jpg")
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"What is finished is kept") as caught:
            run([photos], out, jobs=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "File too large" in str(caught.value)
    assert {name: content for name, content in files_in(out).items() if name in before} == before
    assert run([photos], out).statuses == {Status.SCORED: 4}


def test_ctrl_c_stops_with_130_says_how_to_go_on_and_the_same_command_does(tmp_path: Path) -> None:
    photos, out = tmp_path / "in", tmp_path / "out"
    photos.mkdir()
    content = (SAMPLES / REST).read_bytes()
    for number in range(12):
        comment = str(number).encode()
        marker = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big")
        (photos / f"{number:02}.jpg").write_bytes(content[:2] + marker + comment + content[2:])
    command = [sys.executable, "-m", "wrinklecv", "score", str(photos), "--out", str(out), "--jobs", "1"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs the tests in the background has its children ignore Ctrl-C, and theirs.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "00.jpg\tscored\t\n"
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all processes at once
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("Stopped. What is finished is kept in ")
    assert "Traceback" not in said
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Finished before and taken over: " in done.stderr
    assert done.stdout.count("scored") == 12
