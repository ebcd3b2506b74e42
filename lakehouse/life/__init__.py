"""How long rows live: what expires when, which days are sealed, which keys must not come back."""
