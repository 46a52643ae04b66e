"""Bus and store within one process: what the simulation runs on, and what tests believe."""
