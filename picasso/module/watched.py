"""Files that users edit while a module runs."""

from __future__ import annotations

import hashlib
from pathlib import Path


class WatchedFile:
    """Tells whether a file has changed: by time and size, then by content, so that editors that replace files count."""

    def __init__(self, path: Path | None) -> None:
        """Look at the file; None never changes."""
        self.path = path
        self._stamp = self._look()
        self._digest = self._read()

    def has_changed(self) -> bool:
        """Whether the content is another one than at the last call; a file that is gone for now has not changed."""
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return False
        self._stamp = stamp
        digest = self._read()
        if digest is None or digest == self._digest:
            return False
        self._digest = digest
        return True

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = None if self.path is None else self.path.stat()
        except OSError:
            return None
        return None if status is None else (status.st_mtime_ns, status.st_size, status.st_ino)

    def _read(self) -> bytes | None:
        try:
            return None if self.path is None else hashlib.sha256(self.path.read_bytes()).digest()
        except OSError:
            return None
