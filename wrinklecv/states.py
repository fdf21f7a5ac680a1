"""All photos of one state (rest, or one expression), laid onto the first, and what forbids comparing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .codes import Code
from .comparability import judge_alike, judge_visits
from .histories import VisitPhotos
from .records import Expression, Finding, Region, Verdict
from .registration import Registration, register
from .settings import Settings
from .sides import Side, more_blur_mm2, side_of, softness_beyond

_NAMES = ("earlier", "later")
"""What the photos of two visits are called, where the earlier is not the first of all."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All photos of one state in the order of their visits: visit numbers, sides, how each lies on the first,
    and why each cannot be compared with it (by region; None is the whole photo)."""

    state: Expression
    visits: tuple[int, ...]
    sides: tuple[Side, ...]
    laid: tuple[dict[Region, Registration], ...]
    findings: tuple[tuple[Finding, ...], ...]

    def fit_runs(self, visit: int, region: Region) -> list[int]:
        """Return the places of a visit's photos that can be compared with the first."""
        return [
            n for n, k in enumerate(self.visits) if k == visit and not refusal_of(self.findings[n], region)
        ]


def gather_state(state: Expression, visits: Sequence[VisitPhotos], settings: Settings) -> State | None:
    """Lay all photos of one state onto the first of the baseline visit; None where the baseline has none."""
    photos = [(k, a) for k, visit in enumerate(visits) for name, a in visit.photos if name is state]
    if not photos or photos[0][0] != 0:
        return None
    sides = equally_soft([side_of(assessment, settings) for _, assessment in photos])
    first = sides[0]
    laid, findings = [], [tuple[Finding, ...]()]
    for side in sides[1:]:
        how = register(first.chart, side.chart, visible=side.skin.visible)
        findings.append(tuple(judge_visits(first, side, how, state)))
        laid.append(how)
    return State(state, tuple(k for k, _ in photos), tuple(sides), tuple(laid), tuple(findings))


def judge_between(state: State, region: Region, earlier: int, later: int) -> Iterator[Finding]:
    """Hold two visits' photos against each other: each may be like the first, and yet be unlike the other."""
    for n in state.fit_runs(earlier, region):
        for m in state.fit_runs(later, region):
            yield from judge_alike(state.sides[n], state.sides[m], state.state, _NAMES)


def refusal_of(findings: Iterable[Finding], region: Region) -> str:
    """Return why a region cannot be compared, empty where nothing forbids it."""
    refused = (f.advice for f in findings if f.verdict is Verdict.REFUSE and f.region in (None, region))
    return next(refused, "")


def doubts_of(
    state: State, region: Region, visits: Sequence[int], between: Iterable[Finding]
) -> tuple[Code, ...]:
    """Return what is in doubt about the photos of two visits, and between them."""
    runs = [n for visit in visits for n in state.fit_runs(visit, region)]
    found = [f for n in runs for f in (*state.findings[n], *state.sides[n].assessment.quality)]
    told = (f for f in (*found, *between) if f.verdict is Verdict.WARN and f.region in (None, region))
    return tuple(sorted({finding.code for finding in told}))


def equally_soft(sides: Sequence[Side]) -> list[Side]:
    """Count each photo's blur beyond that of the sharpest among them."""
    beyond = [softness_beyond(side) for side in sides]
    told = [b for b in beyond if b is not None]
    least = min(told, default=0.0)
    return [
        side if b is None else replace(side, more_mm2=more_blur_mm2(b - least))
        for side, b in zip(sides, beyond, strict=True)
    ]
