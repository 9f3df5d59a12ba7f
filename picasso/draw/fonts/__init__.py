"""The font that ships with the package, and how families are found."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

from picasso.errors import require

_log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_name("DejaVuSans.ttf")
SHIPPED_FAMILIES = ("sans-serif", "dejavu sans")
"""Families, in small letters, that are always the shipped font, so that labels look the same on every machine."""


def skia_module() -> ModuleType:
    """Import Skia.

    Raises:
        MissingDependencyError: It does not load; the message names the system packages that it needs.
    """
    hint = "Skia needs libGL.so.1 and libEGL.so.1 of the system: apt-get install libgl1 libegl1"
    return require("skia", hint=hint)


@functools.lru_cache(maxsize=64)
def typeface(family: str) -> Any:
    """Return the Skia typeface of ``family``; of one that the system does not know, the shipped font and a warning."""
    skia = skia_module()
    if family.lower() not in SHIPPED_FAMILIES:
        found = skia.FontMgr().matchFamilyStyle(family, skia.FontStyle())
        if found is not None:
            return found
        _log.warning("font family %r is not installed; labels are drawn in DejaVu Sans", family)
    return skia.Typeface.MakeFromFile(str(SHIPPED))
