"""Signals to rebalance orders."""
