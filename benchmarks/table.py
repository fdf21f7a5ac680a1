"""Tables of figures: what a bench returns, and how it stands on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WORDS = {True: "met", False: "**missed**", None: ""}
"""What stands behind a target."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A measured value beside its target; `met` is None where nothing was promised."""

    name: str
    value: str
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A title, one head row, rows as long as it, and a note: how obtained, on what, with which limits."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError(f"table {self.title!r}: every row needs {len(self.head)} cells")


def bar_table(title: str, bars: Sequence[Bar], note: str = "") -> Table:
    """Set bars below each other, missed ones marked."""
    rows = tuple((bar.name, bar.value, bar.target, WORDS[bar.met]) for bar in bars)
    return Table(title, ("what", "measured", "target", ""), rows, note)


def markdown(table: Table) -> str:
    """Write a table as Markdown: heading, note, aligned cells."""
    every = [table.head, *table.rows]
    widths = [max(3, *(len(row[k]) for row in every)) for k in range(len(table.head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in every
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    note = f"{table.note}\n\n" if table.note else ""
    return f"### {table.title}\n\n{note}" + "\n".join(lines) + "\n"
