"""What speaks for and against a line: one weight per trait, as `python -m benchmarks.train` found them."""

from __future__ import annotations

LINE_WEIGHTS: dict[str, float] = {
    "base": -2.635,
    "length": 1.932,
    "clear": 1.089,
    "patchy": -3.030,
    "narrow": 0.671,
    "broad": 0.470,
    "sloping": -0.560,
    "bowed": -1.104,
    "lighter": 1.360,
    "bluer": -1.911,
    "coloured": 1.085,
    "unlike_shade": -1.912,
    "on_skin": 1.312,
    "rough": -0.147,
    "forehead": -0.363,
    "glabella": -0.767,
    "brow_aside": -0.670,
    "brow_height": -0.193,
    "eye_distance": -1.019,
    "eye_angle": 0.286,
}
"""Log odds per unit of each trait (`traits.py` says what they are); "base" is what every path starts from."""
