"""Accounts as they land."""
