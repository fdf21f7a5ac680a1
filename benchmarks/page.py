"""Write `docs/accuracy.md`: every table of the last `make bench`, and pictures."""

from __future__ import annotations

import re
from pathlib import Path

from wrinklecv.records import MEASURE_VERSION

from .pictures import draw_cases
from .table import Table, markdown

_PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
TITLES = {
    "lines": "Against lines that people drew",
    "truth": "On drawn faces whose truth is known",
    "limits": "What it says it would have found",
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


def put(name: str, tables: tuple[Table, ...]) -> Path:
    """Put the tables of one bench into the page, in place of its older ones; all else stays.

    Raises ValueError where the page tells of another measure version: numbers of two are not mixed.
    """
    text = _PAGE.read_text(encoding="utf-8")
    if f"(measure version {MEASURE_VERSION})" not in text:
        raise ValueError(f"{_PAGE.name} is not of measure version {MEASURE_VERSION}: run all benches")
    parts = spliced(text, name, tables).partition("## ")
    _PAGE.write_text(_head() + "".join(parts[1:]), encoding="utf-8")
    return _PAGE


def _head() -> str:
    return _HEAD.format(version=MEASURE_VERSION, names="|".join(TITLES)) + "\n"


def spliced(text: str, name: str, tables: tuple[Table, ...]) -> str:
    """Return the page with one bench's part made anew; where it has none yet, it comes in its order."""
    head, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    by_title = {part.splitlines()[0].removeprefix("## "): part for part in parts}
    by_title[TITLES[name]] = _part(name, tables)
    order = [*TITLES.values(), *by_title]
    return head + "".join(by_title[title] for title in dict.fromkeys(order) if title in by_title)


def _part(name: str, tables: tuple[Table, ...]) -> str:
    return "\n".join([f"## {TITLES[name]}\n", *map(markdown, tables)]) + "\n"


def write(sections: dict[str, tuple[Table, ...]]) -> Path:
    """Write the page from each bench's tables and return where it is."""
    text = _head() + "".join(_part(name, tables) for name, tables in sections.items())
    pictures = draw_cases(_PAGE.parent).items()
    shown = (f"![{caption}]({name})\n\n*{caption}. Drawn faces, no persons.*\n" for name, caption in pictures)
    _PAGE.write_text(text + "\n".join(["## Pictures\n", *shown]), encoding="utf-8")
    return _PAGE
