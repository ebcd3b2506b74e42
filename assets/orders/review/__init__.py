"""What a person decides about visits and events that nobody may bill by guess."""
