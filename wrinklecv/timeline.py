"""Days since treatment: what is expected when, and when to take the next photo.

Ranges, not promises (`windows.py` says whose). No advice on treatment, dose, product or interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .histories import TreatmentStatus
from .visits import Treatment
from .windows import WINDOWS, Windows


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of days after a treatment, what is expected then, and who says so."""

    first_day: int
    last_day: int
    name: str
    source: str


def bands(sessions: int = 1, windows: Windows = WINDOWS) -> tuple[Band, ...]:
    """Return what is expected when after a treatment, by how many there were."""
    source = windows.source
    last = _last_day(sessions, windows)
    late = f"{source}; {windows.long_source}" if last > windows.last_day else source
    return (
        Band(windows.onset_day, windows.peak_day, "onset", source),
        Band(windows.peak_day, windows.peak_last_day, "peak", source),
        Band(windows.wearing_off_day, last, "wearing off", late),
    )


def _last_day(sessions: int, windows: Windows) -> int:
    return windows.long_last_day if sessions >= windows.many_sessions else windows.last_day


def days_since(day: date, treatments: Sequence[Treatment]) -> int | None:
    """Return the days from the last treatment before `day`; 0 on the day of the first, None before it.

    A photo of the day of a treatment is taken before it.
    """
    before = [t.treated_on for t in treatments if t.treated_on < day]
    if not before:
        return 0 if any(t.treated_on == day for t in treatments) else None
    return (day - max(before)).days


def status_at(day: date, treatments: Sequence[Treatment], windows: Windows = WINDOWS) -> TreatmentStatus:
    """Return where a day lies in the course of treatment."""
    days = days_since(day, treatments)
    if not days:
        return TreatmentStatus.BASELINE
    first_beyond = (
        (windows.onset_day, TreatmentStatus.TOO_EARLY),
        (windows.peak_day, TreatmentStatus.DEVELOPING),
        (windows.peak_last_day + 1, TreatmentStatus.AT_OR_NEAR_PEAK),
        (windows.wearing_off_day, TreatmentStatus.MAINTAINED),
        (windows.last_day + 1, TreatmentStatus.WEARING_OFF_EXPECTED),
        (windows.long_last_day + 1, TreatmentStatus.LATE),
    )
    return next(
        (status for end, status in first_beyond if days < end), TreatmentStatus.BEYOND_EXPECTED_WINDOW
    )


def next_photo(
    visits: Sequence[date], treatments: Sequence[Treatment], windows: Windows = WINDOWS
) -> date | None:
    """Suggest the day of the next photo; None where none is due any more, or no treatment is known."""
    if not treatments:
        return None
    last = max(t.treated_on for t in treatments)
    until = _last_day(len({t.treated_on for t in treatments}), windows)
    taken = max((day for day in visits if day >= last), default=last)
    days = (last + timedelta(days=n) for n in windows.photo_days if n <= until)
    return next((due for due in days if due > taken), None)
