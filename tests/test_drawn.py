"""The bench of human lines: what it counts, and that fitting finds the weights that were put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.drawn import agreement, drawn_photos, evenly, person_of, scores
from benchmarks.examples import Examples
from benchmarks.train import fit
from wrinklecv import chart as face_chart
from wrinklecv.traits import TRAITS

PATH = np.column_stack([np.arange(0, 300.0), np.full(300, 50.0)])


def test_a_line_agrees_with_itself() -> None:
    assert scores(agreement(PATH, PATH, 1.0)) == (1.0, 1.0, 1.0)


def test_beyond_the_tolerance_nothing_agrees() -> None:
    aside = PATH + np.array((0, 1.2 * face_chart.PX_PER_MM))
    assert scores(agreement(aside, PATH, 1.0))[2] == 0
    assert scores(agreement(aside, PATH, 1.5))[2] == 1


def test_half_a_line_is_right_and_half_of_it_is_missed() -> None:
    precision, recall, f1 = scores(agreement(PATH[:150], PATH, 0.5))
    assert precision == 1
    assert recall == pytest.approx(0.5, abs=0.02)
    assert f1 == pytest.approx(2 / 3, abs=0.02)


def test_nothing_found_and_nothing_drawn_score_nothing() -> None:
    none = np.zeros((0, 2))
    assert scores(agreement(none, none, 1.0)) == (0, 0, 0)
    assert scores(agreement(PATH, none, 1.0)) == (0, 0, 0)


def test_points_lie_one_pixel_apart() -> None:
    steps = np.linalg.norm(np.diff(evenly([PATH[::7]]), axis=0), axis=1)
    assert steps == pytest.approx(1)
    assert evenly([]).shape == (0, 2)


def test_photos_without_lines_are_left_out(tmp_path: Path) -> None:
    for name in ("photos/a.jpg", "photos/b.jpg", "lines/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [(p.name, q.name) for p, q in drawn_photos(tmp_path)] == [("b.jpg", "b.png")]
    assert drawn_photos(tmp_path / "photos") == []


def test_the_name_tells_the_person() -> None:
    assert person_of(Path("sub-007_expr-rest.jpg")) == person_of(Path("sub-007_run-2.png"))
    assert person_of(Path("0001.png")) != person_of(Path("0002.png"))


def test_fitting_finds_the_weights_that_made_the_examples() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(0, 1, len(TRAITS) + 1)
    traits = rng.normal(0, 1, (20_000, len(TRAITS)))
    shares = 1 / (1 + np.exp(-true[0] - traits @ true[1:]))
    fitted = fit([Examples(traits, shares, np.full(len(traits), 10.0))])
    assert fitted == pytest.approx(true, abs=0.02)
