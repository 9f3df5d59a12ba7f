"""FFmpeg's failures and addresses in our own words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from av.error import ExitError, FFmpegError

from picasso.errors import MediaError

_USER_INFO = re.compile(r"(?<=://)[^/?#]*@")

Location = str | os.PathLike[str]
"""A file, or a URL that FFmpeg reads."""


def shown(location: Location) -> str:
    """Return a location as it may appear in messages: without user name and password."""
    return _USER_INFO.sub("", os.fspath(location))


def is_url(location: Location) -> bool:
    """Tell a URL from a path."""
    return isinstance(location, str) and "://" in location


def stem(location: Location) -> str:
    """Return a short name for a location: a file's name without its suffix, a URL without password."""
    return shown(location) if is_url(location) else Path(location).stem


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
    return error if isinstance(error, MediaError) else MediaError(f"{place}: {reason(error)}")


def reason(error: Exception) -> str:
    """Say in a few words why FFmpeg or the system refuses."""
    if isinstance(error, ExitError):
        return "no answer in time"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(words.split())
