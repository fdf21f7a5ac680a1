"""How to measure: one frozen record, every length in mm; read from TOML; with a digest.

A setting changes a number. Two results whose digests differ are not comparable.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import SettingsError


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that changes a number; defaults are explained below each field."""

    # -- quality gates (measurement.md section 3) --
    fine_resolution_px_per_mm: float = 8.0
    moderate_resolution_px_per_mm: float = 4.0
    """Below it fine lines are missed: warn."""
    min_resolution_px_per_mm: float = 2.5
    """Below it a region is refused."""
    warn_pose_deg: float = 5.0
    max_pose_deg: float = 10.0
    max_view_angle_deg: float = 60.0
    """Skin seen at a steeper angle does not count as seen."""
    max_clipped_share: float = 0.03
    min_coverage_share: float = 0.35
    """A region of which less was seen is refused."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            numbers = value if isinstance(value, tuple) else (value,)
            if not numbers or not all(isinstance(n, int | float) and n >= 0 for n in numbers):
                raise SettingsError(f"Setting {field.name} = {value!r}: wanted numbers that are not negative.")

    @property
    def digest(self) -> str:
        """First 16 hex digits of the sha256 of all values; stored with every result."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


DEFAULTS = Settings()


def load_settings(path: str | Path) -> Settings:
    """Read settings from the TOML file `path`; what it does not name keeps its default.

    Raises SettingsError when the file cannot be read, is not TOML, or names an unknown setting.
    """
    try:
        values: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"Settings file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"Settings file {path} is not TOML: {error}.") from error
    known = {field.name: field for field in dataclasses.fields(Settings)}
    for name in values:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else f" Known: {', '.join(sorted(known))}."
            raise SettingsError(f"Settings file {path} has an unknown setting {name!r}.{hint}")
    return Settings(**{n: tuple(v) if isinstance(v, list) else v for n, v in values.items()})
