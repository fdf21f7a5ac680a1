"""Pictures for the accuracy page, drawn faces only: what was drawn beside what was measured of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from wrinklecv.assessment import assess
from wrinklecv.draw import draw_lines, encode_jpeg
from wrinklecv.phantom import Person, Phantom, Shot, disturbed, draw_phantom, random_lines
from wrinklecv.records import Assessment, Bytes, Photo
from wrinklecv.selftest import Check, compare_lines

CASES: tuple[tuple[str, str, str | None], ...] = (
    ("accuracy_good.jpg", "Lines, and nothing in the way", None),
    (
        "accuracy_hair.jpg",
        "No lines, but loose hairs that lie level across the forehead",
        "hair: level strands",
    ),
    ("accuracy_glasses.jpg", "No lines, but thin glasses", "glasses: thin metal"),
)
"""File name, what was drawn, and what is in the way."""
_SEED = 31_000
_WIDTH_PX = 1200


def draw_cases(folder: Path) -> dict[str, str]:
    """Write every case as a JPEG, the photo beside the measured lines; return file name → caption."""
    captions = {}
    for name, drawn, disturbance in CASES:
        phantom = _drawn(disturbance)
        assessment = assess(phantom.photo)
        (folder / name).write_bytes(encode_jpeg(_side_by_side(phantom.photo, assessment)))
        check = compare_lines(phantom.lines, assessment, scale_ratio=1.0)
        captions[name] = f"{drawn}: {found_words(check)}"
    return captions


def found_words(check: Check) -> str:
    """Say what was found of the drawn lines, and how much line that nobody drew."""
    false_mm = sum(line.length_mm for line in check.extra)
    beside = f"{false_mm:.0f} mm of false line" if check.extra else "no false line"
    if not check.lines:
        return beside
    found = f"{check.found_once} of {len(check.lines)} drawn lines found as one line each, {beside}"
    errors = [line.length_mm / line.true_length_mm - 1 for line in check.lines if line.pieces]
    return f"{found}; lengths {min(errors):+.0%} to {max(errors):+.0%}" if errors else found


def _drawn(disturbance: str | None) -> Phantom:
    lines = random_lines(np.random.default_rng(_SEED)) if disturbance is None else ()
    person = Person(seed=_SEED, lines=lines, skin_tone=0.3)
    shot = Shot(px_per_mm=6.0, width_px=1260, height_px=1560, jpeg_quality=92)
    if disturbance is not None:
        person, shot = disturbed(disturbance, person, shot)
    return draw_phantom(person, shot, seed=_SEED)


def _side_by_side(photo: Photo, assessment: Assessment) -> Bytes:
    measured = draw_lines(photo, assessment)
    top, bottom = round(photo.height_px * 0.12), round(photo.height_px * 0.62)
    both = np.hstack([photo.pixels[top:bottom], measured[top:bottom]])
    size = (_WIDTH_PX, round(both.shape[0] * _WIDTH_PX / both.shape[1]))
    return np.asarray(cv2.resize(both, size, interpolation=cv2.INTER_AREA))
