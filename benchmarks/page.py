"""Write `docs/accuracy.md`: every table of the last `make bench`, and pictures."""

from __future__ import annotations

from pathlib import Path

from wrinklecv.records import MEASURE_VERSION

from .pictures import draw_cases
from .table import Table, markdown

_PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
TITLES = {
    "lines": "Against lines that people drew",
    "truth": "On drawn faces whose truth is known",
    "smooth": "On skin that has hardly a line",
    "repeat": "The same face, another photo",
    "pairs": "Rest and expression",
    "follow": "Visits over months",
    "store": "A large store",
    "batch": "Many photos",
    "app": "The app under use",
    "speed": "Time and memory",
}
"""Every bench, in the order of the page, and what its part of the page is called."""
_HEAD = """# How accurate it is

Written by `make bench` (measure version {version}); do not edit. Every table can be had alone:
`python -m benchmarks {names} [FOLDER]`. Drawn faces share their surface with the measuring
code; figures on real photos come from photos that the method was tuned on, unless you give your own folder.
"""


def write(sections: dict[str, tuple[Table, ...]]) -> Path:
    """Write the page from each bench's tables and return where it is."""
    parts = [_HEAD.format(version=MEASURE_VERSION, names="|".join(TITLES))]
    for name, tables in sections.items():
        parts.append(f"## {TITLES[name]}\n")
        parts.extend(markdown(table) for table in tables)
    parts.append("## Pictures\n")
    for name, caption in draw_cases(_PAGE.parent).items():
        parts.append(f"![{caption}]({name})\n\n*{caption}. Drawn faces, no persons.*\n")
    _PAGE.write_text("\n".join(parts), encoding="utf-8")
    return _PAGE
