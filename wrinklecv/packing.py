"""Pictures packed until they are looked at: a session keeps those of several photos, and there are many."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
import simplejpeg

Key = TypeVar("Key")
Value = TypeVar("Value")

_QUALITY = 95
"""Of pictures for the eye: a tenth of the bytes, and off by less than a person sees."""

_SMALL_BYTES = 10_000


class Packed(Mapping[Key, Value], Generic[Key, Value]):
    """What it was given, each value packed until it is asked for: its pictures, (H, W, 3) uint8, are JPEGs.

    The values are records, and tuples of them.
    """

    def __init__(self, values: Mapping[Key, Value]) -> None:
        self._packed = {key: _changed(value, _pack) for key, value in values.items()}

    def __getitem__(self, key: Key) -> Value:
        value: Value = _changed(self._packed[key], _unpack)
        return value

    def __iter__(self) -> Iterator[Key]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


@dataclass(frozen=True, slots=True)
class _Jpeg:
    content: bytes

    def unpack(self) -> Any:
        return simplejpeg.decode_jpeg(self.content)


@dataclass(frozen=True, slots=True)
class _Deflated:
    content: bytes
    dtype: str
    shape: tuple[int, ...]

    def unpack(self) -> Any:
        return np.frombuffer(zlib.decompress(self.content), self.dtype).reshape(self.shape)


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return `value` with all that lies in its records and tuples changed."""
    if isinstance(value, tuple):
        return tuple(_changed(item, change) for item in value)
    if is_dataclass(value) and not isinstance(value, _Jpeg | _Deflated):
        record: Any = value
        return replace(record, **{f.name: _changed(getattr(record, f.name), change) for f in fields(record)})
    return change(value)


def _pack(value: Any) -> Any:
    if not isinstance(value, np.ndarray) or value.nbytes < _SMALL_BYTES:
        return value
    whole = np.ascontiguousarray(value)
    if value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        return _Jpeg(simplejpeg.encode_jpeg(whole, quality=_QUALITY))
    return _Deflated(zlib.compress(whole.tobytes(), 1), value.dtype.str, value.shape)


def _unpack(value: Any) -> Any:
    return value.unpack() if isinstance(value, _Jpeg | _Deflated) else value
