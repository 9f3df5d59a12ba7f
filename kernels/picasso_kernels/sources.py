"""Which text machine code was made of: a hash over the files that host code can come from."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Final

_PACKAGE = Path(__file__).parent
_NO_KERNELS: Final = frozenset(
    {
        *("folder.py", "store.py", "cache.py", "sources.py", "making.py", "farm.py", "child.py", "workshop.py"),
    }
)
"""Files that change nothing in what is compiled."""


@functools.cache
def source_key() -> str:
    """Return a hash over the text of all kernels but those for CUDA."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.glob("*.py")):
        if not path.name.startswith("cuda") and path.name not in _NO_KERNELS:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
