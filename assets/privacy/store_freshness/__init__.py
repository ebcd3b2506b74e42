"""When each store was last heard of, and which of its days are computed, against its opening hours."""
