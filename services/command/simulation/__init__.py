"""Deterministic simulation: the real services on a virtual clock, with faults drawn from a seed."""
