"""What a view says of its pixels: where they are, how they lie, what they mean; and how it lends them to libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picasso.errors import SurfaceError
from picasso.surface import planes as plane_maths
from picasso.surface.cuda import DevicePlane
from picasso.surface.dlpack import CUDA, Loan, export_array
from picasso.surface.formats import ColorSpace, MemType, VideoFormat
from picasso.surface.planes import Bytes, PlaneLayout

if TYPE_CHECKING:
    from fractions import Fraction

    from picasso.surface.pixels import Pixels


class DescribedPixels:
    """The pixels of a view, to be read. ``SurfaceView`` is made of it."""

    __slots__ = ("_layout", "_pixels")

    _pixels: Pixels
    _layout: tuple[PlaneLayout, ...] | None

    @property
    def planes(self) -> tuple[Bytes, ...]:
        """Planes as views: ``(H, W, C)`` or ``(H, W)``; luma, then ``(H / 2, W / 2, 2)`` or two ``(H / 2, W / 2)``.

        Raises:
            SurfaceError: The pixels are in GPU memory; ``device_plane`` has them, ``to_numpy`` copies them.
        """
        planes = self._pixels.planes
        if isinstance(planes[0], DevicePlane):
            raise SurfaceError(f"the pixels are in the memory of GPU {self._pixels.gpu_id}, which the host cannot read")
        return planes

    @property
    def device_plane(self) -> DevicePlane:
        """The plane in GPU memory.

        Raises:
            SurfaceError: The pixels are in host memory.
        """
        plane = self._pixels.planes[0]
        if not isinstance(plane, DevicePlane):
            raise SurfaceError("the pixels are in host memory, not on a GPU")
        return plane

    @property
    def device_planes(self) -> tuple[DevicePlane, ...]:
        """The planes in GPU memory, in the order of the format.

        Raises:
            SurfaceError: The pixels are in host memory.
        """
        planes = self._pixels.planes
        if not isinstance(planes[0], DevicePlane):
            raise SurfaceError("the pixels are in host memory, not on a GPU")
        return planes

    @property
    def device_pixels(self) -> Pixels:
        """Planes, format, size, colours and stream of a picture in GPU memory, in one piece.

        Raises:
            SurfaceError: The pixels are in host memory.
        """
        pixels = self._pixels
        if not isinstance(pixels.planes[0], DevicePlane):
            raise SurfaceError("the pixels are in host memory, not on a GPU")
        return pixels

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The plane for CUDA libraries; host surfaces do not have this attribute."""
        if not self.is_cuda:
            raise AttributeError("a surface in host memory has no __cuda_array_interface__")
        return self.device_plane.__cuda_array_interface__ | {"stream": self._pixels.cuda_stream or None}

    def __dlpack_device__(self) -> tuple[int, int]:
        """Say where the pixels are: the kind of device and its number, as DLPack counts them."""
        if self.is_cuda:
            return CUDA, self._pixels.gpu_id
        kind, index = self.planes[0].__dlpack_device__()
        return int(kind), index

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Lend the plane by DLPack; on a GPU, ``stream`` goes on once the pixels are ready.

        Args:
            stream: Where a borrower will use pixels on a GPU: a stream, None for the default one, -1 for no order. It
                has to live as long as the borrower's array.
            max_version: The newest version that the borrower reads.
            dl_device: Where the borrower wants the pixels; they are not moved.
            copy: True asks for a copy.

        Raises:
            BufferError: What DLPack lets a producer refuse.
            SurfaceError: The picture has several planes.
        """
        planes = self._pixels.planes
        if len(planes) > 1:
            raise SurfaceError(f"{self._pixels.format.name()} has {len(planes)} planes, DLPack lends one array")
        plane = planes[0]
        if not isinstance(plane, DevicePlane):
            return plane.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)
        from picasso.surface.device_memory import order_streams

        loan = Loan(
            plane.ptr,
            plane.shape,
            plane.strides,
            "uint8",
            gpu_id=self._pixels.gpu_id,
            stream=self._pixels.cuda_stream,
            owner=plane,
            read_only=plane.read_only,
        )
        return export_array(loan, order_streams, stream, max_version, dl_device, copy)

    @property
    def format(self) -> VideoFormat:
        """Layout of the bytes."""
        return self._pixels.format

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._pixels.size_wh

    @property
    def width(self) -> int:
        """Pixels a row."""
        return self.size_wh[0]

    @property
    def height(self) -> int:
        """Rows."""
        return self.size_wh[1]

    @property
    def color(self) -> ColorSpace | None:
        """What the numbers of a YUV picture mean, None for other formats."""
        return self._pixels.color

    @property
    def sample_aspect_ratio(self) -> Fraction:
        """Width of a pixel over its height, as shown: 1 unless a reader says otherwise; the transform uses it."""
        return self._pixels.sample_aspect_ratio

    @property
    def is_cuda(self) -> bool:
        """Whether the pixels are in GPU memory."""
        return isinstance(self._pixels.planes[0], DevicePlane)

    @property
    def mem_type(self) -> MemType:
        """Where the pixels live: ``SYSTEM`` or ``CUDA_DEVICE``."""
        return MemType.CUDA_DEVICE if self.is_cuda else MemType.SYSTEM

    @property
    def gpu_id(self) -> int:
        """Device of a GPU surface, 0 for one in host memory."""
        return self._pixels.gpu_id

    @property
    def cuda_stream(self) -> int:
        """Stream on which the pixels become ready, 0 when they are."""
        return self._pixels.cuda_stream

    @property
    def data_ptr(self) -> int:
        """Address of the first sample of the first plane, in host or GPU memory."""
        plane = self._pixels.planes[0]
        return plane.ptr if isinstance(plane, DevicePlane) else plane.ctypes.data

    @property
    def pitch(self) -> int:
        """Bytes from a row to the next, of the first plane; negative where rows run upwards."""
        return self._pixels.planes[0].strides[0]

    @property
    def channels(self) -> int:
        """Bytes a pixel, 0 for formats of several planes."""
        return self.format.channels

    @property
    def color_format(self) -> int:
        """Number of the format in NVIDIA's ``NvBufSurfaceColorFormat``: 1 for GRAY8, 19 for RGBA."""
        return self.format.color_format

    @property
    def readonly(self) -> bool:
        """Whether a plane may not be written to, as those that a decoder still refers to."""
        return any(
            plane.read_only if isinstance(plane, DevicePlane) else not plane.flags.writeable
            for plane in self._pixels.planes
        )

    def plane_layout(self) -> tuple[PlaneLayout, ...]:
        """Return each plane as flat memory with base, pitch and steps, for kernels; made once.

        Raises:
            SurfaceError: The pixels are in GPU memory.
        """
        layout = self._layout  # a view that is consumed has none
        if layout is None:
            layout = self._layout = tuple([plane_maths.layout_of(plane) for plane in self.planes])
        return layout
