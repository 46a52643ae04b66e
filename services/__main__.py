"""The `hedgestat` command."""
