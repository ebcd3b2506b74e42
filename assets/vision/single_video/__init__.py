"""The measures on one video, without a store."""
