"""The page *About and limits*: versions, formulas, accuracy, what it cannot tell, where data lie."""

from __future__ import annotations

import dataclasses
import platform
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import streamlit as st

from wrinklecv import DISCLAIMER, __version__
from wrinklecv.model import MODEL_NAME, MODEL_SHA256
from wrinklecv.records import MEASURE_VERSION
from wrinklecv.remote import redacted
from wrinklecv.settings import DEFAULTS

from .batch_jobs import jobs_folder
from .follow_store import place
from .texts import chapters, tables

CANNOT_TELL = (
    "How deep a line is: a photo shows how dark it is. “Contrast” is not millimetres.",
    "What changed on the skin, when light, pose, distance, make-up or effort changed too.",
    "A strand of hair on the forehead from a fine line, always: hold the hair back.",
    "Lengths beside the eyes in a photo from nearby: it takes 1.5 m for granted (at 0.5 m they read 5 % "
    "short).",
    "Age, health, or what to do about a line.",
    "Anything in a photo that a filter has smoothed.",
)
"""As in the README; a test holds the two together."""
_LIBRARIES = (
    "mediapipe",
    "opencv-python-headless",
    "numpy",
    "scipy",
    "pillow",
    "pi-heif",
    "simplejpeg",
    "pebble",
    "streamlit",
    "altair",
    "sqlalchemy",
    "alembic",
    "typer",
)


def show() -> None:
    """Show the page."""
    st.title("About and limits")
    st.markdown("Documents visible lines in photographs.")
    st.info(DISCLAIMER, icon=":material/info:")
    st.subheader("What it cannot tell", anchor=False)
    st.markdown("\n".join(f"- {words}" for words in CANNOT_TELL))
    _show_accuracy()
    st.subheader("How numbers come about", anchor=False)
    for title, text in chapters("measurement.md").items():
        with st.expander(title or "In short", icon=":material/functions:"):
            st.markdown(text)
    _show_settings()
    _show_data()
    _show_versions()


def _show_accuracy() -> None:
    st.subheader("How accurate it is", anchor=False)
    told = chapters("accuracy.md")
    if not told:
        st.markdown("The record of accuracy is not part of this installation: see docs/accuracy.md.")
        return
    st.caption(
        "From the record that the project’s own benchmarks write, misses included. Drawn faces share their "
        "surface with the measuring code; real photos are those that the method was tuned on."
    )
    first = tables(told.get("On drawn faces whose truth is known", ""))
    if "Drawn truth: all regions" in first:
        st.markdown("**On drawn faces whose truth is known, all regions**")
        st.markdown(first["Drawn truth: all regions"])
    for title, text in told.items():
        if title and text and title != "Pictures":
            with st.expander(title, icon=":material/query_stats:"):
                st.markdown(text)


def _show_settings() -> None:
    with st.expander("Settings that change a number", icon=":material/tune:"):
        values = dataclasses.asdict(DEFAULTS)
        st.dataframe(
            {"Setting": list(values), "Value": [str(value) for value in values.values()]},
            hide_index=True,
            alt="All settings with their values",
        )
        st.caption(
            "The app measures with these, always. The command line takes others (`--settings`); results "
            "of different settings are never compared."
        )


def _show_data() -> None:
    st.subheader("Where the data lie", anchor=False)
    where = place()
    st.markdown("Subjects, visits, treatments and photos:")
    st.code(str(where.absolute()) if isinstance(where, Path) else redacted(where), language=None)
    st.markdown("Results of the page *Batch*:")
    st.code(str(jobs_folder().absolute()), language=None)
    st.markdown(
        "Nowhere else. A photo that you look at on *Assess a photo* or *Rest and expression* stays in memory "
        "until the page or the tab is closed, the last one until another is measured. Nothing is sent "
        "anywhere: the app answers to this machine only and asks nobody. Photos show faces, and a crop of a "
        "face can be recognised too: keep the "
        "folder on an encrypted disk, and back it up. `wrinklecv purge` deletes a subject of the first place "
        "for good; what a batch gave is deleted on its page."
    )


def _show_versions() -> None:
    st.subheader("Versions and licences", anchor=False)
    told = {
        "wrinklecv": f"{__version__}, Apache-2.0",
        "Measurement": f"version {MEASURE_VERSION}: only results of one version are compared",
        "Settings": f"digest {DEFAULTS.digest}",
        "Landmark model": f"{MODEL_NAME}, Google, Apache-2.0, sha256 {MODEL_SHA256}",
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
    }
    st.dataframe(
        {"What": list(told), "Version": list(told.values())}, hide_index=True, alt="Versions of wrinklecv"
    )
    with st.expander("Libraries", icon=":material/widgets:"):
        rows = [row for name in _LIBRARIES if (row := _library(name))]
        st.dataframe(rows, hide_index=True, alt="Libraries with version and licence")
    st.caption("The sample images and examples are drawn by the program: CC0 1.0.")


def _library(name: str) -> dict[str, str] | None:
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    tree = told.json
    named = [c.rpartition(" :: ")[2] for c in tree.get("classifier", ()) if c.startswith("License")]
    whole = str(tree.get("license_expression") or ", ".join(named) or tree.get("license", ""))
    licence = whole.strip().partition("\n")[0][:60]
    return {"Library": name, "Version": told["Version"], "Licence": licence}
