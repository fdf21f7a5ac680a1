"""The landmark model file: only the right one is used, and the face inside it has the shape we build on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from wrinklecv import model
from wrinklecv.errors import ModelError
from wrinklecv.model import MODEL_NAME, MODEL_SHA256, canonical_face, data_folder, model_bytes


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that stands in for the one with the model; the real one is back afterwards."""
    model_bytes.cache_clear()
    monkeypatch.setattr(model, "data_folder", lambda name: tmp_path)
    yield tmp_path
    model_bytes.cache_clear()


def test_one_changed_byte_in_the_model_is_an_error_that_says_what_to_do(elsewhere: Path) -> None:
    content = bytearray((data_folder("models") / MODEL_NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (elsewhere / MODEL_NAME).write_bytes(content)
    with pytest.raises(ModelError, match=r"sha256.*Reinstall") as error:
        model_bytes()
    assert MODEL_SHA256[:12] in str(error.value)


def test_a_truncated_model_is_an_error(elsewhere: Path) -> None:
    (elsewhere / MODEL_NAME).write_bytes((data_folder("models") / MODEL_NAME).read_bytes()[:-1])
    with pytest.raises(ModelError, match="not the expected file"):
        model_bytes()


def test_a_missing_model_is_an_error_that_names_the_path(elsewhere: Path) -> None:
    with pytest.raises(ModelError, match=MODEL_NAME):
        model_bytes()


def test_the_shipped_model_is_the_expected_one() -> None:
    assert len(model_bytes()) > 1_000_000


def test_the_canonical_face_has_468_vertices_and_898_triangles() -> None:
    vertices, triangles = canonical_face()
    assert vertices.shape == (468, 3)
    assert triangles.shape == (898, 3)
    assert set(triangles.ravel()) == set(range(468))


def test_the_canonical_face_cannot_be_written_to() -> None:
    for array in canonical_face():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_canonical_face_is_a_face_in_millimetres_with_the_left_eye_on_the_right() -> None:
    vertices, _ = canonical_face()
    right, left = vertices[33], vertices[263]  # outer corners of the eyes, subject's own sides
    assert right[0] < 0 < left[0]
    assert 80 < left[0] - right[0] < 105  # adults: 90 mm or so between the outer corners
    assert vertices[10, 1] > vertices[1, 1] > vertices[152, 1]  # forehead, nose, chin: y upwards
    assert vertices[:, 2].argmax() in (1, 4, 19)  # the tip of the nose is nearest to the camera


def test_the_canonical_face_is_left_right_symmetric() -> None:
    vertices, _ = canonical_face()
    gap, partner = cKDTree(vertices).query(vertices * (-1, 1, 1))
    assert gap.max() < 0.01
    assert len(set(partner)) == len(vertices)
    assert np.array_equal(partner[partner], np.arange(468))
