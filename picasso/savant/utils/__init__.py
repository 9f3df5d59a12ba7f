"""Drawing, pixels and logging."""
