"""Callbacks that write down every call, for tests to look at and wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, final

from picasso.engine.callbacks import Callbacks
from picasso.engine.messages import OutputMessage

_ASKED = ("on_eviction", "on_gated_frame", "on_step")
_OUTPUTS = ("on_encoded_frame", "on_bypass_frame", "on_gated_frame")


@final
@dataclass(frozen=True, slots=True)
class Call:
    """One call of a callback."""

    slot: str
    """Which callback, e.g. ``"on_render"``."""
    arguments: tuple[Any, ...]
    """What it was called with."""
    thread: str
    """Name of the thread it came on."""

    @property
    def source_id(self) -> str:
        """The source that it was about."""
        first = self.arguments[0]
        if isinstance(first, OutputMessage):
            return first.source_id
        return str(first)

    @property
    def is_sentinel(self) -> bool:
        """Whether it brought the end of a stream."""
        first = self.arguments[0]
        return isinstance(first, OutputMessage) and first.is_eos


@final
class RecordingCallbacks:
    """Records the calls of all callbacks, in one order, from any number of threads.

    ::

        recorder = RecordingCallbacks()
        engine = PicassoEngine(GeneralSpec(), recorder.callbacks())
        ...
        recorder.wait_for("on_encoded_frame", 3)
        assert recorder.pts_ns() == [0, 1, 2]

    ``recorder.on["on_eviction"] = …`` gives a callback something to do or to answer; it runs on the engine's thread,
    after the call is recorded, and may raise.
    """

    def __init__(self) -> None:
        self.on: dict[str, Callable[..., Any]] = {}
        """What to do when a slot is called, by the name of the slot."""
        self._calls: list[Call] = []
        self._changed = threading.Condition()

    def callbacks(self, *slots: str) -> Callbacks:
        """Return callbacks with these slots filled; if none is named, with all that observe only.

        ``on_eviction``, ``on_gated_frame`` and ``on_step`` are filled only if they are named, or stand in ``on``: an
        engine without them does something else, or less.
        """
        names = slots or [
            field.name for field in fields(Callbacks) if field.name not in _ASKED or field.name in self.on
        ]
        return Callbacks(**{name: self._recorder(name) for name in names})

    def calls(self, *slots: str, source_id: str | None = None) -> list[Call]:
        """Return the calls so far of these slots, all if none is named, about one source or all."""
        with self._changed:
            calls = self._calls.copy()
        return [
            call
            for call in calls
            if (not slots or call.slot in slots) and (source_id is None or call.source_id == source_id)
        ]

    def outputs(self, source_id: str | None = None) -> list[OutputMessage]:
        """Return what came out, frames and sentinels, encoded, bypassed and held back, of one source or all."""
        return [call.arguments[0] for call in self.calls(*_OUTPUTS, source_id=source_id)]

    def pts_ns(self, source_id: str | None = None) -> list[int | None]:
        """Return the timestamps of the frames that came out, as their ``pts`` say, and None for each sentinel."""
        return [None if output.is_eos else output.as_video_frame().pts for output in self.outputs(source_id)]

    def errors(self, source_id: str | None = None) -> list[tuple[str, BaseException]]:
        """Return stage and error of every report about one source, or all."""
        return [(call.arguments[1], call.arguments[2]) for call in self.calls("on_error", source_id=source_id)]

    def wait_for(self, slot: str, count: int = 1, *, timeout_s: float = 10) -> list[Call]:
        """Wait until ``slot`` was called at least ``count`` times, and return those calls.

        Raises:
            TimeoutError: It was not, within ``timeout_s``.
        """
        self.wait_until(lambda calls: sum(call.slot == slot for call in calls) >= count, timeout_s=timeout_s)
        return self.calls(slot)

    def wait_until(self, condition: Callable[[list[Call]], bool], *, timeout_s: float = 10) -> None:
        """Wait until ``condition`` holds of all calls so far; it is looked at after each call.

        Raises:
            TimeoutError: It did not come to hold within ``timeout_s``.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while not condition(self._calls):
                if not self._changed.wait(deadline_s - time.monotonic()):
                    slots = [call.slot for call in self._calls]
                    raise TimeoutError(f"not within {timeout_s} s; calls so far: {slots}")

    def _recorder(self, slot: str) -> Callable[..., Any]:
        def record(*arguments: Any) -> Any:
            with self._changed:
                self._calls.append(Call(slot, arguments, threading.current_thread().name))
                self._changed.notify_all()
            action = self.on.get(slot)
            return action(*arguments) if action else None

        return record
