"""Where people are in a picture, and what they look like."""
