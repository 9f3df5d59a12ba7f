"""Threads that go by their names in the operating system's tools, too."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import final

MAX_NAME_BYTES = 15
"""What Linux keeps of a thread's name."""


@final
class EngineThread(threading.Thread):
    """A daemon thread; ``top -H`` and debuggers show the beginning of its name."""

    def run(self) -> None:
        """Run the target."""
        if sys.platform == "linux" and sys.version_info < (3, 14):  # from then on Python does it
            _name_this_thread(self.name)
        super().run()


def _name_this_thread(name: str) -> None:
    import ctypes

    with suppress(OSError, AttributeError):  # a C library without it: a name is not worth an error
        rename = ctypes.CDLL(None).pthread_setname_np
        rename(ctypes.c_void_p(threading.get_ident()), name.encode(errors="replace")[:MAX_NAME_BYTES])
