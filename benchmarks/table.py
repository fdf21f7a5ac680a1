"""One bar per row: what was measured, the target, and whether it was met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A measured value beside its target; `met` is None where nothing was promised."""

    name: str
    value: str
    target: str
    met: bool | None


def show(title: str, bars: Sequence[Bar]) -> None:
    """Print bars as a table, missed ones marked."""
    print(f"\n## {title}\n")
    rows = [("what", "measured", "target", "")]
    words = {True: "met", False: "MISSED", None: ""}
    rows += [(bar.name, bar.value, bar.target, words[bar.met]) for bar in bars]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
