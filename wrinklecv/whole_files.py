"""Files that appear whole or not at all, whatever happens to the program or the machine meanwhile."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

UNFINISHED = ".partial"
"""How the name of a file ends that is not whole yet."""


@contextmanager
def replacing(
    path: Path, mode: str, *, by_way_of: Path | None = None, synced: bool = True
) -> Generator[IO[Any]]:
    """Open a temporary file that takes the place of `path` when all went well, and vanishes otherwise.

    mode: ``"w"`` for a table (UTF-8 with a mark), ``"wb"``. by_way_of: where the temporary file lies, on the
    same disk; beside `path` when left out. synced: brought to the disk before it takes the place.
    """
    handle, temporary = tempfile.mkstemp(dir=by_way_of or path.parent, prefix=".", suffix=UNFINISHED)
    text = {} if "b" in mode else {"encoding": "utf-8-sig", "newline": ""}
    stream: IO[Any] = os.fdopen(handle, mode, **text)  # type: ignore[call-overload]
    try:
        yield stream
        if synced:
            sync(stream)
        stream.close()
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # on a full disk what it still holds cannot be written either
            stream.close()
        Path(temporary).unlink(missing_ok=True)
        raise


def sync(stream: IO[Any]) -> None:
    """Bring all that was written to the disk."""
    stream.flush()
    os.fsync(stream.fileno())


def write_whole(path: Path, content: bytes, *, by_way_of: Path | None = None, synced: bool = True) -> None:
    """Write a file, unless it says the same already; `by_way_of` and `synced` as in `replacing`."""
    with contextlib.suppress(OSError):
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return
    with replacing(path, "wb", by_way_of=by_way_of, synced=synced) as stream:
        stream.write(content)


def sync_all() -> None:
    """Bring to the disk what was written without, where the system can do it for all files at once."""
    if hasattr(os, "sync"):
        os.sync()


def remove_unfinished(folder: Path) -> None:
    """Remove what a program that was killed left in `folder`; only its one writer may do that."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith(".") and entry.name.endswith(UNFINISHED):
                Path(entry.path).unlink(missing_ok=True)


def safe_name(path: str, sha256: str) -> str:
    """Return a file name without suffix that every system can keep: part of the hash and of the name."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "_", Path(path).stem).strip("_")
    return f"{sha256[:12]}_{stem[:60] or 'photo'}"
