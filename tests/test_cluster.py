"""A cluster: the same tables as one process, whatever becomes of its machines."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from builders import pretend
from pair_builders import pretend_pair
from test_batch import a_mixed_folder, put, tables_in

from wrinklecv import cluster
from wrinklecv.batch import score
from wrinklecv.cluster import Premises, do_shard
from wrinklecv.errands import Scored
from wrinklecv.errors import WorkersError
from wrinklecv.kept import versions_here
from wrinklecv.records import Status
from wrinklecv.settings import Settings

run = functools.partial(score, assess_one=pretend, compare_one=pretend_pair, formats=())


def test_a_machine_that_measures_otherwise_or_sees_other_disks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkersError, match="numpy"):
        do_shard(len, [("a",)], 1.0, Premises(versions_here() | {"numpy": "0"}, ()))
    with pytest.raises(WorkersError, match="does not see"):
        do_shard(len, [("a",)], 1.0, Premises(versions_here(), (tmp_path / "none",)))


def test_a_cluster_that_is_not_there_is_said(tmp_path: Path) -> None:
    photos = put(tmp_path / "in", "a.jpg")
    with pytest.raises(WorkersError, match="There is no cluster at nonsense"):
        run([photos], tmp_path / "out", cluster="nonsense")


def slow(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
    """Stand in for `assess_file`; note which process of the cluster asked for it."""
    time.sleep(0.05)
    (file.parent.parent / "machines" / str(os.getppid())).touch()
    return pretend(file, path, settings, overlay)


@pytest.mark.slow
def test_a_machine_that_is_lost_loses_no_photo_and_changes_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "SHARD", 5)
    photos = a_mixed_folder(put(tmp_path / "in", *(f"m{number:03}.jpg" for number in range(60))))
    (photos / "crash.jpg").write_text("crash")
    machines = tmp_path / "machines"
    machines.mkdir()

    def kill_one() -> None:
        while len(found := list(machines.iterdir())) < 2:
            time.sleep(0.02)
        os.kill(int(found[0].name), signal.SIGKILL)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    summary = run([photos], tmp_path / "cluster", jobs=2, cluster="local", assess_one=slow)
    killer.join(timeout=1)
    assert not killer.is_alive(), "one machine was killed"
    assert summary.statuses[Status.CRASHED] == 1
    run([photos], tmp_path / "one", jobs=1, apart=True)
    assert tables_in(tmp_path / "cluster") == tables_in(tmp_path / "one")
