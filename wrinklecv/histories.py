"""The nouns of follow-up results: series, changes with their verdicts, and the histories of lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .codes import Code
from .records import Assessment, Expression, Finding, LineKind, Region
from .windows import WINDOWS, Windows


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

    days: since the last treatment before it, None where there was none. index_se: of the reading alone,
    without the noise from visit to visit (`FollowUp.noise`). photos: how many runs were averaged. refused:
    why it cannot be compared with the baseline, a sentence, else empty; `index` says nothing then.
    """

    day: date
    days: int | None
    index: float
    index_se: float
    photos: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """The course of one region in one state (at rest, or in one expression); the two are never merged."""

    region: Region
    state: Expression
    points: tuple[SeriesPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A difference, and what may be said of it.

    difference, se, smallest_detectable (MDC95): in units of the wrinkle index; share: of the earlier value,
    None where that was not above 0. reason: why it is not comparable, a sentence, else empty. control_share,
    control_se: by which share untreated regions changed between the same photos; None without any.
    """

    difference: float
    se: float
    smallest_detectable: float
    share: float | None
    verdict: ChangeVerdict
    reason: str
    control_share: float | None = None
    control_se: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Judged):
    """The judged difference of one region and state between two visits.

    treated: whether the region was treated before the later day. doubts: what about the two visits' photos
    is in doubt, and does not forbid the comparison.
    """

    region: Region
    state: Expression
    since: date
    until: date
    treated: bool
    doubts: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class LineSighting:
    """One line at one visit in one state: contrast with error and limit, whether it was seen, its kind.

    It is that of the visit's first photo of that state that can be compared. line: its place in that photo's
    `lines`, -1 where no line was found there. kind: by the rest and expression photos of that visit,
    INDETERMINATE where they do not tell. refused: why the numbers tell nothing of the line (hidden, or its
    region cannot be compared with the baseline's), a sentence, else empty; `seen` is false then.
    """

    day: date
    line: int
    contrast: float
    contrast_se: float
    limit: float
    seen: bool
    kind: LineKind
    refused: str = ""


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
    """One treatment and what followed in one region and state.

    days_to_half: until half of the effect was gone, on a straight line between two visits, `between` (days
    since the treatment); both None where the visits do not show it, or no effect beyond the noise.
    """

    treated_on: date
    region: Region
    state: Expression
    days_to_half: int | None
    between: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class VisitStatus:
    """One visit in the course of treatment; findings: what makes its photos hard to compare with others."""

    day: date
    days: int | None
    status: TreatmentStatus
    findings: tuple[tuple[Expression, Finding], ...]


@dataclass(frozen=True, slots=True)
class Unscored:
    """A photo that gave no number: the day of its visit, its name, and why."""

    day: date
    name: str
    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A subject's course: `changes` holds, for each region and state, each visit against the baseline and
    against the visit before. settings_digest to model_sha256 tell how all photos were measured, windows what
    is usual when after a treatment. unscored: photos of these visits that gave no number, where the photos
    come from a store."""

    baseline: date
    noise: NoiseFigure
    visits: tuple[VisitStatus, ...]
    series: tuple[Series, ...]
    changes: tuple[Change, ...]
    lines: tuple[LineHistory, ...]
    asymmetries: tuple[Asymmetry, ...]
    cycles: tuple[Cycle, ...]
    next_photo: date | None
    settings_digest: str
    measure_version: int
    model_sha256: str
    windows: Windows = WINDOWS
    unscored: tuple[Unscored, ...] = ()

    def interval(self, point: SeriesPoint) -> tuple[float, float]:
        """Return the 95 % interval of a point, from the reading's own error and the noise between visits."""
        far = 1.96 * math.hypot(point.index_se, self.noise.relative_sd * point.index)
        return point.index - far, point.index + far
