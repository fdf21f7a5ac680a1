"""Pieces of the chart, glances at them, and what counts as seen."""

from __future__ import annotations

import numpy as np
import pytest

from wrinklecv import chart as face_chart
from wrinklecv.records import Region
from wrinklecv.regions import Glance, piece_of, with_lines

NOTHING = np.zeros(face_chart.PATCH_SHAPE, bool)
EVERYTHING = ~NOTHING


def test_the_pieces_beside_the_eyes_are_mirror_images() -> None:
    left, right = piece_of(Region.CROWS_FEET_LEFT), piece_of(Region.CROWS_FEET_RIGHT)
    width = face_chart.SHAPE[1]
    assert (left.left, left.right) == (width - right.right, width - right.left)
    assert (left.top, left.bottom) == (right.top, right.bottom)


@pytest.mark.parametrize("region", Region)
def test_a_glance_holds_whole_pixels_and_knows_their_places(region: Region) -> None:
    piece = piece_of(region)
    size = (piece.bottom - piece.top, piece.right - piece.left)
    assert size[0] % 2 == size[1] % 2 == 0
    glance = Glance(piece, np.zeros((size[0] // 2, size[1] // 2), np.float32))
    # The centre of the first glance pixel lies between the first four chart pixels.
    corner = face_chart.mm_to_px(glance.to_mm(np.zeros((1, 2))))[0]
    assert corner == pytest.approx((piece.left + 0.5, piece.top + 0.5))


def test_skin_beside_a_line_counts_as_seen_but_not_what_was_not_visible() -> None:
    path = np.array([(-10.0, -80.0), (10.0, -80.0)])
    path = np.linspace(path[0], path[1], 81)
    seen = with_lines(NOTHING, EVERYTHING, [path])
    area_mm2 = seen.sum() * (face_chart.PATCH_PX / face_chart.PX_PER_MM) ** 2
    assert 20 * 4 <= area_mm2 <= 25 * 5.5
    assert not with_lines(NOTHING, NOTHING, [path]).any()
    assert (with_lines(NOTHING, EVERYTHING, []) == NOTHING).all()
    assert with_lines(EVERYTHING, EVERYTHING, [path]).all()
