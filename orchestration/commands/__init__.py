"""What `python -m orchestration` does."""
