"""An encoder that remembers instead of encoding, and fails when it is told to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import final

import numpy as np
import numpy.typing as npt

from picasso.encode import EncodedUnit, EncoderConfig
from picasso.errors import EncoderError
from picasso.surface import ColorSpace, SurfaceView, VideoFormat


@final
@dataclass(eq=False)
class MemoryEncoder:
    """Answers each frame with a few bytes that say which it was: ``b"<config size> <number>"``.

    Used by one thread at a time, like every encoder; a test may look at it once that thread is done.
    """

    config: EncoderConfig
    """What it was opened with."""
    input_format: VideoFormat = VideoFormat.RGBA
    """The pixels that it asks for."""
    delay: int = 0
    """Frames that are held back until later ones, or ``flush``, push them out."""
    keeps_pixels: bool = False
    """Whether ``pixels`` is filled, at the price of a copy for each frame."""
    fails_on: frozenset[int] = frozenset()
    """Numbers, from 0, of the frames on which ``encode`` raises."""
    fails_to_flush: bool = False
    """Whether ``flush`` raises."""
    live_changes: bool = False
    """Whether ``reconfigure`` takes anything on that leaves the size alone."""
    pts_ns: list[int] = field(default_factory=list)
    """Timestamps of the frames that it took."""
    pixels: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    """Copies of their pixels, as ``SurfaceView.to_numpy`` gives them."""
    is_closed: bool = False
    """Whether ``close`` was called."""
    name: str = "memory"
    """What it is called in logs."""
    extradata: bytes = b""
    """Parameter sets, of which it has none."""
    _held: deque[EncodedUnit] = field(default_factory=deque)
    _count: int = 0

    @property
    def color(self) -> ColorSpace:
        """BT.601 or BT.709, limited range, as the configuration says."""
        return self.config.color_space()

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        """Remember the frame; answer with the units that ``delay`` does not hold back.

        Args:
            surface: Its pixels, kept where ``keeps_pixels``.
            pts_ns: Comes out as it is, nanoseconds.
            duration_ns: Comes out as it is, nanoseconds.
            force_keyframe: Whether the unit says that it is a keyframe; the first one does.

        Raises:
            EncoderError: It was told to fail on this frame, or is closed.
        """
        number, self._count = self._count, self._count + 1
        if self.is_closed:
            raise EncoderError("the encoder is closed")
        if number in self.fails_on:
            raise EncoderError(f"told to fail on frame {number}")
        self.pts_ns.append(pts_ns)
        if self.keeps_pixels:
            self.pixels.append(surface.to_numpy())
        data = f"{self.config.width}x{self.config.height} {number}".encode()
        self._held.append(EncodedUnit(data, pts_ns, pts_ns, duration_ns, number == 0 or force_keyframe))
        return [self._held.popleft()] if len(self._held) > self.delay else []

    def flush(self) -> list[EncodedUnit]:
        """Answer with the units still held; ``EncoderError`` where it was told to fail."""
        if self.fails_to_flush:
            raise EncoderError("told to fail at the flush")
        units = list(self._held)
        self._held.clear()
        return units

    def close(self) -> None:
        """Forget the units still held."""
        self._held.clear()
        self.is_closed = True

    def reconfigure(self, config: EncoderConfig) -> bool:
        """Take ``config`` on if ``live_changes`` and the size allow it."""
        same_size = (config.width, config.height) == (self.config.width, self.config.height)
        if not (self.live_changes and same_size and config.codec is self.config.codec):
            return False
        self.config = config
        return True


@final
@dataclass(eq=False)
class MemoryEncoders:
    """An encoder factory for ``PicassoEngine(encoder_factory=…)``: opens memory encoders and keeps them for a look.

    The fields are handed to the encoders it opens from now on; see there.
    """

    input_format: VideoFormat = VideoFormat.RGBA
    """The pixels that they ask for."""
    delay: int = 0
    """Frames that they hold back."""
    keeps_pixels: bool = False
    """Whether they keep copies of pixels."""
    fails_on: frozenset[int] = frozenset()
    """Numbers of the frames on which they raise."""
    fails_to_flush: bool = False
    """Whether their ``flush`` raises."""
    live_changes: bool = False
    """Whether their ``reconfigure`` takes anything on."""
    failures_to_open: int = 0
    """How many more attempts to open an encoder fail."""
    opened: list[MemoryEncoder] = field(default_factory=list)
    """The encoders, in the order in which they were opened."""

    def __call__(self, config: EncoderConfig) -> MemoryEncoder:
        """Open an encoder, or fail."""
        if self.failures_to_open:
            self.failures_to_open -= 1
            raise EncoderError("told to fail to open")
        encoder = MemoryEncoder(
            config,
            self.input_format,
            delay=self.delay,
            keeps_pixels=self.keeps_pixels,
            fails_on=self.fails_on,
            fails_to_flush=self.fails_to_flush,
            live_changes=self.live_changes,
        )
        self.opened.append(encoder)
        return encoder
