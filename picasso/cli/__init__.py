"""The ``picasso`` command: ``demo``, ``encode``, ``probe``, ``doctor`` and ``warm-up``."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad arguments, 130 interrupted, 143 stopped by SIGTERM."""
    from picasso.cli.app import app

    app(prog_name="picasso")
