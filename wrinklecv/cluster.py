"""Tasks on many machines: the same work as `workers` does, in shards, on a Dask cluster.

All machines see the photos and the results under the same path, and measure with the same versions; both are
checked where a shard is done. A machine that is lost loses no photo: another one does its shard, and takes
over what was finished of it. A photo that crashes or hangs costs itself: each thread has a worker process.
"""

from __future__ import annotations

import multiprocessing
import platform
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, NamedTuple

from .codes import Code
from .errors import WorkersError
from .kept import versions_here
from .workers import Failed, Key, Tasks, Workers, start_workers

SHARD = 25
"""Tasks that go to a machine at once: a scheduler needs 5 ms for each shard, whatever is in it."""
_AHEAD = 2
"""Shards under way or done for each thread of the cluster."""
_own = threading.local()


class Premises(NamedTuple):
    """What a machine must have to take part: the versions that measure, and what it must see of the disk."""

    versions: Mapping[str, str]
    places: tuple[Path, ...]


class Cluster(Workers):
    """Does tasks, in order, on the machines of a Dask cluster."""

    def __init__(self, client: Any, premises: Premises) -> None:
        super().__init__(1)
        self._client = client
        self._premises = premises

    def do(
        self, work: Callable[..., Any], tasks: Tasks[Key], *, timeout_s: float
    ) -> Iterator[tuple[Key, Any]]:
        """Yield as `Workers.do`. Raises WorkersError when the cluster is gone, or a machine does not fit."""
        coming = iter(tasks)
        waiting: deque[tuple[list[tuple[Key, tuple[Any, ...] | None]], Any]] = deque()
        while True:
            while len(waiting) < _AHEAD * max(1, self._threads()) and (shard := list(islice(coming, SHARD))):
                arguments = [given for _, given in shard if given is not None]
                waiting.append((shard, self._begun(work, arguments, timeout_s) if arguments else None))
            if not waiting:
                return
            shard, future = waiting.popleft()
            arguments = [given for _, given in shard if given is not None]
            answers = iter(self._answers(future, work, arguments, timeout_s) if arguments else ())
            for key, given in shard:
                yield key, None if given is None else next(answers)

    def _threads(self) -> int:
        return sum(self._client.nthreads().values())

    def _begun(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], timeout_s: float) -> Any:
        return self._client.submit(do_shard, work, arguments, timeout_s, self._premises, pure=False)

    def _answers(
        self, future: Any, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], timeout_s: float
    ) -> list[Any]:
        """Wait for a shard; where it took machine after machine with it, its tasks are tried one by one."""
        from distributed import CancelledError, KilledWorker
        from distributed.comm import CommClosedError

        try:
            answers: list[Any] = future.result()
        except KilledWorker:
            if len(arguments) == 1:
                message = "The machines that measured it died, one after the other. Please report the photo."
                return [Failed(Code.CRASHED, message)]
            singly = [self._begun(work, [given], timeout_s) for given in arguments]
            return [
                self._answers(one, work, [given], timeout_s)[0]
                for one, given in zip(singly, arguments, strict=True)
            ]
        except (CancelledError, CommClosedError, TimeoutError) as error:
            raise WorkersError(
                "The cluster is gone. What is finished is kept: the same command goes on from there."
            ) from error
        return answers


@contextmanager
def on_cluster(address: str, jobs: int, places: Sequence[Path]) -> Generator[Cluster]:
    """Give the cluster whose scheduler is at `address`, or one of `jobs` processes on this machine.

    address: such as ``tcp://host:8786``; ``local`` for this machine. places: what every machine must see.
    Raises WorkersError when there is no cluster, or Dask is not installed.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        message = "A cluster needs more packages. Install them: pip install 'wrinklecv[cluster]'."
        raise WorkersError(message) from error
    premises = Premises(versions_here(), tuple(places))
    with dask.config.set({"distributed.worker.daemon": False}):  # else they could have no worker processes
        if address == "local":
            with (
                LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None) as cluster,
                Client(cluster) as client,
            ):
                yield Cluster(client, premises)
            return
        try:
            client = Client(address, timeout=30)
        except (OSError, ValueError) as error:
            raise WorkersError(f"There is no cluster at {address} ({error}). Start its scheduler.") from error
        with client:
            yield Cluster(client, premises)


# -- on a machine of the cluster -------------------------------------------------------------------


def do_shard(
    work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], timeout_s: float, premises: Premises
) -> list[Any]:
    """Do the tasks of a shard, each as in `Workers.do`; raise WorkersError where the machine does not fit."""
    _check(premises)
    tasks = ((None, given) for given in arguments)
    return [result for _, result in _workers().do(work, tasks, timeout_s=timeout_s)]


def _check(premises: Premises) -> None:
    machine, here = platform.node(), versions_here()
    for name, wanted in premises.versions.items():
        if here.get(name) != wanted:
            raise WorkersError(
                f"The machine {machine} of the cluster has {name} {here.get(name)}, not {wanted}: it would "
                "give other numbers. Install the same versions everywhere."
            )
    for place in premises.places:
        if not place.exists():
            raise WorkersError(
                f"The machine {machine} of the cluster does not see {place}. Photos and results must lie on "
                "a disk that all machines have under the same path."
            )


def _workers() -> Workers:
    """Return this thread's own worker process; none where the machine's settings forbid it."""
    if not hasattr(_own, "workers"):
        daemon = multiprocessing.current_process().daemon
        _own.workers = Workers(1) if daemon else start_workers(1)
        Finalize(None, _own.workers.stop, exitpriority=10)  # else the machine would wait for it for ever
    workers: Workers = _own.workers
    return workers
