"""A clinic's own noise: repeats without change, figures with intervals, and files that tell none."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wrinklecv import repeatability
from wrinklecv.errors import SettingsError
from wrinklecv.histories import NoiseFigure
from wrinklecv.records import Expression, Region
from wrinklecv.repeatability import (
    NOISE_COLUMNS,
    Repeatability,
    Repeats,
    measure_repeatability,
    measure_set,
    noise_rows,
    read_noise,
    repeatability_document,
)
from wrinklecv.settings import DEFAULTS
from wrinklecv.tables import to_json

SAMPLES = Path(__file__).parent.parent / "sample_images"
REST = "sub-001_ses-20250110_expr-rest_run-1.jpg"


def drawn(people: int, shots: int, relative_sd: float) -> list[Repeats]:
    """Return indices of people whose two regions have about the given noise."""
    random = np.random.default_rng(3)
    return [
        Repeats(
            str(person),
            region,
            Expression.REST,
            tuple(20 * (1 + person) * (1 + relative_sd * random.standard_normal(shots))),
        )
        for person in range(people)
        for region in (Region.FOREHEAD, Region.GLABELLA)
    ]


def test_the_relative_noise_that_was_drawn_is_found_whatever_the_level_of_a_face() -> None:
    repeats = drawn(8, 6, 0.05)
    figure = repeatability._pooled(repeats, 40)
    assert figure is not None
    assert figure.relative_sd == pytest.approx(0.05, rel=0.2)
    assert (figure.own, figure.source) == (True, "40 own repeats of 8 people")


def test_too_few_repeats_or_one_person_tell_no_figure() -> None:
    assert repeatability._pooled(drawn(3, 3, 0.05), 6) is None
    assert repeatability._pooled(drawn(1, 20, 0.05), 19) is None
    assert repeatability._pooled([], 0) is None


def test_a_face_almost_without_lines_says_nothing_of_relative_noise() -> None:
    faint = Repeats("x", Region.FOREHEAD, Expression.REST, (0.0, 0.1))
    assert repeatability._relative([*drawn(3, 2, 0.01), faint]) == repeatability._relative(drawn(3, 2, 0.01))


def test_each_region_and_state_has_a_row_with_intervals() -> None:
    found = Repeatability(tuple(repeatability._figures(drawn(8, 3, 0.05))), None, (), DEFAULTS.digest)
    rows = list(noise_rows(found))
    assert [tuple(row) for row in rows] == [NOISE_COLUMNS] * 2
    for row in rows:
        low, value, high = (float(row[name] or 0) for name in ("sw_low", "sw", "sw_high"))
        assert 0 < low < value < high
        assert row["sem"] == row["sw"]
        assert float(row["icc"] or 0) > 0.9, "faces differ far more than their repeats"


def test_the_same_bytes_twice_are_no_repeat(tmp_path: Path) -> None:
    for run in "12":
        shutil.copy(SAMPLES / REST, tmp_path / REST.replace("run-1", f"run-{run}"))
    found = measure_set("001", Expression.REST, sorted(tmp_path.iterdir()), DEFAULTS)
    assert not found.repeats
    assert found.left_out == ((REST.replace("run-1", "run-2"), "The same bytes as another shot."),)


def test_a_shot_without_a_second_and_a_bad_one_are_left_out_with_a_reason(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / REST, tmp_path)
    (tmp_path / REST.replace("run-1", "run-2")).write_bytes(b"<html>")
    (tmp_path / "sub-2_expr-smile.jpg").write_bytes(b"x")
    found = measure_repeatability(tmp_path, jobs=1)
    assert found.figures == ()
    told = dict(found.left_out)
    assert told["sub-2_expr-smile.jpg"] == "There is no second shot of it."
    assert REST.replace("run-1", "run-2") in told


def test_a_figure_survives_the_way_through_a_file(tmp_path: Path) -> None:
    figure = NoiseFigure(0.06, "12 own repeats of 3 people", own=True)
    file = tmp_path / "repeatability.json"
    file.write_text(to_json(repeatability_document(Repeatability((), figure, (), DEFAULTS.digest))))
    assert read_noise(file) == figure
    other = replace(DEFAULTS, max_pose_deg=11.0)
    with pytest.raises(SettingsError, match="other settings"):
        read_noise(file, settings=other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "was not written by"),
        ("[]", "holds no figure"),
        ('{"noise": null, "settings_digest": ""}', "too few to tell"),
        ('{"noise": {"relative_sd": 7}, "settings_digest": ""}', "holds no figure"),
    ],
)
def test_a_file_without_a_figure_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "n.json").write_text(text)
    with pytest.raises(SettingsError, match=words):
        read_noise(tmp_path / "n.json")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_noise(tmp_path / "n.json")
