"""What can be traded: contracts, their names and multipliers, when they expire (spec 5)."""
