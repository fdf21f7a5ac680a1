"""What the weights learn from: proposed paths of photos that people drew on, and of drawn faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from wrinklecv import chart as face_chart
from wrinklecv.chart import make_chart
from wrinklecv.face import find_face
from wrinklecv.lines import Sight, propose_lines
from wrinklecv.phantom import DISTURBANCES, Person, Shot, disturbed, draw_phantom, random_lines
from wrinklecv.records import Chart, Float, Mask, Region
from wrinklecv.skin import Skin, find_skin
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
    """Describe every proposed path of a photo that a person drew on."""
    tree = cKDTree(places(drawn.middles)) if drawn.middles.any() else None

    def near(path_mm: Float) -> Mask:
        if tree is None:
            return np.zeros(len(path_mm), bool)
        return np.asarray(tree.query(face_chart.mm_to_px(path_mm))[0] <= _NEAR_MM * face_chart.PX_PER_MM)

    return _examples(drawn.chart, drawn.skin, drawn.sights, near)


def _examples(
    chart: Chart, skin: Skin, sights: dict[Region, Sight], near: Callable[[Float], Mask]
) -> Examples:
    """Describe every proposed path; `near` tells which places (N, 2) chart mm lie near a true line."""
    traits, shares, lengths = [np.zeros((0, len(TRAITS)))], [], []
    for region, sight in sights.items():
        proposals = propose_lines(chart, region, skin, sight, settings=OPEN_GATES)
        traits.append(proposals.traits)
        for path in proposals.paths_px:
            shares.append(float(near(proposals.glance.to_mm(path)).mean()))
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
    # Truth and measurement meet on the photo: it is exact there, whatever the landmarks did to the chart.
    tree = cKDTree(np.concatenate([line.path_xy for line in phantom.lines]))

    def near(path_mm: Float) -> Mask:
        off_px = tree.query(face_chart.to_photo(chart, path_mm))[0]
        return np.asarray(off_px * phantom.mm_per_px <= _NEAR_MM)

    return _examples(chart, skin, sights_of(chart, skin), near)
