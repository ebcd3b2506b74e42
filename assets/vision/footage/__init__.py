"""Which clips there are, and which of them can be used."""
