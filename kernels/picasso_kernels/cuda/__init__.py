"""The kernels on a GPU: what they read and write, how they are compiled, and the driver that launches them."""
