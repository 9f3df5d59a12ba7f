"""FFmpeg's failures in our own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from av.error import ExitError, FFmpegError, InvalidDataError

from picasso.errors import MediaError, UnreadableError

FAILURES = (FFmpegError, OSError, ValueError)
"""What FFmpeg raises, and ``MediaError``."""


@contextmanager
def media_errors(place: str) -> Iterator[None]:
    """Turn what FFmpeg raises into a ``MediaError`` of one sentence that begins with ``place``."""
    try:
        yield
    except FAILURES as error:
        raise media_error(place, error) from None


def media_error(place: str, error: Exception) -> MediaError:
    """Return one of ``FAILURES`` as ``media_errors`` raises it; for those who work once a frame."""
    if isinstance(error, MediaError):
        return error
    kind = UnreadableError if isinstance(error, InvalidDataError) else MediaError
    return kind(f"{place}: {reason(error)}")


def reason(error: Exception) -> str:
    """Say in a few words why FFmpeg or the system refuses."""
    if isinstance(error, ExitError):
        return "no answer in time"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(words.split())
