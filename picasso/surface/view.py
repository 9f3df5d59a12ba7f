"""A picture in memory: planes, format and size, over someone's pixels without a copy."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np

from picasso.errors import ConsumedError, SurfaceError, UploadError
from picasso.surface import planes as plane_maths
from picasso.surface.array_like import ArrayLike
from picasso.surface.cuda import (
    DevicePlane,
    DevicePlanes,
    as_picture,
    as_planes,
    grey_or_rgba,
    is_device_array,
    read_array,
    read_dlpack,
    read_interface,
)
from picasso.surface.described import DescribedPixels
from picasso.surface.dlpack import for_any_thread, is_on_gpu
from picasso.surface.formats import ColorSpace, VideoFormat
from picasso.surface.interop import as_array
from picasso.surface.pixels import CONSUMED, SQUARE, Pixels
from picasso.surface.planes import Bytes, PlaneLayout

if TYPE_CHECKING:
    from fractions import Fraction


View = TypeVar("View", bound="SurfaceView")


class Buffer(Protocol):
    """Slots of a pool, such as ``SharedBuffer``."""

    def view_slot(self, slot_index: int = 0, cuda_stream: int = 0) -> SurfaceView:
        """View a slot."""


class SurfaceView(ArrayLike, DescribedPixels):
    """Pixels of one picture: no copy is made, strides are honoured, and the owner of the pixels is kept alive.

    Made by ``wrap``, ``allocate``, ``from_planes``, ``from_buffer``, ``from_cuda_array`` and ``from_dlpack``; what
    cannot be pixels raises ``SurfaceError``. Size, format and planes never change; the pixels may.
    NumPy reads a picture of one plane in host memory (``np.asarray``), and a notebook shows any picture.
    ``PicassoEngine.send_frame`` moves a view: it is falsy from then on, and every use of it raises ``ConsumedError``.
    """

    __slots__ = ("_claim", "_kept")

    _claim: None
    """There while the pixels can be taken: deleting it succeeds once among all threads."""

    def __init__(
        self,
        planes: tuple[Bytes, ...] | tuple[DevicePlane, ...],
        format: VideoFormat,
        size_wh: tuple[int, int],
        color: ColorSpace | None,
        *,
        gpu_id: int = 0,
        cuda_stream: int = 0,
        layout: tuple[PlaneLayout, ...] | None = None,
        sample_aspect_ratio: Fraction = SQUARE,
    ) -> None:
        if color is not None and not format.is_yuv:
            raise SurfaceError(f"a colour space belongs to YUV pictures, not to {format.name()}")
        if color is None and format.is_yuv:
            color = ColorSpace.for_height(size_wh[1])
        self._pixels = Pixels(planes, format, size_wh, color, gpu_id, cuda_stream, sample_aspect_ratio)
        self._claim = None
        self._layout = layout
        self._kept: tuple[weakref.ref[object], object] | None = None

    @classmethod
    def wrap(cls, obj: Any, format: VideoFormat | None = None, *, color: ColorSpace | None = None) -> SurfaceView:
        """View the pixels of any array object, without a copy.

        Args:
            obj: A uint8 NumPy array, an object with ``__cuda_array_interface__``, ``__array_interface__`` or DLPack
                of host or GPU memory, a ``SharedBuffer``, or a ``SurfaceView``, which is returned as it is.
            format: What the bytes are. Without it ``(H, W, 4)`` is RGBA, ``(H, W, 3)`` RGB and ``(H, W)`` GRAY8.
                NV12, NV21 and I420 are one array ``(H * 3 / 2, W)``.
            color: What the numbers of a YUV picture mean; by default BT.709 limited range from 720 lines up, BT.601
                below.

        Raises:
            SurfaceError: Wrong dtype, shape or size.
            SurfaceTypeError: Not an array object.

        >>> picture = np.zeros((480, 640, 3), np.uint8)
        >>> surface = SurfaceView.wrap(picture[:, ::-1])  # any stride: here mirrored
        >>> surface.format, surface.size_wh
        (VideoFormat.RGB, (640, 480))
        >>> SurfaceView.wrap(np.zeros((720, 640), np.uint8), VideoFormat.NV12).size_wh
        (640, 480)
        """
        if not isinstance(obj, np.ndarray):
            if isinstance(obj, SurfaceView):
                return obj._checked(format, color)
            if is_device_array(obj):
                return cls._of_device(as_picture(read_array(obj), format), color)
            if hasattr(obj, "view_slot"):
                return cls.from_buffer(obj)._checked(format, color)
            obj = as_array(obj)
        form, size_wh, planes = plane_maths.split(plane_maths.check_bytes(obj), format)
        return cls(planes, form, size_wh, color)

    @classmethod
    def from_planes(
        cls,
        planes: Sequence[Any],
        format: VideoFormat,
        size_wh: tuple[int, int],
        color: ColorSpace | None = None,
    ) -> Self:
        """View the planes of a decoder, rows padded as they may be.

        Args:
            planes: One uint8 array each, NumPy's or a device array; interleaved chroma is ``(H / 2, W / 2, 2)`` or
                ``(H / 2, W)``.
            format: What they are the planes of.
            size_wh: Width and height of the picture in pixels.
            color: What the numbers of a YUV picture mean; by default as for ``wrap``.

        Raises:
            SurfaceError: Count, dtype or shape is not that of the format, or not all planes are on one GPU.
        """
        if any(is_device_array(plane) for plane in planes):
            return cls._of_device(as_planes([read_array(plane) for plane in planes], format, size_wh), color)
        return cls(plane_maths.check_planes(planes, format, size_wh), format, size_wh, color)

    @classmethod
    def allocate(cls, format: VideoFormat, size_wh: tuple[int, int], color: ColorSpace | None = None) -> Self:
        """Make a zeroed surface of this format, size and colour space in host memory.

        Memory starts at a multiple of 64 bytes, and so do rows, except for I420, whose planes are one tight block
        ``(H * 3 / 2, W)``.

        Raises:
            SurfaceError: A size that the format does not allow.
        """
        memory = plane_maths.zeros(plane_maths.byte_size(format, size_wh))
        return cls(plane_maths.over_memory(memory, format, size_wh), format, size_wh, color)

    @classmethod
    def from_buffer(cls, buf: Buffer, slot_index: int = 0, cuda_stream: int = 0) -> SurfaceView:
        """View a slot of a pool's buffer; the buffer stays out of the pool as long as the view lives.

        Raises:
            SurfaceError: The buffer has no such slot; those of ``BufferGenerator`` have one.
            ConsumedError: The buffer was handed over.
        """
        return buf.view_slot(slot_index, cuda_stream)

    @classmethod
    def from_cuda_array(cls, obj: object, gpu_id: int | None = None, cuda_stream: int = 0) -> Self:
        """View an object with ``__cuda_array_interface__``: ``(H, W)`` or ``(H, W, 1)`` is GRAY8, ``(H, W, 4)`` RGBA.

        Args:
            obj: CuPy array, torch tensor and the like; kept alive.
            gpu_id: Device that holds it; None asks the object, 0 if that does not tell.
            cuda_stream: Stream on which the pixels become ready; 0 takes the one that the interface names.

        Raises:
            SurfaceTypeError: No such interface.
            SurfaceError: Null pointer, dtype other than uint8, wrong shape, pitch less than a row, or the object says
                that it is on another GPU.
        """
        array = read_interface(obj)
        return cls._of_device(as_picture(array, grey_or_rgba(array), gpu_id), None, cuda_stream)

    @classmethod
    def from_dlpack(
        cls, obj: object, format: VideoFormat | None = None, *, color: ColorSpace | None = None, cuda_stream: int = 0
    ) -> Self:
        """View an array in GPU memory that offers DLPack (JAX, torch, CuPy), ready on a stream of the caller's.

        Args:
            obj: What has ``__dlpack__`` and ``__dlpack_device__``; kept alive.
            format: What the bytes are, as for ``wrap``.
            color: What the numbers of a YUV picture mean; by default as for ``wrap``.
            cuda_stream: Stream on which the producer is asked to have the pixels ready; 0 is the default stream.

        Raises:
            SurfaceError: Not on a GPU, dtype other than uint8, wrong shape, or something else than rows is padded.
        """
        if not is_on_gpu(obj):
            raise SurfaceError(f"{type(obj).__name__} offers no DLPack of GPU memory; wrap takes what is on the host")
        return cls._of_device(as_picture(read_dlpack(obj, cuda_stream), format), color)

    @classmethod
    def _of_device(cls, picture: DevicePlanes, color: ColorSpace | None, cuda_stream: int = 0) -> Self:
        form, size_wh, planes, gpu_id, stream = picture
        ready = for_any_thread(cuda_stream) or stream or 0
        return cls(planes, form, size_wh, color, gpu_id=gpu_id, cuda_stream=ready)

    def with_sample_aspect_ratio(self, ratio: Fraction) -> Self:
        """Move the pixels into a view that says another shape of a pixel; this one is consumed, if it says another.

        Args:
            ratio: Width of a pixel over its height, > 0.

        Raises:
            SurfaceError: ``ratio`` is not above 0.
        """
        if ratio <= 0:
            raise SurfaceError(f"sample_aspect_ratio: expected more than 0, got {ratio}")
        if ratio == self._pixels.sample_aspect_ratio:
            return self
        fresh = self.take()
        fresh._pixels = fresh._pixels._replace(sample_aspect_ratio=ratio)
        return fresh

    def keep(self, owner: object, value: object) -> None:
        """Keep what someone made of these planes: until another keeps something, or the view is consumed.

        Args:
            owner: Who may ask for it with ``kept``; it is not kept alive by this.
            value: Anything.
        """
        if not self:
            raise ConsumedError("SurfaceView has been consumed")
        self._kept = (weakref.ref(owner), value)

    def kept(self, owner: object) -> Any:
        """Return what ``owner`` kept here, or None: an encoder that reads a surface again finds its own frame.

        A view that was consumed keeps nothing.
        """
        kept = self._kept
        return kept[1] if kept is not None and kept[0]() is owner else None

    def to_numpy(self) -> Bytes:
        """Copy the pixels into one tight array, ``(H, W, C)`` or ``(H, W)``; 4:2:0 formats give ``(H * 3 / 2, W)``.

        Pixels on a GPU are waited for and downloaded.
        """
        if self.is_cuda:
            from picasso.surface.device_memory import read_planes

            copy = type(self).allocate(self.format, self.size_wh, self.color)
            read_planes(self.device_planes, copy.planes, self.gpu_id, self.cuda_stream)
            return copy.to_numpy()
        planes = self.planes
        if len(planes) == 1:
            return np.array(planes[0], order="C")
        width, height = self._pixels.size_wh
        return np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)

    def to_cupy(self) -> Any:
        """Return the pixels as a CuPy array of uint8, ``(H, W, C)`` or ``(H, W)``; 4:2:0 gives ``(H * 3 / 2, W)``.

        A picture of one plane on a GPU is lent without a copy: what is written to the array is written to the surface,
        and CuPy's current stream goes on once the pixels are ready. That stream has to live as long as the array. A
        picture of several planes, and one in host memory, is copied.

        Raises:
            MissingDependencyError: CuPy is not installed.
            DeviceError: The picture is in host memory, and there is no GPU to copy it to.
            ConsumedError: The view was consumed.
        """
        from picasso.surface.cupy_arrays import cupy_of_surface

        return cupy_of_surface(self)

    def memset(self, value: int) -> None:
        """Set every byte of every plane to ``value``, 0..255."""
        byte = _check_byte(value)
        if self.is_cuda:
            from picasso.surface.device_memory import fill_planes

            fill_planes(self.device_planes, byte, self.gpu_id, self.cuda_stream)
            return
        for plane in self._writable():
            plane[...] = byte

    def fill(self, color: Sequence[int]) -> None:
        """Set every pixel to ``color``, a value 0..255 for each channel in the order of memory.

        Raises:
            SurfaceError: Not as many values as channels; formats of several planes have none.
        """
        if len(color) != self.channels:
            raise SurfaceError(f"color length {len(color)} does not match surface channel count {self.channels}")
        if not self.channels:
            raise SurfaceError(f"a picture of {len(self._pixels.planes)} planes has no channels to fill")
        values = np.array([_check_byte(value) for value in color], np.uint8)
        if self.is_cuda:
            self.upload(np.broadcast_to(values, (self.height, self.width, self.channels)))
            return
        self._writable()[0][...] = values

    def upload(self, array: Any) -> None:
        """Copy a uint8 array ``(H, W, C)``, or ``(H, W)`` for one channel, into the top left corner.

        Args:
            array: A NumPy array, or one on a GPU: of CuPy or of anything else that ``wrap`` takes. Pixels on the GPU of
                the surface are copied there; others come through the host. Either way they are waited for.

        Raises:
            SurfaceError: The dtype is not uint8, or the array on a GPU is not a picture: see ``wrap``.
            UploadError: The array is larger than the surface, or has other channels.
        """
        if is_device_array(array):
            from picasso.surface.cupy_arrays import upload_device_array

            upload_device_array(self, array)
            return
        array = plane_maths.check_bytes(np.asarray(array))
        pixels = array[:, :, None] if array.ndim == 2 else array
        if pixels.ndim != 3 or pixels.shape[2] != self.channels:
            raise UploadError(f"channel count mismatch: surface has {self.channels}, array has shape {array.shape}")
        rows, columns = pixels.shape[:2]
        if rows > self.height or columns > self.width:
            raise UploadError(f"array dimensions {columns}x{rows} exceed surface dimensions {self.width}x{self.height}")
        if self.is_cuda:
            from picasso.surface.device_memory import write_corner

            write_corner(self.device_plane, pixels, self.gpu_id, self.cuda_stream)
            return
        (plane,) = self._writable()
        plane[:rows, :columns] = pixels if plane.ndim == 3 else pixels[:, :, 0]

    def take(self) -> Self:
        """Move the pixels into a fresh view; this one is consumed. Of several threads that try, one succeeds."""
        try:
            del self._claim
        except AttributeError:
            raise ConsumedError("SurfaceView has been consumed") from None
        fresh = view_over(type(self), self._pixels, self._layout)
        self._pixels = CONSUMED
        self._layout = self._kept = None
        return fresh

    def share(self) -> Self:
        """Return another view of the same pixels, which is handed over on its own: one picture for several sources."""
        if not self:
            raise ConsumedError("SurfaceView has been consumed")
        return view_over(type(self), self._pixels, self._layout)

    def put_back(self, taken: Self) -> None:
        """Undo ``take``, which gave ``taken``: that one is consumed instead."""
        back = taken.take()
        self._claim, self._pixels, self._layout = None, back._pixels, back._layout

    def _writable(self) -> tuple[Bytes, ...]:
        planes = self.planes
        if self.readonly:
            raise SurfaceError("the pixels are read-only")
        return planes

    def _checked(self, format: VideoFormat | None, color: ColorSpace | None) -> SurfaceView:
        """Return this view if it is what the caller says it is."""
        if format not in (None, self.format):
            raise SurfaceError(f"the pixels are {self.format.name()}, not {format.name()}")
        if color not in (None, self._pixels.color):
            raise SurfaceError(f"the pixels are {self._pixels.color}, not {color}")
        return self

    def __bool__(self) -> bool:
        return self._pixels is not CONSUMED

    def __repr__(self) -> str:
        if not self:
            return "SurfaceView(<consumed>)"
        return f"SurfaceView({self.width}x{self.height}, ch={self.channels}, gpu={self._pixels.gpu_id})"


def view_over(kind: type[View], pixels: Pixels, layout: tuple[PlaneLayout, ...] | None = None) -> View:
    """Return a view of pixels that were checked, as those of one frame of a stream are for all."""
    made = object.__new__(kind)
    made._pixels, made._layout = pixels, layout
    made._claim = made._kept = None
    return made


def _check_byte(value: int) -> int:
    if not 0 <= value <= 255:
        raise SurfaceError(f"a byte is 0..255, got {value}")
    return value
