"""Tasks one after the other, in this process or in several: one that crashes or hangs costs only itself."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from .codes import Code

Key = TypeVar("Key")
Tasks = Iterable[tuple[Key, tuple[Any, ...] | None]]
"""What a task is about, and the arguments of its work; None where there is nothing to do."""


class Failed(NamedTuple):
    """What is left of a task whose process died or did not answer in time."""

    code: Code
    message: str


class Workers:
    """Does tasks, in order; in this process when it has no pool."""

    def __init__(self, jobs: int, pool: Any = None) -> None:
        self._under_way = 4 * jobs
        self._pool = pool

    def do(
        self, work: Callable[..., Any], tasks: Tasks[Key], *, timeout_s: float
    ) -> Iterator[tuple[Key, Any]]:
        """Yield (key, what `work` returned, a Failed, or None without arguments) per task.

        Only a window of the tasks is under way, so memory stays flat. In this process nothing can be
        stopped: `timeout_s` holds with a pool. A bug is not caught.
        """
        if self._pool is None:
            for key, arguments in tasks:
                yield key, None if arguments is None else work(*arguments)
            return
        waiting: deque[tuple[Key, Any]] = deque()
        for key, arguments in tasks:
            future = None if arguments is None else self._pool.schedule(work, arguments, timeout=timeout_s)
            waiting.append((key, future))
            if len(waiting) >= self._under_way:
                key, future = waiting.popleft()
                yield key, _result(future, timeout_s)
        for key, future in waiting:
            yield key, _result(future, timeout_s)


@contextmanager
def at_work(jobs: int) -> Generator[Workers]:
    """Give Workers in `jobs` processes, or this one for 1 job; the processes end with the block.

    With several, call it under ``if __name__ == "__main__":``, as multiprocessing asks.
    """
    if jobs == 1:
        yield Workers(1)
        return
    from pebble import ProcessPool

    # Spawned, for the landmark model hangs in a forked process.
    context = _Context() if "streamlit" in sys.modules else multiprocessing.get_context("spawn")
    pool = ProcessPool(max_workers=jobs, initializer=_start_worker, context=context)
    try:
        yield Workers(jobs, pool)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


class _Process(SpawnProcess):
    """A process that does not run the main module again: in the app that is the page, not a program."""

    _starting = threading.Lock()

    def start(self) -> None:
        """Start it while another main module stands in: what is to be done lives in modules of its own."""
        with self._starting:
            page = sys.modules["__main__"]
            sys.modules["__main__"] = bare = ModuleType("__main__")
            try:
                super().start()
            finally:
                if sys.modules["__main__"] is bare:
                    sys.modules["__main__"] = page


class _Context(SpawnContext):
    Process = _Process


def _result(future: Any, timeout_s: float) -> Any:
    """Wait for a worker; its death or silence is a result too."""
    from pebble import ProcessExpired

    try:
        return future.result() if future else None
    except TimeoutError:
        message = f"Measuring it took longer than {timeout_s:g} s. Check the disk or network it is on."
        return Failed(Code.TIMED_OUT, message)
    except ProcessExpired as error:
        message = f"The process that measured it died (exit code {error.exitcode}). Please report the photo."
        return Failed(Code.CRASHED, message)


def _start_worker() -> None:
    """Keep each worker on one core: there is a worker for every core."""
    import cv2

    cv2.setNumThreads(1)
