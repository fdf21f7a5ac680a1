"""The photo files of a store: by sha256, byte for byte, so that files and rows agree after any crash.

A file is written under another name, synced, renamed, and its folder synced, before the rows are committed.
While that goes on, a note in `incoming/` says which files are meant. Whoever finds a note while being the
one writer knows that its author is done: files without a row are left-overs of a save that never was, or of
a purge, and are deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import StoreError

Known = Callable[[list[str]], set[str]]
"""Say which of these photos have a row."""
_AT_A_TIME = 8


class PhotoFiles:
    """The folder `photos/` of a store and what is on its way into it."""

    def __init__(self, folder: Path) -> None:
        self._photos = folder / "photos"
        self._incoming = folder / "incoming"
        self._aside = folder / "aside"
        if not self._incoming.exists():
            for place in (self._photos, *(self._photos / f"{first:02x}" for first in range(256))):
                place.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(self._photos)
            self._incoming.mkdir(mode=0o700, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where a photo lies."""
        return self._photos / sha256[:2] / sha256

    def read(self, sha256: str) -> bytes:
        """Return a photo's bytes; raise StoreError when they are not those that were stored."""
        try:
            content = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise StoreError(f"The file of photo {sha256[:12]} is gone. Restore it from a backup.") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(f"The file of photo {sha256[:12]} was damaged. Restore it from a backup.")
        return content

    def note(self, sha256s: Iterable[str]) -> Path | None:
        """Write down which files are to come or to go; None where there are none."""
        named = sorted(sha256s)
        if not named:
            return None
        note = self._incoming / f"{secrets.token_hex(8)}.json"
        _write(note, json.dumps(named).encode())
        return note

    def place(self, contents: dict[str, bytes]) -> None:
        """Write photos to where they belong, safely on disk; call `note` before.

        Several at a time: a disk makes ten files safe in little more time than one.
        """
        if not contents:
            return
        folders = sorted({self.path(sha256).parent for sha256 in contents})
        with ThreadPoolExecutor(min(len(contents), _AT_A_TIME)) as pool:
            list(pool.map(self._place, contents, contents.values()))
            list(pool.map(_sync_folder, folders))

    def _place(self, sha256: str, content: bytes) -> None:
        partial = self._incoming / f"{secrets.token_hex(8)}.partial"
        _write(partial, content)
        self._make_folder(sha256)
        partial.replace(self.path(sha256))

    def has_notes(self) -> bool:
        """Say whether something was left on the way, or is on its way now."""
        with os.scandir(self._incoming) as found:
            return any(found)

    def tidy(self, known: Known) -> None:
        """Delete what others left on the way; only the one writer may call it, before a note of its own."""
        for partial in self._incoming.glob("*.partial"):
            partial.unlink(missing_ok=True)
        for note in sorted(self._incoming.glob("*.json")):
            named = _named(note)
            for sha256 in sorted(set(named) - known(named)):
                self._make_folder(sha256)
                self.path(sha256).unlink(missing_ok=True)
                _sync_folder(self.path(sha256).parent)
            note.unlink(missing_ok=True)

    def _make_folder(self, sha256: str) -> None:
        """Make a photo's folder again where a copy of the store came without its empty folders."""
        folder = self.path(sha256).parent
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(self._photos)

    def names(self) -> Iterator[Path]:
        """Yield every file there is."""
        return (path for path in self._photos.rglob("*") if not path.is_dir())

    def move_aside(self, path: Path) -> str:
        """Move a stranger out of the way, and return where it lies now, relative to the store."""
        self._aside.mkdir(mode=0o700, exist_ok=True)
        target = self._aside / f"{secrets.token_hex(4)}-{path.name}"
        path.rename(target)
        return f"{self._aside.name}/{target.name}"

    def is_damaged(self, sha256: str) -> bool:
        """Say whether a photo's bytes are not those that were stored."""
        with self.path(sha256).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() != sha256


def replace_safely(temporary: Path, path: Path) -> None:
    """Put a whole file in the place of `path`, safely on disk."""
    handle = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(path)
    _sync_folder(path.parent)


def _named(note: Path) -> list[str]:
    """Return what a note names; nothing when it is torn or gone: then no file was touched, or all is done."""
    try:
        named: list[str] = json.loads(note.read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    return named


def _write(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read, safely on disk."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # folders cannot be opened there; NTFS keeps renames in its own journal
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
