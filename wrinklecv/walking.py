"""Which files a batch is made of: patterns, folders and addresses, walked in order, each file once.

Works on names as text, not on `Path`: a hundred thousand files are listed in seconds, and odd names
(bytes that are not UTF-8, a trailing dot) stay what they are.
"""

from __future__ import annotations

import functools
import glob
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .codes import Code
from .found import Found, outcome_of
from .manifests import MANIFEST, TREATMENTS
from .records import Outcome, Status
from .remote import is_remote, listed, parent, redacted

Paths = Iterable[str | Path]

IMAGE_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".heic", ".heif", ".hif"),
        *(".avif", ".jxl", ".jp2", ".tif", ".tiff", ".bmp", ".gif", ".dcm", ".svg", ".ico", ".psd", ".npy"),
        *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
    )
)
"""Pictures, whether we can decode them or not: those we cannot get a row that says so."""
RESULTS_MARK = ".wrinklecv-results"
"""An empty file in a folder of results: such a folder is never walked as input."""


def expand(paths: Paths, *, ignored: Counter[str] | None = None) -> list[str]:
    """Return `paths` as absolute paths and addresses, each once; a pattern gives the files that match it.

    The name of a file that exists is never a pattern. Of what matches, files that are no photos are
    `ignored`.
    """
    tops: dict[str, None] = {}
    for path in (os.fspath(path) for path in paths):
        if is_remote(path):
            tops[path] = None
        elif os.path.lexists(path) or not glob.has_magic(path):
            tops[os.path.abspath(path)] = None
        else:
            matched = sorted(glob.glob(path, recursive=True), key=os.fsencode)
            # Folders only where the pattern does not go into them by itself.
            matched = [one for one in matched if not ("**" in path and os.path.isdir(one))]
            good = [one for one in matched if os.path.isdir(one) or _may_be_photo(one) or _is_manifest(one)]
            if ignored is not None and len(good) < len(matched):
                ignored["not_a_photo_file"] += len(matched) - len(good)
            tops |= dict.fromkeys(map(os.path.abspath, good or [path]))
    return list(tops)


def in_order(paths: Paths, *, ignored: Counter[str] | None = None) -> list[str]:
    """Return what `expand` returns, in the order in which folders are walked: however it was named."""
    return sorted(
        expand(paths, ignored=ignored), key=lambda path: [os.fsencode(name) for name in Path(path).parts]
    )


def _is_manifest(name: str) -> bool:
    return os.path.basename(name).lower() == MANIFEST


def walk(tops: Sequence[str], ignored: Counter[str]) -> Iterator[Found]:
    """Yield the files of `tops` and of the folders among them, whatever manifests say."""
    root, asked_for = root_of(tops), frozenset(tops)
    seen: set[str] = set()
    waiting = list(tops)[::-1]
    while waiting:
        full = waiting.pop()
        if is_remote(full):
            yield from _remote(full, root, ignored)
            continue
        folder, name = os.path.split(full)
        real = os.path.join(_real(folder), name)
        if real in seen:
            continue
        seen.add(real)
        asked = full in asked_for
        if name.startswith(".") and not asked:
            ignored["hidden"] += 1
            continue
        shown = shown_path(full, root)
        refusal = None
        try:
            mode = _mode(full, asked)
            if stat.S_ISDIR(mode):
                waiting += _inside(full, ignored)
                continue
            if stat.S_ISREG(mode) and (asked and full.lower().endswith(".csv")):
                continue  # a manifest
            if stat.S_ISREG(mode) and folder in asked_for and name in (MANIFEST, TREATMENTS):
                continue  # read elsewhere
            refusal = refusal_of(full, shown, mode)
        except OSError as error:
            refusal = unreadable(shown, error)
        if asked or refusal is not None or _may_be_photo(name):
            yield Found(Path(full), shown, refusal)
        else:
            ignored["manifest_of_a_folder_inside" if name == MANIFEST else "not_a_photo_file"] += 1


def _remote(top: str, root: str, ignored: Counter[str]) -> Iterator[Found]:
    """Yield the files below an address in a store."""
    if top.lower().endswith(".csv"):
        return  # a manifest
    try:
        addresses = list(listed(top))
    except OSError as error:
        yield Found(top, shown_path(top, root), unreadable(shown_path(top, root), error))
        return
    for address in addresses:
        name = address.rpartition("/")[2]
        below = address.removeprefix(top).split("/")
        if address != top and any(part.startswith(".") for part in below):
            ignored["hidden"] += 1
        elif address == top or _may_be_photo(name):
            shown = shown_path(address, root)
            yield Found(address, shown, marking(shown) if _MARKED.search(name) else None)
        elif below[1:] not in ([MANIFEST], [TREATMENTS]):
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


def root_of(tops: Sequence[str]) -> str:
    """Return the folder that shown paths are relative to: the one asked for, or what all have in common.

    One address is its own root; several stand in full.
    """
    remote = [top for top in tops if is_remote(top)]
    if remote:
        if len(tops) > 1:
            return ""
        return parent(remote[0]) if may_be_file(remote[0]) else remote[0]
    folders = [top if os.path.isdir(top) else os.path.dirname(top) for top in tops]
    return os.path.commonpath(folders) if folders else ""


def may_be_file(address: str) -> bool:
    """Say whether an address looks like that of a photo or manifest, not of a folder."""
    return os.path.splitext(address)[1].lower() in (".csv", *IMAGE_SUFFIXES)


def shown_path(full: str, root: str) -> str:
    """Return the path of a file as people see it, with / on every system, without secrets of an address."""
    if is_remote(full):
        below = full.removeprefix(root.rstrip("/")).lstrip("/") if root else full
        return redacted(below or full)
    return os.path.relpath(full, root).replace(os.sep, "/") if root else full.replace(os.sep, "/")


@functools.lru_cache(maxsize=64)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def _may_be_photo(name: str) -> bool:
    """Say whether a file found in a folder gets a row: a picture's suffix, or none at all."""
    return os.path.splitext(name)[1].lower() in ("", ".", *IMAGE_SUFFIXES)


def refusal_of(full: str, shown: str, mode: int) -> Outcome | None:
    """Return the outcome of a file that must not be opened, else None."""
    if stat.S_ISLNK(mode):
        try:
            os.stat(full)
        except FileNotFoundError:
            return outcome_of(shown, Status.SKIPPED, Code.MISSING, "A link to a file that does not exist.")
        except OSError:
            pass  # a link to itself: a link all the same
        return outcome_of(shown, Status.SKIPPED, Code.SYMLINK, "A link; name the file itself to score it.")
    if stat.S_ISDIR(mode):
        return outcome_of(shown, Status.REJECTED, Code.NOT_A_REGULAR_FILE, "A folder, not a file.")
    if not stat.S_ISREG(mode):
        return outcome_of(shown, Status.REJECTED, Code.NOT_A_REGULAR_FILE, "A pipe or device, not a file.")
    return marking(shown) if _MARKED.search(os.path.basename(full)) else None


_MARKED = re.compile(r"(^|[-_])marking([-_.]|$)", re.IGNORECASE)


def marking(shown: str) -> Outcome:
    """Return the outcome of a photo that shows puncture marks."""
    message = "A photo of the marked face: kept, never scored."
    return outcome_of(shown, Status.SKIPPED, Code.MARKING_PHOTO, message)


def unreadable(shown: str, error: OSError) -> Outcome:
    """Return the row of a file or folder that the system would not show."""
    code = {PermissionError: Code.PERMISSION_DENIED, FileNotFoundError: Code.MISSING}.get(
        type(error), Code.READ_FAILED
    )
    return outcome_of(shown, Status.REJECTED, code, f"Cannot be read: {error.strerror}.")
