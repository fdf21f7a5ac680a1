"""Run the benchmarks: ``python -m benchmarks [NAME] [FOLDER]``, all by default; ``--help`` lists the names.

One named bench prints its tables, and puts them into `docs/accuracy.md` with `--put`. Without a name all run
and that page is written anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from . import page
from .photos import DATA
from .table import Table, markdown

_ALL = tuple(page.TITLES)


def main() -> None:
    """Run what was named; exit 2 when a name or folder is unknown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("bench", nargs="?", choices=_ALL, help="all of them when left out")
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="your photos; `lines` wants a folder with photos/ and lines/, `limits`, `smooth` and `repeat` "
        "any folder",
    )
    parser.add_argument("--put", action="store_true", help="put the tables into docs/accuracy.md")
    asked = parser.parse_args()
    if asked.put and (asked.folder or not asked.bench):
        parser.error("--put goes with the name of one bench, on the project's own photos")
    if asked.folder and not asked.folder.is_dir():
        parser.error(f"{asked.folder} is no folder")
    names = (asked.bench,) if asked.bench else _ALL
    sections = {name: _run(name, asked.folder) for name in names}
    if asked.put:
        print(f"\nPut into {page.put(asked.bench, sections[asked.bench])}")
    if not asked.bench:
        print(f"\nWritten: {page.write(sections)}")


def _run(name: str, folder: Path | None) -> tuple[Table, ...]:
    """Run one bench and print its tables as they come."""
    tables = _bench(name)(folder or DATA)
    for table in tables:
        print("\n" + markdown(table), flush=True)
    return tables


def _bench(name: str) -> Callable[[Path], tuple[Table, ...]]:
    """Fetch one bench; each is imported only when it runs."""
    from . import app, batch, follow, limits, lines, pairs, repeat, smooth, speed, store, truth

    every = {
        "lines": lines.run,
        "truth": truth.run,
        "limits": limits.run,
        "smooth": smooth.run,
        "repeat": repeat.run,
        "pairs": pairs.run,
        "follow": follow.run,
        "store": store.run,
        "batch": batch.run,
        "app": app.run,
        "speed": speed.run,
    }
    return every[name]


if __name__ == "__main__":
    main()
