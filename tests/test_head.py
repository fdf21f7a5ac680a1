"""The canonical head: smooth, symmetric, through the mesh, and unrolled without loss."""

from __future__ import annotations

import numpy as np
import pytest

from wrinklecv.chart import node_places
from wrinklecv.head import skin_angle_deg, surface, unroll
from wrinklecv.model import canonical_face


def test_unrolling_the_surface_gives_the_place_back() -> None:
    places = node_places().reshape(-1, 2)
    assert np.abs(unroll(surface(places)) - places).max() < 1e-9


def test_the_surface_runs_through_the_canonical_face() -> None:
    vertices, _ = canonical_face()
    places = unroll(vertices)
    upper = (places[:, 1] < 0) & (np.abs(places[:, 0]) < 90)
    away = np.linalg.norm(surface(places[upper]) - vertices[upper], axis=1)
    assert np.quantile(away, 0.9) < 1.0  # lids and brows fold more sharply than the surface may
    assert np.median(away) < 0.2


def test_the_surface_is_symmetric() -> None:
    places = node_places().reshape(-1, 2)
    mirrored = surface(places * (-1, 1)) * (-1, 1, 1)
    assert np.abs(mirrored - surface(places)).max() < 0.1


def test_the_forehead_goes_on_above_the_mesh_and_curves_back_like_a_skull() -> None:
    v = np.arange(-106.0, -68.0)
    depth = surface(np.column_stack([np.zeros(len(v)), v]))[:, 2]
    assert (np.diff(depth) > 0).all()  # further forward, the further down
    assert (np.diff(depth, 2) < 0.01).all()


def test_a_level_path_has_no_angle_an_upright_one_ninety_degrees_and_a_mirrored_one_the_rest_of_180() -> None:
    across = np.column_stack([np.linspace(-40, 40, 81), np.full(81, -72.0)])
    up = np.column_stack([np.zeros(41), np.linspace(-95, -60, 41)])
    beside_eye = np.column_stack([np.linspace(62, 78, 31), np.linspace(-26, -15, 31)])
    assert (skin_angle_deg(across) + 90) % 180 == pytest.approx(90, abs=0.1)
    assert skin_angle_deg(up) == pytest.approx(90, abs=0.1)
    mirrored = skin_angle_deg(beside_eye * (-1, 1))
    assert skin_angle_deg(beside_eye) + mirrored == pytest.approx(180, abs=0.5)
