"""Run the benchmarks: ``python -m benchmarks [truth|invariance|speed]…`` (all of them by default)."""

from __future__ import annotations

import sys

from . import invariance, speed, truth

_ALL = {"truth": truth.run, "invariance": invariance.run, "speed": speed.run}


def main() -> None:
    """Run what was named; exit 2 when a name is unknown."""
    wanted = sys.argv[1:] or list(_ALL)
    unknown = [name for name in wanted if name not in _ALL]
    if unknown:
        sys.exit(f"Unknown: {', '.join(unknown)}. Choose from: {', '.join(_ALL)}.")
    for name in wanted:
        _ALL[name]()


if __name__ == "__main__":
    main()
