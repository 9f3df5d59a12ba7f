"""What a server asks of what it shows and controls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Record = dict[str, Any]
"""What JSON can say."""


class Operated(Protocol):
    """A running module, as a server sees it. Every method may be called from any thread.

    Methods that name a source raise ``OperationError`` with status 404 where there is none, and 409 where what is asked
    for makes no sense for it now.
    """

    name: str

    def state(self) -> str:
        """Return where the module stands; ``running`` is the only word that means health."""

    def sources(self) -> list[Record]:
        """Return each source: ``source_id``, ``state``, ``spec``, ``counts``, ``last_error``, and more."""

    def statistics(self) -> Record:
        """Return what the module has done and does: stages, queues, sinks, drops by reason."""

    def overview(self) -> Record:
        """Return both of one snapshot, as ``sources`` and ``module``."""

    def metrics(self) -> tuple[bytes, str]:
        """Return the metrics as Prometheus reads them, and their content type."""

    def add_source(self, entry: Mapping[str, Any]) -> str:
        """Add a source; return its id.

        Args:
            entry: As in ``pipeline.source``: ``element``, ``name``, ``properties``.

        Raises:
            OperationError: With status 422 where the entry is wrong, 409 where its id is in use.
        """

    def remove_source(self, source_id: str) -> None:
        """End a source behind what was read, and forget it. Waits."""

    def pause(self, source_id: str) -> None:
        """Read no further frame of a source for now."""

    def resume(self, source_id: str) -> None:
        """Read a paused source on."""

    def reconnect(self, source_id: str) -> None:
        """Open a source again now."""

    def set_drawing(self, source_id: str, rendered_objects: Mapping[str, Any] | None, *, is_on: bool = True) -> None:
        """Change what is drawn on the frames of a source.

        Args:
            source_id: The source.
            rendered_objects: By element name and label, as in ``draw_func``; None draws as the module says.
            is_on: Whether anything is drawn.
        """

    def set_gate(self, source_id: str, tag: str | None, *, is_own: bool = True) -> None:
        """Change which frames of a source are encoded.

        Args:
            source_id: The source.
            tag: The frame tag without which a frame leaves as metadata; None encodes every frame.
            is_own: False returns the source to what the module says.
        """

    def request_keyframe(self, source_id: str) -> None:
        """Make the next frame of a source that is encoded a keyframe."""

    def snapshot(self, source_id: str, timeout_s: float) -> bytes:
        """Return the next frame of a source, with what is drawn, as JPEG. Waits.

        Raises:
            OperationError: With status 504 where no frame comes in time.
        """

    def stop(self, auth: str | None) -> None:
        """Stop in order: read no further, and let everything out. Does not wait.

        Raises:
            OperationError: With status 403 where ``auth`` is not the key of the module, or the module has none.
        """


class LiveSource(Protocol):
    """Where pictures for viewers come from. Any thread; nothing waits."""

    def has(self, source_id: str) -> bool:
        """Whether there is a source of that name."""

    def stream_codec(self, source_id: str) -> str | None:
        """Return the codec of the stream that a source is encoded as anyway; None where viewers need pictures."""

    def request_keyframe(self, source_id: str) -> None:
        """Make the next frame of a source that is encoded a keyframe; sources that are gone are ignored."""
