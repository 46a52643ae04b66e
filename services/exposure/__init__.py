"""Journal to the Greeks of every book."""
