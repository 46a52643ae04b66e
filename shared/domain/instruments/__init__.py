"""What can be traded: contracts, their names, multipliers, and when they expire (spec section 5)."""
