"""Building metadata."""
