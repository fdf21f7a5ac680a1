"""The commands of follow-up as a person meets them: data on stdout, words on stderr, exit codes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from wrinklecv import DISCLAIMER
from wrinklecv.cli import app
from wrinklecv.follow_tables import CHANGE_VIEW
from wrinklecv.records import Region
from wrinklecv.settings import DEFAULTS

SAMPLES = Path(__file__).parent.parent / "sample_images"
DAYS = ("20250110", "20250124")


def run(*words: str | Path, store: Path | None = None, home: str = "/nonexistent") -> Result:
    where = {"WRINKLECV_STORE": str(store) if store else "", "WRINKLECV_PHOTOS": "", "COLUMNS": "200"}
    return CliRunner().invoke(app, [str(word) for word in words], env={**where, "HOME": home})


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two visits of the sample subject, taken in by the command itself."""
    folder, store = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("store")
    for day in DAYS:
        for name in ("rest", "brow_raise"):
            shutil.copy(SAMPLES / f"sub-001_ses-{day}_expr-{name}_run-1.jpg", folder)
    shutil.copy(SAMPLES / "treatments.csv", folder)
    done = run("import", folder, "--jobs", "1", store=store)
    assert done.exit_code == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert first == "sub-001_ses-20250110_expr-brow_raise_run-1.jpg\timported\t001\t2025-01-10\t"
    assert "4 photos: 4 imported.\n1 treatment: 1 imported.\n" in done.stderr
    again = run("import", folder, "--jobs", "1", store=store)
    assert again.exit_code == 0
    assert "4 photos: 4 already there.\n1 treatment: 1 already there.\n" in again.stderr
    yield store


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


def test_follow_up_prints_changes_and_says_status_noise_and_next_photo(filled: Path, tmp_path: Path) -> None:
    done = run("follow-up", "001", "--jobs", "1", "--out", tmp_path / "out", store=filled)
    assert done.exit_code == 0
    rows = table(done.stdout)
    assert tuple(rows[0]) == CHANGE_VIEW
    (raised,) = (row for row in rows if (row["region"], row["state"]) == ("forehead", "brow_raise"))
    assert float(raised["share"]) == pytest.approx(0.72 - 1, abs=0.05)
    assert (raised["verdict"], raised["treated"]) == ("changed", "true")
    assert "2025-01-24: at or near peak, day 14 since treatment." in done.stderr
    assert "unchanged face differ by 3.4%" in done.stderr
    assert "Next photo: 2025-04-10." in done.stderr
    assert DISCLAIMER in done.stderr
    files = sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith("."))
    assert files == ["changes.csv", "follow_up.json", "line_histories.csv", "series.csv"]


def test_follow_up_prints_json(filled: Path) -> None:
    done = run("follow-up", "001", "--json", "--jobs", "1", store=filled)
    tree = json.loads(done.stdout)
    assert (tree["subject"], tree["baseline"], tree["disclaimer"]) == ("001", "2025-01-10", DISCLAIMER)
    assert len(tree["visits"]) == 2


def test_follow_up_goes_by_the_clinics_own_noise_and_refuses_another_file(
    filled: Path, tmp_path: Path
) -> None:
    noise = tmp_path / "repeatability.json"
    told = {"relative_sd": 0.2, "source": "12 own repeats of 2 people"}
    noise.write_text(json.dumps({"settings_digest": DEFAULTS.digest, "noise": told}))
    done = run("follow-up", "001", "--jobs", "1", "--noise", noise, store=filled)
    assert "differ by 20.0% (SD): 12 own repeats of 2 people." in done.stderr
    assert {row["verdict"] for row in table(done.stdout)} == {"no_detectable_change"}
    noise.write_text("{}")
    done = run("follow-up", "001", "--noise", noise, store=filled)
    assert done.exit_code == 2
    assert "was not written by" in done.stderr


def test_repeats_are_measured_printed_and_saved(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for subject in ("001", "002"):
        name = f"sub-{subject}_ses-20250110_expr-rest_run-1.jpg"
        shutil.copy(SAMPLES / name, folder)
        with Image.open(SAMPLES / name) as photo:
            photo.save(folder / name.replace("run-1", "run-2"), quality=90)
    (folder / "holiday.jpg").write_bytes(b"x")
    done = run("repeatability", folder, "--jobs", "1", "--out", out)
    assert done.exit_code == 1, "two repeats are too few for a figure"
    assert "Too few repeats" in done.stderr
    assert "holiday.jpg: Neither its name nor a manifest tells subject and expression." in done.stderr
    rows = table(done.stdout)
    assert [row["region"] for row in rows] == [str(region) for region in Region]
    assert {(row["state"], row["subjects"], row["photos"]) for row in rows} == {("rest", "2", "4")}
    for row in rows:
        assert 0 < float(row["sw"]) < 0.02 * float(row["mean_index"]), "a JPEG saved again is the same face"
        assert float(row["mdc95"]) == pytest.approx(1.96 * 2**0.5 * float(row["sw"]), rel=1e-4)
    tree = json.loads((out / "repeatability.json").read_text())
    assert (tree["noise"], tree["disclaimer"]) == (None, DISCLAIMER)
    assert (out / "repeatability.csv").read_bytes().count(b"\r\n") == 5


def test_purge_asks_first_and_deletes_for_good(tmp_path: Path) -> None:
    run("subjects", "add", "7", store=tmp_path)
    assert run("purge", "7", store=tmp_path).exit_code == 1  # nobody said yes
    done = run("purge", "7", "--yes", store=tmp_path)
    assert done.exit_code == 0
    assert "Deleted: 0 visits, 0 treatments, 0 photos." in done.stderr
    assert table(run("subjects", "list", store=tmp_path).stdout) == []
