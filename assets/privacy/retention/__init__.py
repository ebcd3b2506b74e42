"""What dies when, the sweep that removes it, and its ledger."""
