"""Which text machine code was made of: a hash over the files that host code can come from."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1]
_HOST: Final = ("maths", "frame", "paint", "cpu")
"""The folders that decide what is compiled for the host."""


@functools.cache
def source_key() -> str:
    """Return a hash over the text of all kernels but those for CUDA."""
    return key_of(*_HOST)


def key_of(*folders: str) -> str:
    """Return a hash over the names and the text of every Python file in some folders of this package."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
