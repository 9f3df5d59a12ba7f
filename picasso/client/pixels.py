"""Pictures of received frames, decoded when someone asks."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar, final

import numpy as np

from picasso.errors import MediaError
from picasso.media.payload import PayloadDecoder, is_still
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement
from picasso.transform.cpu import transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from picasso.primitives import VideoFrame

MAX_UNDECODED: Final = 256
"""Frames behind a keyframe that are kept encoded; beyond that they are decoded although no one has asked."""


def rgb_of(surface: SurfaceView) -> NDArray[np.uint8]:
    """Return the pixels of a surface in host memory: ``(height, width, 3)`` RGB."""
    width, height = surface.size_wh
    if surface.format is VideoFormat.RGB:
        return surface.planes[0].reshape(height, width, 3)
    if surface.format is not VideoFormat.RGBA:
        picture = SurfaceView.allocate(VideoFormat.RGBA, (width, height))
        transform(surface, Placement.compute((width, height), (width, height)), picture)
        surface = picture
    return np.ascontiguousarray(surface.planes[0].reshape(height, width, 4)[..., :3])


class Shown(Protocol):
    """What a picture is given to."""

    frame_meta: VideoFrame | None
    surface: SurfaceView | None

    @property
    def payload(self) -> bytes | memoryview:
        """The encoded bytes."""


S = TypeVar("S", bound=Shown)


@final
class Group(Generic[S]):
    """Frames from one keyframe to the next: each may need all before it."""

    def __init__(self) -> None:
        self._waiting: deque[S] = deque()
        self._decoder: PayloadDecoder[S] | None = None

    def add(self, result: S) -> None:
        """Add the next frame."""
        self._waiting.append(result)
        if len(self._waiting) > MAX_UNDECODED:
            self._decode(self._waiting.popleft())

    def show(self, result: S) -> SurfaceView:
        """Return the picture of a frame of the group, decoding what it needs.

        Raises:
            MediaError: It cannot be decoded, or a later frame comes before it.
        """
        while result.surface is None and self._waiting:
            following = self._waiting.popleft()
            self._decode(following)
            if following is result:
                break
        if result.surface is None:
            raise MediaError("the picture cannot be decoded: it, or one that it needs, was lost or is damaged")
        return result.surface

    def _decode(self, result: S) -> None:
        frame = result.frame_meta
        if frame is None or not len(result.payload):
            return
        if self._decoder is None:
            self._decoder = PayloadDecoder(frame.codec, (frame.width, frame.height), low_latency=True)
        for shown, surface in self._decoder.feed(result, result.payload):
            shown.surface = surface


@final
class Groups(Generic[S]):
    """The current group of each source."""

    def __init__(self) -> None:
        self._groups: dict[str, Group[S]] = {}

    def of(self, source_id: str, frame: VideoFrame, result: S) -> Group[S]:
        """Add a frame of a source to its group; a keyframe begins another one."""
        group = self._groups.get(source_id)
        if group is None or frame.keyframe or is_still(frame.codec):
            group = self._groups[source_id] = Group()
        group.add(result)
        return group

    def end(self, source_id: str) -> None:
        """Forget a source."""
        self._groups.pop(source_id, None)
