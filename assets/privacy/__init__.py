"""Whose data there is, when it dies, and the proof that it did."""
