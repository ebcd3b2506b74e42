"""What happened at the shelves, and who did it."""
