"""The command line's front door: `wrinklecv` and `python -m wrinklecv`."""

from __future__ import annotations

import sys

from .cli import app


def main() -> None:
    """Run the command line; names that the terminal cannot show are escaped, never fatal."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="wrinklecv")


if __name__ == "__main__":
    main()
