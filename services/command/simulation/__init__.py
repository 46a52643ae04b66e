"""Deterministic simulation: the real services on a virtual clock, between faults drawn by a seed."""
