"""What happens to the frames of NVDEC: surfaces of NV12 that are the decoder's own memory, or of RGBA made from it."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from picasso.errors import MediaError
from picasso.surface import ColorSpace, DevicePlane, SurfaceView, VideoFormat
from picasso.surface.device_memory import StreamMemory
from picasso.surface.pixels import Pixels
from picasso.surface.view import view_over
from picasso.transform import Placement
from picasso_kernels.cuda.libcuda import is_over

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Stream

MOST_HELD: Final = 32
"""Frames of a decoder that may be lent at once; it takes other memory for each, and keeps it. The next are copied."""
CHECKED_EVERY: Final = 64
"""Frames that are lent before one is copied, which tells whether the times are still right."""


class StreamPicture(NamedTuple):
    """What all frames of a decoder have in common."""

    size_wh: tuple[int, int]
    color: ColorSpace | None
    stream: Stream
    """Where the decoder puts its copies, and pixels become ready."""


class Frames(Protocol):
    """Decodes packets to surfaces that stay valid as long as they are held."""

    def decode(self, packet: Any) -> Iterable[tuple[int, SurfaceView]]:
        """Return the time and the pixels of each frame that became ready, in the order in which they are shown."""
        ...


class HeldFrames:
    """The decoder's own frames, no copy made: each belongs to the holder of its surface, and then to the decoder again.

    PyNvVideoCodec lends a frame by ``GetLockedFrame`` until ``UnlockFrame``, and decodes into other memory meanwhile.
    It tells the time only of frames that it does not lend (``GetFrame``). Those that are lent get the times of the
    packets in rising order, the order in which frames come, and lie in memory as the last that was copied. Frames that
    are copied say whether both are true: those up to each keyframe, where size and layout may change, one after every
    ``CHECKED_EVERY``, and every one while ``MOST_HELD`` are lent. Where times are not in order, as decoders leave out
    pictures whose references are missing, all that follow are copied.
    """

    def __init__(self, decoder: Any, picture: StreamPicture) -> None:
        self._decoder = decoder
        self._picture = picture
        self._due: list[int] = []
        """Times of packets whose frames have not come, a heap."""
        self._layout: _Layout | None = None
        self._in_order = True
        self._key_pts: int | None = None
        """Of the last keyframe, while it has not come out."""
        self._lent = 0
        self._left = 0
        """Frames that may be lent before one is copied; none where times are not in order."""
        self._loans = _Loans(decoder, picture.stream)

    def decode(self, packet: Any) -> list[tuple[int, SurfaceView]]:
        """Return what became ready; surfaces of frames that are lent may be dropped on any thread."""
        decoder, due = self._decoder, self._due
        returned = self._loans.returned
        while returned:  # what no one holds any more: the decoder writes there on the stream, which waits for readers
            decoder.UnlockFrame(returned.popleft())
            self._lent -= 1
        if packet.bsl:
            heappush(due, packet.pts)
        if packet.key:
            self._key_pts = packet.pts
        count = decoder.GetNumDecodedFrame(packet)
        if not count:
            return []
        layout = self._layout if self._left > 0 and self._key_pts is None else None
        if layout is None or count > len(due) or self._lent + count > MOST_HELD:
            return [self._copy(decoder.GetFrame()) for _ in range(count)]
        self._lent += count
        self._left -= count
        if count == 1:
            return [(heappop(due), layout.view(decoder.GetLockedFrame(), self._loans))]
        return [(heappop(due), layout.view(decoder.GetLockedFrame(), self._loans)) for _ in range(count)]

    def _copy(self, frame: Any) -> tuple[int, SurfaceView]:
        """Copy a frame, and compare its time."""
        pts: int = frame.getPTS()
        if self._key_pts is not None and pts >= self._key_pts:
            self._key_pts = None
        self._in_order = bool(self._due) and heappop(self._due) == pts and self._in_order
        self._left = CHECKED_EVERY if self._in_order else 0
        decoded = view_of_frame(frame, *self._picture[:2], self._picture.stream.device.index)
        luma, chroma = decoded.device_planes
        self._layout = _Layout(luma.strides[0], chroma.ptr - luma.ptr, self._picture)
        return pts, copy_on_device(decoded, self._picture.stream)


class _Loans:
    """What has come back of a decoder's frames; with the last of them, and the last reader, all is the decoder's again.

    A decoder frees only what is its own when it is destroyed, so it lives as long as one of its frames, and until all
    that reads them is done.
    """

    __slots__ = ("_decoder", "returned", "stream")

    def __init__(self, decoder: Any, stream: Stream) -> None:
        self._decoder = decoder
        self.stream = stream
        self.returned: deque[int] = deque()

    def __del__(self, over: Callable[[], bool] = is_over) -> None:
        if not over():
            with contextlib.suppress(RuntimeError):  # after a fault on the GPU, which every other call reports
                self.stream.device.wait_for(self.stream.address)
            for address in self.returned:
                self._decoder.UnlockFrame(address)


class _LentFrame(StreamMemory):
    """A frame of a decoder; it is given back with the last reference to this."""

    __slots__ = ("_loans",)

    def __init__(self, address: int, loans: _Loans) -> None:
        self.address = address
        self.stream = loans.stream
        self._loans = loans

    def __del__(self) -> None:
        self._loans.returned.append(self.address)


class _Layout:
    """How a decoder's frames lie in memory, all of them alike."""

    __slots__ = ("_chroma", "_halves", "_pixels", "_ready", "_rows")

    def __init__(self, pitch: int, chroma: int, picture: StreamPicture) -> None:
        """Compute what is the same for all frames.

        Args:
            pitch: Bytes from a row to the next.
            chroma: Bytes from luma to chroma.
            picture: What frames have in common.
        """
        width, height = picture.size_wh
        self._rows = (height, width), (pitch, 1)
        self._halves = (height // 2, width // 2, 2), (pitch, 2, 1)
        self._chroma, self._ready = chroma, picture.stream.address
        first = SurfaceView(
            (DevicePlane(0, *self._rows, False, self._ready, None),),
            VideoFormat.NV12,
            picture.size_wh,
            picture.color,
            gpu_id=picture.stream.device.index,
            cuda_stream=self._ready,
        )
        self._pixels = first.device_pixels[1:]
        """All but the planes."""

    def view(self, address: int, loans: _Loans) -> SurfaceView:
        """View the frame that is lent at an address."""
        (shape, strides), (half_shape, half_strides), ready = self._rows, self._halves, self._ready
        owner = _LentFrame(address, loans)
        luma = DevicePlane(address, shape, strides, False, ready, owner)
        chroma = DevicePlane(address + self._chroma, half_shape, half_strides, False, ready, owner)
        return view_over(SurfaceView, tuple.__new__(Pixels, ((luma, chroma), *self._pixels)))


class RgbaFrames:
    """Frames converted by the transform's own kernel, which reads those that are lent.

    It goes on the stream of the decoder's copies: after those that make a frame, before those that write there again.
    """

    def __init__(self, decoder: Any, picture: StreamPicture) -> None:
        from picasso.surface.cuda_memory import allocator_on_device
        from picasso.transform.cuda import CudaTransformer

        self._frames = HeldFrames(decoder, picture)
        self._allocate = allocator_on_device(VideoFormat.RGBA, picture.size_wh, picture.stream)
        self._placement = Placement.identity(picture.size_wh)
        self._transformer = CudaTransformer(picture.stream.device.index, picture.stream)

    def decode(self, packet: Any) -> list[tuple[int, SurfaceView]]:
        """Return what became ready."""
        ready = self._frames.decode(packet)
        return [(pts, self._convert(decoded)) for pts, decoded in ready] if ready else ready

    def _convert(self, decoded: SurfaceView) -> SurfaceView:
        surface = self._allocate()
        self._transformer.transform(decoded, self._placement, surface)
        return surface


def copy_on_device(decoded: SurfaceView, stream: Stream) -> SurfaceView:
    """Copy a frame on the GPU, in the order of the stream on which the decoder writes what comes after it there."""
    from picasso.surface.cuda_memory import allocate_on_device
    from picasso_kernels.cuda.copies import Rows, copy_rows_in_order

    surface = allocate_on_device(VideoFormat.NV12, decoded.size_wh, stream, decoded.color)
    for source, target in zip(decoded.device_planes, surface.device_planes, strict=True):
        there, here = Rows(True, source.ptr, source.strides[0]), Rows(True, target.ptr, target.strides[0])
        copy_rows_in_order(there, here, (target.shape[0], decoded.width), stream)
    return surface


def view_of_frame(frame: Any, size_wh: tuple[int, int], color: ColorSpace | None, gpu_id: int) -> SurfaceView:
    """View the planes of a decoder's frame as NV12, as long as the decoder leaves them alone.

    Args:
        frame: What ``GetFrame`` gave.
        size_wh: Width and height of the picture.
        color: What its numbers mean.
        gpu_id: Where it is.

    Raises:
        MediaError: The frame has planes of other rows.
    """
    planes = []
    for given, shape in zip(frame.cuda(), VideoFormat.NV12.planes, strict=True):
        interface, wanted = given.__cuda_array_interface__, shape.of(size_wh)
        if interface["shape"][0] != wanted[0]:
            raise MediaError(f"NVDEC gives {interface['shape'][0]} rows where {wanted[0]} are expected")
        strides = (interface["strides"][0], *wanted[2:], 1)
        planes.append(DevicePlane(interface["data"][0], wanted, strides, read_only=True, stream=None, owner=frame))
    return SurfaceView(tuple(planes), VideoFormat.NV12, size_wh, color, gpu_id=gpu_id)
