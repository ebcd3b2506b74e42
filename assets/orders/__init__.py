"""Orders: reference data, gate scans, visits, baskets, orders and their review."""
