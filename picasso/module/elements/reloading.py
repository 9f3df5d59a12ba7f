"""``dev_mode``: a pyfunc whose code is loaded again when its file changes, while the module runs."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from picasso.module.elements.base import BasePyFuncPlugin, Batch, ties_of
from picasso.module.elements.loading import CodePath, ElementError, find
from picasso.module.elements.pyfunc import PyFuncElement, instantiate

if TYPE_CHECKING:
    from picasso.module.config import ElementConfig

logger = logging.getLogger("picasso.module")


class _Idle(BasePyFuncPlugin):
    """Stands for code that does not load: frames pass untouched."""


class WatchedFile:
    """Tells whether a file has changed: by time and size, then by content, so that editors that replace files count."""

    def __init__(self, path: Path | None) -> None:
        """Look at the file; None never changes."""
        self._path = path
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
            status = None if self._path is None else self._path.stat()
        except OSError:
            return None
        return None if status is None else (status.st_mtime_ns, status.st_size, status.st_ino)

    def _read(self) -> bytes | None:
        try:
            return None if self._path is None else hashlib.sha256(self._path.read_bytes()).digest()
        except OSError:
            return None


class ReloadingElement(PyFuncElement):
    """A pyfunc in ``dev_mode``.

    Before each batch its file is looked at. When it has changed, the code runs again, a new instance is built with the
    same arguments, gets ``reload_state(old)`` if it offers that, and is started; the old one is stopped. What does not
    load is logged, and the next change is tried; until then the old code stays. What the code raises for a frame is
    logged, too.
    """

    def __init__(self, config: ElementConfig, code: CodePath) -> None:
        """Load the code, or wait for code that loads."""
        self._file: WatchedFile | None = None
        super().__init__(config, code)
        self._file = WatchedFile(code.file_of(config.module or ""))

    def start(self) -> None:
        """Call ``on_start``; a refusal is logged."""
        try:
            super().start()
        except ElementError as error:
            logger.error("%s", error)

    def process(self, batch: Batch) -> None:
        """Load the code again if it has changed, then work on a batch."""
        if self._file is None or self._file.has_changed() or (isinstance(self.plugin, _Idle) and self._is_missing()):
            self._reload()
        super().process(batch)

    def _build(self) -> BasePyFuncPlugin:
        try:
            return super()._build()
        except ElementError as error:
            logger.error("element %s: %s; frames pass until it loads", self.name, error)
            return _Idle()

    def _is_missing(self) -> bool:
        """Whether there was no file to watch; one may have come."""
        path = self._code.file_of(self.config.module or "")
        if path is None or (self._file is not None and self._file._path == path):
            return False
        self._file = WatchedFile(path)
        return True

    def _reload(self) -> None:
        old = self.plugin
        try:
            module = self._code.reload(self.config.module or "")
            new = instantiate(find(module, self.config.class_name or ""), dict(self.config.kwargs))
            ties_of(new).services = self._services
            keep: Any = getattr(new, "reload_state", None)
            if callable(keep):
                keep(old)
            if not new.on_start():
                raise ElementError("on_start refused")
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises while it is edited
            logger.error("element %s: not loaded again: %s: %s", self.name, type(error).__name__, error)
            return
        self.plugin = new
        try:
            old.on_stop()
        except Exception:
            logger.exception("element %s: on_stop of the old code raised", self.name)
        logger.info("element %s: loaded again", self.name)
