"""Tasks one after the other, in this process or in several: one that crashes or hangs costs only itself.

A worker that dies is replaced, and what it was doing is tried once more: the system may have killed it for
another's sake. A worker has a limit of memory, and ends when this process does.
"""

from __future__ import annotations

import copy
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from .codes import Code
from .errors import WorkersError, WrinkleError

Key = TypeVar("Key")
Tasks = Iterable[tuple[Key, tuple[Any, ...] | None]]
"""What a task is about, and the arguments of its work; None where there is nothing to do."""

MEMORY_MB = 2500
"""Of a worker's own data: the landmark model takes 0.6 GB of it, a photo of 60 megapixels up to 1.5."""
MOST_DEATHS = 2
_AHEAD = 4
"""Tasks under way or done for each worker: enough to keep it busy, few enough to keep memory flat."""
_GRACE_S = 120.0
"""What a new worker may take to start on a busy machine."""
_MOST_FRUITLESS = 4
"""Pools in a row that broke before anything was done."""
_ROW_S = 60.0
"""Pools that broke with longer between them are no row: something else on the machine eats memory."""
_LOOK_S = 0.2
_PATIENCE_S = 1.0
_NO_MEMORY = 77
"""Exit code of a worker that found no memory."""


class Failed(NamedTuple):
    """What is left of a task whose process died or did not answer in time."""

    code: Code
    message: str


@dataclass(slots=True)
class _Task(Generic[Key]):
    """One task under way; `future` is None where there is nothing to do."""

    key: Key
    work: Callable[..., Any]
    arguments: tuple[Any, ...] | None
    timeout_s: float
    future: Future[Any] | None = None


class Workers:
    """Does tasks, in order; in this process when it has no pool. Threads may share it."""

    def __init__(self, jobs: int, make_pool: Callable[[], Any] | None = None) -> None:
        self._under_way = _AHEAD * jobs
        self._make_pool = make_pool
        self._pool: Any = make_pool() if make_pool else None
        self._fruitless = 0
        self._renewed_s = 0.0
        self.is_stopped = False
        self._renewing = threading.Lock()
        self._pool_of: WeakKeyDictionary[Future[Any], Any] = WeakKeyDictionary()

    def do(
        self, work: Callable[..., Any], tasks: Tasks[Key], *, timeout_s: float
    ) -> Iterator[tuple[Key, Any]]:
        """Yield (key, what `work` returned, a Failed, or None without arguments) per task.

        Only a window of the tasks is under way, so memory stays flat. In this process nothing can be
        stopped: `timeout_s` and the limit of memory hold with a pool. A bug is not caught.
        Raises WorkersError when processes die as soon as they start.
        """
        if self._pool is None:
            for key, arguments in tasks:
                yield key, None if arguments is None else work(*arguments)
            return
        waiting: deque[_Task[Key]] = deque()
        for key, arguments in tasks:
            task = _Task(key, work, arguments, timeout_s)
            self._begin(task)
            waiting.append(task)
            if len(waiting) >= self._under_way:
                yield self._first(waiting)
        while waiting:
            yield self._first(waiting)

    def begin(self, work: Callable[..., Any], arguments: tuple[Any, ...], *, timeout_s: float) -> Future[Any]:
        """Begin one task in one of the processes; `result_of` tells what became of it, at the first try.

        Raises WorkersError when processes die as soon as they start, or were stopped.
        """
        assert self._pool is not None, "only workers with processes begin tasks"  # noqa: S101
        pool = self._pool
        if not pool.active:
            self._renew(pool)
            pool = self._pool
        try:
            future: Future[Any] = pool.schedule(_limited, (work, arguments), timeout=timeout_s)
        except RuntimeError:  # the pool broke a moment ago
            future = Future()
            future.set_exception(BrokenProcessPool())
        self._pool_of[future] = pool
        return future

    def answers(self, future: Future[Any]) -> bool:
        """Say whether a task that was begun here can still come to its end: its pool is there and whole."""
        pool = self._pool_of.get(future)
        return pool is not None and pool is self._pool and bool(pool.active) and not self.is_stopped

    def stop(self) -> None:
        """End the processes; what is under way is lost."""
        with self._renewing:
            self.is_stopped = True
            self._end()

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()

    def _begin(self, task: _Task[Key]) -> None:
        if task.arguments is not None:
            task.future = self.begin(task.work, task.arguments, timeout_s=task.timeout_s)

    def _first(self, waiting: deque[_Task[Key]]) -> tuple[Key, Any]:
        """Wait for the first of `waiting` and take it out; its worker may die, and the pool may break."""
        task, deaths, broken = waiting[0], 0, False
        while True:
            try:
                result = self._answer(task)
            except BrokenProcessPool:
                # All workers died at once, and nobody knows whose fault it was: this task is tried alone.
                deaths += broken
                broken = True
                self._renew(self._pool_of.get(task.future) if task.future else None)
                result = _expired(None)
            else:
                self._fruitless = 0
                if not isinstance(result, Failed) or result.code is not Code.CRASHED:
                    break
                deaths += 1
            if deaths >= MOST_DEATHS:
                break
            self._begin(task)
        waiting.popleft()
        for other in waiting if broken else ():
            if other.future is not None and not (is_answered(other.future) or self.answers(other.future)):
                self._begin(other)
        return task.key, result

    def _answer(self, task: _Task[Any]) -> Any:
        """Wait for a task; raise BrokenProcessPool when the pool broke, or does not answer at all."""
        if task.future is None:
            return None
        # Those before it in the queue may take as long each.
        until = time.monotonic() + (_AHEAD + 1) * task.timeout_s + _GRACE_S
        while not wait_for((task.future,), _PATIENCE_S).done:
            is_gone, is_lost = not self.answers(task.future), self._is_lost(task.future)
            if (is_gone or is_lost) and not wait_for((task.future,), _PATIENCE_S).done:
                if is_gone:  # a pool that ended or was replaced answers nobody
                    raise BrokenProcessPool
                return _expired(None)
            if time.monotonic() > until:
                raise BrokenProcessPool
        return result_of(task.future, task.timeout_s)

    def _is_lost(self, future: Future[Any]) -> bool:
        """Say whether the worker of a task is gone, and nobody noticed.

        On a busy machine Pebble can see that a worker died before it hears which task that one had begun;
        then it would wait until the task is late. Its own lists tell, which it does not show in public.
        """
        manager = self._pool_of[future]._pool_manager
        begun = {id(t.future): t.worker_id for t in tuple(manager.task_manager.tasks.values())}
        worker = begun.get(id(future), 0)
        return bool(worker) and worker not in manager.worker_manager.workers

    def _renew(self, broken: Any) -> None:
        """Replace a pool that broke, unless another thread has done so."""
        with self._renewing:
            if self.is_stopped:
                raise WorkersError("The processes that measure were stopped. Try again.")
            if self._pool is not broken:
                return
            in_a_row = time.monotonic() - self._renewed_s < _ROW_S
            self._fruitless, self._renewed_s = (self._fruitless if in_a_row else 0) + 1, time.monotonic()
            self._end()
            if self._fruitless > _MOST_FRUITLESS or self._make_pool is None:
                raise WorkersError(
                    "The processes that measure die as soon as they start. Free some memory, or take fewer "
                    "processes (--jobs). What is finished is kept: the same command goes on from there."
                )
            self._pool = self._make_pool()


Jobs = int | Workers
"""How many processes to start for some tasks, or workers that are there already."""


@contextmanager
def at_work(jobs: Jobs, *, apart: bool = False) -> Generator[Workers]:
    """Give Workers in `jobs` processes, or this one for 1 job; the processes end with the block.

    apart: in a process of its own even for 1 job. Workers that are there already are given as they are, and
    go on. With processes, call it under ``if __name__ == "__main__":``, as multiprocessing asks.
    """
    if isinstance(jobs, Workers):
        yield jobs
        return
    workers = start_workers(jobs) if jobs > 1 or apart else Workers(1)
    try:
        yield workers
    finally:
        workers.stop()


def start_workers(
    jobs: int, *, memory_mb: int = MEMORY_MB, prepare: Callable[[], None] | None = None
) -> Workers:
    """Start Workers in processes of their own.

    memory_mb: what the data of each may take, where the system can hold it to that (Linux).
    prepare: done in each of them as it starts.
    """
    from pebble import ProcessPool

    # Spawned, for the landmark model hangs in a forked process.
    context = _PageContext() if "streamlit" in sys.modules else _Context()
    given = (os.getpid(), memory_mb, prepare)

    def make_pool() -> Any:
        pool = ProcessPool(max_workers=jobs, initializer=_start_worker, initargs=given, context=context)
        _start_in_thread(pool)
        return pool

    return Workers(jobs, make_pool)


def _start_in_thread(pool: Any) -> None:
    """Start the processes of `pool` from a thread that lives as long as they do.

    Linux counts the thread that started a process as its parent: workers that a page's thread had started
    would be killed as soon as that page is shown.
    """
    started = threading.Event()

    def stay() -> None:
        try:
            while pool.active:
                started.set()
                time.sleep(_LOOK_S)
        except BrokenProcessPool:
            pass  # the system starts no process: who asks for work is told
        finally:
            started.set()

    threading.Thread(target=stay, daemon=True).start()
    started.wait()


def result_of(future: Future[Any], timeout_s: float) -> Any:
    """Wait for a task; that its process died, hung or ran out of memory is a result too: Failed.

    A bug is not caught.
    """
    from pebble import ProcessExpired

    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, TimeoutError):
        message = f"Measuring it took longer than {timeout_s:g} s. Check the disk or network it is on."
        return Failed(Code.TIMED_OUT, message)
    if isinstance(error, ProcessExpired):
        return _expired(error.exitcode)
    # A future may be asked again: what is raised holds on to whoever raises it, with all that they know.
    if isinstance(error, WrinkleError):
        fresh = copy.copy(error)
        if notes := getattr(error, "__notes__", ()):
            fresh.__dict__["__notes__"] = list(notes)  # a copy shares them
        raise fresh
    raise error


def is_answered(future: Future[Any]) -> bool:
    """Say whether a task came to its end, whatever that was; not so where its pool broke."""
    done = future.done() and not future.cancelled()
    return done and not isinstance(future.exception(), BrokenProcessPool)


def _expired(exit_code: int | None) -> Failed:
    """Say that a process died."""
    if exit_code == _NO_MEMORY:
        message = "Measuring it took more memory than is allowed. Shrink the photo."
        return Failed(Code.OUT_OF_MEMORY, message)
    how = "" if exit_code is None else f" (exit code {exit_code})"
    return Failed(Code.CRASHED, f"The process that measured it died{how}. Please report the photo.")


class _Process(SpawnProcess):
    """A process that Ctrl-C leaves alone, from its first moment on: the parent ends it."""

    def start(self) -> None:
        """Start it with the signal blocked; a thread's mask is passed on."""
        if not hasattr(signal, "pthread_sigmask"):
            return super().start()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _PageProcess(_Process):
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


class _PageContext(SpawnContext):
    Process = _PageProcess


# -- in the worker ---------------------------------------------------------------------------------


def _start_worker(parent: int, memory_mb: int, prepare: Callable[[], None] | None) -> None:
    """Set up a worker: it ends with its parent, has its share of memory, and one core."""
    _end_with(parent)
    if sys.platform == "linux":
        import resource

        # Own data, not address space: that grows with the machine's cores, by stacks nobody touches.
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, most))
    import cv2

    cv2.setNumThreads(1)
    if prepare is not None:
        prepare()


def _end_with(parent: int) -> None:
    """Let this process be killed when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG; holds in endless C code too
        if os.getppid() != parent:  # it ended a moment ago
            os._exit(1)
    elif (process := multiprocessing.parent_process()) is not None:

        def watch() -> None:
            wait([process.sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _limited(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Do the work; end the process when there is no memory, for what is left of it may be broken."""
    import cv2

    try:
        return work(*arguments)
    except MemoryError:
        os._exit(_NO_MEMORY)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            os._exit(_NO_MEMORY)
        raise
