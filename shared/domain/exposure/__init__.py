"""What a book would gain or lose: positions, Greeks, scenarios, explained profit (spec 5, 7)."""
