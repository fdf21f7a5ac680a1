"""The app's pages, one module each; what they share is in `parts`. Only here is Streamlit known."""
