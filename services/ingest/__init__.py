"""MQTT to journal: validate, dedupe, filter, append."""
