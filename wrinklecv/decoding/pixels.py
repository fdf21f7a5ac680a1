"""Pixels by Pillow, as arrays: what PNG, WebP and HEIC share."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from .header import Header, corrupt


def decode_by_pillow(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    """Return the pixels that Pillow finds in `data`; see `decoding.decode`."""
    try:
        with Image.open(io.BytesIO(data), formats=(header.kind.name,)) as image:
            image.load()
            return as_array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise corrupt(header.kind, str(error)) from error


def as_array(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return a decoded Pillow image as an array; see `decoding.decode`."""
    if image.mode.startswith("I;16"):  # Pillow's own conversion to 8 bits clips instead of scaling
        return (np.asarray(image) >> 8).astype(np.uint8)
    if "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    return np.asarray(image)
