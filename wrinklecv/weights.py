"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.507,
    "length": 1.883,
    "clear": 1.026,
    "patchy": -2.932,
    "narrow": 0.673,
    "broad": 0.483,
    "sloping": -0.568,
    "bowed": -1.356,
    "lighter": 1.277,
    "bluer": -2.647,
    "coloured": -0.016,
    "on_skin": 1.221,
    "rough": -0.157,
    "forehead": -0.371,
    "glabella": -0.720,
    "brow_aside": -0.661,
    "brow_height": -0.197,
    "eye_distance": -1.015,
    "eye_angle": 0.292,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
