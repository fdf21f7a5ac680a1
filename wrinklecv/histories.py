"""The nouns of follow-up results: series, changes with their verdicts, and the histories of lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .records import Assessment, Expression, Finding, LineKind, Region


class ChangeVerdict(StrEnum):
    """What may be said about the difference between two visits."""

    CHANGED = "changed"
    NO_DETECTABLE_CHANGE = "no_detectable_change"
    NOT_COMPARABLE = "not_comparable"


class TreatmentStatus(StrEnum):
    """Where a day lies in the usual course of a treatment (`timeline.py` gives days and sources)."""

    BASELINE = "baseline"
    TOO_EARLY = "too_early"
    DEVELOPING = "developing"
    AT_OR_NEAR_PEAK = "at_or_near_peak"
    MAINTAINED = "maintained"
    WEARING_OFF_EXPECTED = "wearing_off_expected"
    LATE = "late"
    BEYOND_EXPECTED_WINDOW = "beyond_expected_window"


@dataclass(frozen=True, slots=True, eq=False)
class VisitPhotos:
    """One visit as follow-up needs it: its day, and what each assessed photo shows; several runs allowed."""

    day: date
    photos: tuple[tuple[Expression, Assessment], ...]


@dataclass(frozen=True, slots=True)
class NoiseFigure:
    """How far a wrinkle index of an unchanged face differs between two photos, relative standard deviation.

    source: where the figure comes from, a phrase for people. own: measured on this clinic's own repeats.
    """

    relative_sd: float
    source: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One visit in a series: the wrinkle index of the lines that are followed, with its standard error.

    days: since the last treatment before it, None where there was none. photos: how many runs were averaged.
    """

    day: date
    days: int | None
    index: float
    index_se: float
    photos: int


@dataclass(frozen=True, slots=True)
class Series:
    """The course of one region in one state (at rest, or in one expression); the two are never merged."""

    region: Region
    state: Expression
    points: tuple[SeriesPoint, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of one region and state between two visits.

    difference, se, smallest_detectable (MDC95): in units of the wrinkle index; share: of the earlier value,
    None where that was 0. reason: why it is not comparable, a sentence, else empty. treated: whether the
    region was treated on or before the later day.
    """

    region: Region
    state: Expression
    since: date
    until: date
    difference: float
    se: float
    smallest_detectable: float
    share: float | None
    verdict: ChangeVerdict
    reason: str
    treated: bool


@dataclass(frozen=True, slots=True)
class LineSighting:
    """One line at one visit in one state: contrast with error and limit, whether it was seen, its kind.

    line: its place in the `lines` of the visit's first photo of that state, -1 where no line was found there.
    kind: by the rest and expression photos of that visit, INDETERMINATE where they do not tell.
    """

    day: date
    line: int
    contrast: float
    contrast_se: float
    limit: float
    seen: bool
    kind: LineKind


@dataclass(frozen=True, slots=True)
class Conversion:
    """A line that changed between dynamic and visible at rest."""

    since: date
    until: date
    before: LineKind
    after: LineKind


@dataclass(frozen=True, slots=True)
class LineHistory:
    """One line over all visits in one state; `number` counts from 1 in region and state, longest first."""

    region: Region
    state: Expression
    number: int
    length_mm: float
    sightings: tuple[LineSighting, ...]
    conversions: tuple[Conversion, ...]


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """Left against right at one visit: (left − right) / mean, −2 to 2, with its standard error."""

    day: date
    state: Expression
    value: float
    se: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """One treatment and what followed in one region and state: days until half of the effect was gone, None
    where the visits do not show it."""

    treated_on: date
    region: Region
    state: Expression
    days_to_half: int | None


@dataclass(frozen=True, slots=True)
class VisitStatus:
    """One visit in the course of treatment; findings: what makes its photos hard to compare with others."""

    day: date
    days: int | None
    status: TreatmentStatus
    findings: tuple[tuple[Expression, Finding], ...]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A subject's course: `changes` holds, for each region and state, each visit against the baseline and
    against the visit before."""

    baseline: date
    noise: NoiseFigure
    visits: tuple[VisitStatus, ...]
    series: tuple[Series, ...]
    changes: tuple[Change, ...]
    lines: tuple[LineHistory, ...]
    asymmetries: tuple[Asymmetry, ...]
    cycles: tuple[Cycle, ...]
    next_photo: date | None
