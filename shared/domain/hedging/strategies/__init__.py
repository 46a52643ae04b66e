"""Strategies that act on measured exposure: delta, gamma scalping, vega (spec 4)."""
