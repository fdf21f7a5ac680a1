"""A folder of results: tables, JSON documents and overlays, each file written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import platform
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from . import DISCLAIMER, follow_tables, pair_tables, tables
from .codes import Code
from .errors import OutputError
from .histories import FollowUp
from .kept import PACKAGES, Kept, cannot_write, way_of_measuring
from .ledger import Ledger
from .listing import RESULTS_MARK, PairOutcome, Paths, Runs
from .model import MODEL_SHA256
from .pairs import SPEAKS_FOR, Comparison
from .records import MEASURE_VERSION, Outcome, Status
from .remote import is_remote, redacted
from .settings import Settings
from .whole_files import remove_unfinished, replacing, safe_name, sync, sync_all, write_whole

RUN = "run.json"
_PAIR_FILES = ("json/{}_pair.json", "overlays/{}_kinds.jpg", "overlays/{}_blink.gif")
_SAME_BYTES = (Code.DUPLICATE_OF, Code.CONFLICTING_SUBJECT)
"""Refused for another photo's sake: its files may be that one's."""


class Results:
    """Write the outcomes of a batch into the folder `out`; a context manager.

    JSON documents and overlays appear as they are written. The tables go to temporary files and take
    the place of older ones when the block ends well, `run.json` last; after an error the old ones
    stand. Every method raises OutputError when `out` cannot be written, or another run is writing there.
    """

    def __init__(self, out: Path, photos: Paths, extras: Sequence[str] = ()) -> None:
        """Make and mark the folder; raise OutputError also when `out` holds the `photos` themselves.

        extras: columns of a manifest that are passed through.
        """
        self._out = out
        self._extras = tuple(map(tables.extra_name, extras))
        self._stack = ExitStack()
        self._tables: list[IO[Any]] = []
        real = out.resolve()
        for photo in (Path(photo) for photo in photos if not is_remote(photo)):
            if real in (photo.resolve(), *photo.resolve().parents):
                raise OutputError(f"{out} holds the photos {photo}: choose another folder for the results.")
        with self._saying():
            for name in ("json", "overlays"):
                (out / name).mkdir(parents=True, exist_ok=True)
            (out / RESULTS_MARK).touch()

    def __enter__(self) -> Self:
        """Begin the tables."""
        with self._saying(), ExitStack() as stack:
            self.ledger = stack.enter_context(closing(Ledger()))
            for folder in (self._out, self._out / "json", self.overlays):
                remove_unfinished(folder)
            photos, measures, wide, pairs, pair_lines, changes, histories, lines = (
                tables.csv_writer(self._table(stack, name), columns)
                for name, columns in (
                    ("photos.csv", tables.PHOTO_COLUMNS + self._extras),
                    ("measures_long.csv", tables.MEASURE_COLUMNS),
                    ("measures_wide.csv", tables.WIDE_COLUMNS + self._extras),
                    ("pairs.csv", pair_tables.PAIR_COLUMNS),
                    ("pair_lines.csv", pair_tables.PAIR_LINE_COLUMNS),
                    ("changes.csv", follow_tables.CHANGE_COLUMNS),
                    ("line_histories.csv", follow_tables.HISTORY_COLUMNS),
                    ("lines.csv", tables.LINE_COLUMNS),
                )
            )
            self._photos, self._measures, self._wide = photos, measures, wide
            self._pairs, self._pair_lines = pairs, pair_lines
            self._changes, self._histories = changes, histories
            self._write_line = lines
            self._lines = stack.enter_context(tempfile.TemporaryFile("w+", encoding="ascii", dir=self._out))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the tables in place, or drop them after an error: all of them or none, even on a full disk."""
        if error is not None:
            with suppress(OSError):  # on a full disk closing fails as well, and is not what went wrong
                self._stack.__exit__(kind, error, trace)
            return
        with self._saying(), self._stack:
            self._write_lines()
            sync_all()  # a hundred thousand documents one by one would take longer than measuring
            for table in self._tables:
                sync(table)
            (self._out / RUN).unlink(missing_ok=True)  # it speaks of the tables that are replaced now

    def _table(self, stack: ExitStack, name: str) -> IO[Any]:
        self._tables.append(stack.enter_context(replacing(self._out / name, "w")))
        return self._tables[-1]

    def alone(self) -> AbstractContextManager[None]:
        """Let no other run write to the folder meanwhile; raise OutputError when one does."""
        return _only_writer(self._out)

    @property
    def overlays(self) -> Path:
        """Where the pictures lie."""
        return self._out / "overlays"

    @property
    def documents(self) -> Path:
        """Where the JSON documents lie."""
        return self._out / "json"

    def kept(self, settings: Settings, *, anew: bool = False) -> Kept:
        """Return what earlier runs with the same settings finished; nothing when all is measured `anew`."""
        kept = Kept(self._out / "kept", way_of_measuring(settings), anew)
        kept.tidy()
        return kept

    def add(self, outcome: Outcome, overlay: bytes = b"", document: bytes | None = None) -> None:
        """Write the rows of one outcome, its JSON document and its overlay (a JPEG; empty: none).

        document: already made elsewhere; empty when it is there already.
        """
        assessment = outcome.assessment
        with self._saying():
            extras: tables.Row = {tables.extra_name(name): cell for name, cell in outcome.extras}
            self._photos(tables.photo_row(outcome) | extras)
            self._wide(tables.wide_row(outcome) | extras)
            if assessment is None:
                if outcome.status is Status.REJECTED and outcome.code not in _SAME_BYTES:
                    self._forget(outcome.path, outcome.sha256, "json/{}.json", "overlays/{}.jpg")
                return
            for row in tables.to_rows([assessment]):
                self._measures(row)
            for row in tables.line_rows(assessment):
                self._lines.write(json.dumps(row) + "\n")
            name = safe_name(outcome.path, outcome.sha256)
            if document is None:
                document = tables.to_json(tables.document(assessment)).encode()
            self._write(f"json/{name}.json", document)
            self._write(f"overlays/{name}.jpg", overlay)

    def _forget(self, path: str, sha256: str, *places: str) -> None:
        """Remove what an earlier run wrote of a photo or pair that has no numbers now."""
        for place in places if sha256 else ():
            (self._out / place.format(safe_name(path, sha256))).unlink(missing_ok=True)

    def _write(self, place: str, content: bytes) -> None:
        """Write a document or picture; nothing where it is empty."""
        if content:
            write_whole(self._out / place, content, synced=False)

    def add_pair(self, outcome: PairOutcome, side_by_side: bytes = b"", blink: bytes = b"") -> None:
        """Write the rows of one pair, its JSON document and its pictures (a JPEG, a GIF; empty: none)."""
        comparison, shown = outcome.comparison, outcome.pair.expression
        with self._saying():
            for row in pair_tables.pair_rows(outcome):
                self._pairs(row)
            if comparison is None:
                self._forget(shown.path, shown.sha256, *_PAIR_FILES)
                return
            self._note_kinds(comparison)
            for row in pair_tables.pair_line_rows(outcome):
                self._pair_lines(row)
            name = safe_name(shown.path, shown.sha256)
            text = tables.to_json(pair_tables.pair_document(outcome, comparison))
            for place, content in zip(_PAIR_FILES, (text.encode(), side_by_side, blink), strict=True):
                self._write(place.format(name), content)

    def add_average(self, runs: Runs) -> None:
        """Write the mean over the runs of one expression, below the rows of its pairs."""
        with self._saying():
            for row in pair_tables.average_rows(runs):
                self._pairs(row)

    def add_course(self, subject: str, course: FollowUp) -> None:
        """Write what changed in one subject, its lines' histories and its JSON document."""
        digest = hashlib.sha256(subject.encode("utf-8", "surrogateescape")).hexdigest()
        with self._saying():
            for row in follow_tables.change_rows(subject, course):
                self._changes(row)
            for row in follow_tables.history_rows(subject, course):
                self._histories(row)
            text = tables.to_json(follow_tables.follow_document(subject, course))
            self._write(f"json/{safe_name(subject, digest)}_follow_up.json", text.encode())

    def add_failed_course(self, subject: str, status: str, reason: str) -> None:
        """Write that a subject could not be followed, and why."""
        with self._saying():
            self._changes(follow_tables.failed_row(subject, status, reason))

    def _note_kinds(self, comparison: Comparison) -> None:
        """Remember for lines.csv what a pair says of both photos' lines: the first word counts.

        Every expression says something else of a line at rest: that counts whose muscles fold it.
        """
        rest, expression = comparison.rest, comparison.expression
        at_rest = self.ledger.kinds(rest.photo_sha256) or [""] * len(rest.lines)
        shown = self.ledger.kinds(expression.photo_sha256) or [""] * len(expression.lines)
        for line in comparison.lines:
            if line.expression_line >= 0:
                shown[line.expression_line] = shown[line.expression_line] or line.kind
            if line.rest_line >= 0 and line.region in SPEAKS_FOR[comparison.name]:
                at_rest[line.rest_line] = at_rest[line.rest_line] or line.kind
        self.ledger.set_kinds(rest.photo_sha256, at_rest)
        self.ledger.set_kinds(expression.photo_sha256, shown)

    def _write_lines(self) -> None:
        """Write lines.csv now that all pairs are known; until then its rows wait on disk."""
        self._lines.seek(0)
        for row in map(json.loads, self._lines):
            kinds = self.ledger.kinds(row["sha256"])
            self._write_line(row | {"kind": kinds[row["line"] - 1] if kinds else None})

    def write_run(
        self,
        settings: Settings,
        command: Sequence[str],
        counts: Mapping[str, Mapping[str, int]],
        ignored: Mapping[str, int],
    ) -> None:
        """Write run.json: with what the numbers were made. The only file that tells the time."""
        run = {
            "disclaimer": DISCLAIMER,
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": [tables.escaped(redacted(word)) for word in command],
            "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
            "measure_version": MEASURE_VERSION,
            "model_sha256": MODEL_SHA256,
            "settings_digest": settings.digest,
            "settings": asdict(settings),
            **{what: dict(statuses) for what, statuses in counts.items()},
            "ignored": dict(sorted(ignored.items())),
        }
        with self._saying():
            write_whole(self._out / RUN, (json.dumps(run, indent=2) + "\n").encode())

    @contextmanager
    def _saying(self) -> Generator[None]:
        """Turn what the system says about the folder into an OutputError."""
        try:
            yield
        except OSError as error:
            raise cannot_write(self._out, error) from error


def write_files(out: Path, files: Mapping[str, bytes]) -> None:
    """Write files by name into the folder `out`, each whole or not at all; raise OutputError if it cannot."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / RESULTS_MARK).touch()
        for name, content in files.items():
            write_whole(out / name, content)
    except OSError as error:
        raise cannot_write(out, error) from error


@contextmanager
def _only_writer(out: Path) -> Generator[None]:
    """Let no other run write to the folder meanwhile; raise OutputError when one does."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once spoil each other's progress, not the tables
        yield
        return
    with (out / RESULTS_MARK).open("rb") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                message = f"Another run is writing to {out}. Wait until it is done, or choose another folder."
                raise OutputError(message) from error
            # else a disk that knows no locks
        yield
