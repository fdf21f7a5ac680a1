"""Drawn faces with known lines: for sample images, the self-test, tests and benchmarks.

A whole face is drawn, well enough for the landmark model to find, on the same surface that the
measuring code measures on. So the truth about each line (place, length, width, contrast) is exact.
Light is computed linearly; a line of contrast c darkens it by exp(-c * profile).
"""

from .disturbances import DISTURBANCES, disturbed
from .lines import PhantomLine, TrueLine, random_lines
from .person import Glasses, Person, ShadowEdge, Shot
from .render import Phantom, draw_phantom
from .samples import EXPRESSIONS, VISITS, sample_person, sample_photos, write_samples

__all__ = [
    "DISTURBANCES",
    "EXPRESSIONS",
    "VISITS",
    "Glasses",
    "Person",
    "Phantom",
    "PhantomLine",
    "ShadowEdge",
    "Shot",
    "TrueLine",
    "disturbed",
    "draw_phantom",
    "random_lines",
    "sample_person",
    "sample_photos",
    "write_samples",
]
