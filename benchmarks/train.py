"""Fit the weights of a line's traits to lines that people drew: ``python -m benchmarks.train [FOLDER]``.

People say what counts as a line; drawn faces (with hair, glasses, shadows in the way) keep it honest where
photos are finer than theirs. Logistic regression with a ridge, by Newton's method; every path counts by its
length, as a line by the share of it that lies near a drawn one. Writes `wrinklecv/weights.py`.
"""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from wrinklecv import weights as present
from wrinklecv.traits import TRAITS

from .drawn import drawn_photos, read_drawn
from .examples import PHANTOMS, Examples, examples_of, phantom_examples
from .photos import DATA

_RIDGE = 20.0
"""Weight (in mm of path) that pulls each weight towards 0, per squared spread of its trait."""
_ROUNDS = 30
_DRAWN_SHARE = 0.35
"""What a mm of path on a drawn face counts against one on a photo: most drawn paths are lines, so in full
they would teach that most paths are."""


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


def drawn_faces(pool: Executor) -> list[Examples]:
    """Describe the paths of drawn faces: their lines must be found, and hair and frames must not."""
    return [_lighter(drawn) for drawn in pool.map(phantom_examples, range(PHANTOMS))]


def _lighter(drawn: Examples) -> Examples:
    """Let a drawn face count less than a real one."""
    return dataclasses.replace(drawn, lengths_mm=drawn.lengths_mm * _DRAWN_SHARE)


def main() -> None:
    """Fit to every photo of the folder and to drawn faces, and write the weights."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "drawn_lines"
    drawn = [photo for photo in map(read_drawn, drawn_photos(folder)) if photo]
    if not drawn:
        sys.exit(f"No photo with drawn lines in {folder}: wanted photos/ and lines/ with the same names.")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        fitted = fit([*pool.map(examples_of, drawn, chunksize=4), *drawn_faces(pool)])
    file = Path(present.__file__)
    before, _, after = file.read_text(encoding="utf-8").partition("= {\n")
    rows = [f'    "{name}": {weight:.3f},\n' for name, weight in zip(("base", *TRAITS), fitted, strict=True)]
    file.write_text(before + "= {\n" + "".join(rows) + after[after.index("}\n") :], encoding="utf-8")
    print("".join(rows))


if __name__ == "__main__":
    main()
