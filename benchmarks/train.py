"""Fit the weights of a line's traits to lines that people drew: ``python -m benchmarks.train [FOLDER]``.

Logistic regression with a ridge, by Newton's method; every path counts by its length, as a line by the
share of it that lies near a drawn one. Writes `wrinklecv/weights.py`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from wrinklecv import chart as face_chart
from wrinklecv import weights as present
from wrinklecv.lines import propose_lines
from wrinklecv.records import Float
from wrinklecv.traits import TRAITS

from .drawn import OPEN_GATES, Drawn, drawn_photos, places, read_drawn

_NEAR_MM = 1.5
_RIDGE = 20.0
"""Weight (in mm of path) that pulls each weight towards 0, per squared spread of its trait."""
_ROUNDS = 30
_DATA = Path(__file__).parents[2] / "shared" / "data" / "drawn_lines"


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Paths with what people drew: traits (P, T), shares (P,) that lie near drawn lines, lengths_mm (P,)."""

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
            lengths.append(float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()))
    px_per_mm = face_chart.PX_PER_MM / 2
    return Examples(np.concatenate(traits), np.array(shares), np.array(lengths) / px_per_mm)


def fit(examples: list[Examples]) -> tuple[float, ...]:
    """Fit the weights, "base" first."""
    traits = np.concatenate([e.traits for e in examples])
    shares = np.concatenate([e.shares for e in examples])
    lengths = np.concatenate([e.lengths_mm for e in examples])
    spread = np.maximum(traits.std(axis=0), 1e-9)
    middle = traits.mean(axis=0)
    design = np.column_stack([np.ones(len(traits)), (traits - middle) / spread])
    pull = np.full(design.shape[1], _RIDGE)
    pull[0] = 0.0
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-design @ beta))
        slope = design.T @ (lengths * (shares - chance)) - pull * beta
        curve = (design * (lengths * chance * (1 - chance))[:, None]).T @ design + np.diag(pull)
        beta += np.linalg.solve(curve, slope)
    weights = beta[1:] / spread
    return (float(beta[0] - weights @ middle), *(float(w) for w in weights))


def main() -> None:
    """Fit to every photo of the folder and write the weights."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _DATA
    drawn = [photo for photo in map(read_drawn, drawn_photos(folder)) if photo]
    if not drawn:
        sys.exit(f"No photo with drawn lines in {folder}: wanted photos/ and lines/ with the same names.")
    fitted = fit([examples_of(photo) for photo in drawn])
    file = Path(present.__file__)
    before, _, after = file.read_text(encoding="utf-8").partition("= {\n")
    rows = [f'    "{name}": {weight:.3f},\n' for name, weight in zip(("base", *TRAITS), fitted, strict=True)]
    file.write_text(before + "= {\n" + "".join(rows) + after[after.index("}\n") :], encoding="utf-8")
    print("".join(rows))


if __name__ == "__main__":
    main()
