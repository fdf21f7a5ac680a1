"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.334,
    "length": 1.865,
    "clear": 0.990,
    "patchy": -2.970,
    "narrow": 0.711,
    "broad": 0.448,
    "sloping": -0.600,
    "bowed": -1.176,
    "lighter": 1.315,
    "bluer": -2.036,
    "coloured": 0.865,
    "unlike_shade": -1.561,
    "on_skin": 1.253,
    "rough": -0.159,
    "forehead": -0.291,
    "glabella": -0.696,
    "brow_aside": -0.613,
    "brow_height": -0.205,
    "eye_distance": -0.956,
    "eye_angle": 0.295,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
