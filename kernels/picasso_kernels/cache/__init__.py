"""Where machine code is kept on disk, and under which key."""
