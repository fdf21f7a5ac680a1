"""A hundred thousand photos, and every one accounted for: kills, crashes, full disks, memory, throughput."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cheap import CRASHES, SAMPLE
from .served import workers_of
from .speed import with_comment
from .table import Bar, Table, bar_table
from .throughput import throughput

PHOTOS, KILLS, CRASHING = 10_000, 25, 4
FULL_DISKS, LISTED = 20, 100_000
_ALIVE_S = 5.0
TABLES = (
    "photos",
    "measures_long",
    "measures_wide",
    "lines",
    "pairs",
    "pair_lines",
    "changes",
    "line_histories",
)
_SAMPLES = SAMPLE.parent


def run(data: Path) -> tuple[Table, ...]:
    """Draw photos and put batches through all that can go wrong. `data` is not used."""
    del data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return (
            listing(folder / "listed", LISTED),
            same_tables(folder / "same"),
            kills(folder / "kills", photos=PHOTOS, kills=KILLS),
            full_disks(folder / "full", points=FULL_DISKS),
            throughput(folder / "speed"),
        )


# -- what the others share -------------------------------------------------------------------------


def small_photos(folder: Path, number: int, *, crashing: int = 0) -> Path:
    """Write one drawn face of 512 px `number` times, each time in other bytes; some kill their process."""
    import cv2

    from wrinklecv.draw import encode_jpeg
    from wrinklecv.photo import read_photo

    folder.mkdir(parents=True)
    small = cv2.resize(read_photo(SAMPLE).pixels, (512, 640), interpolation=cv2.INTER_AREA)
    content = encode_jpeg(small)
    bad = set(random.Random(7).sample(range(number), crashing))  # noqa: S311 - no secret
    for k in range(number):
        comment = f"{CRASHES.decode() if k in bad else ''} {k}"
        (folder / f"{k:05}.jpg").write_bytes(with_comment(content, comment))
    return folder


def tables_in(out: Path) -> dict[str, bytes]:
    """Return the CSV files of a run."""
    return {name: (out / f"{name}.csv").read_bytes() for name in TABLES}


def rows(out: Path) -> list[dict[str, str]]:
    """Return photos.csv."""
    with (out / "photos.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def begun(photos: Path, out: Path, *, jobs: int, notes: Path) -> subprocess.Popen[str]:
    """Start a run with the cheap measurement."""
    command = [sys.executable, "-m", "benchmarks.cheap", str(photos), str(out), str(jobs), str(notes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def done(photos: Path, out: Path, *, jobs: int, notes: Path) -> tuple[int, str]:
    """Wait for such a run; return its exit code and the last line it printed."""
    process = begun(photos, out, jobs=jobs, notes=notes)
    said, _ = process.communicate()
    return process.returncode, said.strip().splitlines()[-1]


def is_running(pid: int) -> bool:
    """Say whether a process still runs (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# -- kills -----------------------------------------------------------------------------------------


def kills(folder: Path, *, photos: int, kills: int, within_s: tuple[float, float] = (3.0, 9.0)) -> Table:
    """Kill a run at random moments, let it finish, and hold it against one that was left alone."""
    source = small_photos(folder / "in", photos, crashing=CRASHING)
    alone, killed, notes = folder / "alone", folder / "killed", folder / "notes"
    first = time.perf_counter()
    _, said = done(source, alone, jobs=2, notes=folder / "notes_alone")
    took_s = time.perf_counter() - first
    memory = json.loads(said)["memory_mb"]
    orphans, again = 0, 0
    chance = random.Random(3)  # noqa: S311 - no secret
    for _ in range(kills):
        finished = _finished(killed)
        notes.write_text("")
        children: list[int] = []
        with begun(source, killed, jobs=2, notes=notes) as process:
            try:
                process.wait(chance.uniform(*within_s))
            except subprocess.TimeoutExpired:
                children = workers_of(process.pid)
                process.kill()
        orphans += _outlived(children)
        again += sum(sha256 in finished for sha256 in notes.read_text().split())
    finished = _finished(killed)
    notes.write_text("")
    code, said = done(source, killed, jobs=2, notes=notes)
    again += sum(sha256 in finished for sha256 in notes.read_text().split())
    second = time.perf_counter()
    _, rerun = done(source, killed, jobs=2, notes=notes)
    rerun_s = time.perf_counter() - second
    told = Counter(row["path"] for row in rows(killed))
    lost, twice = photos - len(told), sum(number > 1 for number in told.values())
    crashed = sum(row["status"] == "crashed" for row in rows(killed))
    same = tables_in(alone) == tables_in(killed)
    growth = memory["10000"] - memory["1000"] if "10000" in memory else None
    return bar_table(
        f"{kills} kills (kill -9) over {photos:,} photos",
        [
            Bar("photos without a row", f"{lost}", "0", lost == 0),
            Bar("photos with two rows", f"{twice}", "0", twice == 0),
            Bar("finished photos measured again", f"{again}", "0", again == 0),
            Bar("finishes", "yes" if code == 0 else f"exit code {code}", "yes", code == 0),
            Bar("processes alive 5 s after the kill", f"{orphans}", "0", orphans == 0),
            Bar("rows of crashed photos", f"{crashed}", f"{CRASHING}", crashed == CRASHING),
            Bar("tables as of a run left alone", "same bytes" if same else "differ", "same bytes", same),
            Bar(
                "parent: growth from photo 1,000 to 10,000",
                "not reached" if growth is None else f"{growth:.1f} MB (to {memory['10000']:.0f} MB)",
                "≤ 5 MB",
                None if growth is None else growth <= 5,
            ),
            Bar("run left alone", f"{took_s:.0f} s, {took_s / photos * 1e3:.1f} ms per photo"),
            Bar(
                "run of a finished folder",
                f"{rerun_s / photos * 1e3:.1f} ms per photo, {json.loads(rerun)['taken_over']:,} taken over",
            ),
        ],
        "Drawn faces of 512 px, each in other bytes; two processes. The measurement is a cheap one: reading, "
        "decoding and keeping are real, the lines are those of a sample photo. "
        f"{CRASHING} photos kill their "
        f"process (SIGSEGV). Each run is killed {within_s[0]:g} to {within_s[1]:g} s after its start.",
    )


def _finished(out: Path) -> set[str]:
    """Return the sha256 of the photos whose results are kept."""
    import zlib

    found = set()
    for file in (out / "kept").glob("*/*/*"):
        tree = json.loads(zlib.decompress(file.read_bytes().split(b"\n", 1)[1]))
        if tree["assessment"]:
            found.add(str(json.loads(tree["assessment"])["photo_sha256"]))
    return found


def _outlived(children: list[int]) -> int:
    until = time.monotonic() + _ALIVE_S
    while any(map(is_running, children)) and time.monotonic() < until:
        time.sleep(0.05)
    return sum(map(is_running, children))


# -- a full disk -----------------------------------------------------------------------------------


@contextmanager
def _small_disk(place: Path, size_kb: int) -> Iterator[bool]:
    """Mount a small disk in memory; False where this user may not."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["/bin/mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(place)]
    mounted = os.name == "posix" and not subprocess.run(command, capture_output=True).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["/bin/umount", str(place)], check=True)


def full_disks(folder: Path, *, points: int, photos: int = 200) -> Table:
    """Fill the disk at many points of a run; go on when there is space again."""
    source, few = small_photos(folder / "in", photos), folder / "few"
    few.mkdir()
    for file in sorted(source.iterdir())[: photos // 10]:
        shutil.copy(file, few)
    notes, whole = folder / "notes", folder / "whole"
    done(source, whole, jobs=2, notes=notes)
    done(few, folder / "few_out", jobs=2, notes=notes)
    need_kb, least_kb = _size_kb(whole), _size_kb(folder / "few_out")
    old = tables_in(folder / "few_out")
    said_well = stands = resumed = filled = 0
    for point in range(points):
        size_kb = round(1.3 * least_kb + (need_kb - 1.3 * least_kb) * point / points)
        with _small_disk(folder / "disk", size_kb) as mounted:
            if not mounted:
                return bar_table("A full disk", [Bar("full at points of a run", "not measured: needs root")])
            out = folder / "disk" / "out"
            done(few, out, jobs=2, notes=notes)
            code, said = done(source, out, jobs=2, notes=notes)
            filled += code != 0
            said_well += code == 2 and said.startswith("Cannot write results to ") and "kept" in said
            stands += tables_in(out) == old
            grow = ["/bin/mount", "-o", f"remount,size={4 * need_kb}k", str(folder / "disk")]
            subprocess.run(grow, check=True)
            done(source, out, jobs=2, notes=notes)
            resumed += tables_in(out) == tables_in(whole)
    return bar_table(
        f"A full disk at {points} points",
        [
            Bar("runs that filled it", f"{filled}", f"{points}", filled == points),
            Bar("said in a sentence, exit code 2", f"{said_well}", f"{points}", said_well == points),
            Bar("older tables intact", f"{stands}", f"{points}", stands == points),
            Bar("went on with space: right tables", f"{resumed}", f"{points}", resumed == points),
        ],
        f"{photos} photos into a disk in memory that holds the results of {photos // 10} of them and is "
        "full between there and the end; two processes.",
    )


def _size_kb(folder: Path) -> int:
    return sum(-(-file.stat().st_blocks // 2) for file in folder.rglob("*"))


# -- the same tables -------------------------------------------------------------------------------


def same_tables(folder: Path) -> Table:
    """Score the sample photos in many ways; all must give the same bytes."""
    photos = [str(file) for file in sorted(_SAMPLES.glob("*.jpg"))]
    shuffled = random.Random(5).sample(photos, len(photos))  # noqa: S311 - no secret
    ways = {
        "one process": (photos, 1),
        "two": (photos, 2),
        "four": (photos, 4),
        "shuffled, two": (shuffled, 2),
        "resumed after a third, two": (photos, 2),
    }
    found = {}
    for way, (named, jobs) in ways.items():
        out = folder / way.replace(" ", "_")
        if "resumed" in way:
            _score(named[: len(named) // 3], out, 1)
        _score(named, out, jobs)
        found[way] = tables_in(out)
    first = found["one process"]
    bars = [
        Bar(way, "same bytes" if tables == first else "differ", "same bytes", tables == first)
        for way, tables in found.items()
    ]
    note = (
        f"The {len(photos)} sample photos with their pairs and subjects: every CSV file of `wrinklecv score`."
    )
    return bar_table("The same tables", bars, note)


def _score(photos: list[str], out: Path, jobs: int) -> None:
    command = [sys.executable, "-m", "wrinklecv", "score", *photos, "--out", str(out), "--jobs", str(jobs)]
    subprocess.run([*command, "--no-overlays", "--format", "csv"], check=True, capture_output=True)


# -- listing ---------------------------------------------------------------------------------------


def listing(folder: Path, number: int) -> Table:
    """List many files, a thousand to a folder."""
    for k in range(number):
        if k % 1000 == 0:
            (folder / f"{k // 1000:03}").mkdir(parents=True)
        (folder / f"{k // 1000:03}" / f"sub-{k // 8:05}_ses-20250110_expr-rest_run-{k}.jpg").touch()
    code = (
        "import sys, time; from benchmarks.cheap import memory_mb; from wrinklecv.listing import find_photos;"
        "start = time.perf_counter(); found = find_photos([sys.argv[1]]); next(found);"
        "first = time.perf_counter() - start; n = 1 + sum(1 for _ in found);"
        "print(n, first, time.perf_counter() - start, memory_mb('self', 'VmHWM'))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    listed, first, whole, memory = map(float, told.stdout.split())
    return bar_table(
        f"{number:,} files listed",
        [
            Bar("listed", f"{listed:,.0f}", f"{number:,}", listed == number),
            Bar("first row", f"{first:.3f} s", "≤ 3 s", first <= 3),
            Bar("whole", f"{whole:.1f} s", "≤ 10 s", whole <= 10),
            Bar("memory, all libraries loaded", f"{memory:.0f} MB"),
        ],
    )
