"""Windows: what is usual when after a treatment can be set, and nonsense is refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from wrinklecv.errors import SettingsError
from wrinklecv.histories import TreatmentStatus
from wrinklecv.records import Region
from wrinklecv.timeline import bands, next_photo, status_at
from wrinklecv.visits import Treatment
from wrinklecv.windows import WINDOWS, Windows, load_windows, windows_of

DAY = date(2025, 1, 10)
GIVEN = (Treatment("001", DAY, (Region.FOREHEAD,), "", None, (), ""),)


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    (tmp_path / "windows.toml").write_text(
        'peak_day = 10\nlast_day = 120\nphoto_days = [10, 60, 120, 200]\nsource = "our own 212 courses"\n'
    )
    windows = windows_of(tmp_path)
    assert windows.onset_day == WINDOWS.onset_day and windows.last_day == 120
    assert [(b.first_day, b.last_day) for b in bands(1, windows)] == [(4, 10), (10, 30), (90, 120)]
    assert {b.source for b in bands(1, windows)} == {"our own 212 courses"}
    assert status_at(DAY + timedelta(days=12), GIVEN, windows) is TreatmentStatus.AT_OR_NEAR_PEAK
    assert status_at(DAY + timedelta(days=12), GIVEN) is TreatmentStatus.DEVELOPING
    assert next_photo([DAY], GIVEN, windows) == DAY + timedelta(days=10)
    assert next_photo([DAY + timedelta(days=121)], GIVEN, windows) is None  # 200 is for many sessions
    assert windows_of(tmp_path / "nowhere") == windows_of(None) == WINDOWS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("peek_day = 10", "Did you mean peak_day"),
        ("peak_day = 40", "follow one another"),
        ("onset_day = 0", "follow one another"),
        ("last_day = 180.5", "whole number"),
        ("many_sessions = 0", "1 or more"),
        ("photo_days = [90, 14]", "earliest first"),
        ("photo_days = 14", "list of days"),
        ("source = 3", "text"),
        ("onset_day = true", "whole number"),
        ("peak_day", "not TOML"),
        ("long_last_day = 10000000000", "are the days right"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "windows.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        load_windows(path)


def test_the_defaults_are_those_of_the_field() -> None:
    windows = Windows()
    assert (windows.onset_day, windows.peak_day, windows.wearing_off_day) == (4, 14, 90)
    assert bands(3)[-1].last_day == 240 and bands(2)[-1].last_day == 180
