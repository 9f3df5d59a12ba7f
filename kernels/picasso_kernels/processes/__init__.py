"""Kernels are compiled by other processes: who waits, who compiles, and how they talk."""
