"""From a target to orders, and what became of them: holdings, limits, cost (spec section 6)."""
