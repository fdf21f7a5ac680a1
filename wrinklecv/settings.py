"""How to measure: one frozen record, every length in mm; read from TOML; with a digest.

A setting changes a number. Two results whose digests differ are not comparable.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import SettingsError
from .weights import LINE_WEIGHTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that changes a number; defaults are explained below each field."""

    # -- quality gates (docs/measurement.md) --
    fine_resolution_px_per_mm: float = 8.0
    moderate_resolution_px_per_mm: float = 4.0
    """Below it fine lines are missed: warn."""
    min_resolution_px_per_mm: float = 2.5
    """Below it a region is refused."""
    warn_pose_deg: float = 5.0
    max_pose_deg: float = 10.0
    """Yaw; forehead and glabella only. Beside the eyes coverage falls instead."""
    warn_pitch_deg: float = 10.0
    max_pitch_deg: float = 20.0
    """Pitch is wider: people's faces differ from the canonical one by several degrees of it."""
    warn_roll_deg: float = 15.0
    """Roll in the plane of the photo is turned back and changes nothing but the light."""
    max_view_angle_deg: float = 60.0
    """Skin seen at a steeper angle does not count as seen."""
    max_clipped_share: float = 0.03
    max_saturated_share: float = 0.5
    """Where one colour is at its end, lines read up to 40 % too flat: warn above the first, refuse above
    the second."""
    noisy_texture: float = 0.06
    drowning_texture: float = 0.2
    smooth_texture: float = 0.003
    flat_texture: float = 0.001
    """Fine contrast of bare skin: 0.008 to 0.054 in 62 photos, 0.005 on drawn faces. Beyond the second and
    below the last no line can be found: a region without lines would look smooth."""
    warn_coverage_share: float = 0.7
    min_coverage_share: float = 0.35
    """A region of which less was seen is refused."""
    dark_light: float = -4.0
    black_light: float = -5.5
    """ln of the skin's linear luminance: sRGB grey 36 and 14 of 255."""
    max_side_light: float = 0.6
    max_shadow_step: float = 0.65
    """Step of ln light within 6 mm, median over the forehead's width: furrowed foreheads reach 0.56."""
    warn_blur_mm: float = 0.28
    max_blur_mm: float = 0.45
    """Softness (sd) of the sharpest edges; beyond it lines thinner than a millimetre are washed out."""

    # -- skin --
    hair_darker: float = 0.45
    """How far (ln units) a patch's light may be from the skin around it."""
    hair_colour_gap: float = 0.35
    """How far ln(red/green), ln(blue/green) may be from the skin around it."""
    hair_contrast: float = 0.05
    hair_contrast_ratio: float = 2.2
    """Fine contrast of hair: above the first, and above the second times this subject's own skin."""
    hair_margin_mm: float = 1.5
    hairline_margin_mm: float = 4.0
    """Skin this near to brows and lashes, or to the hairline, is left out."""

    # -- finding lines --
    camera_blur_px: float = 0.58
    """Blur assumed of any photo: pixel area (0.29 px) and optics with colour filter (0.5 px)."""
    glance_blur_mm: float = 0.3
    """Lines are looked for at this blur (standard deviation), that of 2 photo pixels per mm, whatever finer
    detail the photo has: so a large photo and a small one of the same face show the same lines."""
    sigmas_mm: tuple[float, ...] = (0.3, 0.45, 0.68, 1.0, 1.5)
    """Scales of the ridge filter."""
    floor_contrast: float = 0.005
    """Whatever the noise: a path fainter than this is not looked at."""
    low_signal_to_noise: float = 1.5
    high_signal_to_noise: float = 2.5
    min_piece_mm: float = 2.0
    min_path_mm: float = 3.0
    """What is shorter is not bridged, and not looked at."""
    max_kink_deg: float = 45.0
    """Where the 2 mm before a place and the 2 mm after it point further apart, a path has run into another
    ridge: it is cut there."""
    max_gap_mm: float = 4.0
    max_turn_deg: float = 30.0
    """Gaps up to this length are bridged where both ends turn by no more than this."""
    min_end_share: float = 0.5
    """A path ends where its contrast falls below this share of its clear parts'."""
    end_search_mm: float = 2.0

    # -- judging them --
    line_weights: tuple[float, ...] = tuple(LINE_WEIGHTS.values())
    """What each trait of a path says for its being a line, "base" first (`weights.py`, `traits.py`)."""
    min_likelihood: float = 0.4
    """From here on a path is called a line. F1 on lines that people drew is flat from 0.3 to 0.4; at 0.4
    fewer lines are false."""
    log_odds_sd: float = 0.4
    """By how much the log odds of one line differ between two photos of the same skin (standard deviation
    of the difference): 0.39 between versions of real photos, 0.28 of drawn ones."""
    min_line_mm: float = 5.0
    min_line_contrast: float = 0.012
    line_signal_to_noise: float = 6.0
    """A whole line's mean contrast over what texture and noise alone would show."""
    min_line_width_mm: float = 0.3
    """A single hair is 0.06 to 0.12 mm wide. Seen at 8 px/mm or finer it reads narrower than this; below
    that, the photo cannot tell by width."""
    steep_contrast: float = 0.6
    max_line_steepness_per_mm: float = 1.35
    max_unlike_shade: float = 0.25
    """What has more contrast than the first, and than the second times its width (mm), is no line when its
    colour is unlike this skin's shades too. Of 620 lines of photos the steepest of skin, a frown, has 1.27;
    a lock of hair 1.7, thin metal rims 1.25 to 2.4. Narrow deep folds of skin's own colour are kept."""
    bright_thread: float = 0.15
    max_bright_share: float = 0.8
    """A bright thread beside a line, of more contrast than the first and more than this share of the line's,
    makes it the gap beside a light hair."""
    warn_upright_mm: float = 20.0
    """From this length of upright strands on, the forehead is in doubt."""
    dark_contrast: float = 0.5
    warn_one_sided_mm: float = 8.0
    max_one_sided_share: float = 0.9
    """The forehead is in doubt when its lines are darker than the first over more than this length, and more
    than this share of that lies on one side of the face: of ten deeply furrowed foreheads one had over 0.8,
    that of a man with half a frown; four people with a lock of hair over the temple had 1.0."""
    min_evenness: float = 0.25
    """Lower rise beside the valley over the higher: a step edge has 0, a valley 1."""
    max_depth_spread: float = 1.0
    """Standard deviation of a line's contrast along it over its mean. Of 20 real lines 19 have less than
    0.6; a row of freckles has more than 1."""

    # -- comparing rest and expression --
    static_share: float = 0.8
    """From this static share on a line is static, below it deepened: between visits of untreated people
    contrasts differ by a fifth."""
    dynamic_share: float = 0.35
    """A line that is not seen at rest is dynamic when its static share is surely below this."""
    min_kind_confidence: float = 0.9
    seen_signal_to_noise: float = 3.5
    """A place of a rest photo shows a line when the contrast read there is this much above its noise."""
    min_seen_share: float = 0.7
    """Share of a line's path that must have been seen in the other photo."""
    contrast_share_sd: float = 0.06
    """Relative error of the ratio of two contrasts read alike in two photos of one face."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            wanted, value = type(field.default), getattr(self, field.name)
            # 8 and 8.0 must have one digest; true is no number here.
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
                object.__setattr__(self, field.name, value)
            if not isinstance(value, wanted):
                raise SettingsError(f"Setting {field.name} = {value!r}: wanted {_KINDS[wanted]}.")
            self._check_range(field.name, value)

    def _check_range(self, name: str, value: Any) -> None:
        numbers = value if isinstance(value, tuple) else (value,)
        if not numbers or not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
            raise SettingsError(f"Setting {name} = {value!r}: wanted finite numbers.")
        if name == "line_weights":
            if len(numbers) != len(LINE_WEIGHTS):
                raise SettingsError(
                    f"Setting {name}: wanted {len(LINE_WEIGHTS)} numbers, not {len(numbers)}."
                )
            return
        if name not in _MAY_BE_NEGATIVE and min(numbers) < 0:
            raise SettingsError(f"Setting {name} = {value!r}: must not be negative.")
        highest = _HIGHEST.get(name)
        if highest is not None and max(numbers) > highest:
            raise SettingsError(f"Setting {name} = {value!r}: must not be above {highest:g}.")
        if isinstance(value, tuple) and (min(value) <= 0 or list(value) != sorted(set(value))):
            raise SettingsError(f"Setting {name} = {value!r}: wanted widths above 0, narrowest first.")

    @property
    def digest(self) -> str:
        """First 16 hex digits of the sha256 of all values; stored with every result."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_KINDS: dict[type, str] = {float: "a number", tuple: "a list of numbers"}
_HIGHEST = {"min_likelihood": 1.0, "min_end_share": 1.0, "max_one_sided_share": 1.0, "max_kink_deg": 180.0}
_MAY_BE_NEGATIVE = ("dark_light", "black_light")

DEFAULTS = Settings()


def load_settings(path: str | Path) -> Settings:
    """Read settings from the TOML file `path`; what it does not name keeps its default.

    Raises SettingsError when the file cannot be read, is not TOML, or names an unknown setting.
    """
    return Settings(**toml_values(path, Settings, "setting"))


def toml_values(path: str | Path, record: type, what: str) -> dict[str, Any]:
    """Read values for the fields of `record` from a TOML file, lists as tuples; `what` is one of them.

    Raises SettingsError when the file cannot be read, is not TOML, or names no field.
    """
    file = f"{what.capitalize()}s file {path}"
    try:
        values: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}.") from error
    known = {field.name: field for field in dataclasses.fields(record)}
    for name in values:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else f" Known: {', '.join(sorted(known))}."
            raise SettingsError(f"{file} has an unknown {what} {name!r}.{hint}")
    return {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
