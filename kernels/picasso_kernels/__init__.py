"""The pixel arithmetic, and the compilers that run it."""
