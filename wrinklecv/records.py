"""The nouns: frozen records with their shapes and units.

Conventions, once for the whole house:

- Points are (x, y): x to the right, y down; (0, 0) is the *centre* of the top-left pixel.
- Images are indexed ``[row, column]``.
- Left and right are the **subject's own**, never the viewer's.
- Nothing found is an empty tuple, never ``None`` and never an error.
- Doubt is a `Finding`: a code, the raw value, the threshold it passed and what to do about it.
- Contrast is ``ln(L_beside / L_valley)`` of linear luminance: for small values the fraction by
  which a line is darker than the skin beside it.
- Arrays are checked for shape, copied when they could still be written to, and read-only.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from .codes import Code

# cv2's stubs widen every dtype, so the element type is said by name and checked at birth instead.
Float = npt.NDArray[Any]
Bytes = npt.NDArray[Any]
Mask = npt.NDArray[Any]

MEASURE_VERSION = 5
"""Rises whenever the same photo and settings would give another number."""


class Region(StrEnum):
    """A measured part of the face; left and right are the subject's own."""

    FOREHEAD = "forehead"
    GLABELLA = "glabella"
    CROWS_FEET_LEFT = "crows_feet_left"
    CROWS_FEET_RIGHT = "crows_feet_right"


class Expression(StrEnum):
    """What the subject was asked to do; UNKNOWN where nobody said."""

    REST = "rest"
    BROW_RAISE = "brow_raise"
    FROWN = "frown"
    SMILE = "smile"
    UNKNOWN = "unknown"


class LineKind(StrEnum):
    """What a rest photo and an expression photo of one face say about a line."""

    STATIC = "static"
    DEEPENED = "deepened"
    DYNAMIC = "dynamic"
    INDETERMINATE = "indeterminate"


class Verdict(StrEnum):
    """Is it fit to be measured: yes, with doubt, or no."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    REFUSE = "refuse"


def frozen_array(array: npt.ArrayLike, dtype: npt.DTypeLike, shape: tuple[int | None, ...], name: str) -> Any:
    """Return `array` as a read-only array of `dtype`; raise ValueError when its shape is not `shape`."""
    result = np.asarray(array, dtype=dtype)
    if result.ndim != len(shape) or any(
        want is not None and got != want for got, want in zip(result.shape, shape, strict=True)
    ):
        raise ValueError(f"{name} has shape {result.shape}, wanted {shape}")
    if result.flags.writeable:
        result = result.copy()
        result.flags.writeable = False
    return result


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason for doubt, about the whole photo (`region` is None) or one region.

    `value` and `threshold` are in `unit`; both are None where there is nothing to count.
    `advice` is a sentence for the photographer: what was wrong and what to do.
    """

    code: Code
    verdict: Verdict
    advice: str
    region: Region | None = None
    value: float | None = None
    threshold: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo: `pixels` (H, W, 3) uint8 sRGB, upright, with doubts about the file in `findings`.

    The pixel array is taken over, not copied (a photo may hold 150 MB), and made read-only.
    """

    pixels: Bytes
    sha256: str
    name: str = ""
    taken_on: date | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(f"pixels must be (H, W, 3) uint8, not {self.pixels.dtype} {self.pixels.shape}")
        self.pixels.flags.writeable = False

    @property
    def width_px(self) -> int:
        """Width of the upright picture."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the upright picture."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the face is: mm per photo pixel at the plane of the eyes.

    `source` is ``"iris"`` or ``"given"``; `relative_sd` is the standard deviation divided by the
    value. For the iris it holds the spread of iris size between people, about 4 %, which cancels
    when two photos of one person are compared.
    """

    mm_per_px: float
    source: str
    relative_sd: float


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """Where the face is: 478 landmarks and what follows from them.

    points_xy: (478, 2) px on the photo, in the landmark model's order (468 to 477 are the irises).
    points_sd_px: how far the landmarks moved between a crop and its shifted mirror image (sd of one, px).
    yaw_deg: positive when the head is turned to the subject's own left;
    pitch_deg: positive when the face looks up; roll_deg: positive when the head leans to the
    subject's own left shoulder.
    expression: the landmark model's own strengths, name → 0–1.
    """

    points_xy: Float
    points_sd_px: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    scale: Scale
    expression: Mapping[str, float]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_xy", frozen_array(self.points_xy, np.float64, (478, 2), "points_xy"))
        object.__setattr__(self, "expression", MappingProxyType(dict(self.expression)))


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """One photo resampled onto the flat map of the face (its axes and grid: `chart.py`).

    light: (H, W) float32, natural logarithm of linear luminance, 0 = white.
    colour: (h', w', 3) uint8 sRGB, means over patches, for telling skin from hair.
    resolution_px_per_mm: (h, w) float32 on the coarse grid, photo pixels per mm of skin (root of
    px² per mm²); 0 where the photo does not show the place.
    view_angle_deg: (h, w) float32, between the skin's normal and the line of sight.
    photo_xy: (h, w, 2) float32, photo position of each node of the coarse grid.
    metric: (h, w, 2, 2) float32, on the coarse grid: chart displacement (du, dv) in chart mm →
    displacement on the subject's skin in mm, in an orthonormal tangent frame.
    blur_mm2: variance (chart mm²) of the blur that the resampling added; below 0 where it sharpened.
    """

    light: Float
    colour: Bytes
    resolution_px_per_mm: Float
    view_angle_deg: Float
    photo_xy: Float
    metric: Float
    blur_mm2: float

    def __post_init__(self) -> None:
        rows, columns = self.light.shape
        nodes, patches = self.photo_xy.shape[:2], self.colour.shape[:2]
        for name, dtype, shape in (
            ("light", np.float32, (rows, columns)),
            ("colour", np.uint8, (*patches, 3)),
            ("resolution_px_per_mm", np.float32, nodes),
            ("view_angle_deg", np.float32, nodes),
            ("photo_xy", np.float32, (*nodes, 2)),
            ("metric", np.float32, (*nodes, 2, 2)),
        ):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype, shape, name))


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One wrinkle as a path.

    path_mm: (N, 2) chart mm; path_xy: (N, 2) photo px; the same N places, in order.
    length_mm, width_mm: on the subject's skin; width is the full width at half depth.
    contrast: mean along the line; max_contrast: of its deepest stretch of about 2 mm.
    angle_deg: direction on the skin against the head's own level, 0 = level, 90 = upright, in
    [0, 180), turning from x towards y (so 45 runs from upper left to lower right of the picture).
    signal_to_noise: mean contrast over what texture and sensor noise alone would show.
    likelihood: 0–1, how likely a person who draws the lines of this photo would draw it, by its own traits.
    The standard errors hold the measurement's noise and, for mm, the scale's own error.
    """

    region: Region
    path_mm: Float
    path_xy: Float
    length_mm: float
    length_se_mm: float
    width_mm: float
    width_se_mm: float
    contrast: float
    contrast_se: float
    max_contrast: float
    angle_deg: float
    signal_to_noise: float
    likelihood: float

    def __post_init__(self) -> None:
        points = len(self.path_mm)
        object.__setattr__(self, "path_mm", frozen_array(self.path_mm, np.float32, (points, 2), "path_mm"))
        object.__setattr__(self, "path_xy", frozen_array(self.path_xy, np.float32, (points, 2), "path_xy"))


@dataclass(frozen=True, slots=True)
class RegionMeasures:
    """What was measured in one region. Higher = more lines.

    coverage: share (0–1) of the region that was seen well enough to find lines in.
    area_mm2: the skin that was seen, on the subject's face.
    wrinkle_index: Σ(length_mm × contrast in %) / area in cm², with its standard error.
    detection_limit: the contrast from which nine of ten usual lines of 10 mm would have been found here.
    Means and maxima are 0 where `line_count` is 0.
    """

    region: Region
    coverage: float
    area_mm2: float
    line_count: int
    total_length_mm: float
    total_length_se_mm: float
    longest_length_mm: float
    density_mm_per_cm2: float
    mean_contrast: float
    mean_contrast_se: float
    max_contrast: float
    mean_width_mm: float
    wrinkle_index: float
    wrinkle_index_se: float
    detection_limit: float


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """All that was measured in one photo.

    quality: every doubt, about the photo or a region. A region with a finding of verdict REFUSE
    is *absent* from `regions` and has no lines: its numbers would be wrong.
    chart: what was measured, for comparing with another photo; None where it was left out to save memory.
    """

    photo_name: str
    photo_sha256: str
    settings_digest: str
    model_sha256: str
    measure_version: int
    width_px: int
    height_px: int
    face: Face
    quality: tuple[Finding, ...]
    lines: tuple[Line, ...]
    regions: tuple[RegionMeasures, ...]
    chart: Chart | None = None

    def verdict(self, region: Region) -> Verdict:
        """Return the worst verdict among the findings about `region` or the whole photo."""
        order = (Verdict.PASS, Verdict.WARN, Verdict.REFUSE)
        found = [f.verdict for f in self.quality if f.region in (None, region)]
        return max(found, key=order.index, default=Verdict.PASS)

    def lines_in(self, region: Region) -> tuple[Line, ...]:
        """Return the lines of `region`: those that make up its numbers."""
        return tuple(line for line in self.lines if line.region is region)


class Status(StrEnum):
    """What became of one file of a batch."""

    SCORED = "scored"
    SCORED_FLAGGED = "scored_flagged"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one file: an assessment, or the reason why there is none.

    path: as found, relative to the folder that was asked for. `subject`, `visit`, `expression`
    and `run` come from the manifest or the file's name (empty, or UNKNOWN, where they tell nothing).
    extras: what else the manifest says, as (column, text).
    """

    path: str
    status: Status
    sha256: str = ""
    subject: str = ""
    visit: str = ""
    expression: Expression = Expression.UNKNOWN
    run: str = ""
    assessment: Assessment | None = None
    code: Code | None = None
    message: str = ""
    extras: tuple[tuple[str, str], ...] = ()


def by_fields(record: Any) -> tuple[type, tuple[Any, ...]]:
    """Say how to rebuild a record in another process: by its constructor, so its arrays stay read-only."""
    values = (getattr(record, field.name) for field in fields(record))
    return type(record), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)


copyreg.pickle(Face, by_fields)
copyreg.pickle(Line, by_fields)
