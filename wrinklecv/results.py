"""A folder of results: tables, JSON documents and overlays, each file written whole or not at all."""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from . import DISCLAIMER, tables
from .errors import OutputError
from .listing import RESULTS_MARK, Paths
from .model import MODEL_SHA256
from .records import MEASURE_VERSION, Outcome
from .settings import Settings

_PACKAGES = ("wrinklecv", "numpy", "scipy", "opencv-python-headless", "mediapipe", "pillow", "simplejpeg")


class Results:
    """Write the outcomes of a batch into the folder `out`; a context manager.

    JSON documents and overlays appear as they are written. The tables go to temporary files and take
    the place of older ones when the block ends well, `run.json` last; after an error the old ones
    stand. Every method raises OutputError when `out` cannot be written.
    """

    def __init__(self, out: Path, photos: Paths) -> None:
        """Make and mark the folder; raise OutputError also when `out` holds the `photos` themselves."""
        self._out = out
        self._stack = ExitStack()
        real = out.resolve()
        for photo in map(Path, photos):
            if real in (photo.resolve(), *photo.resolve().parents):
                raise OutputError(f"{out} holds the photos {photo}: choose another folder for the results.")
        with self._saying():
            for name in ("json", "overlays"):
                (out / name).mkdir(parents=True, exist_ok=True)
            (out / RESULTS_MARK).touch()

    def __enter__(self) -> Self:
        """Begin the tables."""
        with self._saying(), ExitStack() as stack:
            self._photos, self._measures, self._lines = (
                tables.csv_writer(stack.enter_context(_replacing(self._out / name, "w")), columns)
                for name, columns in (
                    ("photos.csv", tables.PHOTO_COLUMNS),
                    ("measures_long.csv", tables.MEASURE_COLUMNS),
                    ("lines.csv", tables.LINE_COLUMNS),
                )
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the tables in place, or drop them after an error."""
        with self._saying():
            self._stack.__exit__(kind, error, trace)

    def add(self, outcome: Outcome, overlay: bytes = b"") -> None:
        """Write the rows of one outcome, its JSON document and its overlay (a JPEG; empty: none)."""
        assessment = outcome.assessment
        with self._saying():
            self._photos(tables.photo_row(outcome))
            if assessment is None:
                return
            for row in tables.to_rows([assessment]):
                self._measures(row)
            for row in tables.line_rows(assessment):
                self._lines(row)
            name = _safe_name(outcome)
            _write(self._out / "json" / f"{name}.json", tables.to_json(tables.document(assessment)).encode())
            if overlay:
                _write(self._out / "overlays" / f"{name}.jpg", overlay)

    def write_run(
        self, settings: Settings, command: Sequence[str], files: Mapping[str, int], ignored: Mapping[str, int]
    ) -> None:
        """Write run.json: with what the numbers were made. The only file that tells the time."""
        run = {
            "disclaimer": DISCLAIMER,
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": [tables.escaped(word) for word in command],
            "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
            "measure_version": MEASURE_VERSION,
            "model_sha256": MODEL_SHA256,
            "settings_digest": settings.digest,
            "settings": asdict(settings),
            "files": dict(files),
            "ignored": dict(sorted(ignored.items())),
        }
        with self._saying():
            _write(self._out / "run.json", (json.dumps(run, indent=2) + "\n").encode())

    @contextmanager
    def _saying(self) -> Generator[None]:
        """Turn what the system says about the folder into an OutputError."""
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"Cannot write results to {self._out}: {error.strerror}. "
                "Free some space there or choose another folder."
            ) from error


def _safe_name(outcome: Outcome) -> str:
    """Return a file name without suffix that every system can keep: part of the hash and of the name."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "_", Path(outcome.path).stem).strip("_")
    return f"{outcome.sha256[:12]}_{stem[:60] or 'photo'}"


def _write(path: Path, content: bytes) -> None:
    with _replacing(path, "wb") as stream:
        stream.write(content)


@contextmanager
def _replacing(path: Path, mode: str) -> Generator[IO[Any]]:
    """Open a temporary file that takes the place of `path` when all went well, and vanishes otherwise."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
    text = {} if "b" in mode else {"encoding": "utf-8-sig", "newline": ""}
    try:
        with os.fdopen(handle, mode, **text) as stream:  # type: ignore[call-overload]
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
