"""What a person reads at the end of a run: what the days came to, and what came of every check."""
