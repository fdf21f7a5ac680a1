"""The app's front door: which pages there are. Start it with `wrinklecv app` or `make app`."""

from __future__ import annotations


def main() -> None:
    """Route to the pages. Imports wait until here: worker processes read this file too, and need none."""
    import streamlit as st

    from wrinklecv.ui import assess_photo, compare_photos, follow_up, parts

    # No page_icon: an icon by name would be fetched from a stranger.
    st.set_page_config(page_title="wrinklecv", layout="wide")
    pages = [
        st.Page(assess_photo.show, title="Assess a photo", url_path="assess-photo", default=True),
        st.Page(compare_photos.show, title="Rest and expression", url_path="rest-and-expression"),
        st.Page(follow_up.show, title="Follow-up", url_path="follow-up"),
    ]
    parts.run(st.navigation(pages, position="top"))


if __name__ == "__main__":
    main()
