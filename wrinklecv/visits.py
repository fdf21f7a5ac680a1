"""The nouns of follow-up: subjects, their visits, treatments and photos, as they are kept in a store.

A subject is known by a code; a name is optional and kept apart. Days are calendar days as people say them;
moments are UTC. Visits and treatments of a subject are counted from 1 in the order in which they were stored:
that order, not the computer's clock, says what came first. `version` rises with every change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from .pairs import Comparison
from .records import Assessment, Expression, Region


class PhotoKind(StrEnum):
    """What a photo is for; one of kind MARKING shows puncture sites and is never scored."""

    REST = "rest"
    EXPRESSION = "expression"
    MARKING = "marking"


class Consent(StrEnum):
    """What the subject allowed for one photo; each allows what stands before it, NOT_RECORDED nothing."""

    NOT_RECORDED = "not_recorded"
    OWN_RECORD = "own_record"
    STUDY = "study"
    PUBLICATION = "publication"


@dataclass(frozen=True, slots=True)
class Subject:
    """A person: `code` is what everything hangs on, `name` may stay empty."""

    code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """One treatment of a subject.

    units: of the product, None where nobody said. points_mm: (x, y) on the chart, where it was injected.
    number and version are the store's: 0 until it is stored.
    """

    subject: str
    treated_on: date
    regions: tuple[Region, ...] = ()
    product: str = ""
    units: float | None = None
    points_mm: tuple[tuple[float, float], ...] = ()
    notes: str = ""
    number: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo of a visit, without its bytes; `original_name` is text for people, never a path to open."""

    sha256: str
    size_bytes: int
    kind: PhotoKind
    expression: Expression
    run: str
    consent: Consent
    original_name: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: the day that a person entered, the moment when it was recorded, and its photos in order."""

    subject: str
    number: int
    visited_on: date
    recorded_at: datetime
    version: int
    notes: str
    photos: tuple[StoredPhoto, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NewPhoto:
    """A photo to be stored: the file's own bytes, and what was measured in it, where it was.

    Raises ValueError for an assessment of other bytes, or of a photo of markings.
    """

    content: bytes
    expression: Expression = Expression.UNKNOWN
    marking: bool = False
    run: str = ""
    consent: Consent = Consent.NOT_RECORDED
    original_name: str = ""
    assessment: Assessment | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.content).hexdigest())
        if self.assessment is not None and self.marking:
            raise ValueError("a photo of kind marking is never scored")
        if self.assessment is not None and self.assessment.photo_sha256 != self.sha256:
            raise ValueError(f"photo {self.sha256[:12]} came with the assessment of another photo")

    @property
    def kind(self) -> PhotoKind:
        """What the photo is for."""
        if self.marking:
            return PhotoKind.MARKING
        return PhotoKind.REST if self.expression is Expression.REST else PhotoKind.EXPRESSION


@dataclass(frozen=True, slots=True, eq=False)
class VisitForm:
    """A visit to be stored, all or nothing.

    key: made once per form and sent with every attempt to save it, so that a second click stores nothing
    anew. known_photos: whether photos that already belong to another subject or visit are meant.
    """

    key: str
    subject: str
    visited_on: date
    photos: tuple[NewPhoto, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    notes: str = ""
    known_photos: bool = False


@dataclass(frozen=True, slots=True)
class StoredMeasure:
    """One number of one region of an assessed photo; `se` is None where the number has no error."""

    region: Region
    metric: str
    value: float
    se: float | None


@dataclass(frozen=True, slots=True)
class StoredAssessment:
    """With what a photo was measured, and its region measures; a region that was refused has none."""

    photo_sha256: str
    settings_digest: str
    model_sha256: str
    measure_version: int
    measures: tuple[StoredMeasure, ...]


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """All that a subject's page shows: visits in the order they were stored, and the numbers of their photos.

    Photos that are shared with another subject bring their assessments along.
    """

    subject: Subject
    visits: tuple[Visit, ...]
    treatments: tuple[Treatment, ...]
    assessments: tuple[StoredAssessment, ...]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done to the store; `hash` covers all of it and the entry before."""

    number: int
    at: datetime
    actor: str
    action: str
    target: str
    details: Mapping[str, int | str] = field(default_factory=dict, hash=False)
    hash: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", MappingProxyType(dict(self.details)))


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge deleted, and the backups (file names) that may still hold the subject."""

    visits: int
    treatments: int
    photos: int
    backups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was wrong with the photo files: strangers, now moved aside; rows whose file is gone or damaged."""

    moved_aside: tuple[str, ...]
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
