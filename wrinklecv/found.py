"""One file of a batch: what its name and a manifest tell, and its Outcome when it is not even opened."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from .codes import Code
from .manifests import Entry, day_of
from .records import Assessment, Expression, Outcome, Status


@dataclass(frozen=True, slots=True)
class Found:
    """One file of a batch: where it is, its `path` as shown, and its Outcome when it is not even opened.

    file: a Path, or an address in a store. entry: what a manifest says of it.
    """

    file: Path | str
    path: str
    refusal: Outcome | None = None
    entry: Entry | None = None

    def told(self) -> tuple[str, str, Expression, str]:
        """Return (subject, visit, expression, run): as the manifest says, else as the name tells."""
        subject, visit, expression, run = parse_name(self.path)
        if self.entry is None:
            return subject, visit, expression, run
        entry = self.entry
        day = visit_of(entry.day) if entry.day else visit
        return entry.subject or subject, day, entry.expression or expression, entry.run or run

    def labelled(self, outcome: Outcome) -> Outcome:
        """Return `outcome` with what the manifest says of the file."""
        if self.entry is None:
            return outcome
        subject, visit, expression, run = self.told()
        extras = self.entry.extras
        return replace(outcome, subject=subject, visit=visit, expression=expression, run=run, extras=extras)


_PART = re.compile(r"(?:^|_)(sub|ses|run)-([^_.]+)", re.IGNORECASE)
_EXPRESSION = re.compile(r"(?:^|_)expr-(rest|brow[-_ ]?raise|frown|smile)(?=[_.]|$)", re.IGNORECASE)


def parse_name(path: str | Path) -> tuple[str, str, Expression, str]:
    """Return (subject, visit, expression, run) from ``sub-001_ses-20250110_expr-frown_run-1.jpg``.

    Parts may be missing, in any order and case; the folder does not matter. A day is written as 20250110.
    """
    name = os.path.basename(path)
    parts = {key.lower(): value for key, value in _PART.findall(name)}
    found = _EXPRESSION.search(name)
    word = re.sub("[-_ ]", "", found[1].lower()) if found else "unknown"
    expression = Expression.BROW_RAISE if word == "browraise" else Expression(word)
    day = day_of(visit := parts.get("ses", ""))
    return parts.get("sub", ""), visit_of(day) if day else visit, expression, parts.get("run", "")


def visit_of(day: date) -> str:
    """Return a day as names write it: however it was written, photos of one day are of one visit."""
    return f"{day:%Y%m%d}"


def outcome_of(
    path: str,
    status: Status,
    code: Code | None = None,
    message: str = "",
    sha256: str = "",
    assessment: Assessment | None = None,
) -> Outcome:
    """Return the Outcome of `path` with what its name tells."""
    subject, visit, expression, run = parse_name(path)
    return Outcome(path, status, sha256, subject, visit, expression, run, assessment, code, message)
