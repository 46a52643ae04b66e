"""The only importers of client libraries, files, clocks and the environment."""
