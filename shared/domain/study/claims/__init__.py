"""The papers' own figures, held against a history: claimed, measured, how sure, and a verdict."""
