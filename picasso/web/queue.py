"""What waits for one viewer, and what is left out when it is slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Set
from typing import Final, final

MOST_FRAMES: Final = 32
"""Access units of one source that wait for one viewer: about a second."""
MOST_BYTES: Final = 4 << 20
"""Bytes that wait for one viewer."""

Channel = tuple[str, str]


@final
class ViewerQueue:
    """Bounded: a stream that does not fit is left out up to its next keyframe, of pictures only the newest waits.

    A viewer that takes nothing keeps nothing but the newest text of each kind. For one thread.
    """

    def __init__(self) -> None:
        self.channels: frozenset[Channel] = frozenset()
        """What is watched."""
        self.wishes: dict[str, str] = {}
        self.decodes: frozenset[str] = frozenset()
        self.detail: str | None = None
        """Whose metadata is looked at."""
        self.dropped: int = 0
        """Access units and pictures that were left out."""
        self._frames: deque[tuple[Channel, bytes]] = deque()
        self._bytes = 0
        self._waiting: dict[Channel, int] = {}
        self._texts: dict[str, str] = {}
        self._broken: set[Channel] = set()
        """Streams that cannot be shown before their next keyframe."""
        self._changed = asyncio.Event()

    def watch(self, channels: frozenset[Channel], again: Set[Channel] = frozenset()) -> None:
        """Take notice of what is watched from now on: a stream is shown from its next keyframe.

        Args:
            channels: All of it.
            again: Those of them that begin again.
        """
        for gone in (self.channels - channels) | again:
            self._clear(gone)
            self._broken.discard(gone)
        fresh = (channels - self.channels) | again
        self._broken |= {channel for channel in fresh if channel[1] == "stream"}
        self.channels = channels

    def offer(self, channel: Channel, message: bytes, *, is_key: bool) -> None:
        """Queue an access unit or a picture, or leave it out."""
        if channel not in self.channels:
            return
        if channel in self._broken:
            if not is_key:
                self.dropped += 1
                return
            self._broken.discard(channel)
        waiting = self._waiting.get(channel, 0)
        if channel[1] != "stream":
            self.dropped += waiting
            self._clear(channel)
        elif waiting >= MOST_FRAMES or self._bytes + len(message) > MOST_BYTES:
            self.dropped += waiting + 1
            self._clear(channel)
            self._broken.add(channel)
            return
        if self._bytes + len(message) > MOST_BYTES:
            self.dropped += 1
            return
        self._frames.append((channel, message))
        self._bytes += len(message)
        self._waiting[channel] = self._waiting.get(channel, 0) + 1
        self._changed.set()

    def tell(self, kind: str, text: str) -> None:
        """Queue a text; it takes the place of one of its kind that waits."""
        self._texts[kind] = text
        self._changed.set()

    async def next(self) -> str | bytes:
        """Wait for what comes next: pictures first."""
        while True:
            if self._frames:
                channel, message = self._frames.popleft()
                self._bytes -= len(message)
                self._waiting[channel] -= 1
                return message
            if self._texts:
                return self._texts.pop(next(iter(self._texts)))
            self._changed.clear()
            await self._changed.wait()

    def take_broken(self) -> list[str]:
        """Return the sources whose stream needs a keyframe, now that there is room."""
        return [] if self._frames else [source_id for source_id, _view in self._broken]

    @property
    def waiting_bytes(self) -> int:
        """Bytes of pictures that wait."""
        return self._bytes

    def _clear(self, channel: Channel) -> None:
        if self._waiting.pop(channel, 0):
            kept = [entry for entry in self._frames if entry[0] != channel]
            self._frames = deque(kept)
            self._bytes = sum(len(message) for _channel, message in kept)
