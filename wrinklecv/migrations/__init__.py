"""How the store's tables came to be, step by step; each step is history and is never changed."""
