"""What an option is worth now: quotes, forwards, smiles, and how good each mark is (spec 5)."""
