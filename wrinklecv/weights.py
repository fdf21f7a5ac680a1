"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.400,
    "length": 1.964,
    "clear": 1.069,
    "patchy": -3.313,
    "narrow": 0.703,
    "broad": 0.505,
    "sloping": -0.606,
    "bowed": -1.436,
    "lighter": 1.337,
    "bluer": -3.006,
    "coloured": -0.105,
    "on_skin": 1.110,
    "rough": -0.217,
    "forehead": -0.351,
    "glabella": -0.751,
    "brow_aside": -0.675,
    "brow_height": -0.207,
    "eye_distance": -1.055,
    "eye_angle": 0.282,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
