"""The commands of what is on record as a person meets them: data on stdout, words on stderr, exit codes."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from commands import run, table

from wrinklecv.store import open_store

SAMPLES = Path(__file__).parent.parent / "sample_images"


@pytest.mark.parametrize(
    "words",
    [
        ("import",),
        ("follow-up",),
        ("repeatability",),
        ("purge",),
        *(
            (name, *more)
            for name in ("subjects", "visits", "treatments")
            for more in ((), ("add",), ("list",))
        ),
        *((name, more) for name in ("visits", "treatments") for more in ("change", "remove")),
    ],
)
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    done = run(*words, "--help")
    assert done.exit_code == 0
    assert f"Example: wrinklecv {' '.join(words)}" in " ".join(done.stdout.split())


def test_subjects_are_added_and_listed(tmp_path: Path) -> None:
    assert run("subjects", "add", "7", "--name", "A. Smith", store=tmp_path).exit_code == 0
    assert run("subjects", "add", "8", "--store", tmp_path).exit_code == 0
    done = run("subjects", "list", store=tmp_path)
    assert table(done.stdout) == [{"code": "7", "name": "A. Smith"}, {"code": "8", "name": ""}]
    found = run("subjects", "list", "--search", "smith", store=tmp_path)
    assert [row["code"] for row in table(found.stdout)] == ["7"]


def test_without_a_store_it_is_in_the_home_folder(tmp_path: Path) -> None:
    assert run("subjects", "add", "7", home=str(tmp_path)).exit_code == 0
    assert (tmp_path / "wrinklecv" / "wrinklecv.sqlite3").exists()


def test_treatments_are_added_once_and_listed(tmp_path: Path) -> None:
    run("subjects", "add", "7", store=tmp_path)
    for _ in range(2):
        words = ("7", "2025-01-10", "glabella", "crows_feet", "--units", "20", "--product", "A")
        assert run("treatments", "add", *words, store=tmp_path).exit_code == 0
    (row,) = table(run("treatments", "list", "7", store=tmp_path).stdout)
    assert row["regions"] == "glabella;crows_feet_left;crows_feet_right"
    assert (row["day"], row["product"], row["units"]) == ("2025-01-10", "A", "20.0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("treatments", "add", "7", "10.1.2025", "all"), "is no day"),
        (("treatments", "add", "7", "2025-01-10", "chin"), "chin is no region"),
        (("treatments", "add", "7", "2099-01-10", "all"), "lies in the future"),
        (("import", "no/such/folder"), "does not exist"),
        (("visits", "add", "7", "2025-01-10", "no.jpg"), "does not exist"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run(*words, store=tmp_path)
    assert done.exit_code == 2
    assert said in done.stderr


def test_an_unknown_subject_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    done = run("follow-up", "77", store=tmp_path)
    assert done.exit_code == 1
    assert done.stderr == "Error: There is no subject 77. Add it first, or check the code.\n"
    assert not done.stdout


def test_a_visit_is_added_once_with_its_guess_and_its_bad_photo(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run("subjects", "add", "7", store=store)
    for name in ("rest", "frown"):
        shutil.copy(SAMPLES / f"sub-001_ses-20250110_expr-{name}_run-1.jpg", tmp_path / f"{name}.jpg")
    (tmp_path / "bad.jpg").write_text("<html>")
    (tmp_path / "dots.jpg").write_text("dots")
    shown = [tmp_path / name for name in ("frown.jpg", "bad.jpg")]
    rest, dots = tmp_path / "rest.jpg", tmp_path / "dots.jpg"
    words: tuple[str | Path, ...] = (
        "add",
        "7",
        "2025-01-10",
        *shown,
        "--rest",
        rest,
        "--marking",
        dots,
        "--jobs",
        "1",
    )
    for _ in range(2):
        done = run("visits", *words, store=store)
        assert done.exit_code == 1
        assert "bad.jpg: " in done.stderr
        assert "Visit 1 of subject 7 is in the store." in done.stderr
    rows = {row["photo"]: row for row in table(done.stdout)}
    assert (rows["frown.jpg"]["expression"], rows["frown.jpg"]["guessed"]) == ("frown", "true")
    assert (rows["rest.jpg"]["kind"], rows["rest.jpg"]["status"]) == ("rest", "scored")
    assert (rows["bad.jpg"]["status"], rows["bad.jpg"]["code"]) == ("not_scored", "not_an_image")
    assert (rows["dots.jpg"]["kind"], rows["dots.jpg"]["status"]) == ("marking", "kept")
    listed = table(run("visits", "list", "7", store=store).stdout)
    assert {row["photo"] for row in listed} == set(rows)
    assert {row["day"] for row in listed} == {"2025-01-10"}


def test_purge_asks_first_and_deletes_for_good(tmp_path: Path) -> None:
    run("subjects", "add", "7", store=tmp_path)
    assert run("purge", "7", store=tmp_path).exit_code == 1  # nobody said yes
    done = run("purge", "7", "--yes", store=tmp_path)
    assert done.exit_code == 0
    assert "Deleted: 0 visits, 0 treatments, 0 photos." in done.stderr
    assert table(run("subjects", "list", store=tmp_path).stdout) == []


# -- corrections -----------------------------------------------------------------------------------


def test_a_treatment_is_corrected_and_the_audit_keeps_the_day_it_had(tmp_path: Path) -> None:
    run("subjects", "add", "7", store=tmp_path)
    run("treatments", "add", "7", "2025-01-10", "glabella", "--units", "20", store=tmp_path)
    done = run("treatments", "change", "7", "1", "--day", "2025-01-12", store=tmp_path)
    assert done.exit_code == 0
    assert "is of 2025-01-12; it was stored as of 2025-01-10." in done.stderr
    (row,) = table(run("treatments", "list", "7", store=tmp_path).stdout)
    assert (row["day"], row["regions"], row["units"]) == ("2025-01-12", "glabella", "20.0")
    with open_store(tmp_path) as store:
        assert dict(store.audit()[-1].details) == {"day_before": "2025-01-10", "day": "2025-01-12"}


def test_a_treatment_that_never_was_is_removed_when_a_person_says_yes(tmp_path: Path) -> None:
    run("subjects", "add", "7", store=tmp_path)
    run("treatments", "add", "7", "2025-01-10", "glabella", store=tmp_path)
    assert run("treatments", "remove", "7", "1", store=tmp_path).exit_code == 1  # nobody said yes
    assert run("treatments", "remove", "7", "1", "--yes", store=tmp_path).exit_code == 0
    assert table(run("treatments", "list", "7", store=tmp_path).stdout) == []
    with open_store(tmp_path) as store:
        last = store.audit()[-1]
        assert (last.action, last.target, dict(last.details)) == (
            "delete",
            "treatment 1",
            {"day": "2025-01-10"},
        )
    gone = run("treatments", "remove", "7", "1", "--yes", store=tmp_path)
    assert gone.exit_code == 2
    assert "There is no number 1; there are: none." in gone.stderr


def test_a_visit_is_corrected_and_removed(tmp_path: Path) -> None:
    store, photo = tmp_path / "store", tmp_path / "dots.jpg"
    photo.write_text("dots")
    run("subjects", "add", "7", store=store)
    run("visits", "add", "7", "2025-01-10", photo, "--marking", photo, store=store)
    words = ("visits", "change", "7", "1", "--day", "2025-01-24", "--notes", "day 14")
    assert run(*words, store=store).exit_code == 0
    with open_store(store) as opened:
        (visit,) = opened.page("7").visits
        assert (visit.visited_on, visit.notes, len(visit.photos)) == (date(2025, 1, 24), "day 14", 1)
        assert opened.audit()[-1].details["day_before"] == "2025-01-10"
    assert run("visits", "remove", "7", "1", "--yes", store=store).exit_code == 0
    assert table(run("visits", "list", "7", store=store).stdout) == []


def test_a_clock_that_runs_behind_is_said(tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    with open_store(tmp_path, now=lambda: later) as store:
        store.note("export", "x")
        assert not store.clock_warning()
    done = run("subjects", "list", store=tmp_path)
    assert done.exit_code == 0
    assert f"the newest record is of {later:%Y-%m-%d %H:%M} UTC" in done.stderr
