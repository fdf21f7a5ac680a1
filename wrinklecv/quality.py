"""Is this photo fit to be measured: per region, with the reason, its value and what to do.

Thresholds are in `Settings`; where they come from is in docs/measurement.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np

from . import chart as face_chart
from .codes import Code
from .records import Chart, Face, Finding, Photo, Region, Verdict
from .regions import Coverage
from .settings import Settings
from .skin import Skin
from .strands import Strands

_FRONTAL = (Region.FOREHEAD, Region.GLABELLA)
_STEP_MM, _STEP_BOX_MM = 6, (3, 4)
"""Light is compared from mean to mean of boxes (wide, high) so far apart, downwards: lines are narrower."""
_LEAST_WIDE_MM = 30
"""Less width of forehead tells no shadow from a hollow."""


def judge_photo(
    photo: Photo,
    face: Face,
    chart: Chart,
    skin: Skin,
    coverage: Mapping[Region, Coverage],
    *,
    edge_blur_mm: float | None,
    settings: Settings,
) -> tuple[Finding, ...]:
    """Collect every doubt about a photo: of the file, the face, and each region.

    edge_blur_mm: how soft the sharpest edges are, None where that could not be told.
    """
    findings = [*photo.findings, *face.findings, *_pose(face, settings), *_light(skin, chart, settings)]
    findings.extend(_sharpness(edge_blur_mm, settings))
    findings.extend(_shadow(skin, chart, settings))
    for region in Region:
        findings.extend(_region(coverage[region], skin, region, settings))
    return tuple(findings)


def judge_strands(
    found: Mapping[Region, Strands], *, hair_over_forehead: bool, settings: Settings
) -> tuple[Finding, ...]:
    """Doubt the regions over which hair or a frame seems to lie.

    hair_over_forehead: whether hair covers a part of the forehead.
    """
    findings: list[Finding] = []
    for region, strands in found.items():
        name = region.value.replace("_", " ")
        left_out = (
            f"{{value:.0f}} mm over the {name} look like hair or a frame (too thin; too dark for their width "
            "and not of skin's colour; or beside a bright hair) and are left out (limit {threshold:.0f} mm): "
            "hold the hair back, take glasses off."
        )
        upright = (
            f"{{value:.0f}} mm of upright dark lines lie over the {name}, as hair does "
            "(limit {threshold:.0f} mm): hold the hair back; a strand that lies level may have "
            "been taken for a line."
        )
        one_sided = (
            f"{{value:.0f}} mm of lines as dark as hair lie almost all on one side of the {name} (limit "
            "{threshold:.0f} mm): hold the hair back, and look whether a lock of hair or its shadow was "
            "taken for a line; it may be a real line of one side."
        )
        for length_mm, limit, text in (
            (strands.left_out_mm, 0.0, left_out),
            (strands.upright_mm, settings.warn_upright_mm, upright),
            (strands.one_sided_mm, settings.warn_one_sided_mm, one_sided),
        ):
            findings.extend(
                _judged(Code.HAIR_OR_FRAME, length_mm, (limit, None), text, unit="mm", region=region)
            )
        hair_over_forehead |= strands.upright_mm > settings.warn_upright_mm
    if hair_over_forehead and Region.GLABELLA in found.keys() - {f.region for f in findings}:
        text = (
            "Hair seems to lie over the forehead; a strand that hangs further down looks like a frown line: "
            "hold the hair back."
        )
        findings.append(Finding(Code.HAIR_OR_FRAME, Verdict.WARN, text, Region.GLABELLA))
    return tuple(findings)


def _judged(
    code: Code,
    value: float,
    limits: tuple[float, float | None],
    advice: str,
    *,
    unit: str,
    region: Region | None = None,
    low: bool = False,
) -> Iterator[Finding]:
    """Yield a finding when `value` is beyond the limits (warn, refuse): above them, or below when `low`.

    `advice` may use {value} and {threshold}; a refuse limit of None only warns.
    """
    sign = -1 if low else 1
    for verdict, limit in ((Verdict.REFUSE, limits[1]), (Verdict.WARN, limits[0])):
        if limit is not None and sign * value > sign * limit:
            text = advice.format(value=value, threshold=limit)
            yield Finding(code, verdict, text, region, float(value), float(limit), unit)
            return


def _pose(face: Face, settings: Settings) -> Iterator[Finding]:
    """Judge the head's turn. The skin beside the eyes is judged by how well it was seen instead."""
    turned = (settings.warn_pose_deg, settings.max_pose_deg)
    tilted = (settings.warn_pitch_deg, settings.max_pitch_deg)
    for region in _FRONTAL:
        yield from _judged(
            Code.HEAD_TURNED,
            abs(face.yaw_deg),
            turned,
            "The head is turned sideways by {value:.0f}° (limit {threshold:.0f}°): "
            "look straight into the lens.",
            unit="deg",
            region=region,
        )
        yield from _judged(
            Code.HEAD_TILTED,
            abs(face.pitch_deg),
            tilted,
            "The head is tilted up or down by {value:.0f}° (limit {threshold:.0f}°): "
            "hold the head level, lens at eye height.",
            unit="deg",
            region=region,
        )
    # A photo stored sideways has its own finding already, from the room that turned it.
    if Code.FACE_ROTATED not in {finding.code for finding in face.findings}:
        yield from _judged(
            Code.FACE_ROTATED,
            abs(face.roll_deg),
            (settings.warn_roll_deg, None),
            "The head leans by {value:.0f}° (limit {threshold:.0f}°): hold the head upright.",
            unit="deg",
        )


def _light(skin: Skin, chart: Chart, settings: Settings) -> Iterator[Finding]:
    """Judge exposure, noise, and the difference of light between the two sides of the face."""
    yield from _judged(
        Code.UNDER_EXPOSED,
        skin.light,
        (settings.dark_light, settings.black_light),
        "The skin is very dark in the photo (ln light {value:.1f}, limit {threshold:.1f}): "
        "use more light or a longer exposure.",
        unit="ln",
        low=True,
    )
    yield from _judged(
        Code.NOISY,
        skin.texture,
        (settings.noisy_texture, settings.drowning_texture),
        "The skin is grainy (fine contrast {value:.3f}, limit {threshold:.3f}): faint lines drown in it. "
        "Use more light and a lower sensitivity.",
        unit="ln",
    )
    yield from _judged(
        Code.SMOOTHED,
        skin.texture,
        (settings.smooth_texture, settings.flat_texture),
        "The skin has hardly any texture (fine contrast {value:.4f}, limit {threshold:.4f}): switch beauty "
        "filters off and send the original file.",
        unit="ln",
        low=True,
    )
    light = face_chart.patch_means(chart.light)
    middle = light.shape[1] // 2
    left = light[:, middle:][skin.usable[:, middle:]]
    right = light[:, :middle][skin.usable[:, :middle]]
    if left.size and right.size:
        yield from _judged(
            Code.UNEVEN_LIGHT,
            abs(float(np.median(left) - np.median(right))),
            (settings.max_side_light, None),
            "One side of the face is much brighter (ln ratio {value:.2f}, limit {threshold:.2f}): "
            "light both sides alike; lines look deeper where light grazes the skin.",
            unit="ln",
        )


def _shadow(skin: Skin, chart: Chart, settings: Settings) -> Iterator[Finding]:
    """Judge whether the edge of a shadow (a cap's, a fringe's) lies across the forehead."""
    inside = (skin.usable & (face_chart.region_share(Region.FOREHEAD) > 0.5)).astype(np.float32)
    light = face_chart.patch_means(chart.light)
    weight = cv2.blur(inside, _STEP_BOX_MM)
    mean = cv2.blur(light * inside, _STEP_BOX_MM) / np.maximum(weight, 1e-6)
    told = (weight[_STEP_MM:] > 0.6) & (weight[:-_STEP_MM] > 0.6)
    steps = np.where(told, np.abs(mean[_STEP_MM:] - mean[:-_STEP_MM]), 0.0).max(axis=0)[told.any(axis=0)]
    if len(steps) < _LEAST_WIDE_MM:
        return
    yield from _judged(
        Code.UNEVEN_LIGHT,
        float(np.median(steps)),
        (settings.max_shadow_step, None),
        "The edge of a shadow lies across the forehead (ln ratio {value:.2f}, limit {threshold:.2f}): take "
        "off what casts it, light the whole face alike.",
        unit="ln",
        region=Region.FOREHEAD,
    )


def _sharpness(blur_mm: float | None, settings: Settings) -> Iterator[Finding]:
    if blur_mm is None:
        return
    yield from _judged(
        Code.BLURRED,
        blur_mm,
        (settings.warn_blur_mm, settings.max_blur_mm),
        "The sharpest edges around the eyes are {value:.2f} mm soft (limit {threshold:.2f} mm): "
        "focus on the eyes, hold still, send the original file.",
        unit="mm",
    )


def _region(coverage: Coverage, skin: Skin, region: Region, settings: Settings) -> Iterator[Finding]:
    """Judge one region: how much of it was seen, how finely, and how much is over-exposed."""
    part = face_chart.region_share(region)
    hidden, shine, clipped = (
        float((mask * part).sum() / part.sum()) for mask in (skin.hidden, skin.shine, skin.clipped)
    )
    name = region.value.replace("_", " ")
    hair = region is Region.FOREHEAD and hidden > (1 - coverage.share) / 2
    yield from _judged(
        Code.HAIR_OVER_FOREHEAD if hair else Code.LITTLE_SKIN,
        coverage.share,
        (settings.warn_coverage_share, max(settings.min_coverage_share, 0.01)),
        f"Only {{value:.0%}} of the {name} is visible skin (limit {{threshold:.0%}}): "
        + (
            "hold the hair back, take off what casts a shadow."
            if hair
            else "clear it of hair, glasses and shadow, face the lens."
        ),
        unit="share",
        region=region,
        low=True,
    )
    if coverage.px_per_mm:
        yield from _resolution(coverage.px_per_mm, region, settings)
    yield from _judged(
        Code.SHINE,
        shine,
        (settings.max_clipped_share, None),
        f"{{value:.0%}} of the {name} is white from shine (limit {{threshold:.0%}}): "
        "powder or dry the skin, soften the light, expose less.",
        unit="share",
        region=region,
    )
    yield from _judged(
        Code.OVER_EXPOSED,
        clipped,
        (settings.max_clipped_share, settings.max_saturated_share),
        f"In {{value:.0%}} of the {name} a colour is at its end (limit {{threshold:.0%}}), which flattens "
        "lines: expose less.",
        unit="share",
        region=region,
    )


def _resolution(px_per_mm: float, region: Region, settings: Settings) -> Iterator[Finding]:
    yield from _judged(
        Code.LOW_RESOLUTION,
        px_per_mm,
        (settings.moderate_resolution_px_per_mm, settings.min_resolution_px_per_mm),
        "The photo shows {value:.1f} pixels per mm of skin (limit {threshold:.1f}): only coarse lines "
        "can be told. Fill the frame with the face and send the original file.",
        unit="px/mm",
        region=region,
        low=True,
    )
    if settings.moderate_resolution_px_per_mm <= px_per_mm < settings.fine_resolution_px_per_mm:
        limit = settings.fine_resolution_px_per_mm
        yield Finding(
            Code.LOW_RESOLUTION,
            Verdict.PASS,
            f"The photo shows {px_per_mm:.1f} pixels per mm of skin: fine lines need {limit:.0f}.",
            region,
            px_per_mm,
            limit,
            "px/mm",
        )
