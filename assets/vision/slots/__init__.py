"""What happens in a shelf slot, seen by one camera."""
