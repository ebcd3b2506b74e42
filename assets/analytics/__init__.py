"""What analysts see: marts on DuckDB without personal data."""
