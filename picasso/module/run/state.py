"""Where a module stands, and the file that tells others."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final

from picasso.module.run.service import ServiceManager

STATUS_FILE: Final = "SAVANT_STATUS_FILEPATH"
"""The environment variable that names the file."""
logger: logging.Logger = logging.getLogger("picasso.module")


class ModuleState(StrEnum):
    """Where a module stands."""

    INITIALIZING = "initializing"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class StateFile:
    """The file that ``$SAVANT_STATUS_FILEPATH`` names: one word and a line end; none where the variable is not set.

    What stands there from before is removed, folders are created. Readers see one word or the other, never a part.
    """

    manager: ClassVar[ServiceManager | None] = None
    """Who is told, too: set by a program that does nothing but run a module, and that systemd may have started."""

    def __init__(self) -> None:
        """Take the path from the environment, and remove what is there."""
        self._path = os.environ.get(STATUS_FILE) or None
        self._try(lambda path: Path(path).unlink(missing_ok=True))

    def write(self, state: ModuleState) -> None:
        """Write a state; what cannot be written is a warning."""
        self._try(lambda path: _write(path, f"{state}\n"))
        if self.manager is not None:
            self.manager.tell(state)

    def beat(self) -> None:
        """Give a sign of life, where that is wanted. Called about ten times a second while the module runs."""
        if self.manager is not None:
            self.manager.beat()

    def _try(self, step: Callable[[str], object]) -> None:
        if self._path is None:
            return
        try:
            step(self._path)
        except OSError as error:
            logger.warning("%s: the state cannot be written: %s", self._path, error.strerror)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.part", path)
