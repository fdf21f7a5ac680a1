"""What measuring costs, as ratios to decoding and to scikit-image in the same run on one core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from skimage.filters import sato

from wrinklecv.assessment import assess
from wrinklecv.chart import make_chart, region_mask
from wrinklecv.face import find_face
from wrinklecv.lines import propose_lines
from wrinklecv.phantom import Person, Shot, draw_phantom, random_lines
from wrinklecv.photo import read_photo
from wrinklecv.records import Float
from wrinklecv.ridges import find_ridges
from wrinklecv.settings import DEFAULTS
from wrinklecv.skin import find_skin

from .drawn import sights_of
from .table import Bar, Table, bar_table

_SIZES = {3: (1512, 2016), 12: (3024, 4032), 48: (6048, 8064)}
_MEMORY_LIMITS_MB = {12: 700, 48: 1200}


_BATCH_PHOTOS, _BATCH_MEGAPIXELS, _WARM = 44, 3, 12
"""`assess_many` keeps eight photos under way with two workers: the first results come in a burst."""
_NOTE = (
    "One drawn face at three sizes, saved as a phone would: JPEG 95 with sensor noise. One core, OpenCV on "
    "one thread, warm; medians of {rounds} turns in which each job runs once. Decoding is simplejpeg's "
    "(libjpeg-turbo), strict. The ratios carry over to another machine, the milliseconds do not."
)
_ROUNDS = 9


def run(data: Path) -> tuple[Table, ...]:
    """Draw photos of 3, 12 and 48 megapixels; time what is done with them. `data` is not used."""
    del data
    cores = _one_core()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = {size: drawn_photo(folder, size) for size in _SIZES}
        return (
            _assessing(photos),
            _workers(photos[_BATCH_MEGAPIXELS], folder / "batch", cores),
            _memory(photos),
            _ridges(photos[12]),
            _help(),
        )


def _one_core() -> set[int]:
    """Pin this process to one core, so that threads cannot hide cost; return the cores it had."""
    cv2.setNumThreads(1)
    if not hasattr(os, "sched_setaffinity"):
        return set()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    return cores


def drawn_photo(folder: Path, megapixels: int) -> Path:
    """Write a drawn photo as a phone would: JPEG quality 95 with sensor noise."""
    width, height = _SIZES[megapixels]
    lines = random_lines(np.random.default_rng(9601))
    shot = Shot(width_px=width, height_px=height, px_per_mm=width / 232, noise_sd=3.0, jpeg_quality=95)
    drawn = draw_phantom(Person(seed=9601, lines=lines), shot, seed=9601)
    path = folder / f"{megapixels}.jpg"
    path.write_bytes(drawn.jpeg or b"")
    return path


def _times_s(jobs: list[Callable[[], object]], *, rounds: int) -> list[float]:
    """Time jobs in turns, so that a noisy minute hits all alike; return each one's median."""
    taken = np.zeros((rounds, len(jobs)))
    for job in jobs:
        job()
    for row in taken:
        for column, job in enumerate(jobs):
            start = time.perf_counter()
            job()
            row[column] = time.perf_counter() - start
    return [float(value) for value in np.median(taken, axis=0)]


def _assessing(photos: dict[int, Path]) -> Table:
    """Judge assessing, without reading, against decoding the same file; reading stands beside it."""
    bars, after = [], {}
    for size, path in photos.items():
        content, photo = path.read_bytes(), read_photo(path)
        decode, whole, after[size] = _times_s(
            [
                partial(simplejpeg.decode_jpeg, content, strict=True),
                partial(_read_and_assess, path),
                partial(assess, photo),
            ],
            rounds=_ROUNDS,
        )
        ratio, name = after[size] / decode, f"{size} MP ({len(content) / 1e6:.1f} MB)"
        target, met = ("≤ 3 ×", ratio <= 3) if size == 12 else ("", None)
        text = f"{ratio:.1f} × decoding ({after[size] * 1e3:.0f} ms, decoding {decode * 1e3:.0f} ms)"
        bars.append(Bar(f"{name}: assess", text, target, met))
        bars.append(
            Bar(f"{name}: read and assess", f"{whole / decode:.1f} × decoding ({whole * 1e3:.0f} ms)")
        )
    growth = after[48] / after[3]
    text = f"{growth:.2f} × (12 MP: {after[12] / after[3]:.2f} ×)"
    bars.append(Bar("assess: 48 MP over 3 MP", text, "about 1", growth <= 1.5))
    return bar_table("Speed, one core", bars, _NOTE.format(rounds=_ROUNDS))


def _read_and_assess(path: Path) -> None:
    assess(read_photo(path))


_TIME_A_BATCH = """
import json, os, sys, time
import cv2
from wrinklecv.batch import assess_many
if __name__ == "__main__":
    cores = json.loads(sys.argv[1])
    if cores:
        os.sched_setaffinity(0, cores)
    cv2.setNumThreads(1)  # as in each worker
    first = time.perf_counter()
    came = [time.perf_counter() for _ in assess_many([sys.argv[2]], jobs=int(sys.argv[3]))]
    # The first few start the workers and load the landmark model.
    warm = int(sys.argv[4])
    print(came[-1] - came[warm - 1], came[0] - first, len(came))
"""


_BATCH_NOTE = (
    "`assess_many`, median of three runs in turns, OpenCV on one thread in each process; the first "
    f"{_WARM} photos, during which workers start and load the landmark model, are not counted. "
    "On {cores} cores, which other programs must leave alone."
)


def _workers(photo: Path, folder: Path, cores: set[int]) -> Table:
    """Assess many copies of a photo with one process and with two, in turns, each in a process of its own."""
    folder.mkdir()
    content = photo.read_bytes()
    for number in range(_BATCH_PHOTOS):
        # Other bytes each time: the same ones would be skipped as duplicates, after being measured.
        (folder / f"{number:03}.jpg").write_bytes(with_comment(content, str(number)))
    script = folder.parent / "time_a_batch.py"
    script.write_text(_TIME_A_BATCH, encoding="utf-8")
    taken: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for jobs in (1, 2) * 3:
        command = [sys.executable, str(script), json.dumps(sorted(cores)), str(folder), str(jobs)]
        done = subprocess.run([*command, str(_WARM)], capture_output=True, text=True, check=True)
        steady, start, _ = map(float, done.stdout.split())
        taken[jobs].append((steady, start))
    one, two = (float(np.median([steady for steady, _ in taken[jobs]])) for jobs in (1, 2))
    start = float(np.median([start for _, start in taken[2]]))
    per_photo = _BATCH_PHOTOS - _WARM
    enough = len(cores) >= 2
    return bar_table(
        f"Two workers, {_BATCH_PHOTOS} photos of {_BATCH_MEGAPIXELS} MP",
        [
            Bar(
                "two workers over one",
                f"{one / two:.2f} × as fast ({one / per_photo * 1e3:.0f} and {two / per_photo * 1e3:.0f} ms "
                "per photo)",
                "≥ 1.8 ×",
                one / two >= 1.8 if enough else None,
            ),
            Bar("two workers: until the first result", f"{start:.1f} s"),
        ],
        _BATCH_NOTE.format(cores=len(cores) or "an unknown number of")
        + ("" if enough else " Two workers need two: nothing is judged."),
    )


def with_comment(jpeg: bytes, text: str) -> bytes:
    """Put a comment segment after the JPEG's first marker."""
    comment = text.encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _memory(photos: dict[int, Path]) -> Table:
    """Assess each photo in a process of its own and read that process's peak."""
    bars = []
    for size, limit in _MEMORY_LIMITS_MB.items():
        code = (
            "import sys; from wrinklecv import assess, read_photo; assess(read_photo(sys.argv[1]));"
            "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(photos[size])], capture_output=True, text=True, check=True
        )
        # Not ru_maxrss: a child inherits its parent's, and this parent has drawn 48 megapixels.
        peak_mb = int(done.stdout.split()[1]) / 1024
        bars.append(Bar(f"{size} MP: peak memory", f"{peak_mb:.0f} MB", f"≤ {limit} MB", peak_mb <= limit))
    return bar_table("Memory", bars, "Peak of a process that reads and assesses one photo (VmHWM).")


def _ridges(path: Path) -> Table:
    """Compare the ridge filter with scikit-image's on what `assess` filters: each region's glance."""
    photo = read_photo(path)
    chart = make_chart(photo, find_face(photo))
    skin = find_skin(chart, settings=DEFAULTS)
    glances = [
        propose_lines(chart, region, skin, sight, settings=DEFAULTS).glance
        for region, sight in sights_of(chart, skin).items()
    ]
    px_per_mm = glances[0].px_per_mm

    def ours() -> list[Float]:
        sigmas_mm = DEFAULTS.sigmas_mm
        return [find_ridges(g.light, sigmas_mm=sigmas_mm, px_per_mm=px_per_mm).response for g in glances]

    def theirs() -> list[Float]:
        sigmas_px = [s * px_per_mm for s in DEFAULTS.sigmas_mm]
        return [sato(g.light, sigmas=sigmas_px, black_ridges=True) for g in glances]

    inside = np.concatenate([g.shrunk(region_mask(g.region)).ravel() for g in glances])
    both = [
        np.concatenate([response.ravel() for response in filtered()])[inside] for filtered in (ours, theirs)
    ]
    agreement = float(np.corrcoef(*both)[0, 1])
    mine, peer = _times_s([ours, theirs], rounds=5)
    pixels = sum(g.light.size for g in glances)
    return bar_table(
        "Ridge filter against skimage.filters.sato",
        [
            Bar(
                "agreement (correlation) inside the regions", f"{agreement:.4f}", "≥ 0.99", agreement >= 0.99
            ),
            Bar(
                "speed",
                f"{peer / mine:.0f} × faster ({mine * 1e3:.1f} ms, sato {peer * 1e3:.0f} ms)",
                "≥ 20 ×",
                peer / mine >= 20,
            ),
        ],
        f"Same pixels, same scales, one core: what `assess` filters, the {len(glances)} regions at "
        f"{px_per_mm:g} px per mm ({pixels / 1e6:.2f} MP together). Agreement leaves out the margin around "
        "each region, where the two continue the picture differently beyond its edge.",
    )


def _help() -> Table:
    [seconds] = _times_s(
        [
            lambda: subprocess.run(
                [sys.executable, "-m", "wrinklecv", "--help"], capture_output=True, check=True
            )
        ],
        rounds=5,
    )
    return bar_table("Start", [Bar("wrinklecv --help", f"{seconds:.2f} s", "≤ 0.5 s", seconds <= 0.5)])
