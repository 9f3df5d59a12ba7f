"""The configuration as objects."""
