"""What pyfuncs and drawers of a pipeline import."""
