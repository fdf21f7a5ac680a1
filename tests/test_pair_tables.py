"""Tables of pairs: a row per region and per line, whatever could be told."""

from __future__ import annotations

import json
import math

import pytest
from builders import a_refusal, an_assessment, some_measures
from pair_builders import a_compared_line, a_comparison, a_finding, a_region_comparison, an_outcome

from wrinklecv import DISCLAIMER, movement, tables
from wrinklecv.codes import Code
from wrinklecv.listing import PairOutcome, PairStatus, Runs
from wrinklecv.pair_tables import (
    LINE_VIEW,
    PAIR_COLUMNS,
    PAIR_LINE_COLUMNS,
    REGION_VIEW,
    average_rows,
    pair_document,
    pair_line_rows,
    pair_rows,
)
from wrinklecv.pairs import Comparison
from wrinklecv.records import LineKind, Region, Verdict
from wrinklecv.totals import average_runs


def rows_of(outcome: PairOutcome) -> dict[str, tables.Row]:
    return {str(row["region"]): row for row in pair_rows(outcome)}


def test_every_region_has_a_row_with_every_column() -> None:
    rows = rows_of(an_outcome(a_comparison()))
    assert list(rows) == [str(region) for region in Region]
    assert all(tuple(row) == PAIR_COLUMNS for row in rows.values())
    forehead = rows["forehead"]
    assert [forehead[name] for name in ("subject", "visit", "expression", "run")] == [
        *("1", "2", "brow_raise", "1")
    ]
    assert (forehead["own"], rows["glabella"]["own"]) == ("true", "false")
    assert (forehead["deepened_count"], forehead["deepened_length_mm"]) == (1, 10.0)
    assert (forehead["dynamic_gap"], forehead["dynamic_gap_se"]) == (50.0, 2.0)
    assert (forehead["inner_brow_left_up_mm"], forehead["travel_se_mm"]) == (5.1, 0.5)
    assert (forehead["status"], forehead["verdict"], forehead["codes"]) == ("compared", "pass", "")


def test_every_part_that_is_measured_to_move_has_its_columns() -> None:
    parts = {f"{part.replace(' ', '_')}_{side}" for part, side in movement._PARTS}
    named = {name for name in PAIR_COLUMNS if name.endswith(("_up_mm", "_in_mm"))}
    assert named == {f"{part}_{way}_mm" for part in parts for way in ("up", "in")}


def test_a_region_that_a_photo_refused_keeps_its_row_with_the_photos_reason() -> None:
    measured = tuple(some_measures(region) for region in Region if region is not Region.GLABELLA)
    blurred = an_assessment(quality=(a_refusal(Region.GLABELLA),), regions=measured)
    regions = tuple(a_region_comparison(r) for r in Region if r is not Region.GLABELLA)
    row = rows_of(an_outcome(a_comparison(regions=regions, expression=blurred)))["glabella"]
    assert (row["verdict"], row["codes"], row["static_count"], row["rest_index"]) == (
        *("refuse", "blurred"),
        *(None, None),
    )


def test_a_region_that_the_pair_refuses_has_no_numbers_and_the_others_keep_theirs() -> None:
    swapped = a_finding(Code.REST_SHOWS_EXPRESSION, Verdict.REFUSE, Region.FOREHEAD)
    rows = rows_of(an_outcome(a_comparison(findings=(swapped, a_finding(Code.POSE_DIFFERS)))))
    assert rows["forehead"]["dynamic_gap"] is None
    assert rows["forehead"]["codes"] == "rest_shows_expression;pose_differs"
    assert (rows["glabella"]["dynamic_gap"], rows["glabella"]["codes"]) == (50.0, "pose_differs")


def test_a_pair_without_a_comparison_keeps_its_rows_and_says_why() -> None:
    rows = rows_of(an_outcome(status=PairStatus.CRASHED, code=Code.CRASHED))
    assert {(row["status"], row["codes"], row["dynamic_gap"]) for row in rows.values()} == {
        ("crashed", "crashed", None)
    }
    assert rows["forehead"]["own"] == "true"
    assert not list(pair_line_rows(an_outcome(status=PairStatus.CRASHED)))


def test_lines_have_the_numbers_that_they_have_in_the_photos_tables() -> None:
    lines = (
        a_compared_line(rest_line=2, expression_line=0, kind=LineKind.DEEPENED),
        a_compared_line(Region.GLABELLA, LineKind.INDETERMINATE, reason="Too faint."),
    )
    rows = list(pair_line_rows(an_outcome(a_comparison(lines=lines))))
    assert all(tuple(row) == PAIR_LINE_COLUMNS for row in rows)
    assert [(row["line"], row["rest_line"], row["expression_line"]) for row in rows] == [
        (1, 3, 1),
        (2, None, 1),
    ]
    assert [(row["kind"], row["kind_reason"], row["own"]) for row in rows] == [
        ("deepened", "", "true"),
        ("indeterminate", "Too faint.", "false"),
    ]


def runs_of(*comparisons: Comparison) -> list[tables.Row]:
    return list(average_rows(Runs(an_outcome(comparisons[0]).series, average_runs(comparisons))))


def test_runs_are_averaged_with_their_spread() -> None:
    three = [
        a_comparison(regions=(a_region_comparison(Region.FOREHEAD, gap=gap, share=share),))
        for gap, share in ((40.0, 0.2), (50.0, None), (60.0, 0.4))
    ]
    forehead, *others = runs_of(*three)
    assert tuple(forehead) == PAIR_COLUMNS
    assert (forehead["run"], forehead["runs"], forehead["status"]) == ("mean of 3", 3, "averaged")
    assert (forehead["dynamic_gap"], forehead["dynamic_gap_sd"]) == (50.0, 10.0)
    assert forehead["expression_index"] == 54.8
    assert forehead["static_share"] == 0.3
    assert forehead["static_share_sd"] == pytest.approx(0.2 / math.sqrt(2), rel=1e-5)
    assert {(row["run"], row["dynamic_gap"], row["dynamic_gap_sd"]) for row in others} == {
        ("mean of 0", None, None)
    }


def test_a_refused_run_does_not_enter_the_mean() -> None:
    good = a_comparison(regions=(a_region_comparison(Region.FOREHEAD, gap=40.0),))
    bad = a_comparison(
        regions=(a_region_comparison(Region.FOREHEAD, gap=-90.0),),
        findings=(a_finding(Code.LIGHT_DIFFERS, Verdict.REFUSE),),
    )
    [average, *_] = average_runs([good, bad])
    assert (average.runs, average.told, average.dynamic_gap, average.dynamic_gap_sd) == (1, 1, 40.0, None)


def test_the_document_of_a_pair_is_json_for_any_reader() -> None:
    comparison = a_comparison(findings=(a_finding(),))
    outcome = an_outcome(comparison)
    text = tables.to_json(pair_document(outcome, comparison))
    tree = json.loads(text, parse_constant=pytest.fail)
    assert text.isascii()
    assert tree["disclaimer"] == DISCLAIMER
    assert tree["findings"][0]["code"] == "weak_expression"
    assert tree["lines"][0]["rest_path_xy"][2] == [300.0, 0.0]
    assert tree["lines"][0]["expression_path_mm"][0] == [1.0, 1.0]
    assert tree["strengths"] == [{"name": "browInnerUp", "rest": 0.02, "expression": 0.9}]
    assert tree["expression_guessed"] is False
    assert {region["region"] for region in tree["regions"]} == set(Region)


def test_what_a_person_reads_are_columns_of_the_tables() -> None:
    assert set(REGION_VIEW) <= set(PAIR_COLUMNS)
    assert set(LINE_VIEW) <= set(PAIR_LINE_COLUMNS)
