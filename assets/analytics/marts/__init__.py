"""The marts: dbt builds and judges them, the analysts' file is swapped in."""
