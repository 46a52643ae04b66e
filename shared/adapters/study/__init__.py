"""What a study reads and writes: its plan, and its results."""
