"""Workers: what kills, stalls or fills one costs one task, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from harm import children_of, crash_once, harm, harm_with, is_running

from wrinklecv.codes import Code
from wrinklecv.errors import NoFaceError, WorkersError
from wrinklecv.workers import Failed, Workers, at_work, result_of, start_workers

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and limits memory")


def codes_after(words: dict[int, str], *, timeout_s: float = 60.0) -> list[Code | int]:
    tasks = [(number, (words.get(number, "good"), number)) for number in range(10)]
    with at_work(2) as workers:
        found = [result for _, result in workers.do(harm, tasks, timeout_s=timeout_s)]
    return [result.code if isinstance(result, Failed) else result for result in found]


@linux
def test_death_and_hunger_cost_one_task_each() -> None:
    words = {1: "crash", 2: "crash", 5: "eat memory", 7: "eat memory in OpenCV"}
    bad = {1: Code.CRASHED, 2: Code.CRASHED, 5: Code.OUT_OF_MEMORY, 7: Code.OUT_OF_MEMORY}
    assert codes_after(words) == [bad.get(number, number) for number in range(10)]


@linux
def test_a_hang_and_the_death_of_all_workers_at_once_cost_one_task_each() -> None:
    bad = {2: Code.CRASHED, 6: Code.TIMED_OUT}
    found = codes_after({2: "crash with all", 6: "hang"}, timeout_s=3.0)
    assert found == [bad.get(number, number) for number in range(10)]


def test_a_task_whose_worker_died_once_is_done_all_the_same(tmp_path: Path) -> None:
    tasks = [(number, (tmp_path / str(number), number)) for number in range(3)]
    with at_work(1, apart=True) as workers:
        assert list(workers.do(crash_once, tasks, timeout_s=60)) == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.slow
@linux
def test_a_death_that_is_seen_before_the_beginning_is_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a busy machine: what a worker says is heard only after its death was seen."""
    from pebble.pool.process import TaskManager

    heard = TaskManager.task_start

    def late(self: TaskManager, task_id: int, worker_id: int) -> None:
        if task_id == 1:
            time.sleep(1)
        heard(self, task_id, worker_id)

    monkeypatch.setattr(TaskManager, "task_start", late)
    assert codes_after({0: "nap", 1: "crash"}, timeout_s=15.0) == [0, Code.CRASHED, *range(2, 10)]


@pytest.mark.slow
@linux
def test_workers_killed_while_they_had_nothing_to_do_are_replaced() -> None:
    def tasks() -> Iterator[tuple[int, tuple[str, int]]]:
        for number in range(16):
            if number == 12:
                time.sleep(1)  # all that came before is done
                for pid in children_of(os.getpid()):
                    os.kill(pid, signal.SIGKILL)
            yield number, ("good", number)

    with at_work(2) as workers:
        found = [result for _, result in workers.do(harm, tasks(), timeout_s=60)]
    assert found == list(range(16))


def dies_at_once() -> None:
    os._exit(3)


@pytest.mark.slow
def test_workers_that_cannot_start_are_said_not_waited_for() -> None:
    workers = start_workers(2, prepare=dies_at_once)
    try:
        with pytest.raises(WorkersError, match="die as soon as they start"):
            list(workers.do(harm, [(n, ("good", n)) for n in range(20)], timeout_s=60))
    finally:
        workers.stop()


def test_workers_outlive_the_thread_that_asked_for_them() -> None:
    workers, found = start_workers(1), []

    def ask() -> None:
        found.append(result_of(workers.begin(os.getpid, (), timeout_s=60), 60))

    for _ in range(2):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        time.sleep(1.0)  # what the system does to a worker without a parent, it does at once
    workers.stop()
    assert len(found) == 2 and found[0] == found[1]


def test_two_threads_that_saw_one_pool_break_replace_it_once() -> None:
    workers = start_workers(1)
    broken: Any = workers._pool
    broken.stop()
    broken.join()
    threads = [threading.Thread(target=workers._renew, args=(broken,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    renewed: Any = workers._pool
    assert renewed is not broken
    assert workers._fruitless == 1, "the second found it renewed"
    assert list(workers.do(harm, [("a", ("good", 7))], timeout_s=60)) == [("a", 7)]
    assert workers._pool is renewed
    workers.stop()


@linux
def test_two_threads_whose_workers_are_all_killed_at_once_both_go_on() -> None:
    """With more to send than fits on the way: what one's new pool does not know would never end."""
    workers, found = start_workers(2), dict[str, list[Any]]()
    large = bytes(4_000_000)
    assert list(workers.do(harm, [(0, ("good", 0))], timeout_s=60)) == [(0, 0)]

    def ask(name: str) -> None:
        tasks = [(n, ("good" if n else "nap", n, large)) for n in range(8)]
        found[name] = [result for _, result in workers.do(harm_with, tasks, timeout_s=60)]

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    time.sleep(1)
    for pid in children_of(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    assert found == {"one": list(range(8)), "two": list(range(8))}
    workers.stop()


def test_who_waits_for_stopped_workers_is_told() -> None:
    workers, told = start_workers(1), list[str]()

    def ask() -> None:
        try:
            list(workers.do(harm, [(0, ("hang", 0))], timeout_s=60))
        except WorkersError as error:
            told.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(2)
    workers.stop()
    thread.join(20)
    assert told and "were stopped" in told[0]


def test_workers_that_were_stopped_start_no_processes_behind_anybodys_back() -> None:
    workers = start_workers(1)
    workers.stop()
    with pytest.raises(WorkersError, match="were stopped"):
        workers.begin(harm, ("good", 1), timeout_s=60)


def test_a_result_that_is_an_error_holds_nobody_who_asked_for_it() -> None:
    future: Future[None] = Future()
    future.set_exception(NoFaceError(Code.NO_FACE, "no face"))
    raised = []
    for _ in range(3):
        with pytest.raises(NoFaceError, match="no face") as told:
            result_of(future, 1)
        assert not hasattr(told.value, "__notes__")
        told.value.add_note("of one session")
        raised.append(told.value)
    assert len({id(error) for error in raised}) == 3
    assert [error.__notes__ for error in raised] == [["of one session"]] * 3
    assert [error.code for error in raised] == [Code.NO_FACE] * 3
    kept = future.exception()
    assert kept and kept.__traceback__ is None and not hasattr(kept, "__notes__")
    kept.add_note("of the worker")
    for _ in range(2):
        with pytest.raises(NoFaceError) as told:
            result_of(future, 1)
        told.value.add_note("mine")
        assert told.value.__notes__ == ["of the worker", "mine"]


def test_workers_that_are_there_already_go_on() -> None:
    with at_work(1) as workers:
        with at_work(workers) as same:
            assert same is workers
        assert list(workers.do(harm, [("a", ("good", 1)), ("b", None)], timeout_s=1)) == [
            ("a", 1),
            ("b", None),
        ]
    assert isinstance(workers, Workers)


PARENT = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from harm import children_of, harm
from wrinklecv.workers import at_work
if __name__ == "__main__":
    with at_work(2) as workers:
        tasks = [(n, ("hang" if n > 3 else "good", n)) for n in range(9)]
        for number, _ in workers.do(harm, tasks, timeout_s=600):
            if number == 3:
                print(*children_of(os.getpid()), flush=True)
"""


@linux
def test_no_worker_outlives_its_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    until = time.monotonic() + 5
    while any(map(is_running, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in workers if is_running(pid)]
