"""What is usual how many days after a treatment. Sources differ, so these days can be set.

The defaults are those of patient information on wrinkle-relaxing injections: ranges, not promises.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from .errors import SettingsError
from .settings import toml_values

WINDOWS_FILE = "windows.toml"
"""In the folder of a store: the windows of that clinic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Days after a treatment. No number that is measured depends on them: only what is said to be usual."""

    onset_day: int = 4
    peak_day: int = 14
    peak_last_day: int = 30
    wearing_off_day: int = 90
    last_day: int = 180
    """An effect is gone after this day, as a rule."""
    long_last_day: int = 240
    many_sessions: int = 3
    """From so many treatments on, effects of up to `long_last_day` are reported."""
    photo_days: tuple[int, ...] = (14, 90, 120, 150, 180, 210, 240)
    """Suggested photos; those after `last_day` only from `many_sessions` on."""
    source: str = "patient information on wrinkle-relaxing injections"
    long_source: str = "6 to 8 months after several treatments"

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            values = value if isinstance(value, tuple) else (value,)
            wanted = str if isinstance(field.default, str) else int
            if isinstance(value, tuple) is not isinstance(field.default, tuple) or any(
                type(v) is not wanted for v in values
            ):
                raise SettingsError(f"Window {field.name} = {value!r}: wanted {_KINDS[type(field.default)]}.")
        days = {
            "onset_day": self.onset_day,
            "peak_day": self.peak_day,
            "peak_last_day": self.peak_last_day,
            "wearing_off_day": self.wearing_off_day,
            "last_day": self.last_day,
            "long_last_day": self.long_last_day,
        }
        order = list(days.values())
        if order[0] < 1 or order != sorted(order):
            told = ", ".join(f"{name} {day}" for name, day in days.items())
            raise SettingsError(f"Windows must follow one another, from day 1 on, not: {told}.")
        if self.many_sessions < 1:
            raise SettingsError(f"Window many_sessions = {self.many_sessions}: wanted 1 or more.")
        if list(self.photo_days) != sorted(set(self.photo_days)) or any(day < 1 for day in self.photo_days):
            raise SettingsError(
                f"Window photo_days = {self.photo_days}: wanted days from 1 on, earliest first."
            )
        if max(*order, *self.photo_days) > _MOST_DAYS:
            raise SettingsError(f"Windows of more than {_MOST_DAYS} days: are the days right?")


_MOST_DAYS = 3650
_KINDS: dict[type, str] = {int: "a whole number of days", str: "text", tuple: "a list of days"}

WINDOWS = Windows()


def load_windows(path: str | Path) -> Windows:
    """Read windows from the TOML file `path`; what it does not name keeps its default.

    Raises SettingsError when the file cannot be read, is not TOML, names something unknown or days that
    cannot be.
    """
    return Windows(**toml_values(path, Windows, "window"))


def windows_of(folder: Path | None) -> Windows:
    """Return the windows in `folder`'s `WINDOWS_FILE`, else the usual ones; SettingsError likewise."""
    path = folder / WINDOWS_FILE if folder else None
    return load_windows(path) if path and path.exists() else WINDOWS
