"""lay_visits(): two photos of one state from two visits, laid together for the eye. The order of the steps.

It takes the files' bytes and gives back small pictures, so that all decoding can happen in a worker process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from . import chart as face_chart
from .assessment import assess
from .changes import PRIOR_NOISE
from .codes import Code
from .comparability import TWO_VISITS, judge_visits
from .differences import LineDifference, map_difference
from .draw_visits import View, lay_over
from .errors import PhotoError
from .frames import frames_by_landmarks, frames_by_skin, in_one_frame
from .photo import read_photo
from .records import Assessment, Expression, Finding, Photo, Region, Verdict
from .registration import Registration, register
from .settings import DEFAULTS, Settings
from .sides import Side, side_of
from .states import equally_soft


@dataclass(frozen=True, slots=True, eq=False)
class TwoVisits:
    """What two photos of one state show together.

    first, later: what was measured in each, without charts. findings: what makes them hard to compare.
    views: by region, None is the whole face. stops: by how much brighter the later photo must be made to show
    the skin as bright as the first; for the eye only.
    """

    state: Expression
    first: Assessment
    later: Assessment
    findings: tuple[Finding, ...]
    views: Mapping[Region | None, View]
    stops: float

    def verdict(self, region: Region | None = None) -> Verdict:
        """Return the worst verdict on the pair; with a region, of what speaks of it or of the whole photo."""
        order = (Verdict.PASS, Verdict.WARN, Verdict.REFUSE)
        found = [f.verdict for f in self.findings if region is None or f.region in (None, region)]
        return max(found, key=order.index, default=Verdict.PASS)


def lay_visits(
    first: bytes,
    later: bytes,
    state: Expression,
    *,
    relative_sd: float = PRIOR_NOISE.relative_sd,
    settings: Settings = DEFAULTS,
) -> TwoVisits:
    """Lay two photos of one state together: the files' bytes in, pictures in one frame out.

    relative_sd: of a photo's index of an unchanged face. Raises PhotoError for a photo that cannot be
    measured, with a note that tells which.
    """
    read = [
        _assessed(content, which, settings) for content, which in zip((first, later), TWO_VISITS, strict=True)
    ]
    photos = read[0][0], read[1][0]
    one, other = equally_soft([side_of(assessment, settings) for _, assessment in read])
    laid = register(one.chart, other.chart, visible=other.skin.visible)
    findings = (*judge_visits(one, other, laid, state), *_refusals(one, other))
    fit = {
        region: how
        for region, how in laid.items()
        if math.isfinite(how.residual_mm) and not _refused(findings, region, laying_only=True)
    }
    differences = {
        region: map_difference(one, other, how, relative_sd=relative_sd, settings=settings)
        for region, how in fit.items()
        if not _refused(findings, region) and _measured(one, region) and _measured(other, region)
    }
    return TwoVisits(
        state,
        replace(one.assessment, chart=None),
        replace(other.assessment, chart=None),
        findings,
        {place: _view(place, photos, (one, other), fit, differences) for place in (None, *Region)},
        _stops(one, other),
    )


def _assessed(content: bytes, which: str, settings: Settings) -> tuple[Photo, Assessment]:
    try:
        photo = read_photo(content)
        return photo, assess(photo, settings=settings)
    except PhotoError as error:
        error.add_note(f"The {which} photo")
        raise


def _refusals(first: Side, later: Side) -> Iterator[Finding]:
    """Pass on what cannot be measured in either photo: it cannot be compared either."""
    for name, side in zip(TWO_VISITS, (first, later), strict=True):
        for finding in side.assessment.quality:
            if finding.verdict is Verdict.REFUSE:
                yield replace(finding, advice=f"{name.capitalize()} photo: {finding.advice}")


def _refused(findings: tuple[Finding, ...], region: Region, *, laying_only: bool = False) -> bool:
    return any(
        f.verdict is Verdict.REFUSE and f.region in (None, region)
        for f in findings
        if not laying_only or f.code is Code.NOT_LAID_TOGETHER
    )


def _measured(side: Side, region: Region) -> bool:
    return any(measures.region is region for measures in side.assessment.regions)


def _view(
    place: Region | None,
    photos: tuple[Photo, Photo],
    sides: tuple[Side, Side],
    fit: Mapping[Region, Registration],
    differences: Mapping[Region, LineDifference],
) -> View:
    """Bring one place of both photos into one frame: by its skin, else by the landmarks."""
    found = sides[0].assessment, sides[1].assessment
    charts = sides[0].chart, sides[1].chart
    here = dict(fit) if place is None else {r: how for r, how in fit.items() if r is place}
    laid = frames_by_skin(*found, charts, here)
    frames = laid.frames if laid else frames_by_landmarks(found[0].face, found[1].face)
    cuts = in_one_frame(photos, found, charts, frames, place)
    overlay = lay_over(cuts[0], charts[0], differences if laid else {}, place)
    return View(cuts, laid.residual_mm if laid else None, overlay)


def _stops(first: Side, later: Side) -> float:
    """Return by how many stops the later photo's skin is darker, where both show it."""
    both = first.skin.usable & later.skin.usable
    if not both.any():
        return 0.0
    gap = face_chart.patch_means(first.chart.light)[both] - face_chart.patch_means(later.chart.light)[both]
    return float(np.median(gap)) / math.log(2)
