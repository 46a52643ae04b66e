"""Names and shapes that two processes agree on: topics, Redis keys, messages, codec."""
