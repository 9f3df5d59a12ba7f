"""File names for sources: for every source id the name stays in its folder."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

MAX_NAME_BYTES: Final = 120
"""Longest name in UTF-8, which leaves room for suffixes in the 255 bytes of a file system."""

_UNSAFE: Final = re.compile(r"[^\w.\-]+")
_OUTER: Final = re.compile(r"^[^\w]+|[.\s]+$")
_TAG_DIGITS: Final = 24
_TAGGED: Final = re.compile(rf"-[0-9a-f]{{{_TAG_DIGITS}}}$")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_file_name(source_id: str) -> str:
    """Return a name for the files of a source, without a suffix: the id itself, if it is harmless.

    Letters and digits of any script, ``_``, ``-`` and ``.`` are kept. An id with anything else, with a name that some
    system reserves, or that is too long is shortened to its harmless part and tagged with 24 digits of its SHA-256.
    So the name is never empty, never ``.`` or ``..``, has no separator and no control character, does not begin with
    ``-`` or ``.``, and two ids never share one (except ids that differ in case on a system that does not tell).

    Raises:
        TypeError: The id is not a string.
    """
    if not isinstance(source_id, str):
        raise TypeError(f"source id: expected str, got {type(source_id).__name__}")
    plain = _OUTER.sub("", _UNSAFE.sub("_", unicodedata.normalize("NFC", source_id)))
    reserved = "_" if _RESERVED.fullmatch(plain) or not plain else ""
    if plain == source_id and not reserved and len(plain.encode()) <= MAX_NAME_BYTES and not _TAGGED.search(plain):
        return plain
    tag = hashlib.sha256(source_id.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG_DIGITS]
    kept = plain.encode()[: MAX_NAME_BYTES - 2 - _TAG_DIGITS].decode(errors="ignore")
    return f"{reserved}{kept}-{tag}"
