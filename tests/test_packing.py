"""Pictures are small while nobody looks at them, and come out as the eye saw them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wrinklecv.assessment import assess
from wrinklecv.draw import Cut, cut_out
from wrinklecv.packing import Packed
from wrinklecv.photo import read_photo

SAMPLES = sorted((Path(__file__).parent.parent / "sample_images").glob("*rest*.jpg"))


@pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")
def test_cuts_of_a_photo_come_out_as_they_were_for_the_eye_and_take_a_fifth() -> None:
    photo = read_photo(SAMPLES[0])
    whole, tiles = cut_out(photo, assess(photo))
    packed: Packed[Any, Cut] = Packed({None: whole, **dict(tiles.items())})
    assert list(packed) == [None, *tiles]
    assert len(packed) == 5
    held = sum(len(cut.pixels.content) for cut in packed._packed.values())
    assert held < sum(cut.pixels.nbytes for cut in (whole, *tiles.values())) / 5
    for place, cut in ((None, whole), *tiles.items()):
        out = packed[place]
        assert out.from_photo.tobytes() == cut.from_photo.tobytes()
        assert [o.tobytes() for o in out.outlines] == [o.tobytes() for o in cut.outlines]
        off = np.abs(out.pixels.astype(int) - cut.pixels)
        assert out.pixels.shape == cut.pixels.shape
        assert off.mean() < 1.5
        assert np.quantile(off, 0.99) < 8


def test_what_is_no_picture_comes_out_bit_for_bit() -> None:
    maps: tuple[Any, ...] = (
        np.linspace(0, 1, 90_000).reshape(300, 300),
        np.eye(300, dtype=bool),
        np.eye(300, dtype=np.float16),
    )
    small = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    out: Packed[str, Any] = Packed({"a": (maps, "text", None), "b": Cut(small, small, (maps[0],))})
    for one, came in zip(maps, out["a"][0], strict=True):
        assert (came.dtype, came.shape, came.tobytes()) == (one.dtype, one.shape, one.tobytes())
    assert out["a"][1:] == ("text", None)
    assert out["b"].pixels is small
    assert np.array_equal(out["b"].outlines[0], maps[0])
    with pytest.raises(KeyError):
        out["c"]
