"""How long an effect lasted: told only where it, and its end, are more than noise."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from wrinklecv.courses import cycle_points, cycles_of
from wrinklecv.histories import Cycle, Series, SeriesPoint
from wrinklecv.records import Expression, Region
from wrinklecv.visits import Treatment

DAY_0 = date(2025, 1, 10)
LEAST = 10.0
"""What differs by less is noise here."""


def half(
    points: dict[int, float], *, refused: int | None = None, treated: tuple[int, ...] = (0,)
) -> list[Cycle]:
    """Return the cycles of a forehead with an index at each day; LEAST is the smallest detectable change."""
    series = Series(
        Region.FOREHEAD,
        Expression.REST,
        tuple(
            SeriesPoint(DAY_0 + timedelta(days=n), n, index, 1.0, 1, "Too soft." if n == refused else "")
            for n, index in points.items()
        ),
    )
    given = [Treatment("1", DAY_0 + timedelta(days=n), (Region.FOREHEAD,)) for n in treated]
    return list(cycles_of([series], given, difference))


def difference(series: Series, earlier: date, later: date) -> float:
    index = {point.day: point.index for point in series.points}
    found = index[later] - index[earlier]
    return found if abs(found) > LEAST else 0.0


def test_half_of_the_effect_is_gone_between_two_visits() -> None:
    (cycle,) = half({0: 100, 14: 60, 90: 70, 150: 95})
    assert cycle.days_to_half == pytest.approx(114)
    assert cycle.between == (90, 150)


def test_a_dip_within_the_noise_is_no_effect_that_could_wear_off() -> None:
    (cycle,) = half({0: 100, 14: 97, 90: 99, 150: 101})
    assert (cycle.days_to_half, cycle.between) == (None, None)


def test_a_rise_within_the_noise_is_no_end_of_the_effect() -> None:
    (cycle,) = half({0: 100, 14: 88, 90: 95, 150: 96})
    assert cycle.days_to_half is None


def test_a_visit_that_cannot_be_compared_counts_neither_as_lowest_nor_as_before() -> None:
    assert half({0: 100, 14: 20, 30: 60, 90: 70, 150: 95}, refused=14) == half(
        {0: 100, 30: 60, 90: 70, 150: 95}
    )
    (cycle,) = half({0: 100, 14: 60, 150: 95}, refused=0)
    assert cycle.days_to_half is None


def test_each_treatment_has_its_own_course_until_the_next() -> None:
    first, second = half({0: 100, 14: 60, 100: 98, 114: 65, 200: 99}, treated=(0, 100))
    assert first.between == (14, 100)
    assert second.between == (14, 100)
    assert first.days_to_half == pytest.approx(59, abs=1)


def test_the_visits_of_a_cycle_are_the_last_before_it_and_those_until_the_next() -> None:
    points = [SeriesPoint(DAY_0 + timedelta(days=n), n, 50.0, 1.0, 1) for n in (-30, 0, 14, 100, 114)]
    series = Series(Region.FOREHEAD, Expression.REST, tuple(points))
    given = [Treatment("1", DAY_0 + timedelta(days=n), (Region.FOREHEAD,)) for n in (0, 100)]
    days = [[(p.day - day).days for p in found] for day, found in cycle_points(series, given)]
    assert days == [[0, 14, 100], [0, 14]]
    elsewhere = [Treatment("1", DAY_0, (Region.GLABELLA,))]
    assert list(cycle_points(series, elsewhere)) == []
