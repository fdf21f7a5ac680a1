"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.345,
    "length": 1.871,
    "clear": 0.989,
    "patchy": -2.973,
    "narrow": 0.713,
    "broad": 0.450,
    "sloping": -0.606,
    "bowed": -1.171,
    "lighter": 1.315,
    "bluer": -2.045,
    "coloured": 0.866,
    "unlike_shade": -1.552,
    "on_skin": 1.254,
    "rough": -0.153,
    "forehead": -0.297,
    "glabella": -0.696,
    "brow_aside": -0.611,
    "brow_height": -0.204,
    "eye_distance": -0.955,
    "eye_angle": 0.296,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
