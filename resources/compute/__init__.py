"""Worker processes for work that needs many cores."""
