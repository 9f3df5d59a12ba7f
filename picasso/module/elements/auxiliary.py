"""Auxiliary streams: frames that a pyfunc makes, which go past the rest of the pipeline to the sinks."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, final

from picasso.module.elements.base import Batch
from picasso.module.meta import Frame, FramePixels
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat

if TYPE_CHECKING:
    from picasso.surface import SurfaceView as Surface


class Outlet(Protocol):
    """Where the frames of a stream go."""

    def send(self, frame: Frame) -> None:
        """Encode a frame and hand it to the sinks; waits while too many wait."""

    def end(self, source_id: str) -> None:
        """End the stream behind the frames that were sent, and forget it."""


@final
class AuxiliaryStream:
    """A stream of frames of its own, made by ``auxiliary_stream`` of a pyfunc.

    Its frames skip the rest of the pipeline. When the pyfunc has worked on the batch they are encoded, and reach the
    sinks under the stream's source id, in the order in which they were made. One thread at a time.

    ::

        frame, buffer = stream.create_frame(frame_meta.pts)
        with nvds_to_gpu_mat(buffer, batch_id=0) as pixels:
            pixels[:] = ...
    """

    def __init__(self, source_id: str, size_wh: tuple[int, int], framerate: str, outlet: Outlet) -> None:
        """Open a stream; pyfuncs call ``auxiliary_stream`` instead.

        Args:
            source_id: Its name.
            size_wh: Of its frames in pixels.
            framerate: Frames per second as a fraction, ``"30/1"``.
            outlet: Where its frames go.
        """
        self.source_id = source_id
        self.size_wh = size_wh
        self.framerate = framerate
        self._outlet = outlet
        self._made: list[Frame] = []
        self._is_open = True

    @property
    def is_open(self) -> bool:
        """Whether ``eos`` was not called."""
        return self._is_open

    def create_frame(self, pts: int, duration: int | None = None) -> tuple[VideoFrame, Batch]:
        """Make a frame of opaque black.

        Args:
            pts: When it is shown, nanoseconds; greater than that of the frame before.
            duration: How long it is shown, nanoseconds; by default as the frame rate says.

        Returns:
            Its metadata, and a batch that holds it: ``buffer[0].edit_image()`` gives its pixels, as does
            ``nvds_to_gpu_mat(buffer, batch_id=0)``, and ``Artist(buffer[0])`` draws on it.

        Raises:
            RuntimeError: The stream has ended.
        """
        if not self._is_open:
            raise RuntimeError(f"auxiliary stream {self.source_id!r} has ended; open another")
        if duration is None:
            duration = round(10**9 / Fraction(self.framerate))
        width, height = self.size_wh
        video_frame = VideoFrame(
            self.source_id, self.framerate, width, height, time_base=(1, 10**9), pts=pts, duration=duration
        )
        surface: Surface = SurfaceView.allocate(VideoFormat.RGBA, self.size_wh)
        surface.fill((0, 0, 0, 255))
        batch = Batch([Frame(video_frame, FramePixels.of_picture(surface))])
        self._made.append(batch[0])
        return video_frame, batch

    def flush(self) -> None:
        """Send what was made; called when the pyfunc has worked on a batch."""
        made, self._made = self._made, []
        for frame in made:
            if not frame.is_dropped:
                self._outlet.send(frame)

    def eos(self) -> None:
        """End the stream behind its frames; its source id may be used again. May be called again."""
        if self._is_open:
            self.flush()
            self._is_open = False
            self._outlet.end(self.source_id)
