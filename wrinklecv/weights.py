"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.549,
    "length": 1.788,
    "clear": 1.114,
    "patchy": -2.894,
    "narrow": 0.575,
    "broad": 0.432,
    "sloping": -0.429,
    "bowed": -0.613,
    "lighter": 1.381,
    "bluer": -2.389,
    "coloured": 0.144,
    "on_skin": 1.462,
    "rough": -0.290,
    "forehead": -0.510,
    "glabella": -0.796,
    "brow_aside": -0.904,
    "brow_height": -0.144,
    "eye_distance": -1.331,
    "eye_angle": 0.250,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
