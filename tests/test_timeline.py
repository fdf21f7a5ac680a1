"""Days since treatment: status, bands and the next photo."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from wrinklecv.histories import TreatmentStatus as Status
from wrinklecv.records import Region
from wrinklecv.timeline import bands, days_since, next_photo, status_at
from wrinklecv.visits import Treatment

DAY_0 = date(2025, 1, 10)


def treated(*days: int) -> list[Treatment]:
    return [Treatment("sub-001", DAY_0 + timedelta(days=n), (Region.FOREHEAD,)) for n in days]


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (-20, Status.BASELINE), (0, Status.BASELINE), (1, Status.TOO_EARLY), (3, Status.TOO_EARLY),
        (4, Status.DEVELOPING), (13, Status.DEVELOPING), (14, Status.AT_OR_NEAR_PEAK),
        (30, Status.AT_OR_NEAR_PEAK), (31, Status.MAINTAINED), (89, Status.MAINTAINED),
        (90, Status.WEARING_OFF_EXPECTED), (180, Status.WEARING_OFF_EXPECTED), (181, Status.LATE),
        (240, Status.LATE), (241, Status.BEYOND_EXPECTED_WINDOW),
    ],
)  # fmt: skip
def test_the_status_goes_by_days_since_the_treatment(day: int, status: Status) -> None:
    assert status_at(DAY_0 + timedelta(days=day), treated(0)) is status


def test_days_count_from_the_last_treatment_before() -> None:
    given = treated(0, 100)
    assert days_since(DAY_0 + timedelta(days=99), given) == 99
    assert days_since(DAY_0 + timedelta(days=114), given) == 14
    assert days_since(DAY_0 + timedelta(days=100), given) == 100
    assert days_since(DAY_0 - timedelta(days=1), given) is None


def test_on_the_day_of_a_later_treatment_the_photo_still_shows_the_earlier_one() -> None:
    assert status_at(DAY_0 + timedelta(days=100), treated(0, 100)) is Status.WEARING_OFF_EXPECTED


@pytest.mark.parametrize(("last_visit", "due"), [(0, 14), (14, 90), (15, 90), (90, 120), (150, 180)])
def test_the_next_photo_is_the_next_day_of_the_protocol(last_visit: int, due: int) -> None:
    visits = [DAY_0, DAY_0 + timedelta(days=last_visit)]
    assert next_photo(visits, treated(0)) == DAY_0 + timedelta(days=due)


def test_no_photo_is_due_without_treatment_or_after_the_last_day() -> None:
    assert next_photo([DAY_0], []) is None
    assert next_photo([DAY_0 + timedelta(days=181)], treated(0)) is None


def test_after_three_sessions_the_window_is_longer() -> None:
    assert bands(1)[-1].last_day == 180
    assert bands(3)[-1].last_day == 240
    given = treated(0, 100, 200)
    assert next_photo([DAY_0 + timedelta(days=390)], given) == DAY_0 + timedelta(days=410)


def test_every_band_names_its_source() -> None:
    assert all(band.source for band in bands())
