"""A span: one piece of work of a trace, with the calls that pyfuncs know."""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, final

from picasso.primitives import PropagatedContext
from picasso.trace.context import TraceContext
from picasso.trace.current import enter, leave

if TYPE_CHECKING:
    from opentelemetry.trace import Span as SdkSpan

    Start = Callable[[str, TraceContext, int | None], SdkSpan]
    """Begins a span by name, below a context, at a time in nanoseconds since 1970 or now."""

FAILED: Final = "python.exception"
"""The status of a span that an exception left."""
MAX_TRACEBACK: Final = 16_384
"""Characters of a traceback that travel: the end of a longer one, which says what was raised."""


@final
class Span:
    """One piece of work of a trace. Any thread may call any method, at the same time as others.

    A nested span begins when it is made, and ends when its ``with`` block does, also on another thread. One that is
    never entered ends with its trace. After that, calls have no effect.
    """

    __slots__ = ("_context", "_ends_itself", "_on_nested", "_sdk", "_start", "takes")

    def __init__(
        self,
        sdk: SdkSpan,
        start: Start,
        *,
        state: str = "",
        takes: Callable[[logging.LogRecord], bool],
        on_nested: Callable[[Span], object] | None = None,
        ends_itself: bool = False,
    ) -> None:
        """Wrap a span that has begun.

        Args:
            sdk: What is exported.
            start: Begins nested ones.
            state: What vendors wrote beside the context.
            takes: Which lines of the log become events of it.
            on_nested: Told of every nested span.
            ends_itself: Whether it ends with its ``with`` block; else the one who made it ends it.
        """
        self._sdk = sdk
        self._start = start
        self._on_nested = on_nested
        self._ends_itself = ends_itself
        self.takes: Callable[[logging.LogRecord], bool] = takes
        """Which lines of the log become events of it."""
        found = sdk.get_span_context()
        self._context = TraceContext(found.trace_id, found.span_id, state)

    @property
    def context(self) -> TraceContext:
        """Its place in the trace."""
        return self._context

    def nested_span(self, name: str) -> Span:
        """Begin a span, ``name``, below this one; use it by ``with``."""
        return self.child(name, ends_itself=True)

    def nested_span_when(self, name: str, predicate: bool) -> Any:
        """Begin a span, ``name``, below this one if ``predicate`` holds; else return one that has no effect."""
        from picasso.trace.none import NO_SPAN

        return self.nested_span(name) if predicate else NO_SPAN

    def child(self, name: str, start_ns: int | None = None, *, ends_itself: bool = False) -> Span:
        """Begin a span below this one.

        Args:
            name: Its name.
            start_ns: When it began, nanoseconds since 1970; by default now.
            ends_itself: Whether it ends with its ``with`` block; else ``end`` does.
        """
        sdk = self._start(sound(name), self._context, start_ns)
        made = Span(
            sdk,
            self._start,
            state=self._context.state,
            takes=self.takes,
            on_nested=self._on_nested,
            ends_itself=ends_itself,
        )
        if ends_itself and self._on_nested is not None:
            self._on_nested(made)
        return made

    def end(self, end_ns: int | None = None) -> None:
        """End it, at a time in nanoseconds since 1970 or now. May be called again."""
        if self._sdk.is_recording():
            self._sdk.end(end_ns)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self._sdk.is_recording()

    def set_string_attribute(self, key: str, value: str) -> None:
        """Set an attribute, ``key``, to a ``value``."""
        self._set(key, sound(value))

    def set_string_vec_attribute(self, key: str, value: Sequence[str]) -> None:
        """Set an attribute, ``key``, to the texts of ``value``."""
        self._set(key, [sound(one) for one in value])

    def set_int_attribute(self, key: str, value: int) -> None:
        """Set an attribute, ``key``, to a ``value``."""
        self._set(key, _whole(value))

    def set_int_vec_attribute(self, key: str, value: Sequence[int]) -> None:
        """Set an attribute, ``key``, to the numbers of ``value``."""
        self._set(key, [_whole(one) for one in value])

    def set_float_attribute(self, key: str, value: float) -> None:
        """Set an attribute, ``key``, to a ``value``."""
        self._set(key, float(value))

    def set_float_vec_attribute(self, key: str, value: Sequence[float]) -> None:
        """Set an attribute, ``key``, to the numbers of ``value``."""
        self._set(key, [float(one) for one in value])

    def set_bool_attribute(self, key: str, value: bool) -> None:
        """Set an attribute, ``key``, to a ``value``."""
        self._set(key, bool(value))

    def set_bool_vec_attribute(self, key: str, value: Sequence[bool]) -> None:
        """Set an attribute, ``key``, to the values of ``value``."""
        self._set(key, [bool(one) for one in value])

    def add_event(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        """Add an event, ``name``, that happens now, with its ``attributes``."""
        if self._sdk.is_recording():
            said = {sound(key): sound(value) for key, value in (attributes or {}).items()}
            self._sdk.add_event(sound(name), said)

    def set_status_ok(self) -> None:
        """Say that the work is done."""
        self._set_status("OK", None)

    def set_status_error(self, message: str) -> None:
        """Say that the work has failed, with a ``message``."""
        self._set_status("ERROR", sound(message))

    def set_status_unset(self) -> None:
        """Say nothing of how the work went. What was said before stays, as OpenTelemetry has it."""
        self._set_status("UNSET", None)

    def trace_id(self) -> str:
        """Return the id of the trace: 32 hexadecimal digits."""
        return self._context.trace_text

    def propagate(self) -> PropagatedContext:
        """Return the context to send on: a mapping of headers."""
        return PropagatedContext(self._context.headers())

    def fail(self, error: BaseException) -> None:
        """Say that ``error`` has left the span: an event with its traceback, and the status of an error."""
        self.note(error)
        self._set_status("ERROR", FAILED)

    def note(self, error: BaseException) -> None:
        """Add an event for an ``error``, with its traceback."""
        if not self._sdk.is_recording():
            return
        lines = "".join(traceback.format_exception(error))
        attributes = {
            "exception.type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
            "exception.message": _text_of(error),
            "exception.stacktrace": lines[-MAX_TRACEBACK:],
            "python.version": f"{platform.python_implementation()} {sys.version.split()[0]}",
        }
        self._sdk.add_event("exception", {key: sound(text) for key, text in attributes.items()})

    def __enter__(self) -> Self:
        enter(self)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Tell of what was raised, and raise it; end a span that was nested."""
        leave(self)
        if error is not None:
            self.fail(error)
        if self._ends_itself:
            self.end()

    def __repr__(self) -> str:
        return f"Span({getattr(self._sdk, 'name', '')!r}, trace_id={self.trace_id()!r})"

    def _set(self, key: str, value: Any) -> None:
        if self._sdk.is_recording():
            self._sdk.set_attribute(sound(key), value)

    def _set_status(self, code: str, text: str | None) -> None:
        if not self._sdk.is_recording():
            return
        from opentelemetry.trace import Status, StatusCode

        self._sdk.set_status(Status(StatusCode[code], text))


def sound(value: object) -> str:
    """Return a value as text that UTF-8 can write: one that it cannot would cost all spans of a batch."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _whole(value: int) -> int:
    """Return a number as OTLP takes it: 64 bits, signed."""
    return max(-(2**63), min(int(value), 2**63 - 1))


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - what an error says of itself is the user's code
        return f"<its text raised {type(failure).__name__}>"
