"""The transform of a frame: formats, the job table that describes it, and the kernel that reads the table."""
