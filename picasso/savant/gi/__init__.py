"""``gi`` for modules that import it and need nothing of GStreamer."""

from __future__ import annotations


def require_version(namespace: str, version: str) -> None:
    """Take notice of the ``version`` of ``namespace`` that a module asks for: there is one."""
