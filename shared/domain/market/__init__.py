"""What the market's state is: prints in, signals out (spec section 1)."""
