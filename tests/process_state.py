"""What the tests of a process share without being told, and what a test that changes it for all others hears of."""

from __future__ import annotations

import gc
import locale
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BY_LIBRARIES: Final = frozenset({"PYTEST_CURRENT_TEST", "LD_LIBRARY_PATH"})
"""Variables that pytest, and libraries when they are first imported, change for themselves."""
_AT_START: Final = frozenset(os.environ) - _BY_LIBRARIES
_LOGGERS: Final = (None, "picasso", "picasso.kernels", "picasso.media", "picasso.module")


class _Shared(NamedTuple):
    """One thing that all tests of a process share."""

    look: Callable[[], Any]
    put_back: Callable[[Any], object]


def _environment() -> dict[str, str]:
    """Return the variables that were there at the start, and ours: libraries add others when they are imported."""
    return {name: value for name, value in os.environ.items() if name in _AT_START or name.startswith("PICASSO")}


def _set_environment(before: Mapping[str, str]) -> None:
    for name in _environment().keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _logs() -> list[tuple[int, list[logging.Handler], list[Any], bool]]:
    loggers = map(logging.getLogger, _LOGGERS)
    return [(one.level, list(one.handlers), list(one.filters), one.propagate) for one in loggers]


def _set_logs(before: list[tuple[int, list[logging.Handler], list[Any], bool]]) -> None:
    for name, (level, handlers, filters, propagates) in zip(_LOGGERS, before, strict=True):
        one = logging.getLogger(name)
        one.setLevel(level)
        one.handlers[:], one.filters[:], one.propagate = handlers, filters, propagates


def _source_at_work() -> str | None:
    module = sys.modules.get("picasso.engine.source_at_work")  # who has not loaded it has not changed it
    return None if module is None else module.source_at_work()


def _set_source_at_work(before: str | None) -> None:
    sys.modules["picasso.engine.source_at_work"].work_for(before)


def _set_signals(before: Mapping[str, Any]) -> None:
    for name, handler in before.items():
        signal.signal(signal.Signals[name], handler)


_SHARED: Final = {
    "folder": _Shared(Path.cwd, os.chdir),
    "switch interval": _Shared(sys.getswitchinterval, sys.setswitchinterval),
    "signals": _Shared(lambda: {one.name: signal.getsignal(one) for one in _SIGNALS}, _set_signals),
    "environment": _Shared(_environment, _set_environment),
    "logs": _Shared(_logs, _set_logs),
    "source at work": _Shared(_source_at_work, _set_source_at_work),
    "least level of logs": _Shared(lambda: logging.root.manager.disable, logging.disable),
    "garbage collector": _Shared(gc.isenabled, lambda is_on: gc.enable() if is_on else gc.disable()),
    "locale": _Shared(lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
    "timeout of sockets": _Shared(socket.getdefaulttimeout, socket.setdefaulttimeout),
    "priority": _Shared(
        lambda: os.getpriority(os.PRIO_PROCESS, 0), lambda nice: os.setpriority(os.PRIO_PROCESS, 0, nice)
    ),
}
if hasattr(os, "sched_getaffinity"):
    _SHARED["processors"] = _Shared(
        lambda: os.sched_getaffinity(0), lambda processors: os.sched_setaffinity(0, processors)
    )


def _log_of_ffmpeg() -> Any:
    log = sys.modules.get("av.logging")  # who has not loaded it has not changed it
    return None if log is None else (log.get_level(), log.get_skip_repeated())


def process_state() -> dict[str, Any]:
    """Return what there is now: libraries start as many threads as there are processors, and so on."""
    return {name: shared.look() for name, shared in _SHARED.items()} | {"log of FFmpeg": _log_of_ffmpeg()}


def put_back(before: Mapping[str, Any]) -> list[str]:
    """Make everything what it was ``before``; return what was not, one sentence for each."""
    now = process_state()
    changed = [f"{name}: {_difference(before[name], now[name])}" for name in _SHARED if now[name] != before[name]]
    for name, shared in _SHARED.items():
        if now[name] != before[name]:
            shared.put_back(before[name])
    log, was = now["log of FFmpeg"], before["log of FFmpeg"]
    if was is not None and log != was:
        changed.append(f"log of FFmpeg: {was} -> {log}")
        module = sys.modules["av.logging"]
        module.set_level(was[0])
        module.set_skip_repeated(was[1])
    return changed


def _difference(before: Any, now: Any) -> str:
    if isinstance(before, dict):
        before, now = (
            {key: one[key] for key in one if one[key] != other.get(key)}
            for one, other in ((before, now), (now, before))
        )
    return f"{before!r} -> {now!r}"
