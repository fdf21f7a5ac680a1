"""From paths to lines: each measured across and along, in mm on the skin, and judged as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import chart as face_chart
from .paths import REACH_MM, find_paths, noise_contrasts
from .profiles import FWHM, Profile, measure_profile
from .records import Chart, Float, Line, Region, Scale
from .regions import Coverage, Glance, Piece, glance_at, piece_of
from .ridges import find_ridges
from .settings import Settings
from .sharpness import blur_doubt_share, camera_blur_mm
from .skin import Skin
from .strands import Strands, one_sided_mm, upright_strands
from .traits import (
    faintest_contrast,
    flip_chance,
    least_undecided,
    likelihood,
    measure_traits,
    unlike_shade,
)

_END_SD_MM = 0.35
"""How well the two ends of a line are found together, on drawn lines."""
_SHAPE_TURN_RAD = 0.05
"""How far a person's skin may face elsewhere than the canonical face's (3°): matters beside the eyes."""
_FADING_MM = 0.75
_DEEPEST_MM = 2.0
"""Length of the stretch whose mean is a line's largest contrast."""
USUAL_LINE_MM = 10.0
"""The length of line that detection limits are said for."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How finely a photo saw a region: the camera's blur (standard deviation, chart mm), and what share of
    every line's contrast that blur leaves in doubt."""

    camera_blur_mm: float
    doubt_share: float


def sight_of(coverage: Coverage, edge_blur_mm: float | None, *, settings: Settings) -> Sight:
    """Tell how finely a photo saw a region of that coverage, its sharpest edges being `edge_blur_mm` soft."""
    camera_mm = camera_blur_mm(coverage.px_per_chart_mm, edge_blur_mm, settings=settings)
    return Sight(camera_mm, blur_doubt_share(camera_mm, edge_blur_mm))


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """All dark paths of a region that could be lines, before they are judged.

    glance: where they were looked for. paths_px: each (N, 2) glance px. traits: (P, T), see `traits.py`.
    noise: (S,) contrast that texture alone shows at each scale of the filter. strands: see `strands.py`.
    """

    glance: Glance
    paths_px: tuple[Float, ...]
    traits: Float
    noise: Float
    strands: tuple[Float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What was found in one region.

    lines: longest first. detection_limit: the contrast from which nine of ten usual lines of
    `USUAL_LINE_MM` would have been found. undecided_mm, undecided_depth_mm: standard deviations of the
    sums of length and of length × contrast, because another photo may find lines likely enough that are near
    the decision here, those that fell short of it too, or no more. strands: hair and frames.
    """

    lines: tuple[Line, ...]
    detection_limit: float
    undecided_mm: float
    undecided_depth_mm: float
    strands: Strands


def propose_lines(chart: Chart, region: Region, skin: Skin, sight: Sight, *, settings: Settings) -> Proposals:
    """Find the dark paths of one region and describe each."""
    seen_mm2 = sight.camera_blur_mm**2 + chart.blur_mm2
    glance = glance_at(chart, piece_of(region), blur_mm=settings.glance_blur_mm, seen_blur_mm2=seen_mm2)
    inside = face_chart.region_mask(region)
    visible, usable = (
        glance.shrunk(face_chart.patches_to_chart(mask) & inside) for mask in (skin.visible, skin.usable)
    )
    ridges = find_ridges(glance.light, sigmas_mm=settings.sigmas_mm, px_per_mm=glance.px_per_mm)
    noise = noise_contrasts(ridges, usable, glance.allows, px_per_mm=glance.px_per_mm)
    paths = find_paths(ridges, visible, glance.allows, noise, settings=settings, px_per_mm=glance.px_per_mm)
    strands = upright_strands(glance, ridges, usable, noise, settings=settings)
    traits = measure_traits(glance, ridges, noise, skin, paths)
    return Proposals(glance, tuple(paths), traits, noise, strands)


def find_lines(
    chart: Chart, region: Region, skin: Skin, scale: Scale, sight: Sight, *, settings: Settings
) -> Detected:
    """Find and measure the lines of one region."""
    proposals = propose_lines(chart, region, skin, sight, settings=settings)
    likely = likelihood(proposals.traits, settings.line_weights)
    maybe = np.flatnonzero(likely >= least_undecided(settings))
    paths = [proposals.paths_px[k] for k in maybe]
    unlike = unlike_shade(proposals.glance, skin, paths)
    light = proposals.glance.piece.cut(chart.light)
    measured = [
        _measured(chart, light, proposals, path, scale, sight, float(chance), settings)
        for path, chance in zip(paths, likely[maybe], strict=True)
    ]
    valleys = [k for k, (line, profile) in enumerate(measured) if _is_valley(line, profile, settings)]
    strands = [k for k in valleys if _is_strand(*measured[k], float(unlike[k]), settings)]
    lines = [k for k in valleys if k not in strands]
    found = [measured[k] for k in lines if likely[maybe[k]] >= settings.min_likelihood]
    left_out = [measured[k][0] for k in strands if likely[maybe[k]] >= settings.min_likelihood]
    stretches = [(line.length_mm, line.path_mm, profile.depths) for line, profile in found]
    flips = flip_chance(likely[maybe[lines]], settings)
    lengths = np.array([measured[k][0].length_mm for k in lines])
    contrasts = np.array([measured[k][0].contrast for k in lines])
    spread = np.sqrt(flips * (1 - flips))
    return Detected(
        lines=tuple(sorted((line for line, _ in found), key=lambda line: -line.length_mm)),
        detection_limit=_limit(proposals, settings),
        undecided_mm=float(np.linalg.norm(lengths * spread)),
        undecided_depth_mm=float(np.linalg.norm(lengths * contrasts * spread)),
        strands=Strands(
            left_out_mm=sum(line.length_mm for line in left_out),
            upright_mm=sum(_skin_mm(chart, path_mm) for path_mm in proposals.strands),
            one_sided_mm=one_sided_mm(region, stretches, settings),
        ),
    )


def _measured(
    chart: Chart,
    light: Float,
    proposals: Proposals,
    path_px: Float,
    scale: Scale,
    sight: Sight,
    chance: float,
    settings: Settings,
) -> tuple[Line, Profile]:
    """Measure one path (N, 2) glance px, a line with that `chance`, across and along; light: the region's."""
    piece = proposals.glance.piece
    profile = measure_profile(
        light,
        proposals.glance.to_piece(path_px),
        px_per_mm=face_chart.PX_PER_MM,
        extend_mm=settings.end_search_mm,
        blur_mm2=sight.camera_blur_mm**2 + chart.blur_mm2 + face_chart.BICUBIC_PX2 / face_chart.PX_PER_MM**2,
    )
    blurred_mm = float(np.hypot(profile.sigma_mm, settings.glance_blur_mm))
    noise = float(np.interp(blurred_mm * np.sqrt(2), settings.sigmas_mm, proposals.noise))
    # Contrast is that of the sharp line, the noise that of the glance, where the line is shallower.
    noise *= blurred_mm / profile.sigma_mm
    return _line(chart, piece, profile, noise, scale, sight.doubt_share, chance), profile


def _limit(proposals: Proposals, settings: Settings) -> float:
    """Return the contrast from which nine of ten usual lines of `USUAL_LINE_MM` would have been found."""
    # The noise is that of the glance, where a usual line of that sharp width is shallower than it is.
    usual_mm = settings.sigmas_mm[1]
    noise = float(np.median(proposals.noise)) * float(np.hypot(usual_mm, settings.glance_blur_mm)) / usual_mm
    certain = settings.line_signal_to_noise * noise * float(np.sqrt(2 * REACH_MM / USUAL_LINE_MM))
    likely = faintest_contrast(noise, proposals.glance.region, settings)
    return max(settings.min_line_contrast, certain, likely)


def _skin_mm(chart: Chart, path_mm: Float) -> float:
    """Return the length on the skin of a path (N, 2) chart mm."""
    return float(np.linalg.norm(face_chart.on_skin(chart, path_mm)[0], axis=1).sum())


def _line(
    chart: Chart,
    piece: Piece,
    profile: Profile,
    noise: float,
    scale: Scale,
    doubt_share: float,
    chance: float,
) -> Line:
    """Bring one measured path to the skin: lengths, width and errors in mm."""
    path_mm = piece.to_mm(profile.path_px)
    steps_mm, widening = face_chart.on_skin(chart, path_mm)
    length = float(np.linalg.norm(steps_mm, axis=1).sum())
    tilt = np.deg2rad(min(80.0, float(face_chart.at_nodes(chart.view_angle_deg, path_mm).mean())))
    shape_share = _SHAPE_TURN_RAD * float(np.tan(tilt))
    contrast = _body_contrast(profile.depths, length)
    # The noise is that of a mean over the filter's reach; a longer line averages more of it.
    contrast_noise = noise * float(np.sqrt(min(1.0, 2 * REACH_MM / max(length, 1e-6))))
    width = profile.sigma_mm * FWHM * widening
    # Width of a fitted valley: its relative error is about that of its depth (Cramér-Rao, factor √(4/3)).
    width_share = 1.15 * contrast_noise / max(contrast, 1e-6)
    return Line(
        region=piece.region,
        path_mm=path_mm,
        path_xy=face_chart.to_photo(chart, path_mm),
        length_mm=length,
        length_se_mm=float(np.linalg.norm((_END_SD_MM, length * shape_share, length * scale.relative_sd))),
        width_mm=width,
        width_se_mm=width * float(np.linalg.norm((width_share, doubt_share, scale.relative_sd))),
        contrast=contrast,
        contrast_se=float(np.hypot(contrast_noise, contrast * doubt_share)),
        max_contrast=_deepest(profile.depths, length),
        angle_deg=_angle_deg(steps_mm),
        signal_to_noise=contrast / contrast_noise,
        likelihood=chance,
    )


def _is_strand(line: Line, profile: Profile, unlike: float, settings: Settings) -> bool:
    """Tell hair and frames: too thin, or too dark for its width and unlike shade, or beside a bright hair."""
    steep = line.contrast > max(settings.steep_contrast, settings.max_line_steepness_per_mm * line.width_mm)
    brightest = max(settings.bright_thread, settings.max_bright_share * line.contrast)
    return (
        line.width_mm < settings.min_line_width_mm
        or (steep and unlike > settings.max_unlike_shade)
        or profile.bright_beside > brightest
    )


def _is_valley(line: Line, profile: Profile, settings: Settings) -> bool:
    """Judge a candidate as a whole: long, dark, certain and a valley rather than an edge."""
    return (
        line.length_mm >= settings.min_line_mm
        and line.contrast >= settings.min_line_contrast
        and line.signal_to_noise >= settings.line_signal_to_noise
        and profile.evenness >= settings.min_evenness
        and bool(profile.depths.std() <= settings.max_depth_spread * profile.depths.mean())
    )


def _body_contrast(depths: Float, length_mm: float) -> float:
    """Return the mean contrast without the last bit of each end, where the line fades out."""
    ends = min(round(_FADING_MM * len(depths) / max(length_mm, 1e-6)), (len(depths) - 1) // 3)
    return float(depths[ends : len(depths) - ends].mean())


def _deepest(depths: Float, length_mm: float) -> float:
    """Return the largest mean contrast over a stretch of about 2 mm."""
    points = max(1, min(len(depths), round(_DEEPEST_MM * len(depths) / max(length_mm, 1e-6))))
    return float(np.convolve(depths, np.ones(points) / points, mode="valid").max())


def _angle_deg(steps_mm: Float) -> float:
    """Return the mean undirected direction of steps on the skin (N, 2), in [0, 180)."""
    doubled = 2 * np.arctan2(steps_mm[:, 1], steps_mm[:, 0])
    weight = np.linalg.norm(steps_mm, axis=1)
    mean = np.arctan2((weight * np.sin(doubled)).sum(), (weight * np.cos(doubled)).sum()) / 2
    return float(np.rad2deg(mean) % 180)
