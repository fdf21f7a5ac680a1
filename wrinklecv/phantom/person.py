"""Who is drawn and how the photo is taken: the records the drawing rooms share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from .. import head
from ..records import Expression, Float
from .lines import PhantomLine
from .shape import Movement

_TONES = np.array(
    [[231, 203, 187], [221, 182, 158], [201, 152, 122], [165, 116, 88], [121, 81, 61], [84, 57, 46]],
    dtype=float,
)
"""Six skin tones in sRGB, evenly spaced from very light to very dark."""


class Glasses(StrEnum):
    """What the person wears before the eyes."""

    NONE = "none"
    METAL = "metal"
    PLASTIC = "plastic"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowEdge:
    """The straight edge of something far away that keeps the main light off a part of the face.

    through_mm: chart place (u, v) mm that the edge runs through. towards_deg: on which side of the
    edge it is dark, as seen in the picture: 0 right, 90 up, 180 left, 270 down. penumbra_mm: from full
    light to none, on skin that faces the light.
    """

    through_mm: tuple[float, float] = (0.0, -80.0)
    towards_deg: float = 90.0
    penumbra_mm: float = 1.0

    def point_mm(self) -> Float:
        """Return the canonical place (3,) mm that the edge runs through."""
        return np.asarray(head.surface(np.array([self.through_mm]))[0])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Person:
    """A drawn person.

    seed: everything that is random about the skin, hair and brows. skin_tone: 0 very light to 1 very
    dark. lines: at rest. expression_lines: *all* lines of that expression; where an expression is
    missing, the lines at rest are drawn. Paths are skin places, so a line keeps its path in every
    expression. mm_per_canonical_mm: the person's size. iris_mm: the irises' diameter, whatever the
    person's size. pores, blotches, freckles: strengths, 1 = usual (freckles: 0 = none).

    What gets in the way of measuring, none by default: loose_hairs, level_hairs: single strands over
    the forehead, hanging down or lying across it. fringe_mm: how far below the hairline's middle a
    fringe reaches. glasses. stubble: strength, 1 = two days' growth. shine: oil on the skin, 1 = white
    spots where the lamp mirrors.
    """

    seed: int = 0
    skin_tone: float = 0.2
    lines: tuple[PhantomLine, ...] = ()
    expression_lines: Mapping[Expression, tuple[PhantomLine, ...]] = field(default_factory=dict)
    mm_per_canonical_mm: float = 1.0
    iris_mm: float = 11.7
    brow_travel_mm: float = 5.0
    hair_srgb: tuple[int, int, int] = (62, 43, 32)
    iris_srgb: tuple[int, int, int] = (96, 84, 62)
    hairline_mm: float = -107.0
    ears: bool = False
    brow_thickness: float = 1.0
    pores: float = 1.0
    blotches: float = 1.0
    freckles: float = 0.0
    loose_hairs: int = 0
    level_hairs: int = 0
    fringe_mm: float = 0.0
    glasses: Glasses = Glasses.NONE
    stubble: float = 0.0
    shine: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.skin_tone <= 1:
            raise ValueError(f"skin_tone is {self.skin_tone}, wanted 0 (very light) to 1 (very dark)")
        object.__setattr__(self, "expression_lines", MappingProxyType(dict(self.expression_lines)))

    def lines_in(self, expression: Expression) -> tuple[PhantomLine, ...]:
        """Return the lines this person shows in `expression`."""
        return self.expression_lines.get(expression, self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """How the photo is taken.

    px_per_mm: of this person's skin, at the eyes. Angles in degrees, each within 25: yaw to the
    subject's own left, pitch up, roll to the left shoulder. The light comes from `light_azimuth_deg`
    to the right of the picture and `light_elevation_deg` above; `ambient_share` of it comes from
    everywhere. exposure_ev: stops. noise_sd: 8-bit sRGB grey levels on mid grey (shot noise: more in
    linear light where it is bright). blur_px: Gaussian sigma. jpeg_quality: None keeps the pixels as
    drawn. eyes_at_share: where in the frame the middle between the eyes falls (x, y). distance_mm:
    from the camera to the eyes. shadow_edge: a hard shadow across the face, or None.
    """

    width_px: int = 1680
    height_px: int = 2080
    px_per_mm: float = 8.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    light_azimuth_deg: float = -20.0
    light_elevation_deg: float = 30.0
    ambient_share: float = 0.45
    exposure_ev: float = 0.0
    noise_sd: float = 1.0
    blur_px: float = 0.5
    jpeg_quality: int | None = None
    expression: Expression = Expression.REST
    eyes_at_share: tuple[float, float] = (0.5, 0.49)
    distance_mm: float = 2000.0
    shadow_edge: ShadowEdge | None = None

    def __post_init__(self) -> None:
        turned = max(abs(self.yaw_deg), abs(self.pitch_deg), abs(self.roll_deg))
        if turned > 30:
            raise ValueError(f"the head is turned by {turned} degrees; drawn heads turn by 30 at most")


def movement(person: Person, shot: Shot) -> Movement:
    """Return how the skin moves in this shot."""
    return Movement(shot.expression, person.brow_travel_mm)


def linear(srgb: tuple[int, int, int] | Float) -> Float:
    """Decode sRGB (..., 3) 0 to 255 to linear light 0 to 1 (IEC 61966-2-1)."""
    value = np.asarray(srgb, dtype=float) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def skin_colour(tone: float) -> Float:
    """Return the skin's reflectance (3,) in linear light for a tone 0 to 1."""
    steps = np.linspace(0, 1, len(_TONES))
    return linear(np.array([np.interp(tone, steps, _TONES[:, k]) for k in range(3)]))
