"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.598,
    "length": 1.786,
    "clear": 1.151,
    "patchy": -2.891,
    "narrow": 0.546,
    "broad": 0.439,
    "sloping": -0.421,
    "bowed": -0.606,
    "lighter": 1.407,
    "bluer": -2.305,
    "coloured": 0.158,
    "on_skin": 1.508,
    "rough": -0.281,
    "forehead": -0.538,
    "glabella": -0.835,
    "brow_aside": -0.906,
    "brow_height": -0.144,
    "eye_distance": -1.329,
    "eye_angle": 0.236,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
