"""A pair from the page as a batch would report it, so that its JSON is the same document."""

from __future__ import annotations

from pathlib import Path

from wrinklecv.batch import judge_pair
from wrinklecv.listing import Pair, PairOutcome, Shot, parse_name
from wrinklecv.pairs import Comparison
from wrinklecv.records import Assessment


def outcome_of(comparison: Comparison) -> PairOutcome:
    """Return the pair's outcome; the expression was confirmed by a person, so its name is known."""
    return judge_pair(Pair(_shot(comparison.rest), _shot(comparison.expression), comparison.name), comparison)


def _shot(assessment: Assessment) -> Shot:
    name = assessment.photo_name
    return Shot(Path(), name, assessment.photo_sha256, *parse_name(name))
