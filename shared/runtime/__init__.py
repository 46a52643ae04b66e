"""What every process does the same way: run a stage, drain, report health and metrics."""
