"""Where the benches find photos: the development photos, or any folder."""

from __future__ import annotations

from pathlib import Path

from wrinklecv.walking import IMAGE_SUFFIXES

DATA = Path(__file__).parents[2] / "shared" / "data"
"""The development photos; no part of the project, so every bench must do without."""


def photos_in(folder: Path) -> list[Path]:
    """List the photos in `folder` and below, without pictures of drawn lines; empty where there is none."""
    every = folder.rglob("*") if folder.is_dir() else ()
    return sorted(
        path
        for path in every
        if path.suffix.lower() in IMAGE_SUFFIXES and "lines" not in path.relative_to(folder).parts[:-1]
    )
