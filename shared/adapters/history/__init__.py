"""Recorded history: readers for the files people have, and how it becomes a replay."""
