"""Frames as pyfuncs see them."""
