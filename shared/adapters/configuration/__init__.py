"""The parts of `shared.adapters.settings`: a TOML file becomes frozen policies, or every fault."""
