"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.576,
    "length": 1.866,
    "clear": 1.047,
    "patchy": -2.920,
    "narrow": 0.649,
    "broad": 0.489,
    "sloping": -0.551,
    "bowed": -1.127,
    "lighter": 1.333,
    "bluer": -2.628,
    "coloured": 0.030,
    "on_skin": 1.241,
    "rough": -0.150,
    "forehead": -0.394,
    "glabella": -0.715,
    "brow_aside": -0.622,
    "brow_height": -0.203,
    "eye_distance": -1.014,
    "eye_angle": 0.287,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
