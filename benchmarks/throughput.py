"""What a batch costs beside the bare measurement, and what a second process brings."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from .speed import drawn_photo, with_comment
from .table import Bar, Table, bar_table

_PHOTOS, _WARM, _ROUNDS = 40, 16, 3
_MEGAPIXELS = 12
_BARE = """
import os, resource, sys, time
from pathlib import Path
import cv2
cv2.setNumThreads(1)  # as in each worker
from wrinklecv import assess, read_photo
warm, came = int(sys.argv[2]), []
for file in sorted(Path(sys.argv[1]).iterdir()):
    assess(read_photo(file))
    came.append((time.perf_counter(), time.process_time()))
photos = len(came) - warm
print([(after - before) / photos for before, after in zip(came[warm - 1], came[-1])] + [0.0])
"""
_BATCH = """
import sys, time
from pathlib import Path
from benchmarks.served import workers_of
from benchmarks.cheap import memory_mb
from wrinklecv.batch import score
import os
def cpu(pid):
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
if __name__ == "__main__":
    warm, jobs, out, came, peak = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], [], [0.0]
    def watch(outcome, done, total):
        if done in (warm, total):
            every = [os.getpid(), *workers_of(os.getpid())]
            came.append((time.perf_counter(), sum(map(cpu, every))))
            peak[0] = max([memory_mb(pid, "VmHWM") for pid in every[1:]])
    drawn = sys.argv[5] == "overlays"
    score([sys.argv[1]], out, jobs=jobs, apart=True, overlays=drawn, progress=watch, formats=())
    photos = sum(1 for _ in Path(sys.argv[1]).iterdir()) - warm
    print([(after - before) / photos for before, after in zip(*came)] + peak)
"""


def throughput(folder: Path) -> Table:
    """Time bare measuring, one process and two, in turns, each in a program of its own."""
    photos = folder / "in"
    photos.mkdir(parents=True)
    content = drawn_photo(folder, _MEGAPIXELS).read_bytes()
    for number in range(_PHOTOS):
        (photos / f"{number:03}.jpg").write_bytes(with_comment(content, str(number)))
    ways = {
        "bare": (_BARE,),
        "one": (_BATCH, "1", "plain"),
        "two": (_BATCH, "2", "plain"),
        "two, overlays": (_BATCH, "2", "overlays"),
    }
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for turn in range(_ROUNDS):
        for way, (script, *more) in ways.items():
            out = [str(folder / f"{way.replace(' ', '_')}_{turn}")] if more else []
            command = [sys.executable, "-c", script, str(photos), str(_WARM), *more[:1], *out, *more[1:]]
            told = subprocess.run(command, capture_output=True, text=True, check=True)
            found[way].append(json.loads(told.stdout))
    wall, cpu, peak = (
        {way: statistics.median(turn[k] for turn in turns) for way, turns in found.items()} for k in range(3)
    )
    per_core, twice = wall["bare"] / (2 * wall["two"]), wall["one"] / wall["two"]
    costs = cpu["bare"] / cpu["two"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    enough = cores >= 2
    most = max(peak.values())
    return bar_table(
        f"Throughput, {_MEGAPIXELS} megapixels",
        [
            Bar("bare loop over read_photo and assess", f"{wall['bare'] * 1e3:.0f} ms per photo"),
            Bar("`score`, one process", f"{wall['one'] * 1e3:.0f} ms per photo"),
            Bar("`score`, two processes", f"{wall['two'] * 1e3:.0f} ms per photo"),
            Bar("the same with overlays", f"{wall['two, overlays'] * 1e3:.0f} ms per photo"),
            Bar("two over one", f"{twice:.2f} ×", "≥ 1.8 ×", twice >= 1.8 if enough else None),
            Bar(
                "per core, over the bare loop",
                f"{per_core:.2f} ×",
                "≥ 0.8 ×",
                per_core >= 0.8 if enough else None,
            ),
            Bar(
                "the same by processor time, which other programs disturb less",
                f"{costs:.2f} × ({cpu['bare'] * 1e3:.0f} and {cpu['two'] * 1e3:.0f} ms per photo)",
                "≥ 0.8 ×",
                costs >= 0.8,
            ),
            Bar("a worker's memory (peak)", f"{most:.0f} MB", "≤ 1000 MB", most <= 1000),
        ],
        f"{_PHOTOS} drawn photos, the first {_WARM} (start, landmark model) not counted; medians of "
        f"{_ROUNDS} turns on {cores} cores, which other programs must leave alone. CSV only, no overlays.",
    )
