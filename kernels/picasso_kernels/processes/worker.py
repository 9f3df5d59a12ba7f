"""The side of the child process in ``child``: compile what is asked for, one kernel after another, and end in time.

Several processes that want the same kernel do not compile it twice: the one that has its lock compiles, the others
find it on the disk. A lock goes with the process that holds it; one that is held for too long is not waited for.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any, Final

from picasso_kernels.cache.folder import log, writable_folder
from picasso_kernels.cache.sources import source_key
from picasso_kernels.cpu.compile import Compiled, entry_named

LOCK_S: Final = 120.0
"""A process that holds a lock for longer is stopped, or compiles on a machine of another kind."""
_LOOK_AGAIN_S: Final = 0.05


def serve(told: dict[str, Any]) -> None:
    """Answer requests until the parent closes its pipe or ends.

    Args:
        told: What the parent says first: its process number as ``parent``, the key of its kernels as ``sources``.
    """
    if told["sources"] != source_key():
        sys.exit("the kernels have changed since the process that wants them has loaded them")
    said = _Notes()
    log.addHandler(said)
    log.propagate = False
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is not an answer
    usual = os.nice(0)
    threading.Thread(target=_watch, args=(told["parent"],), daemon=True).start()
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    try:
        _send(answers, {"ready": True})
        while True:
            request = requests.get()
            os.nice(max(usual + request["nice"] - os.nice(0), 0))  # it cannot be lowered
            answer, content = _do(request["compile"])
            _send(answers, answer | {"warnings": said.take()}, content)
    except BaseException:  # noqa: BLE001  # the interpreter's own end would wait for the thread that listens
        traceback.print_exc()
        os._exit(1)


class _Notes(logging.Handler):
    """Keeps what is logged, for the parent's log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())

    def take(self) -> list[str]:
        texts, self._texts = self._texts, []
        return texts


def _do(name: str) -> tuple[dict[str, Any], bytes]:
    began_s = time.monotonic()
    try:
        content, is_new = compile_entry(name)
    except Exception as error:  # noqa: BLE001  # the parent tries in its own process, and fails the same way
        return {"error": f"{name}: {type(error).__name__}: {error}"}, b""
    return {"seconds": time.monotonic() - began_s, "new": is_new, "bytes": len(content)}, content


def compile_entry(name: str) -> tuple[bytes, bool]:
    """Compile an entry of ``entries`` into the cache.

    Returns:
        Its machine code if no disk takes it, else nothing; and whether no one else had compiled it in the meantime.
    """
    with _lock(name):  # who waits for it has not loaded Numba, and so takes little memory
        compiled = Compiled(entry_named(name))
        content = compiled.make()
    return content, bool(compiled.dispatcher.stats.cache_misses)


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """Hold the lock of a kernel: among the processes that share a cache, and as far as the file system can."""
    folder, descriptor = writable_folder(), -1
    try:
        if folder:
            with contextlib.suppress(OSError):
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(folder / f".{name}.lock", flags, 0o600)
                _wait_for(descriptor)
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    deadline_s = time.monotonic() + LOCK_S
    while time.monotonic() < deadline_s:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _listen(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)  # no one waits for what is being compiled


def _watch(parent: int) -> None:
    """End with the parent, also where a process that it forked holds its end of the pipe."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _send(descriptor: int, answer: dict[str, Any], content: bytes = b"") -> None:
    left = memoryview(json.dumps(answer).encode() + b"\n" + content)
    while left:
        left = left[os.write(descriptor, left) :]
