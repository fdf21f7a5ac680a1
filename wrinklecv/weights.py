"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.558,
    "length": 1.863,
    "clear": 1.033,
    "patchy": -2.908,
    "narrow": 0.645,
    "broad": 0.482,
    "sloping": -0.550,
    "bowed": -1.096,
    "lighter": 1.315,
    "bluer": -2.634,
    "coloured": 0.005,
    "on_skin": 1.237,
    "rough": -0.140,
    "forehead": -0.363,
    "glabella": -0.705,
    "brow_aside": -0.659,
    "brow_height": -0.201,
    "eye_distance": -1.017,
    "eye_angle": 0.296,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
