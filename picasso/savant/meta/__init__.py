"""Objects, attributes and constants."""
