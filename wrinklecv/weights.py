"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.549,
    "length": 1.912,
    "clear": 1.068,
    "patchy": -3.006,
    "narrow": 0.681,
    "broad": 0.461,
    "sloping": -0.556,
    "bowed": -1.110,
    "lighter": 1.366,
    "bluer": -1.972,
    "coloured": 1.005,
    "unlike_shade": -1.681,
    "on_skin": 1.315,
    "rough": -0.155,
    "forehead": -0.364,
    "glabella": -0.753,
    "brow_aside": -0.658,
    "brow_height": -0.195,
    "eye_distance": -1.024,
    "eye_angle": 0.282,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
