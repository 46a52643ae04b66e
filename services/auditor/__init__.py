"""Holds the gateway's record against what the journal says it should be, and stops trading."""
