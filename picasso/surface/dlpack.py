"""DLPack in both directions for GPU memory, by ``ctypes``: read without CUDA, handed out with a stream.

Source: https://dmlc.github.io/dlpack/latest/python_spec.html and ``dlpack.h`` of version 1. NumPy serves host memory.
"""

from __future__ import annotations

import atexit
import ctypes
from collections.abc import Callable
from typing import Any, Final

from picasso.errors import SurfaceError

HOST, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13
"""``DLDeviceType``."""
_READ_ONLY: Final = 1
_LEGACY_STREAM: Final = 1
_PER_THREAD_STREAM: Final = 2
_NO_ORDER: Final = -1

DType = tuple[int, int, int]
"""``DLDataType``: code (1 whole numbers without sign, 2 floats), bits, lanes."""
DTYPES: Final[dict[str, DType]] = {"uint8": (1, 8, 1), "float16": (2, 16, 1), "float32": (2, 32, 1)}


class _Device(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int32), ("index", ctypes.c_int32))


class _DataType(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    """``DLManagedTensor``."""

    _fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


class _Versioned(ctypes.Structure):
    """``DLManagedTensorVersioned``."""

    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


_OLD, _NEW = b"dltensor", b"dltensor_versioned"
_USED: Final = {_OLD: b"used_dltensor", _NEW: b"used_dltensor_versioned"}
_KINDS: Final[dict[bytes, type[_Managed] | type[_Versioned]]] = {_OLD: _Managed, _NEW: _Versioned}
_DELETER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_DESTRUCTOR: Final = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)

_api: Final = ctypes.PyDLL(None)
_new_capsule = _api.PyCapsule_New
_new_capsule.restype, _new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, _DESTRUCTOR]
# two prototypes of each: a capsule that is being destroyed has no references left to count
_pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_IsValid", _api))
_rename = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_SetName", _api))
_dying_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))
_dying_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_IsValid", _api))


def for_any_thread(stream: int) -> int:
    """Return a stream that means the same on every thread.

    The default stream of a thread, 2, is another one on each thread. The legacy one, 1, is in order with all of them:
    it waits for what they were told before, and they wait for it.
    """
    return _LEGACY_STREAM if stream == _PER_THREAD_STREAM else stream


def device_of(obj: Any) -> tuple[int, int] | None:
    """Return ``(kind, index)`` of an object with DLPack, None for one without."""
    if not (hasattr(obj, "__dlpack__") and hasattr(obj, "__dlpack_device__")):
        return None
    kind, index = obj.__dlpack_device__()
    return int(kind), int(index)


def is_on_gpu(obj: Any) -> bool:
    """Tell whether an object offers DLPack of GPU memory."""
    device = device_of(obj)
    return device is not None and device[0] in {CUDA, CUDA_MANAGED}


class Imported:
    """An array that another library lent; given back with this object."""

    __slots__ = ("_address", "_deleter", "dtype", "gpu_id", "ptr", "read_only", "shape", "strides")

    def __init__(self, capsule: object) -> None:
        """Take what is in a capsule.

        Raises:
            SurfaceError: It is none of DLPack, was taken before, or is of a version that no one here knows.
        """
        self._deleter: int | None = None
        name = next((name for name in _KINDS if _is_valid(capsule, name)), None)
        if name is None:
            raise SurfaceError("__dlpack__ gave no capsule that is still to be taken")
        self._address = _pointer_of(capsule, name)
        managed = _KINDS[name].from_address(self._address)
        _rename(capsule, _USED[name])
        self._deleter = managed.deleter
        if isinstance(managed, _Versioned) and managed.major != 1:
            raise SurfaceError(f"DLPack {managed.major}.{managed.minor}: only version 1 is known")
        tensor = managed.tensor
        axes = range(tensor.ndim)
        bits = tensor.dtype.bits * tensor.dtype.lanes
        self.dtype: DType = (tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes)
        self.shape: tuple[int, ...] = tuple(tensor.shape[axis] for axis in axes)
        self.strides: tuple[int, ...] | None = (
            tuple(tensor.strides[axis] * bits // 8 for axis in axes) if tensor.strides else None
        )
        self.ptr: int = (tensor.data or 0) + (tensor.byte_offset if tensor.data else 0)
        self.gpu_id: int = tensor.device.index
        self.read_only: bool = isinstance(managed, _Versioned) and bool(managed.flags & _READ_ONLY)

    def __del__(self) -> None:
        if self._deleter:
            _DELETER(self._deleter)(self._address)


def import_array(obj: Any, stream: int | None = None) -> Imported:
    """Borrow an array in GPU memory.

    Args:
        obj: What offers DLPack.
        stream: The stream on which the array is to be ready; None is the default stream.

    Raises:
        SurfaceError: Its capsule cannot be used, or is of another device than the object says.
    """
    wanted = _LEGACY_STREAM if stream is None else stream
    try:
        capsule = obj.__dlpack__(stream=wanted, max_version=(1, 0))
    except TypeError:  # written before version 1
        capsule = obj.__dlpack__(stream=wanted)
    given = Imported(capsule)
    said = device_of(obj)
    if said is not None and said[1] != given.gpu_id:
        raise SurfaceError(f"__dlpack_device__ says GPU {said[1]}, the array is on GPU {given.gpu_id}")
    return given


class Loan:
    """What is handed out: an array in GPU memory, and whose it is."""

    __slots__ = ("dtype", "gpu_id", "owner", "ptr", "read_only", "shape", "stream", "strides")

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
        read_only: bool = False,
    ) -> None:
        """Describe it.

        Args:
            ptr: Device address.
            shape: Lengths of the axes.
            strides: Bytes.
            dtype: A key of ``DTYPES``.
            gpu_id: Where it is.
            stream: The stream that makes it, 0 if it is ready.
            owner: Kept alive as long as someone holds the array.
            read_only: Whether no one may write to it.
        """
        self.ptr: int = ptr
        self.shape: tuple[int, ...] = shape
        self.strides: tuple[int, ...] = strides
        self.dtype: str = dtype
        self.gpu_id: int = gpu_id
        self.stream: int = stream
        self.owner: object = owner
        self.read_only: bool = read_only


Order = Callable[[int, int, int], None]
"""``(gpu_id, first, then)``: lets what stream ``then`` is told from now on start after what ``first`` was told."""


class _Held:
    """A loan that is out; its owner's stream goes on after the borrower's once it comes back."""

    __slots__ = ("axes", "loan", "managed", "order", "stream")

    def __init__(self, loan: Loan, stream: int, order: Order, managed: Any, axes: tuple[object, ...]) -> None:
        self.loan, self.stream, self.order = loan, stream, order
        self.managed, self.axes = managed, axes

    def settle(self) -> None:
        """Come back: what the owner does next with the memory starts after what the borrower was told to do."""
        loan = self.loan
        if loan.stream and self.stream not in {_NO_ORDER, loan.stream}:
            self.order(loan.gpu_id, self.stream, loan.stream)


_out: Final[dict[int, _Held]] = {}
"""Loans by the address of the structure that stands for them."""


def _come_back(address: int) -> None:
    held = _out.pop(address, None)
    if held is not None:
        held.settle()


def _destroy(capsule: int) -> None:
    """Take back what no one took out of its capsule."""
    for name in _KINDS:
        if _dying_is_valid(capsule, name):
            _come_back(_dying_pointer(capsule, name))


def _leave() -> None:
    """Let what is still out when the interpreter ends stay: its borrower may free it when no Python runs any more."""
    nothing = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
    for held in _out.values():
        held.managed.deleter = nothing
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))


atexit.register(_leave)
_delete_loan: Final = _DELETER(_come_back)
_destroy_capsule: Final = _DESTRUCTOR(_destroy)


def export_array(
    loan: Loan,
    order: Order,
    stream: int | None = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Return a capsule, as ``__dlpack__`` does; ``stream`` starts after the array is made.

    Args:
        loan: What is lent.
        order: How streams are put in order.
        stream: Where the array will be used: a stream, 1 or None for the default one, -1 for no order.
        max_version: The newest version that the borrower reads; None is before 1.
        dl_device: Where the borrower wants it; only where it is.
        copy: True asks for a copy, which is refused.

    Raises:
        BufferError: What the standard lets a producer refuse: another device, a copy, read-only to a borrower that
            knows no read-only, stream 0.
    """
    if dl_device is not None and (int(dl_device[0]), int(dl_device[1])) != (CUDA, loan.gpu_id):
        raise BufferError(f"the array is on GPU {loan.gpu_id} and is not moved to device {tuple(map(int, dl_device))}")
    if copy:
        raise BufferError("the array is lent as it is, without a copy")
    if stream == 0:
        raise BufferError("stream 0 is ambiguous in DLPack; 1 is the legacy default stream")
    versioned = max_version is not None and max_version[0] >= 1
    if loan.read_only and not versioned:
        raise BufferError("the array is read-only, which DLPack before version 1 cannot say")
    user = _LEGACY_STREAM if stream is None else stream
    if loan.stream and user not in {_NO_ORDER, loan.stream}:
        order(loan.gpu_id, loan.stream, user)
    managed: Any = _Versioned() if versioned else _Managed()
    if versioned:
        managed.major, managed.flags = 1, _READ_ONLY if loan.read_only else 0
    managed.deleter = ctypes.cast(_delete_loan, ctypes.c_void_p).value
    code, bits, lanes = DTYPES[loan.dtype]
    ndim = len(loan.shape)
    shape = (ctypes.c_int64 * ndim)(*loan.shape)
    strides = (ctypes.c_int64 * ndim)(*(8 * stride // bits for stride in loan.strides))
    tensor = managed.tensor
    tensor.data, tensor.ndim = loan.ptr, ndim
    tensor.device.kind, tensor.device.index = CUDA, loan.gpu_id
    tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes = code, bits, lanes
    tensor.shape, tensor.strides = shape, strides
    address = ctypes.addressof(managed)
    _out[address] = _Held(loan, for_any_thread(user), order, managed, (shape, strides))
    return _new_capsule(address, _NEW if versioned else _OLD, _destroy_capsule)
