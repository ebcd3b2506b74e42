"""What `make bench` runs: our chain and its peers in one run, on one machine."""
