"""The landmark model file: where it is, that it is the right one, and the canonical face inside it."""

from __future__ import annotations

import functools
import hashlib
import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .errors import ModelError
from .records import Float

MODEL_NAME = "face_landmarker.task"
MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
_GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"
_VERTEX_FLOATS = 5  # x, y, z in cm and two texture coordinates


def data_folder(name: str) -> Path:
    """Return the folder `name` that ships along: inside the wheel, else at the repository's top."""
    inside = Path(__file__).parent / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name


@functools.cache
def model_bytes() -> bytes:
    """Read the landmark model and check its hash.

    Raises ModelError when the file is missing or is not the one this version was built for.
    """
    path = data_folder("models") / MODEL_NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The landmark model {path} cannot be read ({error.strerror}). Reinstall wrinklecv."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != MODEL_SHA256:
        raise ModelError(
            f"The landmark model {path} is not the expected file: its sha256 is {found[:12]}…, "
            f"wanted {MODEL_SHA256[:12]}…. Reinstall wrinklecv; a damaged model gives wrong numbers."
        )
    return content


def bundled_file(name: str) -> bytes:
    """Return the file `name` (a detector, the geometry) from inside the model bundle."""
    with zipfile.ZipFile(io.BytesIO(model_bytes())) as bundle:
        return bundle.read(name)


@functools.cache
def canonical_face() -> tuple[Float, Float]:
    """Return the canonical face: vertices (468, 3) in mm and triangles (898, 3).

    x grows to the *subject's left* (to the right of the picture), y upwards, z towards the camera.
    Source: the bundle's geometry metadata, a protocol buffer (`face_geometry.Mesh3d`): field 3
    holds x, y, z (cm), u, v per vertex, field 4 the triangle indices.
    """
    mesh = next(value for number, value in _fields(bundled_file(_GEOMETRY)) if number == 1)
    assert isinstance(mesh, bytes)  # noqa: S101 - the file's hash was checked
    parts = list(_fields(mesh))
    numbers = [struct.unpack("<f", value)[0] for n, value in parts if n == 3 and isinstance(value, bytes)]
    vertices = np.array(numbers).reshape(-1, _VERTEX_FLOATS)[:, :3] * 10.0  # cm → mm
    triangles = np.array([value for n, value in parts if n == 4], dtype=np.int64).reshape(-1, 3)
    vertices.flags.writeable = triangles.flags.writeable = False
    return vertices, triangles


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Walk a protocol buffer: yield (field number, integer or raw bytes)."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        value: int | bytes
        if wire == 0:
            value, at = _varint(message, at)
        else:
            size = 4 if wire == 5 else 0
            if wire == 2:
                size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
        yield number, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Read a base-128 integer at `at`; return it and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
