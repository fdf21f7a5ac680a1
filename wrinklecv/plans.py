"""What a batch would do, and what is wrong with a manifest, without opening a photo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .codes import Code
from .errors import TableError
from .followed import followed_in
from .listing import Found, Pair, Paths, Shot, find_pairs, find_photos, left_by
from .manifests import Fault, Manifest, day_of, read_manifest
from .records import Expression
from .tables import Row
from .walking import in_order

PLAN_COLUMNS = (
    *("what", "path", "status", "code", "subject", "visit", "expression", "run", "rest_photo", "message"),
)
FAULT_COLUMNS = ("line", "path", "code", "message")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch would do: each file, the pairs, the subjects with their visits, what is left out.

    Which photos can be scored, and which are copies of others, only reading them can tell.
    """

    files: tuple[Found, ...]
    pairs: tuple[Pair, ...]
    subjects: Mapping[str, int]
    ignored: Counter[str]

    @property
    def refused(self) -> int:
        """How many files would not even be opened."""
        return sum(found.refusal is not None for found in self.files)


def plan(paths: Paths) -> Plan:
    """Return what `score` would do with `paths`; nothing is opened but manifests. Raises TableError."""
    ignored = Counter[str]()
    tops = in_order(paths, ignored=ignored)
    files = tuple(find_photos(tops, ignored=ignored))
    shots = [Shot(one.file, one.path, "", *one.told()) for one in files if one.refusal is None]
    shots = [shot for shot in shots if shot.expression is not Expression.UNKNOWN]
    by_subject: dict[str, list[Shot]] = {}
    for shot in shots:
        if shot.subject:
            by_subject.setdefault(shot.subject, []).append(shot)
    followed = followed_in(by_subject.values())
    subjects = {name: len({day_of(shot.visit) for shot in own}) for name, own in followed}
    return Plan(files, tuple(find_pairs(shots)), subjects, ignored)


def plan_rows(found: Plan) -> Iterator[Row]:
    """Yield a row per file, per pair and per subject (`PLAN_COLUMNS`)."""
    empty: Row = dict.fromkeys(PLAN_COLUMNS, "")
    for one in found.files:
        subject, visit, expression, run = one.told()
        cells: Row = {"subject": subject, "visit": visit, "expression": str(expression), "run": run}
        refusal = one.refusal
        status, code = (str(refusal.status), str(refusal.code)) if refusal else ("to_measure", "")
        message = refusal.message if refusal else ""
        yield (
            empty
            | cells
            | {"what": "file", "path": one.path, "status": status, "code": code, "message": message}
        )
    for pair in found.pairs:
        shown = pair.expression
        cells = {
            "subject": shown.subject,
            "visit": shown.visit,
            "expression": str(pair.name),
            "run": shown.run,
        }
        places: Row = {"what": "pair", "path": shown.path, "rest_photo": pair.rest.path}
        yield empty | cells | places | {"status": "to_compare"}
    for subject, visits in found.subjects.items():
        told: Row = {"what": "subject", "subject": subject, "status": "to_follow"}
        yield empty | told | {"message": f"{visits} visits"}


def check_manifest(path: str | Path) -> tuple[Fault, ...]:
    """Return all that is wrong with a manifest, by line: rows, photos that are not there or are no files.

    A fault is `whole` where the table cannot be used at all.
    """
    try:
        manifest = read_manifest(path, trusting=True)
        if manifest is None:
            raise TableError(f"{Path(path).name}: there is no such file.")
    except TableError as error:
        return (Fault(error.line, str(error), whole=True),)
    return tuple(sorted((*manifest.faults, *_lost(manifest, str(path))), key=lambda fault: fault.line))


def _lost(manifest: Manifest, path: str) -> Iterator[Fault]:
    for found in left_by(manifest, path):
        entry, refusal = found.entry, found.refusal
        if entry and refusal and refusal.code and refusal.code is not Code.MARKING_PHOTO:
            begin = f"{entry.source}, line {entry.line}: "
            message = refusal.message if refusal.message.startswith(begin) else f"{begin}{refusal.message}"
            yield Fault(entry.line, message, entry.path, entry.file, refusal.code)


def fault_rows(faults: tuple[Fault, ...]) -> Iterator[Row]:
    """Yield a row per fault (`FAULT_COLUMNS`); line 0: the file as a whole."""
    for fault in faults:
        cells = (fault.line, fault.path, str(fault.code), fault.message)
        yield dict(zip(FAULT_COLUMNS, cells, strict=True))
