"""``log_level``: directives as Rust's env_logger takes them, as a filter on Python's logging."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TextIO

TRACE: Final = logging.DEBUG - 5
LEVELS: Final[Mapping[str, int]] = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": TRACE,
}
OFF: Final = logging.CRITICAL + 1
"""Above every record."""
BASE: Final = "insight.savant"
"""The target under which existing modules log; loggers of this package count as below it."""
OWN: Final = "picasso"


@dataclass(frozen=True, slots=True)
class LogLevels:
    """Which records pass: the directive with the longest target that a logger's name begins with decides."""

    targets: Mapping[str, int] = field(default_factory=dict)
    """Levels by dotted target."""
    default: int = logging.INFO
    """The level of everything that no target names."""

    @classmethod
    def parse(cls, spec: str) -> LogLevels:
        """Parse directives ``target=level``, ``level`` and ``target``, separated by commas.

        ``::`` and ``.`` separate the parts of a target alike. A level alone holds for everything that no target names;
        without one, targets alone pass and nothing else does. A target alone means ``info``. An empty text is ``info``.
        A directive with a level that is not known, or with two ``=``, is left out.
        """
        targets: dict[str, int] = {}
        default: int | None = None
        for directive in filter(None, (part.strip() for part in spec.split(","))):
            name, equals, word = (part.strip() for part in directive.partition("="))
            if not equals and name.lower() in LEVELS:
                default = LEVELS[name.lower()]
            elif not equals:
                targets[_dotted(name)] = logging.INFO
            elif word.lower() in LEVELS:
                targets[_dotted(name)] = LEVELS[word.lower()]
        if default is None:
            default = OFF if targets else logging.INFO
        return cls(targets, default)

    def level_of(self, name: str) -> int:
        """Return the level from which on a logger's records pass."""
        names = [name, f"{BASE}{name[len(OWN) :]}"] if _is_below(name, OWN) else [name]
        fitting = [target for target in self.targets if any(_is_below(one, target) for one in names)]
        return self.targets[max(fitting, key=len)] if fitting else self.default

    @property
    def lowest(self) -> int:
        """The most verbose level that anything has."""
        return min([self.default, *self.targets.values()])

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record passes."""
        return record.levelno >= self.level_of(record.name)


class Format(logging.Formatter):
    """``LEVEL target > message``, with the parts of the target joined by ``::``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; a traceback follows on lines of its own."""
        level = "TRACE" if record.levelno == TRACE else record.levelname
        text = f"{level} {record.name.replace('.', '::')} > {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter


class TraceLogger(_Adapter):
    """A logger with the method ``trace``, for what is too much even for ``debug``."""

    def trace(self, message: object, *arguments: object, **options: Any) -> None:
        """Log at the level TRACE, five below DEBUG.

        Args:
            message: The text, with ``%`` placeholders.
            arguments: Their values.
            options: As ``logging.Logger.log`` takes them.
        """
        self.log(TRACE, message, *arguments, **options)


def get_logger(name: str) -> TraceLogger:
    """Return the logger of a module of the user's: ``name``, or its dotted end below ``insight.savant``."""
    dotted = _dotted(name)
    return TraceLogger(logging.getLogger(dotted if _is_below(dotted, BASE) else f"{BASE}.{dotted}"), {})


_lasting = ExitStack()


def init_logging(log_level: str | None = None) -> None:
    """Log to standard error until the process ends, by the directives of ``log_level``.

    Without them ``$LOGLEVEL`` counts, then ``info``. Another call replaces the one before.
    """
    _lasting.close()
    _lasting.enter_context(logging_to(None, log_level or os.environ.get("LOGLEVEL", "info")))


@contextmanager
def logging_to(stream: TextIO | None, spec: str) -> Iterator[None]:
    """Log by these directives while the context lasts; loggers and handlers are as before afterwards.

    Args:
        stream: Where to; by default standard error.
        spec: The directives.
    """
    levels = LogLevels.parse(spec)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Format())
    handler.addFilter(levels.filter)
    root, own = logging.getLogger(), logging.getLogger(OWN)
    before = root.level, own.level, list(own.handlers), logging.getLevelName(TRACE)
    logging.addLevelName(TRACE, "TRACE")
    for one in before[2]:
        own.removeHandler(one)  # those of a command line, which would say everything twice
    root.addHandler(handler)
    root.setLevel(max(levels.lowest, 1))
    own.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before[0])
        own.setLevel(before[1])
        for one in before[2]:
            own.addHandler(one)


def _dotted(target: str) -> str:
    return target.replace("::", ".").strip(".")


def _is_below(name: str, target: str) -> bool:
    return name == target or name.startswith(f"{target}.")
