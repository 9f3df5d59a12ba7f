"""The door to Skia, which may be unable to load: its wheel takes libGL and libEGL from the system."""

from __future__ import annotations

from types import ModuleType

from picasso.errors import require

FIX = "apt-get install libgl1 libegl1"
"""What brings the libraries of the system on Debian and its descendants."""


def skia_module() -> ModuleType:
    """Import Skia.

    Raises:
        MissingDependencyError: It does not load; the message names the system packages that it needs.
    """
    return require("skia", hint=f"Skia needs libGL.so.1 and libEGL.so.1 of the system: {FIX}")
