"""Which files a batch is made of, what their names tell, and which of them belong together.

Works on names as text, not on `Path`: a hundred thousand files are listed in seconds, and odd names
(bytes that are not UTF-8, a trailing dot) stay what they are.
"""

from __future__ import annotations

import functools
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .codes import Code
from .pairs import SPEAKS_FOR, Comparison, RunAverage
from .records import Assessment, Expression, Outcome, Status

Paths = Iterable[str | Path]

IMAGE_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".heic", ".heif", ".hif"),
        *(".avif", ".jxl", ".jp2", ".tif", ".tiff", ".bmp", ".gif", ".dcm"),
        *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
    )
)
"""Pictures, whether we can decode them or not: those we cannot get a row that says so."""
RESULTS_MARK = ".wrinklecv-results"
"""An empty file in a folder of results: such a folder is never walked as input."""


@dataclass(frozen=True, slots=True)
class Found:
    """One file of a batch: where it is, its `path` as shown, and its Outcome when it is not even opened."""

    file: Path
    path: str
    refusal: Outcome | None = None


def find_photos(paths: Paths, *, ignored: Counter[str] | None = None) -> Iterator[Found]:
    """Yield the files of `paths` (files and folders), folders walked in sorted order, each file once.

    Hidden files, files that are no pictures and folders of our own results get no row and are counted
    in `ignored`. Links inside a folder, pipes and unreadable folders get a row with the reason.
    """
    ignored = Counter() if ignored is None else ignored
    tops = dict.fromkeys(os.path.abspath(path) for path in paths)
    root = _root(list(tops))
    seen: set[str] = set()
    waiting = list(tops)[::-1]
    while waiting:
        full = waiting.pop()
        folder, name = os.path.split(full)
        real = os.path.join(_real(folder), name)
        if real in seen:
            continue
        seen.add(real)
        asked = full in tops
        if name.startswith(".") and not asked:
            ignored["hidden"] += 1
            continue
        shown = os.path.relpath(full, root).replace(os.sep, "/")
        refusal = None
        try:
            mode = _mode(full, asked)
            if stat.S_ISDIR(mode):
                waiting += _inside(full, ignored)
                continue
            refusal = _refusal(full, shown, mode)
        except OSError as error:
            refusal = _unreadable(shown, error)
        if asked or refusal is not None or _may_be_photo(name):
            yield Found(Path(full), shown, refusal)
        else:
            ignored["not_a_photo_file"] += 1


def _mode(full: str, asked: bool) -> int:
    """Return the file's mode; a link is followed only when it is a folder that was asked for."""
    return (os.stat if asked and os.path.isdir(full) else os.lstat)(full).st_mode


def _inside(folder: str, ignored: Counter[str]) -> list[str]:
    """Return what is in `folder`, last name first; nothing when it is a folder of our own results."""
    if os.path.lexists(os.path.join(folder, RESULTS_MARK)):
        ignored["own_results"] += 1
        return []
    names = sorted(os.listdir(folder), key=os.fsencode, reverse=True)
    return [os.path.join(folder, name) for name in names]


def _root(tops: Sequence[str]) -> str:
    """Return the folder that shown paths are relative to: the one asked for, or what all have in common."""
    folders = [top if os.path.isdir(top) else os.path.dirname(top) for top in tops]
    return os.path.commonpath(folders) if folders else ""


@functools.lru_cache(maxsize=64)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def _may_be_photo(name: str) -> bool:
    """Say whether a file found in a folder gets a row: a picture's suffix, or none at all."""
    return os.path.splitext(name)[1].lower() in ("", ".", *IMAGE_SUFFIXES)


def _refusal(full: str, shown: str, mode: int) -> Outcome | None:
    """Return the outcome of a file that must not be opened, else None."""
    if stat.S_ISLNK(mode):
        try:
            os.stat(full)
        except FileNotFoundError:
            return outcome_of(shown, Status.SKIPPED, Code.MISSING, "A link to a file that does not exist.")
        except OSError:
            pass  # a link to itself: a link all the same
        return outcome_of(shown, Status.SKIPPED, Code.SYMLINK, "A link; name the file itself to score it.")
    if not stat.S_ISREG(mode):
        return outcome_of(shown, Status.REJECTED, Code.NOT_A_REGULAR_FILE, "A pipe or device, not a file.")
    if re.search(r"(^|[-_])marking([-_.]|$)", os.path.basename(full), re.IGNORECASE):
        message = "A photo of the marked face: kept, never scored."
        return outcome_of(shown, Status.SKIPPED, Code.MARKING_PHOTO, message)
    return None


def _unreadable(shown: str, error: OSError) -> Outcome:
    """Return the row of a file or folder that the system would not show."""
    code = {PermissionError: Code.PERMISSION_DENIED, FileNotFoundError: Code.MISSING}.get(
        type(error), Code.READ_FAILED
    )
    return outcome_of(shown, Status.REJECTED, code, f"Cannot be read: {error.strerror}.")


_PART = re.compile(r"(?:^|_)(sub|ses|run)-([^_.]+)", re.IGNORECASE)
_EXPRESSION = re.compile(r"(?:^|_)expr-(rest|brow[-_ ]?raise|frown|smile)(?=[_.]|$)", re.IGNORECASE)


def parse_name(path: str | Path) -> tuple[str, str, Expression, str]:
    """Return (subject, visit, expression, run) from ``sub-001_ses-20250110_expr-frown_run-1.jpg``.

    Parts may be missing, in any order and case; the folder does not matter.
    """
    name = os.path.basename(path)
    parts = {key.lower(): value for key, value in _PART.findall(name)}
    found = _EXPRESSION.search(name)
    word = re.sub("[-_ ]", "", found[1].lower()) if found else "unknown"
    expression = Expression.BROW_RAISE if word == "browraise" else Expression(word)
    return parts.get("sub", ""), parts.get("ses", ""), expression, parts.get("run", "")


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


# -- rest and expression ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shot:
    """One scored photo of a batch: its file, as what it is shown, its bytes, and what its name tells."""

    file: Path
    path: str
    sha256: str
    subject: str
    visit: str
    expression: Expression
    run: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A rest photo and an expression photo to be compared.

    name: which expression it is; UNKNOWN where only the movement can tell.
    """

    rest: Shot
    expression: Shot
    name: Expression


class PairStatus(StrEnum):
    """What became of one pair."""

    COMPARED = "compared"
    COMPARED_FLAGGED = "compared_flagged"
    REJECTED = "rejected"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, eq=False)
class PairOutcome:
    """What became of one pair: a comparison, or the reason why there is none, or why it tells nothing."""

    pair: Pair
    status: PairStatus
    comparison: Comparison | None = None
    code: Code | None = None
    message: str = ""

    @property
    def name(self) -> Expression:
        """Which expression it is, if need be as the movement tells."""
        return self.comparison.name if self.comparison else self.pair.name

    @property
    def series(self) -> tuple[str, str, Expression]:
        """Subject, visit and expression: what the runs of one expression have in common."""
        return self.pair.expression.subject, self.pair.expression.visit, self.name


@dataclass(frozen=True, slots=True)
class Runs:
    """The mean over several pairs of one series, region by region."""

    series: tuple[str, str, Expression]
    averages: tuple[RunAverage, ...]


def shot_of(found: Found, outcome: Outcome) -> Shot:
    """Return a scored photo without its measurements, so that a batch can remember it."""
    return Shot(
        found.file,
        found.path,
        outcome.sha256,
        outcome.subject,
        outcome.visit,
        outcome.expression,
        outcome.run,
    )


def find_pairs(shots: Iterable[Shot]) -> Iterator[Pair]:
    """Yield the pairs among scored photos whose names give the same subject and visit.

    Visits in the order of their first photo; within one by expression, then in the photos' order. Each
    expression photo goes with the rest photo of its own run, else with the first.
    """
    visits: dict[tuple[str, str], list[Shot]] = {}
    for shot in shots:
        if shot.subject and shot.visit:
            visits.setdefault((shot.subject, shot.visit), []).append(shot)
    for visit in visits.values():
        at_rest = [shot for shot in visit if shot.expression is Expression.REST]
        for name in SPEAKS_FOR if at_rest else ():
            for shot in visit:
                if shot.expression is name:
                    rest = next((r for r in at_rest if r.run == shot.run), at_rest[0])
                    yield Pair(rest, shot, name)
