"""Photos that lie in a store such as ``s3://bucket/folder``, listed and fetched by fsspec.

Credentials come from where the store's own library looks for them. They are never said: neither what stands
in an address nor what a store answers goes into a message.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

PROTOCOLS = frozenset(
    (
        *("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "r2"),
        *("sftp", "ssh", "smb", "hdfs", "webhdfs", "file", "memory"),
    )
)
"""Stores of files that can be listed; neither web pages nor addresses within addresses."""
_OURS = 0
"""The number of errors whose words are ours."""
_ADDRESS = re.compile(r"([a-z][a-z0-9]*)://", re.IGNORECASE)


def is_remote(path: str | PathLike[str]) -> bool:
    """Say whether `path` is an address in a store rather than a path on this machine."""
    found = _ADDRESS.match(path) if isinstance(path, str) else None
    return found is not None and found[1].lower() in PROTOCOLS


def redacted(text: str) -> str:
    """Return `text` without what may be a secret in an address: user, password, query."""
    return re.sub(r"(?<=://)[^/\s@]*@", "", re.sub(r"(://[^\s?]*)\?\S*", r"\1", text))


def listed(address: str) -> Iterator[str]:
    """Yield the addresses of all files below `address`, sorted; `address` itself where it is a file.

    Raises OSError when the store cannot be asked, FileNotFoundError when nothing is there.
    """
    with _saying():
        store, path = _opened(address)
        found = sorted(map(str, store.find(path)))
    if not found:
        raise FileNotFoundError(2, "Nothing is there")
    for name in found:
        yield address.rstrip("/") + name.removeprefix(path.rstrip("/"))


def fetch(address: str, most_bytes: int) -> tuple[bytes, int]:
    """Return at most `most_bytes` + 1 bytes of a file, and how many it has; raises OSError."""
    with _saying():
        store, path = _opened(address)
        size = int(store.info(path)["size"])
        content: bytes = store.cat_file(path, start=0, end=min(size, most_bytes + 1)) if size else b""
    return content, size


def join(address: str, name: str) -> str:
    """Return the address of `name` in the folder `address`."""
    return f"{address.rstrip('/')}/{name}"


def parent(address: str) -> str:
    """Return the address of the folder that a file lies in."""
    return posixpath.dirname(address)


def _opened(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise OSError(_OURS, "reading from stores needs fsspec: pip install 'wrinklecv[s3]'") from error
    try:
        store, path = fsspec.url_to_fs(address)
    except ImportError as error:
        protocol = address.partition("://")[0]
        raise OSError(_OURS, f"{protocol}:// needs another package of fsspec's (s3:// needs s3fs)") from error
    return store, str(path)


@contextmanager
def _saying() -> Generator[None]:
    """Turn whatever a store's library raises into an OSError that says no more than its kind."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(2, "No such file") from None
    except PermissionError:
        raise PermissionError(13, "Permission denied") from None
    except _kinds() as error:
        if isinstance(error, OSError) and error.errno == _OURS:
            raise
        raise OSError(5, f"the store answered with {type(error).__name__}") from None


def _kinds() -> tuple[type[Exception], ...]:
    """Return what a store may raise, with the base errors of the stores' libraries that are loaded."""
    names = (
        ("botocore.exceptions", "BotoCoreError"),
        ("aiohttp", "ClientError"),
        ("paramiko", "SSHException"),
    )
    theirs = (getattr(sys.modules[room], name) for room, name in names if room in sys.modules)
    return OSError, ValueError, *theirs
