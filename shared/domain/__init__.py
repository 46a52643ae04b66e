"""Every decision of hedgestat, pure: no IO, no clock, no randomness."""
