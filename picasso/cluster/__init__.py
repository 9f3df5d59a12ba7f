"""The same work on many machines, by Ray: scheduling, transport and the detection of failures are Ray's own."""

from __future__ import annotations

import importlib
from typing import Any

from picasso.cluster.door import RaySession, load_ray

_LATE: dict[str, str] = {}
"""Names that need more than NumPy and msgspec, by the file that has them; imported when they are asked for."""
_ray = load_ray
"""The one door to Ray."""

__all__ = ["RaySession", "load_ray"]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(f"picasso.cluster.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
