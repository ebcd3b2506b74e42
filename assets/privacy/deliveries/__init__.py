"""Deliveries that were refused, or that wait for what does not come."""
