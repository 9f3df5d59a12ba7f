"""``python -m picasso`` is the ``picasso`` command."""

from __future__ import annotations

from picasso.cli import main

if __name__ == "__main__":
    main()
