"""Sinks that tell others what a module sees and how it is doing: what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from picasso.flow import LeftOut
from picasso.module.events import MODULE, ModuleEvent
from picasso.module.sinks.outbox import Outbox, Parcel
from picasso.module.sinks.record import json_of, record_of

if TYPE_CHECKING:
    from picasso.engine import OutputMessage

METADATA: Final = "metadata"
EVENTS: Final = "events"
KINDS: Final = (METADATA, EVENTS)
QUEUE_LENGTH: Final = 1000
"""Messages that wait for a receiver that is slow or away, by default."""


class FarSink:
    """Sends records of frames and events through an ``Outbox``, so that no frame ever waits for the receiver."""

    name = "far_sink"

    def __init__(self, module: str, outbox: Outbox, kinds: Sequence[str], *, skip_frames_without_objects: bool) -> None:
        """Send by an ``outbox``.

        Args:
            module: The name of the module.
            outbox: What sends.
            kinds: ``metadata``, ``events`` or both.
            skip_frames_without_objects: Whether frames without objects are left out.
        """
        self.module = module
        self.outbox = outbox
        self._kinds = kinds
        self._skips_empty = skip_frames_without_objects
        self._numbers: Counter[str] = Counter()

    def topic_of(self, kind: str, source_id: str | None) -> str:
        """Return the topic of a ``kind`` of messages on ``source_id``; by default the kind."""
        del source_id
        return kind

    @property
    def lost(self) -> int:
        """Frames whose records did not arrive."""
        return self.outbox.lost_frames

    def write(self, output: OutputMessage) -> LeftOut | None:
        """Queue the record of an ``output``, or say why it is left out."""
        if METADATA not in self._kinds:
            return None if output.is_eos else LeftOut("events_only")
        source_id = output.source_id
        if output.is_eos:
            number = self._numbers.pop(source_id, 0)
        else:
            number = self._numbers[source_id]
            self._numbers[source_id] += 1
            if self._skips_empty and not output.as_video_frame().object_count:
                return LeftOut("no_objects")
        body = json_of(record_of(output, number))
        self.outbox.put(Parcel(self.topic_of(METADATA, source_id), body, is_frame=not output.is_eos))
        return None

    def on_event(self, event: ModuleEvent) -> None:
        """Queue an ``event``. Any thread; does not wait."""
        if EVENTS in self._kinds and not self.outbox.is_stopped:
            self.outbox.put(Parcel(self.topic_of(EVENTS, event.source_id), json_of(event.record())))

    def stop(self) -> None:
        """Send nothing more. Any thread."""
        self.outbox.stop()

    def close(self) -> None:
        """Send what is queued, and that the module has stopped, for five seconds at most."""
        self.on_event(ModuleEvent(MODULE, self.module, "stopped"))
        self.outbox.close(stop=self.stop)
