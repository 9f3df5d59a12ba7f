"""What a file or stream holds, without reading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from picasso.media.reader import VideoReader

if TYPE_CHECKING:
    from picasso.media.info import MediaInfo
    from picasso.media.location import Location, Trust
    from picasso.media.stopping import StopSignal


def probe(
    location: Location,
    *,
    timeout_s: float | None = 10.0,
    options: Mapping[str, str] | None = None,
    trust: Trust = "origin",
    stop: StopSignal | None = None,
) -> MediaInfo:
    """Say what a file or stream holds; its first frame is decoded, so that the answer is not the header's alone.

    Args:
        location: As for ``VideoReader``.
        timeout_s: Seconds that a server, pipe or device may take to answer; None waits for as long as it takes.
        options: As for ``VideoReader``.
        trust: As for ``VideoReader``.
        stop: Ends it from another thread.

    Raises:
        MediaError: It cannot be opened, or holds no picture.
    """
    with VideoReader(location, timeout_s=timeout_s, options=options, trust=trust, stop=stop) as reader:
        return reader.info
