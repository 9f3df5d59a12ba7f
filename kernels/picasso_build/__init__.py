"""Makes machine code of the kernels, for a level of processors and not for this one. Not part of what is installed."""
