"""``dev_mode``: a pyfunc whose code is loaded again when its file changes, while the module runs."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from picasso.module.elements.base import BasePyFuncPlugin, Batch
from picasso.module.elements.loading import CodePath, ElementError, find
from picasso.module.elements.pyfunc import PyFuncElement, instantiate
from picasso.module.watched import WatchedFile

if TYPE_CHECKING:
    from picasso.module.config import ConfigWatch, ElementConfig

logger: logging.Logger = logging.getLogger("picasso.module")


class _Idle(BasePyFuncPlugin):
    """Stands for code that does not load: frames pass untouched."""


class ReloadingElement(PyFuncElement):
    """A pyfunc in ``dev_mode``.

    Before each batch its file is looked at, and that of the module. When the code has changed, or the ``kwargs`` have,
    the code runs again, a new instance is built, gets ``reload_state(old)`` if it offers that, and is started; the old
    one is stopped. What does not load is logged, and the next change is tried; until then the old code stays. What the
    code raises for a frame is logged, too.
    """

    def __init__(self, config: ElementConfig, code: CodePath, watch: ConfigWatch | None = None) -> None:
        """Load the code, or wait for code that loads.

        Args:
            config: The element.
            code: Where modules are looked for.
            watch: Looks at the module's own file.
        """
        self._file: WatchedFile | None = None
        self._watch = watch
        self._new_kwargs: dict[str, Any] | None = None
        super().__init__(config, code)
        self._file = WatchedFile(code.file_of(config.module or ""))

    def start(self) -> None:
        """Call ``on_start``; a refusal is logged."""
        try:
            super().start()
        except ElementError as error:
            logger.error("%s", error)

    def process(self, batch: Batch) -> None:
        """Load the code again if it or its arguments have changed, then work on a batch."""
        if self._watch is not None:
            self._watch.look()
        if self._new_kwargs is not None:
            kwargs, self._new_kwargs = self._new_kwargs, None
            self.config: ElementConfig = replace(self.config, kwargs=kwargs)
            self._reload()
        elif self._file is None or self._file.has_changed() or (isinstance(self.plugin, _Idle) and self._is_missing()):
            self._reload()
        super().process(batch)

    def take(self, kwargs: dict[str, Any]) -> None:
        """Be built again with other arguments before the next batch. Any thread."""
        self._new_kwargs = kwargs

    def _build(self) -> BasePyFuncPlugin:
        try:
            return super()._build()
        except ElementError as error:
            logger.error("element %s: %s; frames pass until it loads", self.name, error)
            return _Idle()

    def _is_missing(self) -> bool:
        """Whether there was no file to watch; one may have come."""
        path = self._code.file_of(self.config.module or "")
        if path is None or (self._file is not None and self._file.path == path):
            return False
        self._file = WatchedFile(path)
        return True

    def _reload(self) -> None:
        old = self.plugin
        try:
            module = self._code.reload(self.config.module or "")
            new = instantiate(find(module, self.config.class_name or ""), dict(self.config.kwargs))
            self._tie(new)
            keep: Any = getattr(new, "reload_state", None)
            if callable(keep):
                keep(old)
            if not new.on_start():
                raise ElementError("on_start refused")
        except Exception as error:  # noqa: BLE001 - what the user's code raises while it is edited
            logger.error("element %s: not loaded again: %s: %s", self.name, type(error).__name__, error)
            self._tie(old)
            return
        self.plugin = new
        try:
            old.on_stop()
        except Exception:
            logger.exception("element %s: on_stop of the old code raised", self.name)
        logger.info("element %s: loaded again", self.name)
