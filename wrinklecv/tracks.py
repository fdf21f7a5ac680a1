"""Each line of a pair: its place in both photos, and its contrast in each, read alike.

The lines of both photos are matched on the rest photo's chart. A line that was found in one photo only is
read in the other where the registration says its skin is, searched a little aside as far as the registration
is in doubt. So a faint line is not missed because a detector's threshold was not reached.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from . import chart as face_chart
from .forced import Reading, normals
from .kinds import Contrast, Judgement, judge_kind, unseen
from .matching import is_piece, match_lines
from .pairs import ComparedLine
from .profiles import FWHM
from .records import Float, Region
from .registration import Registration
from .settings import Settings
from .sides import STEP_MM, Side, contrast_of, even, moved_aside, read_line, sigma_of, texture_of

_LEAST_WITHIN_MM, _MOST_WITHIN_MM = 1.0, 2.0
"""Two lines this far apart may be one; further where the registration is in doubt."""
_LEAST_SEARCH_MM, _MOST_SEARCH_MM = 0.3, 1.2
_SMOOTH_MM = 1.5
"""A path is laid onto a line smoothly: the line's own small waves are noise."""
_LEAST_AGREEMENT = 0.4
"""A line that was found must be read again at this share of its contrast, else the place is wrong."""
_MOST_DOUBT_MM = 2.5
"""Where a place is less certain, nothing is told of its lines."""
_LEAST_ROOM_MM = 0.8
"""Half the distance at which the valleys of two lines run into each other."""


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """One line's place in both photos: (N, 2) chart mm, the same skin; its numbers there, -1 for none.

    sigma_mm: the sharp valley's standard deviation, chart mm. search_mm: how far aside it may lie in the
    photo in which it was not found. doubt_mm: how uncertain the registration is along it.
    """

    rest_mm: Float
    expression_mm: Float
    rest_line: int
    expression_line: int
    sigma_mm: float
    search_mm: float
    doubt_mm: float


def track_lines(rest: Side, expression: Side, laid: Registration, settings: Settings) -> list[ComparedLine]:
    """Compare all lines of one region, longest first."""
    region = laid.region
    tracks = _tracks(rest, expression, laid)
    before = [read_line(rest, t.rest_mm, t.sigma_mm, region) for t in tracks]
    after = [read_line(expression, t.expression_mm, t.sigma_mm, region) for t in tracks]
    textures = (
        texture_of(rest, region, list(zip(before, (t.rest_mm for t in tracks), strict=True)), settings),
        texture_of(
            expression, region, list(zip(after, (t.expression_mm for t in tracks), strict=True)), settings
        ),
    )
    found = []
    for track, pair in zip(tracks, zip(before, after, strict=True), strict=True):
        spacing_mm = _spacing(track, tracks)
        # Not as far as the next line's own valley.
        room_mm = max(spacing_mm / 2 - track.sigma_mm, 0.0)
        track = replace(track, search_mm=min(track.search_mm, room_mm))
        moved, contrasts = _contrasts((rest, expression), track, pair, textures, region, settings)
        share_sd = _share_sd(track, (rest, expression), region, settings)
        judged = _judged(contrasts, pair, (track.doubt_mm, spacing_mm), share_sd, settings)
        if not _read_again(rest, moved.rest_line, contrasts[0]):
            judged = unseen("The line that was found at rest lies elsewhere than it should.")
        found.append(_compared(rest, expression, moved, contrasts, judged, region))
    return sorted(found, key=lambda line: -line.length_mm)


# -- where the lines are ---------------------------------------------------------------------------


def _tracks(rest: Side, expression: Side, laid: Registration) -> list[_Track]:
    """Follow every line of either photo into the other."""
    at_rest, in_expression = rest.lines_in(laid.region), expression.lines_in(laid.region)
    rest_paths = [even(line.path_mm) for _, line in at_rest]
    paths = [even(line.path_mm) for _, line in in_expression]
    brought = [laid.to_rest(path) for path in paths]
    within = within_mm(laid, paths)
    matched = match_lines(brought, rest_paths, within_mm=within)
    tracks = []
    for (number, line), path, place, match in zip(in_expression, paths, brought, matched, strict=True):
        if match >= 0:
            place = place + onto(place, rest_paths[match], within)
        other = at_rest[match][0] if match >= 0 else -1
        sigma = sigma_of(line, expression.chart)
        tracks.append(_Track(place, path, other, number, sigma, search_mm(laid, path), doubt_mm(laid, path)))
    for k, (number, line) in enumerate(at_rest):
        if k in matched or is_piece(rest_paths[k], [t.rest_mm for t in tracks], within_mm=within):
            continue
        there = laid.to_expression(rest_paths[k])
        sigma = sigma_of(line, rest.chart)
        tracks.append(
            _Track(rest_paths[k], there, number, -1, sigma, search_mm(laid, there), doubt_mm(laid, there))
        )
    return tracks


def within_mm(laid: Registration, paths_mm: list[Float]) -> float:
    """Return how far apart two lines may be that are one, by how well the photos were laid together."""
    if not paths_mm:
        return _LEAST_WITHIN_MM
    doubt = float(np.median([doubt_mm(laid, path) for path in paths_mm]))
    return max(_LEAST_WITHIN_MM, min(2 * doubt, _MOST_WITHIN_MM))


def search_mm(laid: Registration, path_mm: Float) -> float:
    """Return how far aside a line may lie that was brought to a photo by a registration."""
    return float(np.clip(2 * doubt_mm(laid, path_mm), _LEAST_SEARCH_MM, _MOST_SEARCH_MM))


def doubt_mm(laid: Registration, path_mm: Float) -> float:
    """Return how uncertain the registration is along a path of the expression photo, mm."""
    return float(np.median(laid.doubt_mm(path_mm)))


def onto(path: Float, line: Float, within: float) -> Float:
    """Return what brings each point of `path` (N, 2) aside onto `line` (M, 2), where that is near enough.

    Between such points it goes evenly, beyond them as at the last.
    """
    gaps = line[None] - path[:, None]
    across = normals(path)
    nearest = np.linalg.norm(gaps, axis=2).argmin(axis=1)
    off = np.einsum("nk,nk->n", gaps[np.arange(len(path)), nearest], across)
    beside = (nearest > 0) & (nearest < len(line) - 1) & (np.abs(off) <= within)
    if beside.sum() < 3:
        return np.zeros_like(path)
    every = np.arange(len(path))
    off = np.interp(every, every[beside], off[beside])
    return np.asarray(gaussian_filter1d(off, _SMOOTH_MM / STEP_MM, mode="nearest")[:, None] * across)


def _spacing(track: _Track, tracks: list[_Track]) -> float:
    """Return how far the nearest other line runs beside a track at rest, mm; inf where none does."""
    gaps = [
        float(np.median(np.linalg.norm(track.rest_mm[:, None] - other.rest_mm[None], axis=2).min(axis=1)))
        for other in tracks
        if other is not track
    ]
    return min(gaps, default=math.inf)


# -- how dark they are -----------------------------------------------------------------------------


def _contrasts(
    sides: tuple[Side, Side],
    track: _Track,
    pair: tuple[Reading, Reading],
    textures: tuple[float, float],
    region: Region,
    settings: Settings,
) -> tuple[_Track, tuple[Contrast, Contrast]]:
    """Read a track in both photos, where it was not found also a little aside; return it moved there."""
    numbers = (track.rest_line, track.expression_line)
    (first, first_aside), (second, second_aside) = (
        contrast_of(
            side,
            region,
            reading,
            track.sigma_mm,
            texture,
            search_mm=None if number >= 0 else track.search_mm,
            settings=settings,
        )
        for side, reading, texture, number in zip(sides, pair, textures, numbers, strict=True)
    )
    moved = replace(
        track,
        rest_mm=moved_aside(track.rest_mm, first_aside),
        expression_mm=moved_aside(track.expression_mm, second_aside),
    )
    return moved, (first, second)


def _share_sd(track: _Track, sides: tuple[Side, Side], region: Region, settings: Settings) -> float:
    """Return the relative error of the static share: more where a photo's softness had to be allowed for."""
    doubts = [side.softness_doubt(track.sigma_mm, region) for side in sides]
    return math.hypot(settings.contrast_share_sd, sum(doubts))


def _judged(
    contrasts: tuple[Contrast, Contrast],
    pair: tuple[Reading, Reading],
    place: tuple[float, float],
    share_sd: float,
    settings: Settings,
) -> Judgement:
    """Judge one line; place: how uncertain its place is, and how near the next line runs, mm."""
    doubt_mm, spacing_mm = place
    if not doubt_mm <= _MOST_DOUBT_MM:
        return unseen("The skin of the two photos could not be laid together here.")
    for reading, name in zip(pair, ("rest", "expression"), strict=True):
        if reading.seen_share < settings.min_seen_share:
            return unseen(f"The {name} photo does not show enough of its skin.")
    if max(doubt_mm, _LEAST_ROOM_MM) > spacing_mm / 2:
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
