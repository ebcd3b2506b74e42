"""One holder at a time per table."""
