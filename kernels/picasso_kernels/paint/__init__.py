"""Drawings: the display list, how it is composed from boxes and texts, and the kernels that paint it."""
