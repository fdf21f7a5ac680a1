"""Which pages there are, in the order of the work: look, follow, read up."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from . import about, assess_photo, batch, before_after, compare_photos, follow_up, home, photo_protocol


def sections() -> dict[str, list[StreamlitPage]]:
    """Return the pages by section; a page is a function, so each needs a path of its own.

    No icons: the browser would fetch a page's icon from a stranger, for its tab.
    """
    named = {
        "Measure": [
            st.Page(assess_photo.show, title="Assess a photo", url_path="assess-photo"),
            st.Page(compare_photos.show, title="Rest and expression", url_path="rest-and-expression"),
            st.Page(batch.show, title="Batch", url_path="batch"),
        ],
        "Over time": [
            st.Page(follow_up.show, title="Follow-up", url_path="follow-up"),
            st.Page(before_after.show, title="Before and after", url_path="before-and-after"),
        ],
        "Help": [
            st.Page(photo_protocol.show, title="Photo protocol", url_path="photo-protocol"),
            st.Page(about.show, title="About and limits", url_path="about"),
        ],
    }

    def start() -> None:
        home.show(named)

    return {"": [st.Page(start, title="Start", url_path="start", default=True)], **named}
