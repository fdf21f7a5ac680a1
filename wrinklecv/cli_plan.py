"""The commands that look before anything is measured: `validate`, and what `score --dry-run` prints.

Each parses, makes one library call and prints; data to stdout, words to stderr.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from .cli_parts import must_exist, print_table, say


def add_commands(app: typer.Typer) -> None:
    """Give `app` the commands of this module."""
    app.command("validate", epilog="Example: wrinklecv validate photos/manifest.csv")(validate)


def validate(
    manifest: Annotated[
        str, typer.Argument(metavar="MANIFEST", help="CSV file, or a folder with manifest.csv.")
    ],
) -> None:
    """Check a manifest: print line, path, code and sentence of every fault. No photo is opened.

    Exit code 0: no fault; 1: rows with faults, whose photos `score` refuses; 2: the table cannot be used at
    all.
    """
    must_exist([manifest], "MANIFEST")
    from .listing import manifest_of
    from .plans import FAULT_COLUMNS, check_manifest, fault_rows

    faults = check_manifest(manifest_of(manifest))
    print_table(FAULT_COLUMNS, fault_rows(faults))
    say(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}.")
    raise typer.Exit(2 if any(fault.whole for fault in faults) else min(1, len(faults)))


def show_plan(paths: Sequence[str]) -> int:
    """Print what `score` would do with `paths`; return the exit code."""
    from .plans import PLAN_COLUMNS, plan, plan_rows

    found = plan(paths)
    print_table(PLAN_COLUMNS, plan_rows(found))
    for reason, count in sorted(found.ignored.items()):
        say(f"{count} left out: {reason.replace('_', ' ')}.")
    say(f"To be measured: {len(found.files) - found.refused} files; not opened: {found.refused}.")
    say(f"To be compared: {len(found.pairs)} pairs; to be followed: {len(found.subjects)} subjects.")
    say("Nothing was measured.")
    return 1 if found.refused or not found.files else 0
