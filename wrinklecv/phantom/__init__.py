"""Drawn faces with known lines: for sample images, the self-test, tests and benchmarks.

A whole face is drawn, well enough for the landmark model to find, on the same surface that the
measuring code measures on. So the truth about each line (place, length, width, contrast) is exact.
Light is computed linearly; a line of contrast c darkens it by exp(-c * profile).
"""

from .lines import PhantomLine, TrueLine, random_lines
from .person import Person, Shot
from .render import Phantom, draw_phantom
from .samples import EXPRESSIONS, VISITS, sample_person, sample_photos, write_samples

__all__ = [
    "EXPRESSIONS",
    "VISITS",
    "Person",
    "Phantom",
    "PhantomLine",
    "Shot",
    "TrueLine",
    "draw_phantom",
    "random_lines",
    "sample_person",
    "sample_photos",
    "write_samples",
]
