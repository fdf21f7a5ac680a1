"""The app's front door: which pages there are. Start it with `wrinklecv app` or `make app`."""

from __future__ import annotations

import streamlit as st

from wrinklecv.ui import assess_photo, compare_photos, parts

# No page_icon: an icon by name would be fetched from a stranger.
st.set_page_config(page_title="wrinklecv", layout="wide")
parts.run(
    st.navigation(
        [
            st.Page(assess_photo.show, title="Assess a photo", url_path="assess-photo", default=True),
            st.Page(compare_photos.show, title="Rest and expression", url_path="rest-and-expression"),
        ],
        position="top",
    )
)
