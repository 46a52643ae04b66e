"""One folder a process; `services.__main__` is the `hedgestat` command."""
