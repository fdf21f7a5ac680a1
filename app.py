"""The app's front door: which pages there are. Start it with `wrinklecv app` or `make app`."""

from __future__ import annotations


def main() -> None:
    """Route to the pages. Imports wait until here: worker processes read this file too, and need none."""
    import streamlit as st

    from wrinklecv.ui import pages, parts

    # No page_icon: an icon by name would be fetched from a stranger.
    st.set_page_config(page_title="wrinklecv", layout="wide")
    parts.run(st.navigation(pages.sections(), position="top"))


if __name__ == "__main__":
    main()
