"""What an operator would check by hand before trusting a deployment, and what to do about it."""
