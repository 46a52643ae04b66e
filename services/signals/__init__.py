"""Journal to rolling market signals."""
