"""Runs, their processes and Dagster's record of them: how a run starts, queues, waits, ends and is found dead."""
