"""Files by key, on disk or in a bucket."""
