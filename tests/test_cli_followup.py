"""The commands of follow-up as a person meets them: data on stdout, words on stderr, exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run, table
from PIL import Image

from wrinklecv import DISCLAIMER
from wrinklecv.follow_tables import CHANGE_VIEW
from wrinklecv.records import MEASURE_VERSION, Region
from wrinklecv.settings import DEFAULTS

SAMPLES = Path(__file__).parent.parent / "sample_images"
DAYS = ("20250110", "20250124")


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
    assert "Next photo: 2025-04-10 (has passed)." in done.stderr
    assert "Photos by hand differ by more" in done.stderr
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
    how = {"settings_digest": DEFAULTS.digest, "measure_version": MEASURE_VERSION}
    noise.write_text(json.dumps({**how, "noise": told}))
    done = run("follow-up", "001", "--jobs", "1", "--noise", noise, store=filled)
    assert "differ by 20.0% (SD): 12 own repeats of 2 people." in done.stderr
    assert {row["verdict"] for row in table(done.stdout)} == {"no_detectable_change"}
    noise.write_text(json.dumps({**how, "measure_version": MEASURE_VERSION - 1, "noise": told}))
    done = run("follow-up", "001", "--noise", noise, store=filled)
    assert done.exit_code == 2
    assert "another version: measure the repeats again" in done.stderr
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
