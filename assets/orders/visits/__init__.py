"""Gate scans, and which trajectories belong to whom."""
