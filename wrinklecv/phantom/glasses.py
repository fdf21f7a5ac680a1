"""Drawn glasses: rims, bridge and temples as strokes in space, and their lenses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .. import head
from ..records import Float
from .camera import Camera
from .person import Glasses, Person
from .shape import U_MM, V_MM, hair_inside
from .strokes import Stroke

_LENS_SHARE = 0.92
"""Clear glass lets that much through both ways: 4 % are lost at each face."""
_MIRROR = 0.012
"""Light that the lens sends back from the room, where it mirrors it: a faint veil over its upper half."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame's sizes in mm: half the lens, the rim's thickness, and its colour in linear light."""

    half_wide_mm: float
    half_high_mm: float
    squareness: float
    rim_mm: float
    rim_top_mm: float
    temple_mm: float
    colour: tuple[float, float, float]
    gleam: tuple[float, float, float]


_FRAMES = {
    Glasses.METAL: _Frame(24.5, 18.5, 2.3, 1.0, 1.2, 1.6, (0.16, 0.15, 0.14), (0.62, 0.60, 0.56)),
    Glasses.PLASTIC: _Frame(25.5, 20.0, 2.8, 3.0, 4.4, 4.6, (0.012, 0.010, 0.010), (0.10, 0.10, 0.11)),
}
_LENS_X_MM, _LENS_Y_MM = 33.5, 24.5
_FRONT_Z_MM = 55.0
"""The lens stands 12 to 14 mm before the eye; the front bends back towards the temples."""
_HINGE_UP_MM = 8.0
_EAR_MM = np.array([81.0, 31.0, -42.0])


def _bent(x: Float, y: Float) -> Float:
    """Return places on the frame's front (N, 3): it bends back sideways and leans in below."""
    return np.stack([x, y, _FRONT_Z_MM - x**2 / 340 + 0.10 * (y - _LENS_Y_MM)], axis=1)


def _rim(frame: _Frame, side: int) -> tuple[Float, Float]:
    """Return the middle of a rim (N, 3) and its thickness (N,): a rounded rectangle, thicker above."""
    turn = np.linspace(0, 2 * np.pi, 720)
    power = 2 / frame.squareness
    x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * frame.half_wide_mm
    y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power * frame.half_high_mm
    x = x * (1 + 0.06 * y / frame.half_high_mm)  # a little wider above
    above = 0.5 + 0.5 * np.sin(turn)
    thick = frame.rim_mm + (frame.rim_top_mm - frame.rim_mm) * above
    return _bent(side * (x + _LENS_X_MM), y + _LENS_Y_MM), thick


def _bridge(frame: _Frame) -> Float:
    x = np.linspace(-1, 1, 21) * (_LENS_X_MM - 0.97 * frame.half_wide_mm)
    points = _bent(x, 30.5 + 2.6 * (1 - (x / x[-1]) ** 2))
    points[:, 2] += 6.5 * (1 - (x / x[-1]) ** 2)  # it arches over the nose
    return points


def _temple(frame: _Frame, side: int, person: Person) -> Float:
    """Return a temple from its hinge back to where hair covers it, (N, 3)."""
    edge = _LENS_X_MM + 0.94 * frame.half_wide_mm  # the rim at the hinge's height
    hinge = _bent(np.array([edge, edge + 6.0]), np.full(2, _LENS_Y_MM + _HINGE_UP_MM))
    t = np.linspace(0.02, 1, 60)[:, None]
    arm = hinge[1] + np.array([1.0, 0, -3.0]) + t * (_EAR_MM - hinge[1])
    points = np.concatenate([hinge, arm]) * np.array([side, 1, 1])
    u, v = head.unroll(points).T
    column, row = (np.rint(u) - U_MM[0]).astype(int), (np.rint(v) - V_MM[0]).astype(int)
    hair = hair_inside(person.ears, person.hairline_mm)[row, column] > 3
    return np.asarray(points[: int(hair.argmax())] if hair.any() else points)


def frame_layers(person: Person) -> tuple[tuple[Stroke, ...], ...]:
    """Return the strokes of this person's glasses, the hindmost layer first; empty without glasses."""
    if person.glasses is Glasses.NONE:
        return ()
    frame = _FRAMES[person.glasses]
    colour, gleam = np.array(frame.colour), np.array(frame.gleam)

    def stroke(points: Float, wide: Float | float, ink: Float) -> Stroke:
        return Stroke(points_mm=points, width_mm=np.broadcast_to(wide, len(points)), colour=ink)

    arms, rims, gleams = [], [], []
    for side in (-1, 1):
        temple = _temple(frame, side, person)
        arms.append(stroke(temple, frame.temple_mm, colour * 0.8))
        points, thick = _rim(frame, side)
        rims.append(stroke(points, thick, colour))
        # The rim is round: its upper side mirrors the lamp in a thin bright line.
        up = np.array([0, 0.22, 0.2]) * thick[:, None]
        top = slice(60, 300)
        gleams.append(stroke((points + up)[top], 0.22 * thick[top], gleam))
        above = np.array([0, 0.25 * frame.temple_mm, 0])
        gleams.append(stroke(temple + above, 0.18 * frame.temple_mm, gleam))
    bridge = _bridge(frame)
    rims.append(stroke(bridge, frame.rim_top_mm, colour))
    gleams.append(stroke(bridge + np.array([0, 0.25 * frame.rim_top_mm, 0]), 0.2 * frame.rim_top_mm, gleam))
    return tuple(arms), tuple(rims), tuple(gleams)


def draw_lenses(light: Float, person: Person, camera: Camera) -> None:
    """Dim what is seen through the lenses in linear `light` (H, W, 3), and lay a faint veil over it."""
    if person.glasses is Glasses.NONE:
        return
    for side in (-1, 1):
        outline = camera.project(_rim(_FRAMES[person.glasses], side)[0])
        mask = np.zeros(light.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        x0, y0, wide, high = cv2.boundingRect(mask)
        if not wide:
            continue
        part = light[y0 : y0 + high, x0 : x0 + wide]
        glass = mask[y0 : y0 + high, x0 : x0 + wide, None].astype(np.float32) / 255
        veil = np.linspace(1.0, 0.2, high, dtype=np.float32)[:, None, None] * np.float32(_MIRROR)
        part += (part * np.float32(_LENS_SHARE) + veil - part) * glass
