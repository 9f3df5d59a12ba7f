"""How a record of the log is written: one format, as text or as a line of JSON, with its source and its trace."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from picasso.engine.source_at_work import source_at_work
from picasso.trace import current_span

TRACE: Final = logging.DEBUG - 5
JSON: Final = "json"
TEXT: Final = "text"
REPEATS: Final = "picasso_repeats"
"""The attribute of a record that says how many more like it were not written, and in how many seconds."""
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", REPEATS}
"""What every record has; anything else was given as ``extra``."""


def note_place(record: logging.LogRecord) -> bool:
    """Write into a record which source and trace the code that logs it works for; always true, as of a filter.

    What was given as ``extra`` stays.
    """
    if not hasattr(record, "source_id"):
        record.source_id = source_at_work()
    if not hasattr(record, "trace_id"):
        span = current_span()
        record.trace_id = None if span is None else span.trace_id()
    return True


def level_of(record: logging.LogRecord) -> str:
    """Return the name of a record's level."""
    return "TRACE" if record.levelno == TRACE else record.levelname


class Format(logging.Formatter):
    """``LEVEL target > message``, with the parts of the target joined by ``::``.

    ``[trace_id=…]`` and ``[source_id=…]`` stand before it where they are known; the second only where the message does
    not name the source itself.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; a traceback follows on lines of its own."""
        message = record.getMessage()
        trace_id, source_id = (getattr(record, name, None) for name in ("trace_id", "source_id"))
        place = "" if trace_id is None else f"[trace_id={trace_id}] "
        if source_id is not None and repr(source_id) not in message:
            place += f"[source_id={_one_line(source_id)}] "
        text = f"{place}{level_of(record)} {record.name.replace('.', '::')} > {message}"
        if (repeats := getattr(record, REPEATS, None)) is not None:
            text += f" ({repeats[0]:,} more like it in {repeats[1]:.0f} s)"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonFormat(logging.Formatter):
    """One object of JSON a line.

    It has ``time``, ``level``, ``target``, ``message``, and where they are known ``source_id``, ``trace_id``,
    ``exception``, ``repeats``, ``repeats_s`` and what was given as ``extra``. What begins with ``_`` is not
    written: libraries such as Ray put it into every record of the process.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        import msgspec

        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": level_of(record).lower(),
            "target": record.name.replace(".", "::"),
            "message": record.getMessage(),
        }
        more = {key: value for key, value in vars(record).items() if key not in _USUAL and not key.startswith("_")}
        said |= {key: value for key, value in more.items() if value is not None and key not in said}
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        if (repeats := getattr(record, REPEATS, None)) is not None:
            said["repeats"], said["repeats_s"] = repeats
        try:
            return msgspec.json.encode(said, enc_hook=repr).decode()
        except (TypeError, ValueError, RecursionError):  # what is no UTF-8, or goes round in a circle
            plain = {key: value if isinstance(value, int | float) else str(value) for key, value in said.items()}
            return json.dumps(plain)


FORMATS: Final[dict[str, type[logging.Formatter]]] = {TEXT: Format, JSON: JsonFormat}
"""The formats by their names."""


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
