"""One photo of several of the same face: how softly it saw, and contrasts read in it along given paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import chart as face_chart
from .errors import NotComparableError
from .forced import Reading, normals, read_beside, texture_contrast
from .kinds import Contrast
from .lines import sight_of
from .paths import REACH_MM, resample
from .profiles import FWHM
from .records import Assessment, Chart, Float, Line, Region
from .regions import measure_coverage
from .settings import Settings
from .sharpness import edge_blur_mm
from .skin import Skin, find_skin
from .traits import faintest_contrast

STEP_MM = 0.5
"""Spacing of the points of a path that is followed from photo to photo."""
_TILT_MM = 0.34
"""How far the two ends of a path may lie aside of its middle, beyond the registration."""
_SEARCH_STEP_MM = 1 / 6
_USUAL_MM = 10.0
_SEARCHED = 0.8
"""How many standard errors the deepest of the places that are tried lies above one of them, on texture."""
_SOFTNESS_DOUBT = 0.7
"""Share of a softness' effect on contrast that stays in doubt after it was allowed for."""
_LEAST_BLUR_GAP_MM = 0.1
"""The sharpest edges of one face differ by this between two photos of equal sharpness."""
_EDGES_UNDERSTATE = 1.25
"""The sharpest edges show less than the whole blur that was added: on drawn faces 1 / 1.2 to 1 / 1.35."""
_SHARPEST = 0.6
"""As in `profiles.py`: a line as narrow as the blur itself is not made narrower than this share."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One photo: assessment, chart, skin.

    edge_mm: softness of its sharpest edges, None where they were not seen. blur_mm2: variance of an ordinary
    photo's blur by region, chart mm². more_mm2: what this one is softer than another beyond that.
    """

    assessment: Assessment
    chart: Chart
    skin: Skin
    edge_mm: float | None
    blur_mm2: dict[Region, float]
    more_mm2: float = 0.0

    def lines_in(self, region: Region) -> list[tuple[int, Line]]:
        """Return the region's lines with their places in the assessment."""
        return [(k, line) for k, line in enumerate(self.assessment.lines) if line.region is region]

    def limit(self, region: Region) -> float:
        """Return the detection limit of a region."""
        return next(m.detection_limit for m in self.assessment.regions if m.region is region)

    def seen_sigma_mm(self, sigma_mm: float, region: Region) -> float:
        """Return how wide (standard deviation, chart mm) a valley of sharp width `sigma_mm` is here."""
        return math.sqrt(sigma_mm**2 + max(self.blur_mm2[region], 0.0) + self.more_mm2)

    def softness_doubt(self, sigma_mm: float, region: Region) -> float:
        """Return which share of such a valley's contrast is in doubt because this photo is the softer one."""
        seen_mm2 = self.seen_sigma_mm(sigma_mm, region) ** 2
        return _SOFTNESS_DOUBT * (1 - math.sqrt(1 - self.more_mm2 / seen_mm2))


def side_of(assessment: Assessment, settings: Settings) -> Side:
    """Prepare one photo for being compared.

    Raises NotComparableError when the assessment came without its chart.
    """
    chart = assessment.chart
    if chart is None:
        raise NotComparableError("A photo's chart was not kept: assess the photo again, then compare.")
    skin = find_skin(chart, settings=settings)
    edge_mm = edge_blur_mm(chart)
    read_mm2 = chart.blur_mm2 + face_chart.BICUBIC_PX2 / face_chart.PX_PER_MM**2
    blur_mm2 = {
        region: sight_of(seen, edge_mm, settings=settings).camera_blur_mm ** 2 + read_mm2
        for region, seen in measure_coverage(chart, skin.usable).items()
    }
    return Side(assessment, chart, skin, edge_mm, blur_mm2)


def equally_sharp(first: Side, second: Side) -> tuple[tuple[Side, Side], float]:
    """Count the softer photo's blur beyond the other's; return it too, mm, below 0 for the second's.

    Both show the same edges, so what one has more of is the camera's.
    """
    beyond = softness_beyond(first), softness_beyond(second)
    if beyond[0] is None or beyond[1] is None:
        return (first, second), 0.0
    gap_mm2 = beyond[0] - beyond[1]
    more_mm2 = more_blur_mm2(abs(gap_mm2))
    if gap_mm2 > 0:
        return (replace(first, more_mm2=more_mm2), second), math.sqrt(more_mm2)
    return (first, replace(second, more_mm2=more_mm2)), -math.sqrt(more_mm2)


def softness_beyond(side: Side) -> float | None:
    """Return how much softer the edges are than an ordinary photo of this size makes them, chart mm²."""
    if side.edge_mm is None:
        return None
    return side.edge_mm**2 - float(np.mean(list(side.blur_mm2.values())))


def more_blur_mm2(gap_mm2: float) -> float:
    """Return the blur that edges softer by `gap_mm2` than another photo's tell of, chart mm²; 0 for alike."""
    return gap_mm2 * _EDGES_UNDERSTATE**2 if gap_mm2 >= _LEAST_BLUR_GAP_MM**2 else 0.0


def even(path_mm: Float) -> Float:
    """Return a path with points `STEP_MM` apart."""
    return resample(np.asarray(path_mm, float), STEP_MM)


def sigma_of(line: Line, chart: Chart) -> float:
    """Return the standard deviation of a line's sharp valley in chart mm."""
    _, widening = face_chart.on_skin(chart, np.asarray(line.path_mm, float))
    return line.width_mm / FWHM / widening


def read_line(side: Side, path_mm: Float, sigma_mm: float, region: Region) -> Reading:
    """Read a photo along a path (N, 2) chart mm and beside it, for a valley of sharp width `sigma_mm`."""
    return read_beside(side.chart, path_mm, side.seen_sigma_mm(sigma_mm, region), side.skin.visible)


def texture_of(
    side: Side, region: Region, readings: Sequence[tuple[Reading, Float]], settings: Settings
) -> float:
    """Return the contrast (standard deviation) that a photo's texture shows along a usual line of 10 mm."""
    lines = [np.asarray(line.path_mm, float) for _, line in side.lines_in(region)]
    told = texture_contrast(readings, lines, side.skin.visible)
    if told is not None:
        return told
    # The limit is a multiple of the noise that the filters met, or more; a line averages it over its length.
    noise = side.limit(region) / faintest_contrast(1.0, region, settings)
    return noise * math.sqrt(2 * REACH_MM / _USUAL_MM)


def contrast_of(
    side: Side,
    region: Region,
    reading: Reading,
    sigma_mm: float,
    texture: float,
    *,
    search_mm: float | None,
    settings: Settings,
) -> tuple[Contrast, Float]:
    """Read one line's contrast; also return how far aside (N,) mm it was found.

    search_mm: how far aside of the path it may lie; None where the detector found it just there.
    """
    aside = np.zeros(len(reading.seen)) if search_mm is None else _best_aside(reading, search_mm)
    seen_mm = side.seen_sigma_mm(sigma_mm, region)
    sharper = seen_mm / max(sigma_mm, _SHARPEST * seen_mm)
    read_mm = max(reading.length_mm * reading.seen_share, 1.0)
    noise = texture * sharper * math.sqrt(_USUAL_MM / read_mm)
    # The deepest of several places is deeper by chance.
    wanted = settings.seen_signal_to_noise + (_SEARCHED if search_mm else 0.0)
    value = reading.contrast(aside) * sharper
    return Contrast(value, noise, wanted * noise, found=search_mm is None), aside


def _best_aside(reading: Reading, search_mm: float) -> Float:
    """Find the way aside, straight from end to end, along which the valley is deepest: (N,) mm."""
    along = np.linspace(-1, 1, len(reading.seen))
    ways = [
        middle + tilt * along
        for middle in np.arange(-search_mm, search_mm + 1e-9, _SEARCH_STEP_MM)
        for tilt in (-_TILT_MM, 0.0, _TILT_MM)
    ]
    return max(ways, key=reading.contrast)


def moved_aside(path_mm: Float, aside_mm: Float) -> Float:
    """Return a path (N, 2) with each point moved aside by `aside_mm` (N,)."""
    return np.asarray(path_mm + aside_mm[:, None] * normals(path_mm))
