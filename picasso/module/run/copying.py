"""``codec: copy``: frames leave with the bytes that they came with, in the order in which they arrived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, final

from picasso.errors import SpecError
from picasso.media.carried import take_arrival
from picasso.module.run.arrival import ArrivalOrder
from picasso.module.run.baggage import baggage_of
from picasso.primitives import VideoFrameContent, VideoFrameTranscodingMethod

if TYPE_CHECKING:
    from picasso.module.meta import Frame
    from picasso.module.run.geometry import Geometry
    from picasso.primitives import VideoFrame

COPY: Final = "copy"
"""The name of the codec."""


@final
class Copying:
    """The frames of one source on their way out. Belongs to the thread that delivers.

    Boxes are in source pixels, size, codec, keyframe and times are those of the input, and no transformation is added.
    The first frame with bytes must be a keyframe.
    """

    def __init__(self) -> None:
        """Begin a stream."""
        self._order = ArrivalOrder()
        self._has_begun = False

    def send(self, frame: Frame, geometry: Geometry, *, is_bare: bool) -> Iterator[tuple[VideoFrame, str | None]]:
        """Take a frame; yield those whose turn has come, each with the reason why it is left out, if it is.

        Args:
            frame: The frame, boxes in total pixels.
            geometry: Its sizes.
            is_bare: Whether it leaves without its bytes.

        Raises:
            SpecError: It has no bytes.
        """
        video_frame = frame.video_frame
        number = take_arrival(video_frame)
        if video_frame.content.is_none() and not is_bare:
            yield from map(self._judged, self._order.add(number, None))
            raise SpecError("codec copy sends on the bytes that a frame came with, and this one came without")
        geometry.leave(video_frame)
        past = baggage_of(video_frame).chain or geometry.chain()[:1]
        video_frame.clear_transformations()
        for step in past:
            video_frame.add_transformation(step)
        if is_bare:
            video_frame.content = VideoFrameContent.none()
            video_frame.dts, video_frame.keyframe = None, False
        video_frame.transcoding_method = VideoFrameTranscodingMethod.Copy
        yield from map(self._judged, self._order.add(number, video_frame))

    def skip(self, frame: VideoFrame) -> Iterator[tuple[VideoFrame, str | None]]:
        """Take notice of a frame that was dropped; yield those whose turn has come now."""
        yield from map(self._judged, self._order.add(take_arrival(frame), None))

    def end(self) -> Iterator[tuple[VideoFrame, str | None]]:
        """End the stream: yield what waits."""
        yield from map(self._judged, self._order.flush())
        self._has_begun = False

    def _judged(self, frame: VideoFrame) -> tuple[VideoFrame, str | None]:
        if not frame.content.is_none() and not self._has_begun:
            if frame.keyframe is False:
                return frame, "no_keyframe"
            self._has_begun = True
        return frame, None
