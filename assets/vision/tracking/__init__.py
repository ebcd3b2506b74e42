"""One camera's tracks, in pixels."""
