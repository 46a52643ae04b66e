"""What to hold and when to change it: rules, sizing, triggers, the book (spec sections 2 and 3)."""
