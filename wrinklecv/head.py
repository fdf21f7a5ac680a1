"""The canonical head: places on the flat map ↔ its surface in space.

The map's axes: u (to the right of the picture, the subject's left) is the arc length on a cylinder of
80 mm radius whose axis stands 30 mm behind the canonical origin; v grows downwards. In space, x grows to
the subject's left, y upwards, z towards the camera.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.interpolate import RBFInterpolator

from .model import canonical_face
from .records import Float

RADIUS_MM, AXIS_MM = 80.0, -30.0
"""Of the cylinder, and where its axis stands (z)."""


def unroll(points_mm: Float) -> Float:
    """Bring canonical positions (N, 3) mm to chart positions (N, 2) mm."""
    x, y, z = np.moveaxis(np.asarray(points_mm, dtype=float), -1, 0)
    return np.stack([RADIUS_MM * np.arctan2(x, z - AXIS_MM), -y], axis=-1)


@functools.cache
def _surface_spline() -> RBFInterpolator:
    """Fit the head's radius over (u, v): a thin-plate spline through the canonical mesh.

    Above the mesh's upper edge the spline would run straight on; a skull curves back. Ghost
    points continue the forehead's measured slope and curvature 30 mm further.
    """
    vertices, _ = canonical_face()
    places = unroll(vertices)
    radii = np.hypot(vertices[:, 0], vertices[:, 2] - AXIS_MM)
    top_u = np.linspace(-66, 66, 23)
    # The forehead's own slope and bend on the midline, through landmarks 9, 151 and 10.
    midline = [9, 151, 10]
    slope = np.polynomial.Polynomial.fit(places[midline, 1], radii[midline], 2)
    top_v = places[10, 1]
    edge_v = -82.6 + 16.4 * (np.abs(top_u) / 76.5) ** 2  # the mesh's upper edge, landmarks 54, 103, 67, 10
    edge = RBFInterpolator(places, radii, kernel="thin_plate_spline", smoothing=1.0)(
        np.stack([top_u, edge_v], axis=1)
    )
    ghosts, ghost_radii = [], []
    for rise_mm in (10.0, 20.0, 30.0):
        ghosts.append(np.stack([top_u, edge_v - rise_mm], axis=1))
        ghost_radii.append(edge + slope(top_v - rise_mm) - slope(top_v))
    return RBFInterpolator(
        np.concatenate([places, *ghosts]),
        np.concatenate([radii, *ghost_radii]),
        kernel="thin_plate_spline",
        smoothing=1.0,
    )


def surface(places_mm: Float) -> Float:
    """Lift chart positions (N, 2) mm to the canonical face: (N, 3) mm."""
    u, v = np.asarray(places_mm, dtype=float).reshape(-1, 2).T
    radius = _surface_spline()(np.stack([u, v], axis=1))
    angle = u / RADIUS_MM
    return np.stack([radius * np.sin(angle), -v, radius * np.cos(angle) + AXIS_MM], axis=1)


def skin_angle_deg(path_mm: Float) -> float:
    """Return the mean undirected direction of a chart path (N, 2) on the canonical skin, in [0, 180)."""
    path = np.asarray(path_mm, dtype=float)
    middle, steps, reach = (path[1:] + path[:-1]) / 2, np.diff(path, axis=0), 0.25
    along_u, along_v = (
        (surface(middle + o) - surface(middle - o)) / (2 * reach)
        for o in (np.array((reach, 0.0)), np.array((0.0, reach)))
    )
    moved = along_u * steps[:, :1] + along_v * steps[:, 1:]
    level = along_u / np.linalg.norm(along_u, axis=1, keepdims=True)
    normal = np.cross(along_u, along_v)
    upright = np.cross(normal / np.linalg.norm(normal, axis=1, keepdims=True), level)
    x, y = (moved * level).sum(axis=1), (moved * upright).sum(axis=1)
    weight, doubled = np.hypot(x, y), 2 * np.arctan2(y, x)
    mean = np.arctan2((weight * np.sin(doubled)).sum(), (weight * np.cos(doubled)).sum()) / 2
    return float(np.rad2deg(mean) % 180)
