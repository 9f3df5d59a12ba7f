"""Tensors in GPU memory: what a detector reads, made by ``CudaTransformer.to_tensor``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from picasso.errors import ShapeError, SurfaceError, SurfaceTypeError
from picasso.surface.cuda import known_device, stream_of
from picasso.surface.dlpack import CUDA, Loan, export_array

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Stream

DTYPES: Final = {"float16": 2, "float32": 4}
"""Bytes a number."""
_TYPESTRS: Final = {"<f2": "float16", "<f4": "float32"}


class DeviceTensor:
    """``(N, 3, H, W)`` numbers in GPU memory; CUDA libraries take it without a copy.

    ``torch.from_dlpack(tensor)``, ``cupy.from_dlpack(tensor)`` and ``jax.dlpack.from_dlpack(tensor)`` wait, on their
    own stream, for the stream that makes it; so does code that reads the ``stream`` of ``__cuda_array_interface__``.
    """

    __slots__ = ("_dtype", "_gpu_id", "_owner", "_ptr", "_shape", "_stream", "_strides")

    def __init__(
        self,
        ptr: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: str,
        *,
        gpu_id: int,
        stream: int,
        owner: object,
    ) -> None:
        self._ptr, self._shape, self._strides, self._dtype = ptr, shape, strides, dtype
        self._gpu_id, self._stream, self._owner = gpu_id, stream, owner

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, 3, H, W)``."""
        return self._shape

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from an entry to the next, of each axis."""
        return self._strides

    @property
    def dtype(self) -> str:
        """``float16`` or ``float32``."""
        return self._dtype

    @property
    def data_ptr(self) -> int:
        """Device address of the first number."""
        return self._ptr

    @property
    def gpu_id(self) -> int:
        """The GPU that holds it."""
        return self._gpu_id

    @property
    def cuda_stream(self) -> int:
        """Stream on which the numbers become ready, 0 when they are."""
        return self._stream

    @property
    def is_contiguous(self) -> bool:
        """Whether the numbers follow each other without gaps."""
        size = DTYPES[self._dtype]
        return self._strides == tuple(size * math.prod(self._shape[axis + 1 :]) for axis in range(len(self._shape)))

    def __len__(self) -> int:
        """How many pictures it holds."""
        return self._shape[0]

    def __getitem__(self, pictures: slice) -> DeviceTensor:
        """Return pictures that follow each other, in the same memory.

        Raises:
            ShapeError: The slice has another step than 1.
        """
        first, last, step = pictures.indices(len(self))
        if step != 1:
            raise ShapeError(f"a tensor on a GPU has slices of pictures, such as tensor[2:4]; got {pictures!r}")
        return DeviceTensor(
            self._ptr + first * self._strides[0],
            (max(last - first, 0), *self._shape[1:]),
            self._strides,
            self._dtype,
            gpu_id=self._gpu_id,
            stream=self._stream,
            owner=self._owner,
        )

    def wait(self) -> None:
        """Wait until the numbers are ready."""
        from picasso.surface.device_memory import open_device

        open_device(self._gpu_id).wait_for(self._stream)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Describe the tensor to any CUDA library, without a copy."""
        return {
            "version": 3,
            "shape": self._shape,
            "typestr": f"<f{DTYPES[self._dtype]}",
            "data": (self._ptr, False),
            "strides": self._strides,
            "stream": self._stream or None,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        """Say on which GPU it is, as DLPack counts devices."""
        return CUDA, self._gpu_id

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Lend the tensor by DLPack; ``stream`` goes on once the numbers are ready.

        Args:
            stream: Where the borrower will use it: a stream, None for the default one, -1 for no order. It has to live
                as long as the borrower's array.
            max_version: The newest version that the borrower reads.
            dl_device: Where the borrower wants it; it is not moved.
            copy: True asks for a copy.

        Raises:
            BufferError: What DLPack lets a producer refuse.
        """
        from picasso.surface.device_memory import order_streams

        loan = Loan(
            self._ptr,
            self._shape,
            self._strides,
            self._dtype,
            gpu_id=self._gpu_id,
            stream=self._stream,
            owner=self._owner,
        )
        return export_array(loan, order_streams, stream, max_version, dl_device, copy)

    def to_cupy(self) -> Any:
        """Return the tensor as a CuPy array ``(N, 3, H, W)`` that shares its memory.

        CuPy's current stream goes on once the numbers are ready. That stream has to live as long as the array.

        Raises:
            MissingDependencyError: CuPy is not installed.
        """
        from picasso.surface.cupy_arrays import lend_to_cupy

        return lend_to_cupy(self, self._gpu_id)

    def to_numpy(self) -> npt.NDArray[Any]:
        """Wait for the numbers and copy them to the host."""
        from picasso.surface.device_memory import open_device

        device = open_device(self._gpu_id)
        device.wait_for(self._stream)
        from picasso_kernels.cuda.copies import Rows, copy_rows

        copy = np.empty(self._shape, self._dtype)
        images, channels, rows, columns = self._shape
        size = columns * copy.itemsize
        for image in range(images):
            for channel in range(channels):
                source = self._ptr + image * self._strides[0] + channel * self._strides[1]
                there = Rows(True, source, self._strides[2])
                copy_rows(device, there, Rows(False, copy[image, channel].ctypes.data, size), (rows, size))
        return copy

    def __repr__(self) -> str:
        return f"DeviceTensor({self._shape}, {self._dtype}, gpu={self._gpu_id})"


def allocate_tensor(shape: tuple[int, int, int, int], dtype: str, stream: Stream) -> DeviceTensor:
    """Make a tensor without gaps; what it holds means nothing. Its memory goes back in the order of ``stream``.

    Raises:
        SurfaceError: Neither ``float16`` nor ``float32``.
    """
    from picasso.surface.device_memory import DeviceBlock

    size = check_dtype(dtype)
    row = size * shape[3]
    plane = row * shape[2]
    strides = (shape[1] * plane, plane, row, size)
    block = DeviceBlock(shape[0] * strides[0], stream)
    gpu_id = stream.device.index
    return DeviceTensor(block.address, shape, strides, dtype, gpu_id=gpu_id, stream=stream.address, owner=block)


def bring_tensor(tensor: DeviceTensor, stream: Stream) -> DeviceTensor:
    """Copy a tensor without gaps to the GPU of a stream, in its order; keep the source until the copy is ready.

    Raises:
        DeviceError: That GPU has no room for it.
    """
    from picasso.surface.device_memory import open_device
    from picasso_kernels.cuda.copies import Rows, copy_rows_from_peer

    owner, (images, channels, rows, columns) = open_device(tensor.gpu_id), tensor.shape
    if tensor.cuda_stream:
        owner.order(tensor.cuda_stream, stream.address)
    copy = allocate_tensor((images, channels, rows, columns), tensor.dtype, stream)
    size = rows * columns * DTYPES[tensor.dtype]
    stream.device.reach(owner)
    with stream.device.current():
        there, here = Rows(True, tensor.data_ptr, size), Rows(True, copy.data_ptr, size)
        copy_rows_from_peer(there, owner, here, (images * channels, size), stream)
    return copy


def tensor_over(obj: object) -> DeviceTensor:
    """View a float array of another library, ``(N, 3, H, W)`` or ``(3, H, W)``, as a tensor to write to.

    Raises:
        SurfaceTypeError: It has no ``__cuda_array_interface__``.
        SurfaceError: Null pointer, another dtype or shape, numbers of a row that do not follow each other, strides
            that are not positive, or read-only.
    """
    interface = getattr(obj, "__cuda_array_interface__", None)
    if interface is None:
        raise SurfaceTypeError(f"object does not expose __cuda_array_interface__, got {type(obj).__name__}")
    ptr, read_only = interface["data"]
    dtype = _TYPESTRS.get(interface["typestr"])
    shape = tuple(interface["shape"])
    if dtype is None:
        raise SurfaceError(f"unsupported dtype '{interface['typestr']}'; a tensor is of <f2 or <f4")
    if len(shape) == 3:
        shape = (1, *shape)
    if len(shape) != 4 or shape[1] != 3:
        raise SurfaceError(f"unsupported shape {tuple(interface['shape'])}; expected (N, 3, H, W) or (3, H, W)")
    if not ptr:
        raise SurfaceError("data pointer is null")
    if read_only:
        raise SurfaceError("the tensor is read-only")
    strides = _strides_of(interface.get("strides"), shape, DTYPES[dtype])
    stream = stream_of(interface) or 0
    return DeviceTensor(ptr, shape, strides, dtype, gpu_id=known_device(obj) or 0, stream=stream, owner=obj)


def _strides_of(given: tuple[int, ...] | None, shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    if given is None:
        return tuple(size * math.prod(shape[axis + 1 :]) for axis in range(4))
    strides = tuple(given) if len(given) == 4 else (size * math.prod(shape[1:]), *given)
    if len(strides) != 4 or strides[3] != size or strides[2] < size * shape[3] or min(strides) < 0:
        raise SurfaceError(f"the numbers of a row must follow each other, and rows too; got strides {tuple(given)}")
    return strides


def check_dtype(dtype: str) -> int:
    """Return the bytes of a number.

    Raises:
        SurfaceError: Neither ``float16`` nor ``float32``.
    """
    if dtype not in DTYPES:
        raise SurfaceError(f"dtype {dtype!r}: expected one of {', '.join(DTYPES)}")
    return DTYPES[dtype]
