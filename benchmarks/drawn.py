"""Photos with lines that people drew on them, brought to the chart; and how well paths agree with them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from wrinklecv import chart as face_chart
from wrinklecv.chart import make_chart
from wrinklecv.errors import PhotoError
from wrinklecv.face import find_face
from wrinklecv.lines import Sight, sight_of
from wrinklecv.photo import read_photo
from wrinklecv.records import Chart, Face, Float, Mask, Region
from wrinklecv.regions import measure_coverage
from wrinklecv.settings import DEFAULTS
from wrinklecv.sharpness import edge_blur_mm
from wrinklecv.skin import Skin, find_skin

OPEN_GATES = dataclasses.replace(
    DEFAULTS,
    min_resolution_px_per_mm=0.0,
    max_pose_deg=90.0,
    max_pitch_deg=90.0,
    min_coverage_share=0.0,
    max_blur_mm=10.0,
    max_saturated_share=1.0,
    black_light=-20.0,
)
"""No photo is refused: what people drew on it counts."""
TOLERANCES_MM = (1.0, 1.5)
_STROKE_BLUR_PX = 3.0
"""Strokes have ragged edges; blurred, their middle has no spurs."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One photo on the chart, and the middles of the lines that a person drew on it, (H, W) bool."""

    person: str
    face: Face
    chart: Chart
    skin: Skin
    sights: dict[Region, Sight]
    middles: Mask


def drawn_photos(folder: Path) -> list[tuple[Path, Path]]:
    """List the photos of `folder`/photos that have a picture of the same name in `folder`/lines."""
    lines = {path.stem: path for path in sorted((folder / "lines").glob("*"))}
    return [(p, lines[p.stem]) for p in sorted((folder / "photos").glob("*")) if p.stem in lines]


def person_of(path: Path) -> str:
    """Tell whose photo it is: ``sub-…`` in its name, else the whole name."""
    told = re.search(r"sub-[A-Za-z0-9]+", path.stem)
    return told.group() if told else path.stem


def read_drawn(paths: tuple[Path, Path]) -> Drawn | None:
    """Read one photo and its lines (white on black); None when there is no face to be measured."""
    try:
        photo = read_photo(paths[0])
        face = find_face(photo)
    except PhotoError:
        return None
    chart = make_chart(photo, face)
    skin = find_skin(chart, settings=OPEN_GATES)
    strokes = cv2.imdecode(np.frombuffer(paths[1].read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if strokes is None:
        raise ValueError(f"{paths[1]} is no picture of lines: wanted white lines on black, as PNG.")
    strokes = cv2.resize(np.asarray(strokes), (photo.width_px, photo.height_px))
    grid = cv2.resize(chart.photo_xy, face_chart.SHAPE[::-1])
    white = (strokes > 127).astype(np.float32)
    on_chart = cv2.remap(white, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
    middles = skeletonize(cv2.GaussianBlur(on_chart, (0, 0), _STROKE_BLUR_PX) > 0.3)
    return Drawn(person_of(paths[0]), face, chart, skin, sights_of(chart, skin), middles)


def sights_of(chart: Chart, skin: Skin) -> dict[Region, Sight]:
    """Tell how finely each region was seen; a region of which nothing was seen is left out."""
    edge_mm = edge_blur_mm(chart)
    coverage = measure_coverage(chart, skin.usable)
    return {r: sight_of(c, edge_mm, settings=OPEN_GATES) for r, c in coverage.items() if c.px_per_mm}


def places(mask: Mask) -> Float:
    """Return the marked pixels (N, 2) as (x, y)."""
    rows, columns = np.nonzero(mask)
    return np.column_stack([columns, rows]).astype(float)


def evenly(paths: Iterable[Float]) -> Float:
    """Place points one chart pixel apart along paths (N, 2) of chart px: (M, 2)."""
    points = [np.zeros((0, 2))]
    for path in paths:
        along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
        wanted = np.arange(0.0, along[-1], 1.0)
        points.append(np.column_stack([np.interp(wanted, along, path[:, k]) for k in (0, 1)]))
    return np.concatenate(points)


def agreement(found_px: Float, drawn_px: Float, tolerance_mm: float) -> Float:
    """Compare centre lines, points (N, 2) and (M, 2) px: (4,) = found right, found, drawn found, drawn."""
    near = tolerance_mm * face_chart.PX_PER_MM
    right = hit = 0
    if len(found_px) and len(drawn_px):
        right = int((cKDTree(drawn_px).query(found_px)[0] <= near).sum())
        hit = int((cKDTree(found_px).query(drawn_px)[0] <= near).sum())
    return np.array([right, len(found_px), hit, len(drawn_px)], float)


def scores(counts: Float) -> tuple[float, float, float]:
    """Return precision, recall and F1 of `agreement` counts (4,), added up over photos."""
    precision = counts[0] / max(counts[1], 1e-9)
    recall = counts[2] / max(counts[3], 1e-9)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)
