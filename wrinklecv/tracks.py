"""Each line of a pair: its place in both photos, and its contrast in each, read alike.

The lines of both photos are matched on the rest photo's chart. A line that was found in one photo only is
read in the other where the registration says its skin is, searched a little aside as far as the registration
is in doubt. So a faint line is not missed because a detector's threshold was not reached.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from . import chart as face_chart
from .forced import Reading, normals, read_beside, texture_contrast
from .kinds import Contrast, Judgement, judge_kind, unseen
from .matching import lies_on, match_lines
from .pairs import ComparedLine
from .paths import resample
from .profiles import FWHM
from .records import Assessment, Chart, Float, Line, Region
from .registration import Registration
from .settings import Settings
from .skin import Skin

_STEP_MM = 0.5
_LEAST_WITHIN_MM = 1.0
"""Two lines this far apart may be one; further where the registration is in doubt."""
_LEAST_SEARCH_MM, _MOST_SEARCH_MM = 0.3, 1.2
_TILT_MM = 0.34
"""How far the two ends of a path may lie aside of its middle, beyond the registration."""
_PIECE = 0.6
"""A line of which this share lies on another track is a piece of it."""
_SMOOTH_MM = 1.5
"""A path is laid onto a line smoothly: the line's own small waves are noise."""
_LEAST_AGREEMENT = 0.4
"""A line that was found must be read again at this share of its contrast, else the place is wrong."""
_MOST_RESIDUAL_MM = 1.0
_USUAL_MM = 10.0
_SOFTNESS_DOUBT = 0.7
"""Share of a softness' effect on contrast that stays in doubt after it was allowed for."""
_SHARPEST = 0.6
"""As in `profiles.py`: a line as narrow as the blur itself is not made narrower than this share."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One photo of a pair: assessment, chart, skin.

    blur_mm2: variance of an ordinary photo's blur by region, chart mm². more_mm2: what this one is softer
    than the other beyond that.
    """

    assessment: Assessment
    chart: Chart
    skin: Skin
    blur_mm2: dict[Region, float]
    more_mm2: float = 0.0

    def lines_in(self, region: Region) -> list[tuple[int, Line]]:
        """Return the region's lines with their places in the assessment."""
        return [(k, line) for k, line in enumerate(self.assessment.lines) if line.region is region]

    def limit(self, region: Region) -> float:
        """Return the detection limit of a region."""
        return next(m.detection_limit for m in self.assessment.regions if m.region is region)


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """One line's place in both photos: (N, 2) chart mm, the same skin; its numbers there, -1 for none.

    sigma_mm: the sharp valley's standard deviation, chart mm. search_mm: how far aside it may lie in the
    photo in which it was not found.
    """

    rest_mm: Float
    expression_mm: Float
    rest_line: int
    expression_line: int
    sigma_mm: float
    search_mm: float


def track_lines(rest: Side, expression: Side, laid: Registration, settings: Settings) -> list[ComparedLine]:
    """Compare all lines of one region, longest first."""
    region = laid.region
    tracks = _tracks(rest, expression, laid)
    readings = [
        (_read(rest, t.rest_mm, t, region), _read(expression, t.expression_mm, t, region)) for t in tracks
    ]
    textures = [
        _texture(
            side, region, [(pair[k], path) for pair, path in zip(readings, paths, strict=True)], settings
        )
        for k, side, paths in (
            (0, rest, [t.rest_mm for t in tracks]),
            (1, expression, [t.expression_mm for t in tracks]),
        )
    ]
    found = []
    for track, pair in zip(tracks, readings, strict=True):
        moved, contrasts = _contrasts(rest, expression, track, pair, textures, region, settings)
        spacing_mm = _spacing(track, tracks)
        share_sd = _share_sd(track, (rest, expression), region, settings)
        judged = _judged(contrasts, pair, laid.residual_mm, spacing_mm, share_sd, settings)
        if not _read_again(rest, moved.rest_line, contrasts[0]):
            judged = unseen("The line that was found at rest lies elsewhere than it should.")
        found.append(_compared(rest, expression, moved, contrasts, judged, region))
    return sorted(found, key=lambda line: -line.length_mm)


# -- where the lines are ---------------------------------------------------------------------------


def _tracks(rest: Side, expression: Side, laid: Registration) -> list[_Track]:
    """Follow every line of either photo into the other."""
    at_rest, in_expression = rest.lines_in(laid.region), expression.lines_in(laid.region)
    rest_paths = [_even(line.path_mm) for _, line in at_rest]
    paths = [_even(line.path_mm) for _, line in in_expression]
    brought = [laid.to_rest(path) for path in paths]
    doubts = [float(np.median(laid.doubt_mm(path))) for path in paths]
    within = max(_LEAST_WITHIN_MM, min(2 * float(np.median(doubts)), 2.0)) if doubts else _LEAST_WITHIN_MM
    matched = match_lines(brought, rest_paths, within_mm=within)
    tracks = []
    for (number, line), path, place, doubt, match in zip(
        in_expression, paths, brought, doubts, matched, strict=True
    ):
        search = float(np.clip(2 * doubt, _LEAST_SEARCH_MM, _MOST_SEARCH_MM))
        if match >= 0:
            place, search = place + _aside(place, rest_paths[match], within), 0.0
        other = at_rest[match][0] if match >= 0 else -1
        tracks.append(_Track(place, path, other, number, _sigma_mm(line, expression.chart), search))
    for k, (number, line) in enumerate(at_rest):
        if k in matched or any(lies_on(rest_paths[k], t.rest_mm, within) >= _PIECE for t in tracks):
            continue
        there = laid.to_expression(rest_paths[k])
        doubt = float(np.median(laid.doubt_mm(there)))
        search = float(np.clip(2 * doubt, _LEAST_SEARCH_MM, _MOST_SEARCH_MM))
        tracks.append(_Track(rest_paths[k], there, number, -1, _sigma_mm(line, rest.chart), search))
    return tracks


def _even(path_mm: Float) -> Float:
    return resample(np.asarray(path_mm, float), _STEP_MM)


def _sigma_mm(line: Line, chart: Chart) -> float:
    """Return the standard deviation of a line's valley in chart mm."""
    _, widening = face_chart.on_skin(chart, np.asarray(line.path_mm, float))
    return line.width_mm / FWHM / widening


def _aside(path: Float, line: Float, within_mm: float) -> Float:
    """Return what brings each point of `path` (N, 2) aside onto `line` (M, 2), where that is near enough.

    Between such points it goes evenly, beyond them as at the last.
    """
    gaps = line[None] - path[:, None]
    across = normals(path)
    nearest = np.linalg.norm(gaps, axis=2).argmin(axis=1)
    off = np.einsum("nk,nk->n", gaps[np.arange(len(path)), nearest], across)
    beside = (nearest > 0) & (nearest < len(line) - 1) & (np.abs(off) <= within_mm)
    if beside.sum() < 3:
        return np.zeros_like(path)
    every = np.arange(len(path))
    off = np.interp(every, every[beside], off[beside])
    return np.asarray(gaussian_filter1d(off, _SMOOTH_MM / _STEP_MM, mode="nearest")[:, None] * across)


def _spacing(track: _Track, tracks: list[_Track]) -> float:
    """Return how far the nearest other line runs beside a track at rest, mm; inf where none does."""
    gaps = [
        float(np.median(np.linalg.norm(track.rest_mm[:, None] - other.rest_mm[None], axis=2).min(axis=1)))
        for other in tracks
        if other is not track
    ]
    return min(gaps, default=math.inf)


# -- how dark they are -----------------------------------------------------------------------------


def _read(side: Side, path_mm: Float, track: _Track, region: Region) -> Reading:
    return read_beside(side.chart, path_mm, _seen_sigma(track, side, region), side.skin.visible)


def _seen_sigma(track: _Track, side: Side, region: Region) -> float:
    return math.sqrt(track.sigma_mm**2 + max(side.blur_mm2[region], 0.0) + side.more_mm2)


def _share_sd(track: _Track, sides: tuple[Side, Side], region: Region, settings: Settings) -> float:
    """Return the relative error of the static share: more where a photo's softness had to be allowed for."""
    flattened = [1 - math.sqrt(1 - side.more_mm2 / _seen_sigma(track, side, region) ** 2) for side in sides]
    return math.hypot(settings.contrast_share_sd, _SOFTNESS_DOUBT * sum(flattened))


def _texture(side: Side, region: Region, readings: list[tuple[Reading, Float]], settings: Settings) -> float:
    """Return the contrast (sd) that this photo's texture shows along a usual line of 10 mm."""
    lines = [np.asarray(line.path_mm, float) for _, line in side.lines_in(region)]
    told = texture_contrast(readings, lines, side.skin.visible)
    by_detector = side.limit(region) / settings.line_signal_to_noise
    return told if told is not None else by_detector


def _contrasts(
    rest: Side,
    expression: Side,
    track: _Track,
    pair: tuple[Reading, Reading],
    textures: list[float],
    region: Region,
    settings: Settings,
) -> tuple[_Track, tuple[Contrast, Contrast]]:
    """Read a track in both photos, where it was not found also a little aside; return it moved there."""
    contrasts = []
    paths = [track.rest_mm, track.expression_mm]
    for k, (side, reading) in enumerate(((rest, pair[0]), (expression, pair[1]))):
        found = (track.rest_line, track.expression_line)[k] >= 0
        aside = np.zeros(len(paths[k])) if found else _best_aside(reading, track.search_mm)
        paths[k] = paths[k] + aside[:, None] * normals(paths[k])
        seen_sigma = _seen_sigma(track, side, region)
        sharper = seen_sigma / max(track.sigma_mm, _SHARPEST * seen_sigma)
        noise = (
            textures[k] * sharper * math.sqrt(_USUAL_MM / max(reading.length_mm * reading.seen_share, 1.0))
        )
        value = reading.contrast(aside) * sharper
        limit = 0.0 if found else settings.seen_signal_to_noise * noise
        contrasts.append(Contrast(value, noise, limit))
    moved = _Track(
        paths[0], paths[1], track.rest_line, track.expression_line, track.sigma_mm, track.search_mm
    )
    return moved, (contrasts[0], contrasts[1])


def _best_aside(reading: Reading, search_mm: float) -> Float:
    """Find the way aside, straight from end to end, along which the valley is deepest: (N,) mm."""
    along = np.linspace(-1, 1, len(reading.seen))
    ways = [
        middle + tilt * along
        for middle in np.arange(-search_mm, search_mm + 1e-9, 1 / 6)
        for tilt in (-_TILT_MM, 0.0, _TILT_MM)
    ]
    return max(ways, key=reading.contrast)


def _judged(
    contrasts: tuple[Contrast, Contrast],
    pair: tuple[Reading, Reading],
    residual_mm: float,
    spacing_mm: float,
    share_sd: float,
    settings: Settings,
) -> Judgement:
    if not math.isfinite(residual_mm) or residual_mm > _MOST_RESIDUAL_MM:
        return unseen("The skin of the two photos could not be laid together here.")
    for reading, name in zip(pair, ("rest", "expression"), strict=True):
        if reading.seen_share < settings.min_seen_share:
            return unseen(f"The {name} photo does not show enough of its skin.")
    if residual_mm > spacing_mm / 2:
        return unseen("Another line runs so near that the two could be mistaken for each other.")
    return judge_kind(contrasts[0], contrasts[1], share_sd=share_sd, settings=settings)


def _read_again(side: Side, number: int, contrast: Contrast) -> bool:
    """Tell whether a line that was found there has about its contrast where it was read."""
    return number < 0 or contrast.value >= _LEAST_AGREEMENT * side.assessment.lines[number].contrast


def _compared(
    rest: Side,
    expression: Side,
    track: _Track,
    contrasts: tuple[Contrast, Contrast],
    judged: Judgement,
    region: Region,
) -> ComparedLine:
    steps, widening = face_chart.on_skin(rest.chart, track.rest_mm)
    return ComparedLine(
        region=region,
        kind=judged.kind,
        confidence=judged.confidence,
        reason=judged.reason,
        rest_path_mm=track.rest_mm,
        expression_path_mm=track.expression_mm,
        rest_path_xy=face_chart.to_photo(rest.chart, track.rest_mm),
        expression_path_xy=face_chart.to_photo(expression.chart, track.expression_mm),
        rest_line=track.rest_line,
        expression_line=track.expression_line,
        length_mm=float(np.linalg.norm(steps, axis=1).sum()),
        width_mm=track.sigma_mm * FWHM * widening,
        rest_contrast=contrasts[0].value,
        rest_contrast_se=contrasts[0].se,
        rest_limit=contrasts[0].limit,
        expression_contrast=contrasts[1].value,
        expression_contrast_se=contrasts[1].se,
        expression_limit=contrasts[1].limit,
        static_share=judged.share,
        static_share_low=judged.low,
        static_share_high=judged.high,
    )
