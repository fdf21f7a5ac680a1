"""What measuring costs, as ratios to decoding and to scikit-image in the same run on one core."""

from __future__ import annotations

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
from wrinklecv.chart import PX_PER_MM, make_chart
from wrinklecv.face import find_face
from wrinklecv.phantom import Person, Shot, draw_phantom, random_lines
from wrinklecv.photo import read_photo
from wrinklecv.ridges import find_ridges
from wrinklecv.settings import DEFAULTS

from .table import Bar, show

_SIZES = {3: (1512, 2016), 12: (3024, 4032), 48: (6048, 8064)}
_MEMORY_LIMITS_MB = {12: 700, 48: 1200}


def run() -> None:
    """Draw photos of 3, 12 and 48 megapixels; time decoding and assessing them in turns; print ratios."""
    _one_core()
    with tempfile.TemporaryDirectory() as folder:
        photos = {size: _photo(Path(folder), size) for size in _SIZES}
        _assessing(photos)
        _memory(photos)
        _ridges(photos[12])
    _help()


def _one_core() -> None:
    """Pin this process to one core, so that threads cannot hide cost."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)


def _photo(folder: Path, megapixels: int) -> Path:
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


def _assessing(photos: dict[int, Path]) -> None:
    bars, after = [], {}
    for size, path in photos.items():
        content, photo = path.read_bytes(), read_photo(path)
        decode, whole, after[size] = _times_s(
            [
                partial(simplejpeg.decode_jpeg, content, strict=True),
                partial(_read_and_assess, path),
                partial(assess, photo),
            ],
            rounds=9,
        )
        ratio = whole / decode
        text = (
            f"{ratio:.1f} × decoding "
            f"({len(content) / 1e6:.1f} MB: {decode * 1e3:.0f} ms, all {whole * 1e3:.0f} ms)"
        )
        judged = size == 12
        target, met = ("≤ 4 ×", ratio <= 4) if judged else ("", None)
        bars.append(Bar(f"{size} MP: read and assess", text, target, met))
    growth = after[48] / after[3]
    text = f"{growth:.2f} × (12 MP: {after[12] / after[3]:.2f} ×)"
    bars.append(Bar("after decoding: 48 MP over 3 MP", text, "about 1", growth <= 1.5))
    show("Speed, one core, medians of turns", bars)


def _read_and_assess(path: Path) -> None:
    assess(read_photo(path))


def _memory(photos: dict[int, Path]) -> None:
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
    show("Memory", bars)


def _ridges(path: Path) -> None:
    """Compare the ridge filter with scikit-image's on the same chart at the same scales."""
    photo = read_photo(path)
    light = make_chart(photo, find_face(photo)).light.copy()
    sigmas = DEFAULTS.sigmas_mm
    ours = find_ridges(light, sigmas_mm=sigmas, px_per_mm=PX_PER_MM).response
    theirs = sato(light, sigmas=[s * PX_PER_MM for s in sigmas], black_ridges=True)
    agreement = float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    mine, peer = _times_s(
        [
            lambda: find_ridges(light, sigmas_mm=sigmas, px_per_mm=PX_PER_MM),
            lambda: sato(light, sigmas=[s * PX_PER_MM for s in sigmas], black_ridges=True),
        ],
        rounds=5,
    )
    show(
        "Ridge filter against skimage.filters.sato, same pixels, same scales, one core",
        [
            Bar("agreement (correlation)", f"{agreement:.4f}", "≥ 0.99", agreement >= 0.99),
            Bar("speed", f"{peer / mine:.0f} × faster ({mine * 1e3:.0f} ms)", "≥ 20 ×", peer / mine >= 20),
        ],
    )


def _help() -> None:
    [seconds] = _times_s(
        [
            lambda: subprocess.run(
                [sys.executable, "-m", "wrinklecv", "--help"], capture_output=True, check=True
            )
        ],
        rounds=5,
    )
    show("Start", [Bar("wrinklecv --help", f"{seconds:.2f} s", "≤ 0.5 s", seconds <= 0.5)])
