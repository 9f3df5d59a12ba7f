"""``log_level``: directives as Rust's env_logger takes them, as a filter on Python's logging."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TextIO

from picasso.module.log_lines import FORMATS, TEXT, TRACE, note_place
from picasso.module.log_repeats import Repeats

OFF: Final = logging.CRITICAL + 1
"""Above every record."""
LEVELS: Final[Mapping[str, int]] = {
    "off": OFF,
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": TRACE,
}
BASE: Final = "insight.savant"
"""The target under which existing modules log; loggers of this package count as below it."""
OWN: Final = "picasso"
MAX_REPEATS: Final = 10
"""Warnings of a kind that are written in ten seconds, where nothing else is set."""


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


if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
    _Handler = logging.StreamHandler[TextIO]
else:
    _Adapter = logging.LoggerAdapter
    _Handler = logging.StreamHandler


class Lines(_Handler):
    """Writes records as lines, with their sources and traces; what repeats itself is counted."""

    def __init__(self, stream: TextIO, levels: LogLevels, form: str, repeats: int) -> None:
        """Write to a ``stream`` in a ``form``, at most ``repeats`` warnings of a kind in ten seconds; 0 is no limit."""
        super().__init__(stream)
        self.addFilter(levels.filter)
        self.addFilter(note_place)
        self.setFormatter(FORMATS[form]())
        self._repeats = Repeats(repeats)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        for one in self._repeats.pass_on(record):
            super().emit(one)

    def close(self) -> None:
        """Write what was counted."""
        with self.lock or nullcontext():
            for one in self._repeats.flush():
                super().emit(one)
        super().close()


def doubts(spec: str) -> list[str]:
    """Return what a text of directives probably does not mean: it is taken as ``LogLevels.parse`` says.

    A word that is no level is a target, and where only targets stand, no other logger writes, errors included.
    """
    said, alone, has_default = [], [], False
    for directive in filter(None, (part.strip() for part in spec.split(","))):
        name, equals, word = (part.strip() for part in directive.partition("="))
        if equals and word.lower() not in LEVELS:
            said.append(f"{directive!r} is left out: unknown level {word!r}; one of {', '.join(LEVELS)}")
        has_default = has_default or (not equals and name.lower() in LEVELS)
        if not equals and name.lower() not in LEVELS and "::" not in name and "." not in name:
            alone.append(name)
    if alone and not has_default:
        said.append(
            f"{alone[0]!r} is taken for a target, and all other loggers are off; levels are {', '.join(LEVELS)}"
        )
    return said


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

    Without them ``$LOGLEVEL`` counts, then ``info``; ``$LOG_FORMAT`` may say ``json``. Another call replaces the one
    before.
    """
    form = os.environ.get("LOG_FORMAT", TEXT)
    _lasting.close()
    spec = log_level or os.environ.get("LOGLEVEL", "info")
    _lasting.enter_context(logging_to(None, spec, form=form if form in FORMATS else TEXT))


def logging_of(parameters: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Log to standard error as the ``parameters`` of a module say, while the context lasts."""
    form, repeats = parameters["log_format"], parameters["log_repeats"]
    return logging_to(None, parameters["log_level"], form=form, repeats=repeats)


@contextmanager
def logging_to(stream: TextIO | None, spec: str, *, form: str = TEXT, repeats: int = MAX_REPEATS) -> Iterator[None]:
    """Log by these directives while the context lasts; loggers and handlers are as before afterwards.

    Args:
        stream: Where to; by default standard error.
        spec: The directives.
        form: ``text`` or ``json``.
        repeats: How many warnings of a kind are written in ten seconds; 0 for no limit.
    """
    levels = LogLevels.parse(spec)
    handler = Lines(stream or sys.stderr, levels, form, repeats)
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
        handler.close()
        root.setLevel(before[0])
        own.setLevel(before[1])
        for one in before[2]:
            own.addHandler(one)


def _dotted(target: str) -> str:
    return target.replace("::", ".").strip(".")


def _is_below(name: str, target: str) -> bool:
    return name == target or name.startswith(f"{target}.")
