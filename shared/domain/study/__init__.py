"""History through the live stages' own steps: what a rule would have done, and what it cost."""
