"""What the weights learn from: proposed paths of photos that people drew on, and of drawn faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from wrinklecv import chart as face_chart
from wrinklecv.chart import make_chart
from wrinklecv.face import find_face
from wrinklecv.lines import propose_lines
from wrinklecv.phantom import DISTURBANCES, Person, Shot, disturbed, draw_phantom, random_lines
from wrinklecv.records import Float
from wrinklecv.skin import find_skin
from wrinklecv.traits import TRAITS

from .drawn import OPEN_GATES, TOLERANCES_MM, Drawn, places, sights_of

_NEAR_MM = TOLERANCES_MM[-1]
_FIRST_SEED = 40_000
"""Used for nothing but learning."""
_SIZES_PX_PER_MM = (2.5, 4.0, 6.0, 8.0, 12.0)
PHANTOMS = 44


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Paths and the truth: traits (P, T), shares (P,) that lie near true lines, lengths_mm (P,)."""

    traits: Float
    shares: Float
    lengths_mm: Float


def examples_of(drawn: Drawn) -> Examples:
    """Describe every proposed path of one photo."""
    middles = places(drawn.middles)
    tree = cKDTree(middles) if len(middles) else None
    traits, shares, lengths = [np.zeros((0, len(TRAITS)))], [], []
    for region, sight in drawn.sights.items():
        proposals = propose_lines(drawn.chart, region, drawn.skin, sight, settings=OPEN_GATES)
        traits.append(proposals.traits)
        for path in proposals.paths_px:
            on_chart = face_chart.mm_to_px(proposals.glance.to_mm(path))
            near = tree.query(on_chart)[0] <= _NEAR_MM * face_chart.PX_PER_MM if tree else np.zeros(1)
            shares.append(float(near.mean()))
            steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
            lengths.append(float(steps.sum()) / proposals.glance.px_per_mm)
    return Examples(np.concatenate(traits), np.array(shares), np.array(lengths))


def phantom_examples(number: int) -> Examples:
    """Draw a face with lines, every second time with something in the way, and describe its paths."""
    rng = np.random.default_rng(_FIRST_SEED + number)
    size = _SIZES_PX_PER_MM[number % len(_SIZES_PX_PER_MM)]
    lines = random_lines(rng, width_mm=(max(0.4, 2.0 / size), 1.8), contrast=(0.05, 0.5))
    person = Person(seed=_FIRST_SEED + number, skin_tone=float(rng.uniform()), lines=lines)
    shot = Shot(
        px_per_mm=size,
        width_px=round(210 * size),
        height_px=round(260 * size),
        noise_sd=float(rng.uniform(0.5, 2.5)),
        jpeg_quality=int(rng.integers(75, 96)),
    )
    if number % 2:
        person, shot = disturbed(DISTURBANCES[number // 2 % len(DISTURBANCES)], person, shot)
    phantom = draw_phantom(person, shot, seed=number)
    face = find_face(phantom.photo)
    chart = make_chart(phantom.photo, face)
    skin = find_skin(chart, settings=OPEN_GATES)
    middles = np.zeros(face_chart.SHAPE, bool)
    for line in phantom.lines:
        columns, rows = np.rint(_on_chart_px(chart.photo_xy, line.path_xy)).astype(int).T
        middles[np.clip(rows, 0, middles.shape[0] - 1), np.clip(columns, 0, middles.shape[1] - 1)] = True
    return examples_of(Drawn(str(number), phantom.photo, face, chart, skin, sights_of(chart, skin), middles))


def _on_chart_px(photo_xy: Float, path_xy: Float) -> Float:
    """Find the chart pixels (N, 2) that show `path_xy` (N, 2), between the four nearest nodes."""
    nodes = photo_xy.reshape(-1, 2)
    at = cKDTree(nodes).query(path_xy, k=4)
    weight = 1 / np.maximum(at[0], 1e-6) ** 2
    rows, columns = np.divmod(at[1], photo_xy.shape[1])
    node_px = (np.stack([columns, rows], axis=-1) + 0.5) * face_chart.NODE_PX - 0.5
    return np.asarray((node_px * weight[..., None]).sum(axis=1) / weight.sum(axis=1)[:, None])
