"""Cost-optimal bands of a delta hedge: how far it may drift before it is adjusted (spec 11)."""
