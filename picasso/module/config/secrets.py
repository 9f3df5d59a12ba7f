"""What may not be shown: values whose names, or the names of whose variables, say that they are secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from picasso.module.config.problem import Path

MASK: Final = "********"
_SECRET: Final = re.compile(
    r"passw(or)?d|passphrase|^pass$|(^|_)pwd($|_)|secret|token|(^|_)auth($|_)|credential|authorization|(api|access|private)[_-]?key|^key$",
    re.IGNORECASE,
)
_USER_INFO: Final = re.compile(r"(?<=://)[^/?#\s@]+@")
_IN_QUERY: Final = re.compile(
    r"(?<=[?&])([\w.-]*(?:passw(?:or)?d|secret|token|auth|signature|api_?key|key)[\w.-]*=)[^&#\s]+", re.IGNORECASE
)
_OPEN: Final = {("parameters", "output_frame", "encoder_params", "pass")}
"""Paths that are not secrets, in spite of their names."""


def masked(value: Any, path: Path, variables: Iterable[str] = ()) -> Any:
    """Return a value as it may be shown, with what it holds.

    Args:
        value: Anything that YAML can say.
        path: Where it stands; a secret name in it hides the value.
        variables: Environment variables that went into it; a secret name among them hides it, too.
    """
    if isinstance(value, dict):
        return {key: masked(entry, (*path, key), variables) for key, entry in value.items()}
    if isinstance(value, list):
        return [masked(entry, (*path, index), variables) for index, entry in enumerate(value)]
    names = [] if path in _OPEN else [part for part in path if isinstance(part, str)]
    if value not in (None, "") and any(map(_SECRET.search, [*names, *variables])):
        return MASK
    if not isinstance(value, str):
        return value
    return _IN_QUERY.sub(rf"\1{MASK}", _USER_INFO.sub(f"{MASK}@", value))
