"""Whether the hedge was worth it (spec section 7)."""
