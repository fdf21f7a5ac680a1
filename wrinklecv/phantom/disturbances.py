"""What stands between a photo and its lines: each disturbance as a change of who and how is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .person import Glasses, Person, ShadowEdge, Shot

_PERSON: Mapping[str, Mapping[str, Any]] = {
    "hair: few strands": {"loose_hairs": 10},
    "hair: many strands": {"loose_hairs": 60},
    "hair: level strands": {"level_hairs": 12},
    "hair: fringe": {"fringe_mm": 30.0},
    "glasses: thin metal": {"glasses": Glasses.METAL},
    "glasses: dark plastic": {"glasses": Glasses.PLASTIC},
    "stubble": {"stubble": 1.0},
    "freckles": {"freckles": 1.5},
    "shine": {"shine": 1.0},
}
_SHOT: Mapping[str, ShadowEdge] = {
    "shadow edge: upright": ShadowEdge(through_mm=(12.0, -80.0), towards_deg=8.0, penumbra_mm=1.2),
    "shadow edge: level": ShadowEdge(through_mm=(0.0, -80.0), towards_deg=94.0, penumbra_mm=0.8),
}
DISTURBANCES = (*_PERSON, *_SHOT)
"""Their names."""


def disturbed(name: str, person: Person, shot: Shot) -> tuple[Person, Shot]:
    """Return this person and shot with one disturbance; ValueError when it has no such name."""
    if name in _PERSON:
        return replace(person, **_PERSON[name]), shot
    if name in _SHOT:
        return person, replace(shot, shadow_edge=_SHOT[name])
    raise ValueError(f"no disturbance is called {name!r}; known: {', '.join(DISTURBANCES)}")
