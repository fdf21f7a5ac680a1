"""Which line of one photo is which line of another, once both lie on one chart.

Lines are matched as wholes: by how long they run side by side, how near, in which direction, and without
crossing another match (the lines of a region keep their order). No match is an answer too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from .paths import resample
from .records import Float

_STEP_MM = 0.5
_MOST_TURN_DEG = 30.0
_LEAST_SHARED = 0.5
"""Share of the shorter line that must run beside the other."""
_LIES_ON = 0.6
"""A piece of which this share lies on a matched line is a piece of it."""


def match_lines(
    first_mm: Sequence[Float], second_mm: Sequence[Float], *, within_mm: float
) -> tuple[int, ...]:
    """Find for each path (N, 2) of `first_mm` the index of its path in `second_mm`, -1 for none.

    Both in mm of one chart. Several pieces of the first may be matched to one line of the second. The result
    does not depend on the order of the paths.
    """
    first, second = (
        [resample(np.asarray(p, float), _STEP_MM) for p in paths] for paths in (first_mm, second_mm)
    )
    scores = np.zeros((len(first), len(second)))
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            scores[i, j] = _score(a, b, within_mm)
    matched = [-1] * len(first)
    pairs = [
        (i, j) for i, j in zip(*linear_sum_assignment(scores, maximize=True), strict=True) if scores[i, j] > 0
    ]
    for i, j in _in_order(sorted(pairs, key=lambda pair: -scores[pair]), first, second):
        matched[i] = int(j)
    kept = set(matched) - {-1}
    for i, a in enumerate(first):
        if matched[i] < 0 and len(second):
            on = [
                float(scores[i, j]) if j in kept and lies_on(a, b, within_mm) >= _LIES_ON else 0.0
                for j, b in enumerate(second)
            ]
            matched[i] = int(np.argmax(on)) if max(on) > 0 else -1
    return tuple(matched)


def lies_on(a: Float, b: Float, within_mm: float) -> float:
    """Return the share of path `a` (N, 2) that lies within `within_mm` of path `b` (M, 2)."""
    return float((cKDTree(b).query(a)[0] <= within_mm).mean())


def is_piece(path: Float, lines: Sequence[Float], *, within_mm: float) -> bool:
    """Tell whether `path` (N, 2) is a piece of one of `lines`, so that it is no line of its own."""
    return any(lies_on(path, line, within_mm) >= _LIES_ON for line in lines)


def _score(a: Float, b: Float, within_mm: float) -> float:
    """Return how well two paths go together: mm side by side, less where they are apart; 0 for not at all."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    distance, nearest = cKDTree(long).query(short)
    beside = distance <= within_mm
    if beside.mean() < _LEAST_SHARED or beside.sum() < 3:
        return 0.0
    one, other = short[beside], long[np.unique(nearest[beside])]
    if len(other) < 3 or _turn_deg(one, other) > _MOST_TURN_DEG:
        return 0.0
    return float(beside.sum() * _STEP_MM * (1 - 0.5 * (distance[beside] / within_mm).mean() ** 2))


def _turn_deg(a: Float, b: Float) -> float:
    """Return the angle between the main directions of two sets of points, 0 to 90."""
    directions = [np.linalg.svd(p - p.mean(axis=0), full_matrices=False)[2][0] for p in (a, b)]
    return float(np.rad2deg(np.arccos(min(1.0, abs(float(directions[0] @ directions[1]))))))


def _in_order(
    pairs: list[tuple[int, int]], first: Sequence[Float], second: Sequence[Float]
) -> list[tuple[int, int]]:
    """Keep the pairs, best first, that do not cross one already kept."""
    kept: list[tuple[int, int]] = []
    for i, j in pairs:
        # A path's direction is chance: both turns are counted along the kept line of the first photo.
        if all(
            _side(first[i], first[k], ahead) * _side(second[j], second[m], ahead) >= 0
            for k, m in kept
            for ahead in [first[k][-1] - first[k][0]]
        ):
            kept.append((i, j))
    return kept


def _side(a: Float, b: Float, ahead: Float) -> int:
    """Return on which side of path `b`, walked towards `ahead`, path `a` runs: 1, -1, 0 for not beside it."""
    _, nearest = cKDTree(b).query(a)
    beside = (nearest > 0) & (nearest < len(b) - 1)
    if beside.sum() < 3:
        return 0
    along = np.gradient(b, axis=0)[nearest[beside]] * np.sign((b[-1] - b[0]) @ ahead)
    off = a[beside] - b[nearest[beside]]
    return int(np.sign(np.median(along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0])))
