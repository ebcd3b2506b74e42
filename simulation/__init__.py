"""Store simulator: renders footage of an invented store and writes the landing files with exact truth.

Everything it writes is labelled `is_simulated`. Rendering needs the `simulation` extra; history and
landing do not.
"""
