"""The span of a frame that is not traced: every call of it works, and none has an effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self, final

from picasso.primitives import PropagatedContext

NO_TRACE: Final = "0" * 32
"""The trace id of what is not traced."""


@final
class NoSpan:
    """A span without a trace. It is its own nested spans, and may be used on any thread."""

    __slots__ = ()

    def nested_span(self, _name: str) -> Self:
        """Return the span that a nested one would be."""
        return self

    def nested_span_when(self, _name: str, _predicate: bool) -> Self:
        """Return the span that a nested one would be."""
        return self

    def set_string_attribute(self, key: str, value: str) -> None:
        """Take a ``value`` for ``key``."""

    def set_string_vec_attribute(self, key: str, value: Sequence[str]) -> None:
        """Take a ``value`` for ``key``."""

    def set_int_attribute(self, key: str, value: int) -> None:
        """Take a ``value`` for ``key``."""

    def set_int_vec_attribute(self, key: str, value: Sequence[int]) -> None:
        """Take a ``value`` for ``key``."""

    def set_float_attribute(self, key: str, value: float) -> None:
        """Take a ``value`` for ``key``."""

    def set_float_vec_attribute(self, key: str, value: Sequence[float]) -> None:
        """Take a ``value`` for ``key``."""

    def set_bool_attribute(self, key: str, value: bool) -> None:
        """Take a ``value`` for ``key``."""

    def set_bool_vec_attribute(self, key: str, value: Sequence[bool]) -> None:
        """Take a ``value`` for ``key``."""

    def add_event(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        """Take notice of an event, ``name``, with its ``attributes``."""

    def set_status_ok(self) -> None:
        """Take notice that the work is done."""

    def set_status_error(self, message: str) -> None:
        """Take notice that the work has failed, with a ``message``."""

    def set_status_unset(self) -> None:
        """Take notice that nothing is known of the work."""

    def trace_id(self) -> str:
        """Return 32 zeros."""
        return NO_TRACE

    def propagate(self) -> PropagatedContext:
        """Return the context to send on: an empty mapping."""
        return PropagatedContext()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Raise what was raised."""


NO_SPAN: Final = NoSpan()
"""The one that every frame without a trace has."""
