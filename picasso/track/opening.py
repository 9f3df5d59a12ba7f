"""Trackers by name."""

from __future__ import annotations

from typing import Any, Final

from picasso.errors import SpecError
from picasso.track.iou import IouTracker
from picasso.track.library import CLASSES, LibraryTracker
from picasso.track.protocol import Tracker

IOU: Final = "iou"
TRACKERS: Final = (IOU, *CLASSES)
"""Names of trackers; all but the first need the library ``trackers``."""


def open_tracker(name: str = IOU, **options: Any) -> Tracker:
    """Make the tracker of one source.

    Args:
        name: One of ``TRACKERS``.
        options: Its parameters: those of ``IouTracker``, or of the library's class.

    Raises:
        SpecError: There is none of that name, or it has no such parameter.
        MissingDependencyError: Its library is not there; the message says what to install.
    """
    if name not in TRACKERS:
        raise SpecError(f"tracker {name!r}: expected one of {', '.join(TRACKERS)}")
    if name in CLASSES:
        return LibraryTracker(name, **options)
    try:
        return IouTracker(**options)
    except TypeError as error:
        raise SpecError(f"tracker {name}: {error}; it has min_iou, max_lost_s, min_confidence, min_hits") from error
