"""What models and their converters derive from."""
