"""What happens to a table between writes: expired hours go, logs are cut, contracts change."""
