"""What every Dagster step of a table is made of: declaration, partitions, write path, metadata."""
