"""Names of files that sinks write: patterns with fields, checked before anything is written."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

REFERENCE: Final = {"%source_id": "{source}", "%src_filename": "{file}", "%chunk_idx": "{chunk}"}
"""Fields of the reference's file names, and ours."""
METADATA_FIELDS: Final[Mapping[str, Any]] = {"source": "source", "file": "file", "chunk": 0}
"""Fields of files of metadata, with values that a format is tried with."""
FOLDER_FIELDS: Final[Mapping[str, Any]] = {"source": "source"}
"""Fields of folders of images."""


def fields_of(pattern: str, known: Mapping[str, Any]) -> set[str]:
    """Return the fields that a pattern names.

    Args:
        pattern: Text with ``{field}`` or ``{field:format}``; doubled braces stand for themselves.
        known: The fields there are, with values that formats are tried with.

    Raises:
        ValueError: A field that is unknown or has no name, a brace that is not closed, or a format that does not fit.
    """
    choices = ", ".join(f"{{{name}}}" for name in known)
    try:
        parsed = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(f"{pattern}: {error}; fields are {choices}") from None
    found = set()
    for _text, field, _format, conversion in parsed:
        if field is None:
            continue
        if field not in known or conversion:
            raise ValueError(f"{pattern}: unknown field {{{field}}}; one of {choices}")
        found.add(field)
    try:
        pattern.format(**known)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{pattern}: {error}; fields are {choices}") from None
    return found


def metadata_pattern(location: str, chunk_size: int) -> str:
    """Return the pattern of files of metadata, with what keeps sources and chunks apart.

    Raises:
        ValueError: The pattern cannot be used.
    """
    for theirs, ours in REFERENCE.items():
        location = location.replace(theirs, ours)
    fields = fields_of(location, METADATA_FIELDS)
    path = Path(location)
    if not path.name:
        raise ValueError(f"{location or repr(location)}: names no file")
    if not fields & {"source", "file"}:
        path = path.with_name(f"{path.stem}-{{source}}{path.suffix}")
    if "chunk" not in fields and chunk_size:
        path = path.with_name(f"{path.stem}-{{chunk:04d}}{path.suffix}")
    return str(path)


def folder_pattern(location: str) -> str:
    """Return the pattern of folders of images: one for each source.

    Raises:
        ValueError: The pattern cannot be used.
    """
    return location if fields_of(location, FOLDER_FIELDS) else f"{location.rstrip('/')}/{{source}}"


def video_pattern(location: str) -> str:
    """Return the pattern of video files, with what keeps sources apart.

    Raises:
        ValueError: The pattern cannot be used.
        MediaError: It names a pipe or a device.
    """
    from picasso.media.segments import SegmentNames

    if SegmentNames(location).needs_source:
        return location
    path = Path(location)
    return str(path.with_name(f"{path.stem}-{{source}}{path.suffix}"))
