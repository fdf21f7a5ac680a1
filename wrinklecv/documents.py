"""Records as JSON text without loss, to be read back as they were: for the store, not for people.

`tables.document` writes the document that people read, with rounded numbers. Here every number is exact;
arrays are base64 of little-endian bytes. An assessment is written without its chart.
"""

from __future__ import annotations

import base64
import functools
import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from .histories import FollowUp
from .pairs import ComparedLine, Comparison, RegionComparison, Strength, Travel
from .records import Assessment, Expression, Finding

T = TypeVar("T")


class OtherFieldsError(ValueError):
    """A document lacks a field that the record has today, or holds a value that it no longer knows."""


@dataclass(frozen=True, slots=True, eq=False)
class _PairOnly:
    """What a Comparison holds besides its two assessments; field by field as in `pairs.Comparison`."""

    name: Expression
    lines: tuple[ComparedLine, ...]
    regions: tuple[RegionComparison, ...]
    travels: tuple[Travel, ...]
    travel_se_mm: float
    strengths: tuple[Strength, ...]
    findings: tuple[Finding, ...]


_PAIR_FIELDS = tuple(field.name for field in fields(_PairOnly))


def assessment_text(assessment: Assessment) -> str:
    """Return `assessment` as JSON, ASCII only, without its chart."""
    return _text(replace(assessment, chart=None))


def assessment_from(text: str) -> Assessment:
    """Return what `assessment_text` wrote; raise OtherFieldsError when the record has changed since."""
    return _from_text(Assessment, text)


def comparison_text(comparison: Comparison) -> str:
    """Return `comparison` as JSON, ASCII only, without its two assessments."""
    return _text(_PairOnly(**{name: getattr(comparison, name) for name in _PAIR_FIELDS}))


def comparison_from(text: str, rest: Assessment, expression: Assessment) -> Comparison:
    """Return what `comparison_text` wrote, of the same two assessments; raise OtherFieldsError likewise."""
    only = _from_text(_PairOnly, text)
    return Comparison(rest, expression, **{name: getattr(only, name) for name in _PAIR_FIELDS})


def course_text(course: FollowUp) -> str:
    """Return `course` as JSON, ASCII only."""
    return _text(course)


def course_from(text: str) -> FollowUp:
    """Return what `course_text` wrote; raise OtherFieldsError likewise."""
    return _from_text(FollowUp, text)


def _text(record: object) -> str:
    return json.dumps(_tree(record), separators=(",", ":"), allow_nan=False)


def _from_text(kind: type[T], text: str) -> T:
    try:
        return _value(kind, json.loads(text))  # type: ignore[no-any-return]
    except (KeyError, TypeError, ValueError) as error:
        raise OtherFieldsError(f"not a {kind.__name__} of today: {error}") from error


def _tree(value: Any) -> Any:
    """Return `value` as what JSON knows; numbers that are not finite as text."""
    if is_dataclass(value):
        kind: Any = type(value)
        return {name: _tree(getattr(value, name)) for name in _names(kind)}
    if isinstance(value, np.ndarray):
        little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        return [little.dtype.str, *value.shape, base64.b64encode(little.tobytes()).decode("ascii")]
    if isinstance(value, tuple | list):
        return [_tree(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _tree(item) for name, item in value.items()}
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


def _value(kind: Any, tree: Any) -> Any:
    """Return the value of type `kind` that `_tree` made `tree` from."""
    origin = get_origin(kind)
    if origin in (types.UnionType, Union):
        return (
            None if tree is None else _value(next(k for k in get_args(kind) if k is not types.NoneType), tree)
        )
    if origin is tuple:
        kinds = get_args(kind)
        if kinds[-1] is Ellipsis:
            return tuple(_value(kinds[0], item) for item in tree)
        return tuple(_value(one, item) for one, item in zip(kinds, tree, strict=True))
    if origin is np.ndarray:
        dtype, *shape, content = tree
        return np.frombuffer(base64.b64decode(content, validate=True), dtype).reshape(shape)
    if origin is Mapping:
        return {name: _value(get_args(kind)[1], item) for name, item in tree.items()}
    if is_dataclass(kind):
        make: Any = kind
        return make(**{name: _value(_types(make)[name], tree[name]) for name in _present(kind, tree)})
    return date.fromisoformat(tree) if kind is date else kind(tree)


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@functools.cache
def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _present(kind: Any, tree: Mapping[str, Any]) -> list[str]:
    """Return the fields to read from `tree`; one that came later may be missing when it has a default."""
    return [
        field.name
        for field in fields(kind)
        if field.name in tree or (field.default is MISSING and field.default_factory is MISSING)
    ]
