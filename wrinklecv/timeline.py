"""Days since treatment: what is expected when, and when to take the next photo.

The figures are those of patient information on wrinkle-relaxing injections, whose sources differ: ranges, not
promises. No advice on treatment, dose, product or interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .histories import TreatmentStatus
from .visits import Treatment

_STATUSES = (
    (4, TreatmentStatus.TOO_EARLY),
    (14, TreatmentStatus.DEVELOPING),
    (31, TreatmentStatus.AT_OR_NEAR_PEAK),
    (90, TreatmentStatus.MAINTAINED),
    (181, TreatmentStatus.WEARING_OFF_EXPECTED),
    (241, TreatmentStatus.LATE),
)
"""First day that no longer has the status."""
_PHOTO_DAYS = (14, 90, 120, 150, 180)
_LONG_PHOTO_DAYS = (*_PHOTO_DAYS, 210, 240)
MANY_SESSIONS = 3
"""From so many treatments on, effects of 6 to 8 months are reported."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of days after a treatment, what is expected then, and who says so."""

    first_day: int
    last_day: int
    name: str
    source: str


def bands(sessions: int = 1) -> tuple[Band, ...]:
    """Return what is expected when after a treatment, by how many there were."""
    source = "patient information on wrinkle-relaxing injections"
    last = 240 if sessions >= MANY_SESSIONS else 180
    return (
        Band(4, 14, "onset", source),
        Band(14, 30, "peak", source),
        Band(
            90,
            last,
            "wearing off",
            source + ("; 6 to 8 months after several treatments" if last > 180 else ""),
        ),
    )


def days_since(day: date, treatments: Sequence[Treatment]) -> int | None:
    """Return the days from the last treatment before `day`; 0 on the day of the first, None before it.

    A photo of the day of a treatment is taken before it.
    """
    before = [t.treated_on for t in treatments if t.treated_on < day]
    if not before:
        return 0 if any(t.treated_on == day for t in treatments) else None
    return (day - max(before)).days


def status_at(day: date, treatments: Sequence[Treatment]) -> TreatmentStatus:
    """Return where a day lies in the course of treatment."""
    days = days_since(day, treatments)
    if not days:
        return TreatmentStatus.BASELINE
    return next((status for end, status in _STATUSES if days < end), TreatmentStatus.BEYOND_EXPECTED_WINDOW)


def next_photo(visits: Sequence[date], treatments: Sequence[Treatment]) -> date | None:
    """Suggest the day of the next photo; None where none is due any more, or no treatment is known."""
    if not treatments:
        return None
    last = max(t.treated_on for t in treatments)
    days = _LONG_PHOTO_DAYS if len({t.treated_on for t in treatments}) >= MANY_SESSIONS else _PHOTO_DAYS
    taken = max((day for day in visits if day >= last), default=last)
    return next((due for n in days if (due := last + timedelta(days=n)) > taken), None)
