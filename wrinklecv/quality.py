"""Is this photo fit to be measured: per region, with the reason, its value and what to do.

Thresholds are in `Settings`; where they come from is in measurement.md section 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from . import chart as face_chart
from .codes import Code
from .records import Chart, Face, Finding, Photo, Region, Verdict
from .regions import Coverage
from .settings import Settings
from .skin import Skin

_FRONTAL = (Region.FOREHEAD, Region.GLABELLA)


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
    for region in Region:
        findings.extend(_region(coverage[region], skin, region, settings))
    return tuple(findings)


def _above(
    code: Code,
    value: float,
    warn: float,
    refuse: float | None,
    advice: str,
    *,
    unit: str,
    region: Region | None = None,
) -> Iterator[Finding]:
    """Yield a finding when `value` is above `warn` or `refuse`; `advice` may use {value} and {threshold}."""
    verdict, threshold = None, warn
    if refuse is not None and value > refuse:
        verdict, threshold = Verdict.REFUSE, refuse
    elif value > warn:
        verdict = Verdict.WARN
    if verdict:
        text = advice.format(value=value, threshold=threshold)
        yield Finding(code, verdict, text, region, float(value), float(threshold), unit)


def _below(
    code: Code,
    value: float,
    warn: float,
    refuse: float | None,
    advice: str,
    *,
    unit: str,
    region: Region | None = None,
) -> Iterator[Finding]:
    """Yield a finding when `value` is below `warn` or `refuse`."""
    verdict, threshold = None, warn
    if refuse is not None and value < refuse:
        verdict, threshold = Verdict.REFUSE, refuse
    elif value < warn:
        verdict = Verdict.WARN
    if verdict:
        text = advice.format(value=value, threshold=threshold)
        yield Finding(code, verdict, text, region, float(value), float(threshold), unit)


def _pose(face: Face, settings: Settings) -> Iterator[Finding]:
    """Judge the head's turn. The skin beside the eyes is judged by how well it was seen instead."""
    turns = (
        (Code.HEAD_TURNED, face.yaw_deg, "turned sideways", "look straight into the lens"),
        (Code.HEAD_TILTED, face.pitch_deg, "tilted up or down", "hold the head level, lens at eye height"),
    )
    for code, angle, what, todo in turns:
        for region in _FRONTAL:
            yield from _above(
                code,
                abs(angle),
                settings.warn_pose_deg if code is Code.HEAD_TURNED else settings.warn_pitch_deg,
                settings.max_pose_deg if code is Code.HEAD_TURNED else settings.max_pitch_deg,
                f"The head is {what} by {{value:.0f}}° (limit {{threshold:.0f}}°): {todo}.",
                unit="deg",
                region=region,
            )
    # A photo stored sideways has its own finding already, from the room that turned it.
    yield from _above(
        Code.FACE_ROTATED,
        abs(face.roll_deg) if Code.FACE_ROTATED not in {f.code for f in face.findings} else 0.0,
        settings.warn_roll_deg,
        None,
        "The head leans by {value:.0f}° (limit {threshold:.0f}°): hold the head upright.",
        unit="deg",
    )


def _light(skin: Skin, chart: Chart, settings: Settings) -> Iterator[Finding]:
    """Judge exposure and the difference of light between the two sides of the forehead and cheeks."""
    yield from _below(
        Code.UNDER_EXPOSED,
        skin.light,
        settings.dark_light,
        settings.black_light,
        "The skin is very dark in the photo (ln light {value:.1f}, limit {threshold:.1f}): "
        "use more light or a longer exposure.",
        unit="ln",
    )
    light = face_chart.patch_means(chart.light)
    middle = light.shape[1] // 2
    left = light[:, middle:][skin.usable[:, middle:]]
    right = light[:, :middle][skin.usable[:, :middle]]
    if left.size and right.size:
        yield from _above(
            Code.UNEVEN_LIGHT,
            abs(float(np.median(left) - np.median(right))),
            settings.max_side_light,
            None,
            "One side of the face is much brighter (ln ratio {value:.2f}, limit {threshold:.2f}): "
            "light both sides alike; lines look deeper where light grazes the skin.",
            unit="ln",
        )


def _sharpness(blur_mm: float | None, settings: Settings) -> Iterator[Finding]:
    if blur_mm is None:
        return
    yield from _above(
        Code.BLURRED,
        blur_mm,
        settings.warn_blur_mm,
        settings.max_blur_mm,
        "The sharpest edges around the eyes are {value:.2f} mm soft (limit {threshold:.2f} mm): "
        "focus on the eyes, hold still, send the original file.",
        unit="mm",
    )


def _region(coverage: Coverage, skin: Skin, region: Region, settings: Settings) -> Iterator[Finding]:
    """Judge one region: how much of it was seen, how finely, and how much shines."""
    part = face_chart.region_share(region)
    hidden = float((skin.hidden * part).sum() / part.sum())
    name = region.value.replace("_", " ")
    hair = region is Region.FOREHEAD and hidden > (1 - coverage.share) / 2
    yield from _below(
        Code.HAIR_OVER_FOREHEAD if hair else Code.LITTLE_SKIN,
        coverage.share,
        settings.warn_coverage_share,
        max(settings.min_coverage_share, 0.01),
        f"Only {{value:.0%}} of the {name} is visible skin (limit {{threshold:.0%}}): "
        + ("hold the hair back." if hair else "clear it of hair, glasses and shadow, face the lens."),
        unit="share",
        region=region,
    )
    if coverage.px_per_mm:
        yield from _resolution(coverage.px_per_mm, region, settings)
    yield from _above(
        Code.SHINE,
        float((skin.shine * part).sum() / part.sum()),
        settings.max_clipped_share,
        None,
        f"{{value:.0%}} of the {name} shines or is over-exposed (limit {{threshold:.0%}}): "
        "powder or dry the skin, soften the light, expose less.",
        unit="share",
        region=region,
    )


def _resolution(px_per_mm: float, region: Region, settings: Settings) -> Iterator[Finding]:
    yield from _below(
        Code.LOW_RESOLUTION,
        px_per_mm,
        settings.moderate_resolution_px_per_mm,
        settings.min_resolution_px_per_mm,
        "The photo shows {value:.1f} pixels per mm of skin (limit {threshold:.1f}): only coarse lines "
        "can be told. Fill the frame with the face and send the original file.",
        unit="px/mm",
        region=region,
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
