"""From market state to a price and its Greeks, and from a price to implied volatility (spec 5)."""
