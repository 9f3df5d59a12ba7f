"""What the kernels of pictures do for a thread: how they read the source, and how they write the target."""
