"""Pictures on their way to viewers: who watches what, and what each of them gets."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

import msgspec

if TYPE_CHECKING:
    from picasso.web.operations import LiveSource, Operated
    from picasso.web.queue import ViewerQueue

Channel = tuple[str, str]
"""A source, and what of it: ``stream`` is what it is encoded as anyway, ``tile`` and ``large`` are pictures of JPEG."""
STREAM: Final = "stream"
KEYFRAME_S: Final = 0.5
"""Seconds between two keyframes that viewers ask for, of one source."""
METADATA_S: Final = 0.5
"""Seconds between two trees of metadata of one source."""
STATISTICS_S: Final = 1.0
"""Seconds between two statistics; with very many sources they come less often."""
MOST_SHARE: Final = 0.05
"""Of the time that statistics for pages may take."""

logger: logging.Logger = logging.getLogger("picasso.web")
_Key = TypeVar("_Key", str, Channel)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a source for viewers, or one access unit of its stream, with the boxes that lie on it."""

    source_id: str
    view: str
    """``stream``, ``tile`` or ``large``."""
    codec: str
    """``h264``, ``av1``, ``jpeg`` or ``png``."""
    data: bytes
    is_key: bool
    """Whether it can be shown without those before it."""
    pts_ns: int
    size_wh: tuple[int, int]
    """Of the picture, in pixels; the boxes are in these pixels."""
    objects: list[list[Any]]
    """``[namespace, label, id, track_id, confidence, xc, yc, width, height, angle]`` of each object."""


@final
class Live:
    """Hands pictures to those who watch.

    Guarantees:

    - ``is_watched`` costs a look into a dictionary: what no one watches costs nothing else.
    - ``put`` never waits: a viewer that is slow loses pictures and goes on at a keyframe; no one else notices.
    - What waits for a viewer is bounded; pictures are kept once, for all viewers together.

    ``is_watched``, ``wants_metadata``, ``put`` and ``put_metadata`` may be called from any thread, everything else by
    the thread of the server.
    """

    def __init__(self, source: LiveSource) -> None:
        """Begin without viewers.

        Args:
            source: Where pictures come from.
        """
        self._source = source
        self._channels: dict[Channel, frozenset[ViewerQueue]] = {}
        self._details: dict[str, frozenset[ViewerQueue]] = {}
        self._metadata_due_s: dict[str, float] = {}
        self._key_asked_s: dict[str, float] = {}
        self._viewers: set[ViewerQueue] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._lock = threading.Lock()
        """Over the end of the loop: no one calls it afterwards."""

    def is_watched(self, source_id: str, view: str) -> bool:
        """Whether someone watches that of a source now."""
        return (source_id, view) in self._channels

    def wants_metadata(self, source_id: str) -> bool:
        """Whether someone looks at the metadata of a source, and it is time for the next."""
        if source_id not in self._details:
            return False
        now_s = time.monotonic()
        if now_s < self._metadata_due_s.get(source_id, 0.0):
            return False
        self._metadata_due_s[source_id] = now_s + METADATA_S
        return True

    def put(self, picture: Picture) -> None:
        """Hand a picture to those who watch it."""
        message, channel = packed(picture), (picture.source_id, picture.view)
        self._call(self._spread, channel, message, picture.is_key)

    def put_metadata(self, source_id: str, frame_json: str) -> None:
        """Hand the metadata of a frame, as JSON, to those who look at it."""
        text = f'{{"metadata":{{"source_id":{msgspec.json.encode(source_id).decode()},"frame":{frame_json}}}}}'
        self._call(self._tell, source_id, text)

    def attach(self, loop: asyncio.AbstractEventLoop, module: Operated) -> None:
        """Begin to serve viewers.

        Args:
            loop: Of the server.
            module: What statistics are taken of.
        """
        self._loop = loop
        self._ticking = loop.create_task(self._tick(module))

    def detach(self) -> None:
        """Serve no one any more."""
        with self._lock:
            self._loop = None
        if self._ticking is not None:
            self._ticking.cancel()
        self._channels, self._details = {}, {}

    def join(self, viewer: ViewerQueue) -> None:
        """Let a viewer in, who watches nothing yet."""
        self._viewers.add(viewer)

    def leave(self, viewer: ViewerQueue) -> None:
        """Let a viewer go."""
        self._viewers.discard(viewer)
        self.choose(viewer, {}, frozenset())
        self.look_at(viewer, None)

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    def choose(self, viewer: ViewerQueue, wishes: Mapping[str, str], decodes: frozenset[str]) -> None:
        """Set what a viewer watches.

        Args:
            viewer: Who.
            wishes: ``tile`` or ``large`` by source; sources that are left out are not watched any more.
            decodes: Codecs of streams that the viewer can show.
        """
        changed = {name for name, view in viewer.wishes.items() if wishes.get(name, view) != view}
        viewer.wishes, viewer.decodes = dict(wishes), decodes
        there = [(source_id, view) for source_id, view in wishes.items() if self._source.has(source_id)]
        wanted = frozenset((source_id, self._view(source_id, view, decodes)) for source_id, view in there)
        again = {(name, view) for name, view in wanted & viewer.channels if name in changed}  # on another canvas
        gone, fresh = viewer.channels - wanted, wanted - viewer.channels
        if gone or fresh:
            table = dict(self._channels)  # another one, as other threads read this one
            for channel in gone:
                _remove(table, channel, viewer)
            for channel in fresh:
                table[channel] = table.get(channel, frozenset()) | {viewer}
            self._channels = table
        viewer.watch(wanted, again)
        for source_id, view in fresh | again:
            if view == STREAM:
                self.ask_for_keyframe(source_id)

    def look_at(self, viewer: ViewerQueue, source_id: str | None) -> None:
        """Set whose metadata a viewer looks at; None looks at none."""
        table = dict(self._details)
        if viewer.detail is not None:
            _remove(table, viewer.detail, viewer)
        viewer.detail = source_id
        if source_id is not None:
            table[source_id] = table.get(source_id, frozenset()) | {viewer}
        self._details = table
        if source_id is not None:
            self._metadata_due_s = {name: due for name, due in self._metadata_due_s.items() if name in self._details}

    def ask_for_keyframe(self, source_id: str) -> None:
        """Ask for a keyframe, unless one was asked for a moment ago: then ask when that moment is over."""
        now_s = time.monotonic()
        due_s = self._key_asked_s.get(source_id, 0.0) + KEYFRAME_S
        if now_s >= due_s:
            self._key_asked_s[source_id] = now_s
            self._source.request_keyframe(source_id)
        elif self._loop is not None and due_s <= now_s + KEYFRAME_S:
            self._key_asked_s[source_id] = due_s  # in the future: all who ask meanwhile get that one
            self._loop.call_later(due_s - now_s, self._source.request_keyframe, source_id)

    def _view(self, source_id: str, wish: str, decodes: frozenset[str]) -> str:
        codec = self._source.stream_codec(source_id)
        return STREAM if codec in ("jpeg", "png") or (codec is not None and codec in decodes) else wish

    def _call(self, step: Callable[..., None], *arguments: Any) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(step, *arguments)

    def _spread(self, channel: Channel, message: bytes, is_key: bool) -> None:
        for viewer in self._channels.get(channel, ()):
            viewer.offer(channel, message, is_key=is_key)

    def _tell(self, source_id: str, text: str) -> None:
        for viewer in self._details.get(source_id, ()):
            viewer.tell("metadata", text)

    async def _tick(self, module: Operated) -> None:
        """Send statistics to everyone, and follow sources that come, go or change what they are encoded as."""
        while True:
            taken_s = 0.0
            if self._viewers:
                begun_s = time.monotonic()
                try:
                    text = await asyncio.to_thread(statistics_text, module)
                except Exception:
                    logger.exception("web: pages get no statistics")
                    text = None
                taken_s = time.monotonic() - begun_s
                for viewer in list(self._viewers):
                    if text is not None:
                        viewer.tell("statistics", text)
                    self.choose(viewer, viewer.wishes, viewer.decodes)
                there = {source_id for source_id, _view in self._channels}
                self._key_asked_s = {name: at for name, at in self._key_asked_s.items() if name in there}
            await asyncio.sleep(max(STATISTICS_S, taken_s / MOST_SHARE))


def statistics_text(module: Operated) -> str:
    """Return sources and statistics of a module as the page reads them."""
    found: dict[str, dict[str, Any]] = {
        "statistics": {"name": module.name, "state": module.state(), "sources": module.sources()}
    }
    found["statistics"]["module"] = module.statistics()
    return msgspec.json.encode(found, enc_hook=str).decode()


def packed(picture: Picture) -> bytes:
    """Return a picture as a message: four bytes that say how long its description is, that as JSON, and the data."""
    head = {
        "source_id": picture.source_id,
        "view": picture.view,
        "codec": picture.codec,
        "key": picture.is_key,
        "pts_us": picture.pts_ns // 1000,
        "width": picture.size_wh[0],
        "height": picture.size_wh[1],
        "objects": picture.objects,
    }
    if picture.is_key and (name := codec_string(picture.codec, picture.data)) is not None:
        head["decoder"] = name
    text = msgspec.json.encode(head)
    return b"".join((len(text).to_bytes(4, "big"), text, picture.data))


def codec_string(codec: str, unit: bytes) -> str | None:
    """Return what WebCodecs calls the codec of a keyframe; of H.264 with profile and level of its parameter set."""
    if codec == "h264":
        at = unit.find(b"\0\0\1\x67")
        at = unit.find(b"\0\0\1\x27") if at < 0 else at
        return None if at < 0 or len(unit) < at + 7 else f"avc1.{unit[at + 4 : at + 7].hex()}"
    return "av01.0.08M.08" if codec == "av1" else None


def _remove(table: dict[_Key, frozenset[ViewerQueue]], key: _Key, viewer: ViewerQueue) -> None:
    """Take a viewer out of a table, and its row with the last one."""
    left = table.get(key, frozenset()) - {viewer}
    if left:
        table[key] = left
    else:
        table.pop(key, None)
