"""Machine code for the host: which kernels the host calls, how they are compiled, and their vector forms."""
