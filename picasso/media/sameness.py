"""Whether two names lead to one file: what is written must not be what is read."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from picasso.media.location import Place


def is_same(one: Place, other: Place) -> bool:
    """Whether two names lead to one file, by device and inode, or by path where there is none yet."""
    status, other_status = _status(one), _status(other)
    if status is None or other_status is None:
        return None not in {one.path, other.path} and real_path(one.path) == real_path(other.path)
    is_device = stat.S_ISCHR(status.st_mode) and not os.path.samestat(status, os.stat(os.devnull))
    return os.path.samestat(status, other_status) and (is_device or not stat.S_ISCHR(status.st_mode))


def _status(place: Place) -> os.stat_result | None:
    try:
        if place.descriptor is not None:
            return os.fstat(place.descriptor)
        return None if place.path is None else place.path.stat()
    except (OSError, ValueError):
        return None


def real_path(path: Path | None) -> str:
    """Return a path without links; nothing for None."""
    return "" if path is None else os.path.realpath(path)
