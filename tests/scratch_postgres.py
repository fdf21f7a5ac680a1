"""A PostgreSQL server for one run of the tests, where its programs are on this machine."""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

GIVEN = os.environ.get("WRINKLECV_TEST_POSTGRES", "")
"""URL of a database to test on instead of a server of our own."""


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def _owner() -> str:
    """Return who the server runs as: it refuses root."""
    if os.getuid():
        return pwd.getpwuid(os.getuid()).pw_name
    known = {user.pw_name for user in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), "")


MISSING = (
    ""
    if GIVEN or (_programs() and _owner())
    else "neither PostgreSQL's programs (initdb, postgres) nor WRINKLECV_TEST_POSTGRES are there"
)
"""Why nothing can be tested on PostgreSQL here, else empty."""

_UNTIL_WE_END = '"$@" & read -r _; kill -INT $!; wait'
"""Runs a command until our end of its standard input is closed, be it that we were killed."""


@functools.cache
def server_url() -> str:
    """Return the URL of a database; the server is started once, and ends with this process."""
    if GIVEN:
        return GIVEN
    programs, owner = _programs(), _owner()
    assert programs is not None
    place = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: a socket's name has 107 signs at most
    data = place / "data"
    data.mkdir(mode=0o700)
    for folder in (place, data):
        shutil.chown(folder, owner)
    user = owner if os.getuid() == 0 else None
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        cwd=place,
        stdout=subprocess.DEVNULL,
        user=user,
    )
    # No network: a socket in a folder of our own. No fsync: nothing of it outlives the run.
    options = ("listen_addresses=", f"unix_socket_directories={place}", "fsync=off")
    settings = [word for option in options for word in ("-c", option)]
    command = [str(programs / "postgres"), "-D", str(data), *settings]
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(
            ["sh", "-c", _UNTIL_WE_END, "sh", *command],
            cwd=place,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            user=user,
        )
    atexit.register(_end, server, place)
    ready = [str(programs / "pg_isready"), "-q", "-h", str(place)]
    for _ in range(600):
        if subprocess.run(ready, check=False).returncode == 0:
            return f"postgresql://tests@/postgres?host={place}"
        time.sleep(0.1)
    raise AssertionError(f"PostgreSQL did not start: {(place / 'log').read_text()}")


def _end(server: subprocess.Popen[bytes], place: Path) -> None:
    assert server.stdin
    server.stdin.close()
    server.wait()
    shutil.rmtree(place)
