"""Photos that are uploaded: how many bytes a session may hold, and when they are let go.

Streamlit holds every upload in memory until its session ends, without a limit of its own.
"""

from __future__ import annotations

from typing import cast

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

MOST_MB = 160
LIMIT = f"Up to 40 MB a photo and {MOST_MB} MB together."
TOO_MUCH = f"More than {MOST_MB} MB of photos at once: those beyond came as empty files. Remove some."
_PAGE = "uploads-page"


class _Fence:
    """Stands before a server's store of uploads and keeps each session within its bytes."""

    def __init__(self, manager: MemoryUploadedFileManager) -> None:
        self._manager = manager
        self._add = manager.add_file
        self._refused: set[str] = set()  # of files

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        """Take a file, or only its name where there is no room: the page is run, and says so."""
        held = sum(len(other.data) for other in self._manager.file_storage.get(session_id, {}).values())
        if held + len(file.data) > MOST_MB * 2**20:
            self._refused.add(file.file_id)
            file = file._replace(data=b"")
        self._add(session_id, file)

    def has_refused(self, session_id: str) -> bool:
        """Whether a file that was refused is still among those of a session."""
        return not self._refused.isdisjoint(self._manager.file_storage.get(session_id, {}))


@st.cache_resource(show_spinner=False)
def _fence() -> _Fence:
    """Put up the fence, once for the server."""
    fence = _Fence(_manager())
    fence._manager.add_file = fence.add_file  # type: ignore[method-assign]
    return fence


def _manager() -> MemoryUploadedFileManager:
    context = get_script_run_ctx()
    assert context is not None  # noqa: S101 - a page is always run by a session
    return cast("MemoryUploadedFileManager", context.uploaded_file_mgr)


def _session() -> str:
    context = get_script_run_ctx()
    assert context is not None  # noqa: S101
    return context.session_id


def begin_page(name: str) -> None:
    """Let uploads go when another page is chosen: its uploaders start empty, and so does memory."""
    fence = _fence()
    if st.session_state.setdefault(_PAGE, name) != name:
        st.session_state[_PAGE] = name
        _manager().remove_session_files(_session())
    if fence.has_refused(_session()):
        st.warning(TOO_MUCH, icon=":material/warning:")
