"""Who pays what, what a person must judge first, and orders from before the platform."""
