"""The files of a batch with what manifests say of them, and which of them belong together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from .codes import Code
from .found import Found as Found
from .found import outcome_of as outcome_of
from .found import parse_name as parse_name
from .manifests import MANIFEST, Entry, Fault, Manifest, read_manifest, settle
from .pairs import SPEAKS_FOR, Comparison, RunAverage
from .records import Expression, Outcome, Status
from .remote import is_remote, join, parent
from .visits import PhotoKind
from .walking import RESULTS_MARK as RESULTS_MARK
from .walking import Paths as Paths
from .walking import expand as expand
from .walking import marking, may_be_file, refusal_of, root_of, shown_path, unreadable, walk


def find_photos(
    paths: Paths, *, ignored: Counter[str] | None = None, manifests: Sequence[Manifest] | None = None
) -> Iterator[Found]:
    """Yield the files of `paths`: files, folders in sorted order, manifests' photos; each file once.

    `paths` may hold patterns (``photos/**/*.jpg``), manifests (``….csv``) and addresses of stores. A
    manifest, also `manifest.csv` in a folder of `paths`, overrides what names tell; its rows with a fault,
    and those whose photo is not there, are yielded with the reason. Hidden files, files that are no
    pictures and folders of our own results get no row and are counted in `ignored`. Links inside a folder,
    pipes and unreadable folders get a row with the reason. manifests: as `read_manifests` returned them, to
    be read once only. Raises TableError when a manifest is no table.
    """
    ignored = Counter() if ignored is None else ignored
    tops = expand(paths, ignored=ignored)
    manifests = read_manifests(tops) if manifests is None else manifests
    rows = _Rows(manifests, tops)
    for found in walk(tops, ignored):
        yield from rows.about(found)
    yield from rows.left()


def read_manifests(paths: Paths) -> tuple[Manifest, ...]:
    """Return the manifests that are named, and those in the folders that are; raises TableError."""
    found: dict[str, Manifest | None] = {}
    for top in expand(paths):
        place = _manifest_at(top)
        if place and place not in found:
            found[place] = read_manifest(place)
    return tuple(manifest for manifest in found.values() if manifest)


def table_folder(path: str | Path) -> str:
    """Return the folder whose tables belong to what was asked for: itself, or a manifest's; else ''."""
    text = os.fspath(path)
    if is_remote(text):
        return parent(text) if text.lower().endswith(".csv") else text
    if os.path.isdir(text):
        return text
    return os.path.dirname(os.path.abspath(text)) if text.lower().endswith(".csv") else ""


def manifest_of(path: str) -> str:
    """Return the manifest that is meant: the file itself, or manifest.csv in a folder."""
    if is_remote(path):
        return path if path.lower().endswith(".csv") else join(path, MANIFEST)
    return os.path.join(path, MANIFEST) if os.path.isdir(path) else path


def left_by(manifest: Manifest, path: str) -> Iterator[Found]:
    """Yield the photos that a manifest names, those that cannot be opened with the reason."""
    return _Rows([manifest], expand([path])).left()


def columns_in(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """Return the columns that are passed through to the outputs, each once."""
    return tuple(dict.fromkeys(column for manifest in manifests for column in manifest.columns))


def _manifest_at(top: str) -> str:
    """Return where the manifest of something that was asked for may be, '' where it has none."""
    if top.lower().endswith(".csv") and (is_remote(top) or os.path.isfile(top)):
        return top
    if is_remote(top):
        return "" if may_be_file(top) else manifest_of(top)
    place = manifest_of(top)
    return place if place != top and os.path.isfile(place) else ""


class _Rows:
    """What manifests say of the files that are found; remembers which of their rows had a file."""

    def __init__(self, manifests: Sequence[Manifest], tops: Sequence[str]) -> None:
        self._entries, conflicts = settle(entry for manifest in manifests for entry in manifest.entries)
        self._faults: dict[str, list[Fault]] = {}
        for fault in (*(fault for manifest in manifests for fault in manifest.faults), *conflicts):
            self._faults.setdefault(fault.file, []).append(fault)
        self._root = root_of(tops)
        self._seen: set[str] = set()

    def about(self, found: Found) -> Iterator[Found]:
        """Yield a found file with its entry; where its rows have faults, a refusal for each instead."""
        file = os.fspath(found.file)
        faults = self._faults.get(file)
        entry = self._entries.get(file)
        if faults or entry:
            self._seen.add(file)
        if faults:
            yield from (Found(found.file, found.path, _faulty(found.path, fault)) for fault in faults)
        else:
            yield _with_entry(found, entry)

    def left(self) -> Iterator[Found]:
        """Yield the rows whose file was not found on the way, by line."""
        for file, entry in self._entries.items():
            if file not in self._seen and file not in self._faults:
                shown = shown_path(file, self._root)
                yield _with_entry(_named(file, shown, entry), entry)
        for file, faults in self._faults.items():
            if not file or file not in self._seen:
                for fault in faults:
                    written = fault.path or fault.message.partition(":")[0]  # a row without a path: its line
                    shown = shown_path(file, self._root) if file else written
                    yield Found(file or fault.path, shown, _faulty(shown, fault))


def _with_entry(found: Found, entry: Entry | None) -> Found:
    """Return a found file with what a manifest says of it."""
    if entry is None:
        return found
    found, refusal = replace(found, entry=entry), found.refusal
    is_marking = refusal is not None and refusal.code is Code.MARKING_PHOTO
    if entry.kind and (refusal is None or is_marking):
        refusal = marking(found.path) if entry.kind is PhotoKind.MARKING else None
    return replace(found, refusal=found.labelled(refusal) if refusal else None)


def _named(file: str, shown: str, entry: Entry) -> Found:
    """Return a file that only a manifest names: it may be anywhere in its folder, or nowhere."""
    if is_remote(file):
        return Found(file, shown)  # whoever reads it will see
    try:
        mode = os.lstat(file).st_mode
    except FileNotFoundError:
        message = f"{entry.source}, line {entry.line}: there is no such file. Correct its path."
        return Found(Path(file), shown, outcome_of(shown, Status.REJECTED, Code.MISSING, message))
    except OSError as error:
        return Found(Path(file), shown, unreadable(shown, error))
    return Found(Path(file), shown, refusal_of(file, shown, mode))


def _faulty(shown: str, fault: Fault) -> Outcome:
    return outcome_of(shown, Status.REJECTED, fault.code, fault.message)


# -- rest and expression ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shot:
    """One scored photo of a batch: its file, as what it is shown, its bytes, and what its name tells."""

    file: Path | str
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
