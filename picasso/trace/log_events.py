"""Lines of the log that are written inside a span, as events of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from picasso.trace.current import current_span

LEVELS: Final = {logging.ERROR: "error", logging.WARNING: "warn", logging.INFO: "info", logging.DEBUG: "debug"}
OTHERS: Final = ("opentelemetry", "urllib3", "requests")
"""Who sends the events; what these write about it is no event."""


class _Events(logging.Handler):
    """Adds each record to the span that the thread is in, if that takes it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Add a record."""
        span = current_span()
        if span is None or not span.is_open or record.name.partition(".")[0] in OTHERS or not span.takes(record):
            return
        attributes = {
            "log.level": next((name for level, name in LEVELS.items() if record.levelno >= level), "trace"),
            "log.target": record.name.replace(".", "::"),
            "event.name": "log-record",
            "event.domain": "savant",
        }
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit the text; the log itself says so
            text = str(record.msg)
        span.add_event(text, attributes)
        if record.exc_info and record.exc_info[1] is not None:
            span.note(record.exc_info[1])


_lock = threading.Lock()
_users = 0
_handler = _Events()


@contextmanager
def log_lines_as_events() -> Iterator[None]:
    """Add lines of the log to the spans that they are written in, while the context lasts."""
    global _users  # noqa: PLW0603 - as Python's root logger, it is one for the process
    with _lock:
        _users += 1
        if _users == 1:
            logging.getLogger().addHandler(_handler)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                logging.getLogger().removeHandler(_handler)
