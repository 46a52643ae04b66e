"""The gateway's own controls: what it takes, whatever the hedger checked (promises B1 to B7)."""
