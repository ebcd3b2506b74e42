"""What goes into a table and comes out of it."""
