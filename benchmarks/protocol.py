"""Draw the examples of the page *Photo protocol*: `python -m benchmarks.protocol`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wrinklecv.phantom import Person, Shot, disturbed, draw_phantom, sample_person
from wrinklecv.records import Expression

_FOLDER = Path(__file__).parents[1] / "wrinklecv" / "ui" / "examples"
_SEED = 5
_SHOT = Shot(width_px=1600, height_px=2000, px_per_mm=8.2, jpeg_quality=80)
_SMALL = replace(_SHOT, width_px=800, height_px=1000, px_per_mm=4.1)


def draw_examples(folder: Path = _FOLDER) -> list[Path]:
    """Draw every example into `folder`; return the files."""
    written = []
    for name, (person, shot) in _cases().items():
        phantom = draw_phantom(person, shot, seed=_SEED)
        assert phantom.jpeg is not None
        written.append(folder / f"{name}.jpg")
        written[-1].write_bytes(phantom.jpeg)
    return written


def _cases() -> dict[str, tuple[Person, Shot]]:
    """Return who is drawn in each example, and how."""
    person = sample_person("sub-001")
    shown = (Expression.REST, Expression.BROW_RAISE, Expression.FROWN, Expression.SMILE)
    aside = replace(_SMALL, light_azimuth_deg=-85.0, light_elevation_deg=10.0, ambient_share=0.08)
    return {
        **{str(e): (person, replace(_SHOT, expression=e)) for e in shown},
        "turned": (person, replace(_SMALL, yaw_deg=25.0)),
        "chin_up": (person, replace(_SMALL, pitch_deg=22.0)),
        "side_light": (person, aside),
        "hair": disturbed("hair: fringe", person, _SMALL),
        "glasses": disturbed("glasses: dark plastic", person, _SMALL),
        "shine": disturbed("shine", person, _SMALL),
        "blurred": (person, replace(_SMALL, blur_px=4.0)),
        "far": (person, replace(_SMALL, px_per_mm=1.4)),
    }


if __name__ == "__main__":
    for path in draw_examples():
        print(path)
