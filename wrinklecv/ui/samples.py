"""The drawn sample subjects, taken into the store with one click."""

from __future__ import annotations

import streamlit as st

from wrinklecv.intake import Imported, import_folder
from wrinklecv.model import data_folder

from . import parts
from .follow_store import opened
from .measuring import workers

_IMPORTING = "samples-importing"


def is_importing() -> bool:
    """Whether an import was begun that a second click ended midway: the next run goes on with it."""
    return bool(st.session_state.get(_IMPORTING))


def offer_samples() -> bool:
    """Offer the drawn subjects; return True when they have just been taken in."""
    st.markdown(
        "Two drawn faces, no persons: subject 001 with three visits over 90 days around a pretended "
        "treatment, subject 002 with one."
    )
    if st.button("Import the sample subjects", icon=":material/download:", disabled=not parts.samples()):
        st.session_state[_IMPORTING] = True
    if not is_importing():
        return False
    _import()
    del st.session_state[_IMPORTING]
    return True


def _import() -> None:
    """Take in the sample photos and their pretended treatment; what is there already stays."""
    bar, pool = st.progress(0.0, "Importing …"), workers()

    def tell(one: Imported, done: int, total: int) -> None:
        bar.progress(done / total, f"Measured {done} of {total} drawn photos …")

    with opened() as store:
        import_folder(store, data_folder("sample_images"), jobs=pool, progress=tell)
    bar.empty()
