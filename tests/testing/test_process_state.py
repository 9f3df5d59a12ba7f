"""A test that leaves the process changed is told of, and what comes behind it finds the process as it was."""

from __future__ import annotations

import gc
import locale
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable

import av.logging
import pytest
from process_state import process_state, put_back

from picasso.engine.source_at_work import work_for

HANDLER = logging.NullHandler()
CHANGES: dict[str, Callable[[], object]] = {
    "folder": lambda: os.chdir(tempfile.gettempdir()),
    "switch interval": lambda: sys.setswitchinterval(0.125),
    "signals": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "environment": lambda: os.environ.update(PICASSO_TEST_LEAK="1", PATH="/nowhere"),
    "logs": lambda: (
        logging.getLogger("picasso").setLevel(logging.CRITICAL),
        logging.getLogger("picasso.media").addFilter(lambda _record: False),
        logging.getLogger().addHandler(HANDLER),
    ),
    "least level of logs": lambda: logging.disable(logging.WARNING),
    "garbage collector": gc.disable,
    "source at work": lambda: work_for("gate"),
    "locale": lambda: locale.setlocale(locale.LC_ALL, "C" if "UTF-8" in locale.setlocale(locale.LC_ALL) else "C.UTF-8"),
    "timeout of sockets": lambda: socket.setdefaulttimeout(60.0),
    "processors": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    "log of FFmpeg": lambda: av.logging.set_level(av.logging.DEBUG),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_thing_that_a_test_changes_is_named_and_put_back(name: str) -> None:
    if name == "processors" and len(os.sched_getaffinity(0)) == 1:
        pytest.skip("there is one processor, and no other one to be bound to")
    before = process_state()
    CHANGES[name]()
    (changed,) = put_back(before)
    assert changed.startswith(f"{name}: ")
    assert process_state() == before
    assert put_back(before) == []
