"""Records and stand-ins made by hand, so that tables and batches are tested without the pipeline."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import numpy as np

from wrinklecv.codes import Code
from wrinklecv.errands import Scored
from wrinklecv.records import Assessment, Face, Finding, Line, Region, RegionMeasures, Scale, Verdict
from wrinklecv.settings import Settings


def a_line(region: Region = Region.FOREHEAD, *, length_mm: float = 30.0, contrast: float = 0.08) -> Line:
    """Return a straight horizontal line of three points."""
    return Line(
        region=region,
        path_mm=np.array([[0, 0], [length_mm / 2, 0], [length_mm, 0]]),
        path_xy=np.array([[100.125, 200.0], [160.0, 200.0], [220.0, 200.5]]),
        length_mm=length_mm,
        length_se_mm=0.5,
        width_mm=0.8,
        width_se_mm=0.1,
        contrast=contrast,
        contrast_se=0.01,
        max_contrast=contrast * 1.5,
        angle_deg=0.0,
        signal_to_noise=8.0,
        likelihood=0.9,
    )


def some_measures(region: Region = Region.FOREHEAD, *, wrinkle_index: float = 4.8) -> RegionMeasures:
    """Return plausible measures of one region with one line."""
    return RegionMeasures(
        region=region,
        coverage=0.9,
        area_mm2=5000.0,
        line_count=1,
        total_length_mm=30.0,
        total_length_se_mm=0.5,
        longest_length_mm=30.0,
        density_mm_per_cm2=0.6,
        mean_contrast=0.08,
        mean_contrast_se=0.01,
        max_contrast=0.12,
        mean_width_mm=0.8,
        wrinkle_index=wrinkle_index,
        wrinkle_index_se=0.7,
        detection_limit=0.02,
    )


def a_refusal(region: Region | None, code: Code = Code.BLURRED) -> Finding:
    """Return a finding that refuses `region` (None: the whole photo)."""
    return Finding(code, Verdict.REFUSE, "The picture is blurred. Hold still.", region, 3.0, 2.0, "px")


def an_assessment(
    *,
    name: str = "a.jpg",
    sha256: str = "ab" * 32,
    quality: tuple[Finding, ...] = (),
    lines: tuple[Line, ...] | None = None,
    regions: tuple[RegionMeasures, ...] | None = None,
) -> Assessment:
    """Return an assessment; by default every region is measured and the forehead has one line."""
    return Assessment(
        photo_name=name,
        photo_sha256=sha256,
        settings_digest="0123456789abcdef",
        model_sha256="64" * 32,
        measure_version=1,
        width_px=1200,
        height_px=1600,
        face=Face(
            points_xy=np.zeros((478, 2)),
            points_sd_px=0.4,
            yaw_deg=1.23456789,
            pitch_deg=-2.0,
            roll_deg=0.0,
            scale=Scale(0.1, "iris", 0.04),
            expression={"browInnerUp": 0.25, "_neutral": 0.0},
        ),
        quality=quality,
        lines=(a_line(),) if lines is None else lines,
        regions=tuple(some_measures(region) for region in Region) if regions is None else regions,
    )


def pretend(file: Path, path: str, settings: Settings, overlay: bool) -> Scored:
    """Stand in for `assess_file`: what becomes of a file stands in its first word."""
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    word = content.split()[0] if content else b""
    if word == b"crash":
        os._exit(11)
    if word == b"hang":
        time.sleep(60)
    if word == b"bug":
        raise KeyError("a bug")
    if word == b"faceless":
        return Scored(sha256, code=Code.NO_FACE, message="No face was found. Take the photo again.")
    refused = word == b"refused"
    assessment = an_assessment(
        name=path,
        sha256=sha256,
        quality=(a_refusal(None),) if refused else (),
        regions=() if refused else None,
        lines=() if refused else None,
    )
    return Scored(sha256, assessment, b"\xff\xd8 overlay" if overlay else b"")
