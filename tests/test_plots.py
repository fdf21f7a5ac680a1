"""What a plot of a course shows: its data, as Vega gets them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from test_follow_tables import COURSE, FIRST

from wrinklecv.histories import FollowUp, SeriesPoint
from wrinklecv.plots import plot_course, plot_cycles, plot_lines
from wrinklecv.records import Expression, Region
from wrinklecv.visits import Treatment

GIVEN = [Treatment("1", FIRST + timedelta(days=n), (Region.GLABELLA,)) for n in (0, 100)]


def course(*, refused: int | None = None) -> FollowUp:
    """Return a glabella at rest, on five days around two treatments."""
    points = tuple(
        SeriesPoint(FIRST + timedelta(days=n), n, 50.0 - n / 10, 1.0, 1, "Soft." if n == refused else "")
        for n in (0, 14, 90, 100, 114)
    )
    return replace(COURSE, series=(replace(COURSE.series[0], points=points),))


def data_of(plot: Any, column: str = "index") -> list[dict[str, Any]]:
    """Return the rows of the plot's data that have a column."""
    tables = plot.to_dict()["datasets"].values()
    return [row for table in tables for row in table if column in row]


def test_courses_after_each_treatment_begin_at_its_day() -> None:
    rows = data_of(plot_cycles(course(), Region.GLABELLA, Expression.REST, GIVEN))
    seen = {(row["treatment"], row["days"]) for row in rows}
    first, second = "10 Jan 2025", "20 Apr 2025"
    assert seen == {(first, 0), (first, 14), (first, 90), (first, 100), (second, 0), (second, 14)}
    assert all(row["low"] < row["index"] < row["high"] for row in rows)


def test_a_visit_that_cannot_be_compared_is_in_no_cycle() -> None:
    rows = data_of(plot_cycles(course(refused=14), Region.GLABELLA, Expression.REST, GIVEN))
    assert ("10 Jan 2025", 14) not in {(row["treatment"], row["days"]) for row in rows}


def test_a_visit_that_cannot_be_compared_is_hollow_and_off_the_curve() -> None:
    rows = data_of(plot_course(course(refused=14), Region.GLABELLA, GIVEN))
    assert {row["day"][:10] for row in rows if row["comparable"] == "no"} == {"2025-01-24"}
    plot = plot_course(course(refused=14), Region.GLABELLA, GIVEN).to_dict()
    (curve,) = (layer for layer in plot["layer"] if layer["mark"]["type"] == "line")
    assert "comparable" in str(curve["transform"])


def test_a_line_that_was_hidden_has_no_point() -> None:
    line = COURSE.lines[0]
    hidden = replace(line, sightings=(line.sightings[0], replace(line.sightings[1], refused="Hidden.")))
    assert [row["day"][:10] for row in data_of(plot_lines([hidden]), "depth")] == ["2025-01-10"]
