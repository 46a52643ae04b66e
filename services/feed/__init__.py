"""Replays recorded history onto the bus."""
