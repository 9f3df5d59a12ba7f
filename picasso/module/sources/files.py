"""Which files a URI names, and which of them are pictures that belong together."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from picasso.errors import MediaError

if TYPE_CHECKING:
    from picasso.media.location import Place

IMAGE_SUFFIXES: Final = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"))
"""Names of files that are one picture each."""
VIDEO_SUFFIXES: Final = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".flv", ".mpg", ".mpeg", ".vob"),
        *(".wmv", ".asf", ".3gp", ".ogv", ".mxf", ".ivf", ".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg"),
        *(".y4m", ".gif"),
    )
)
"""Names of files that a folder is searched for, besides pictures."""


def is_pattern(uri: str) -> bool:
    """Whether a URI is a pattern of names, such as ``clips/*.mp4``."""
    return "://" not in uri and any(letter in uri for letter in "*?[") and not os.path.lexists(uri)


def is_image(file: str) -> bool:
    """Whether a file is one picture, by its name."""
    return Path(file).suffix.lower() in IMAGE_SUFFIXES


def files_of(uri: str) -> list[str]:
    """Return the files that a path, folder or pattern names; those of folders and patterns by name.

    Raises:
        MediaError: A folder or pattern has no file that can be read.
    """
    path = Path(uri)
    if path.is_dir():
        known = VIDEO_SUFFIXES | IMAGE_SUFFIXES
        found = sorted(str(file) for file in path.iterdir() if file.is_file() and file.suffix.lower() in known)
    elif is_pattern(uri):
        found = sorted(file for file in glob.glob(uri, recursive=True) if os.path.isfile(file))
    else:
        return [uri]
    if not found:
        raise MediaError(f"{uri}: no video or image file is there")
    return found


def name_of(uri: str, place: Place | None) -> str:
    """Return the name of a source that has none: that of its file or folder, or its address."""
    if place is not None and not Path(uri).is_dir():
        return place.stem
    return Path(uri.rstrip("/")).name if not is_pattern(uri) else (Path(uri).parent.name or "files")
