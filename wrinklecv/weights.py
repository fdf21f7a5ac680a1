"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.100,
    "length": 1.728,
    "contrast": 1.223,
    "patchy": -1.926,
    "blotchy": -3.235,
    "narrow": 1.859,
    "broad": 0.495,
    "sloping": -0.238,
    "bowed": -0.886,
    "aligned": -0.623,
    "lighter": 1.193,
    "bluer": -1.969,
    "coloured": -0.095,
    "on_skin": 1.259,
    "rough": -0.420,
    "forehead": 0.285,
    "glabella": -0.461,
    "brow_aside": -0.543,
    "brow_height": -0.252,
    "eye_distance": -0.718,
    "eye_angle": 0.353,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
