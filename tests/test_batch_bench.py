"""The bench of batches, small: kills, crashes, a full disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import batch as bench

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, mounts a disk in memory")


@linux
@pytest.mark.slow
def test_killed_runs_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    table = bench.kills(tmp_path, photos=120, kills=4, within_s=(4.0, 8.0))
    told = {row[0]: row[3] for row in table.rows}
    assert "**missed**" not in told.values(), table.rows
    assert list(told.values()).count("met") == 7


@linux
@pytest.mark.slow
def test_a_full_disk_is_said_and_gone_on_from(tmp_path: Path) -> None:
    table = bench.full_disks(tmp_path, points=3, photos=60)
    assert all(row[3] in ("met", "") for row in table.rows), table.rows
