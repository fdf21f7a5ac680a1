"""A pair from the page as a batch would report it, so that its JSON is the same document."""

from __future__ import annotations

from pathlib import Path

from wrinklecv.listing import Pair, PairOutcome, PairStatus, Shot, parse_name
from wrinklecv.pairs import SPEAKS_FOR, Comparison
from wrinklecv.records import Assessment, Verdict
from wrinklecv.totals import verdict_of


def outcome_of(comparison: Comparison) -> PairOutcome:
    """Return the pair's outcome; the expression was confirmed by a person, so its name is known."""
    pair = Pair(_shot(comparison.rest), _shot(comparison.expression), comparison.name)
    own = [verdict_of(comparison, region) for region in SPEAKS_FOR[comparison.name]]
    if all(verdict is Verdict.REFUSE for verdict in own):
        return PairOutcome(pair, PairStatus.REJECTED, comparison)
    doubt = any(finding.verdict is not Verdict.PASS for finding in comparison.findings)
    return PairOutcome(pair, PairStatus.COMPARED_FLAGGED if doubt else PairStatus.COMPARED, comparison)


def _shot(assessment: Assessment) -> Shot:
    name = assessment.photo_name
    return Shot(Path(), name, assessment.photo_sha256, *parse_name(name))
