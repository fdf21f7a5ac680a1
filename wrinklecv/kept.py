"""Finished results in a folder, found by what they were made of and how, and checked when they are read.

A result that is damaged, torn, made in another way or of something else counts as none: it is made again.
"""

from __future__ import annotations

import hashlib
import json
import platform
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from .errors import OutputError
from .model import MODEL_SHA256
from .records import MEASURE_VERSION
from .settings import Settings
from .whole_files import remove_unfinished, write_whole

PACKAGES = (
    "wrinklecv",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "mediapipe",
    "pillow",
    "pi-heif",
    "simplejpeg",
)
"""Whose versions can change a number or a sentence."""


def _sources_digest() -> str:
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


SOURCES = _sources_digest()
"""Of this program's own files when it began: what an update puts below a running program has not run."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The results in `folder` that were made in one `way`; they are not read when all is made `anew`."""

    folder: Path
    way: str
    anew: bool = False

    def read(self, key: str) -> dict[str, Any] | None:
        """Return what `write` was given, or None."""
        if self.anew:
            return None
        try:
            checksum, packed = self._path(key).read_bytes().split(b"\n", 1)
            if hashlib.sha256(packed).hexdigest().encode() != checksum:
                return None
            tree: dict[str, Any] = json.loads(zlib.decompress(packed))
        except (OSError, ValueError, zlib.error):
            return None
        return tree if (tree.pop("key", ""), tree.pop("way", "")) == (key, self.way) else None

    def write(self, key: str, tree: dict[str, Any]) -> None:
        """Keep `tree`, plain values for JSON; raise OutputError when it cannot be written."""
        text = json.dumps({"key": key, "way": self.way, **tree}, separators=(",", ":"))
        packed = zlib.compress(text.encode("ascii"), 1)
        checksum = hashlib.sha256(packed).hexdigest().encode()
        path, by_way_of = self._path(key), self.folder / "unfinished"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            by_way_of.mkdir(exist_ok=True)
            write_whole(path, checksum + b"\n" + packed, by_way_of=by_way_of)
        except OSError as error:
            raise cannot_write(self.folder.parent, error) from error

    def tidy(self) -> None:
        """Remove what was left half written; only the one writer may do that."""
        remove_unfinished(self.folder / "unfinished")

    def _path(self, key: str) -> Path:
        return self.folder / self.way / key[:2] / key


def way_of_measuring(settings: Settings) -> str:
    """Return the same for two runs exactly when the same bytes give the same result in both.

    By settings, model, `MEASURE_VERSION`, the versions of what measures, and the kind of processor.
    """
    return key_of(settings.digest, MODEL_SHA256, MEASURE_VERSION, versions_here())[:16]


def versions_here() -> dict[str, str]:
    """Return what measures on this machine: versions of the packages, and the kind of processor."""
    return {name: version(name) for name in PACKAGES} | {"processor": platform.machine()}


def key_of(*parts: object) -> str:
    """Return a name for what a result was made of: plain values, and lists and mappings of them."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode("ascii")).hexdigest()


def photo_key(sha256: str, path: str) -> str:
    """Return the name of a photo's result: by its bytes, and by the suffix, which is checked against them."""
    return key_of("photo", sha256, PurePath(path).suffix.lower())


def cannot_write(out: Path, error: OSError) -> OutputError:
    """Say that results cannot be written to the folder `out`."""
    return OutputError(
        f"Cannot write results to {out}: {error.strerror}. Free some space there or choose another folder. "
        "What is finished is kept: the same command goes on from there."
    )
