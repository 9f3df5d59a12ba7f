"""A module: a YAML file that names sources, steps and sinks, and runs."""
