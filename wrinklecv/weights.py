"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.638,
    "length": 1.803,
    "contrast": 0.014,
    "clear": 1.146,
    "patchy": -2.923,
    "blotchy": -0.034,
    "narrow": 0.667,
    "broad": 0.397,
    "sloping": -0.411,
    "bowed": -0.817,
    "aligned": -0.064,
    "lighter": 1.375,
    "bluer": -2.354,
    "coloured": 0.357,
    "on_skin": 1.543,
    "rough": -0.293,
    "forehead": -0.568,
    "glabella": -0.791,
    "brow_aside": -0.815,
    "brow_height": -0.159,
    "eye_distance": -1.339,
    "eye_angle": 0.228,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
