"""What a photo can do to the process that measures it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np


def harm(word: str, number: int) -> int:
    """Do what `word` says, else return `number`."""
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "crash with all":
        for pid in children_of(os.getppid()):
            if pid != os.getpid():
                os.kill(pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    if word in ("nap", "hang"):
        time.sleep({"nap": 3, "hang": 600}[word])
    if word == "eat memory":
        bytearray(8 << 30)
    if word == "eat memory in OpenCV":
        cv2.resize(np.zeros((20000, 20000, 3), np.uint8), None, fx=2, fy=2)
    return number


def harm_with(word: str, number: int, load: bytes) -> int:
    """Do what `harm` does, with a load that takes a while to arrive."""
    assert load is not None
    return harm(word, number)


def crash_once(mark: Path, number: int) -> int:
    """Die unless somebody died here before."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def children_of(parent: int) -> list[int]:
    """Return the worker processes of a process (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "stat").read_text().rsplit(")", 1)[1].split()
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if int(status[1]) == parent and status[0] != "Z" and b"spawn_main" in command:
            found.append(int(process.name))
    return found


def is_running(pid: int) -> bool:
    """Say whether a process still runs (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
