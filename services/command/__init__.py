"""The parts of the `hedgestat` command; like `services.__main__`, it may know every service."""
