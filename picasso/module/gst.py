"""What existing modules take from GStreamer: types of signatures, and the units of its clock. There is no GStreamer."""

from __future__ import annotations

from typing import Any

from picasso.module.elements import Batch, StreamEvent


class _NoGStreamer(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):  # what Python itself asks for
            raise AttributeError(name)
        raise AttributeError(f"Gst.{name} belongs to GStreamer, which picasso runs without; there are Buffer and Event")


class Gst(metaclass=_NoGStreamer):
    """``Gst.Buffer`` and ``Gst.Event`` of signatures: a batch of frames, and something that happened to a source."""

    Buffer = Batch
    Event = StreamEvent
    NSECOND = 1
    """Nanoseconds, as all times here."""
    USECOND = 1_000
    MSECOND = 1_000_000
    SECOND = 1_000_000_000
    CLOCK_TIME_NONE = 2**64 - 1


def require_version(namespace: str, version: str) -> None:
    """Take notice of the ``version`` of ``namespace`` that a module asks for; there is one."""
