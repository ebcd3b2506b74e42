"""One trajectory a person, over all cameras, in metres."""
