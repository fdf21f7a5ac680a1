"""The project's own documents, for the page that shows them: they are read, never written again by hand."""

from __future__ import annotations

import re

from wrinklecv.model import data_folder

_PICTURE = re.compile(r"^!\[.*?\]\(.*?\)\n(\n\*.*\*\n)?", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def chapters(name: str) -> dict[str, str]:
    """Return the chapters of `docs/NAME` by title, in order, without pictures and links; empty if it is gone.

    What stands before the first chapter has the title "".
    """
    path = data_folder("docs") / name
    if not path.is_file():
        return {}
    text = _LINK.sub(r"\1", _PICTURE.sub("", path.read_text("utf-8")))
    found = {}
    for part in re.split(r"^## ", "\n" + text, flags=re.MULTILINE):
        title, _, body = part.partition("\n")
        if body.strip():
            found[title.strip()] = body.strip()
    return found


def tables(chapter: str) -> dict[str, str]:
    """Return the parts of a chapter below their own titles (### …)."""
    parts = re.split(r"^### ", chapter, flags=re.MULTILINE)[1:]
    return {title.strip(): body.strip() for title, _, body in (part.partition("\n") for part in parts)}
