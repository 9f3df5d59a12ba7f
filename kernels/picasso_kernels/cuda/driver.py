"""The CUDA driver as the engine uses it: contexts, streams, events, memory, modules, launches.

Calls go through ``cuda.bindings``, which numba-cuda brings. Nothing here waits for a GPU unless its name says so, and
every refusal of the driver is a ``CudaError`` that names the call.

What a frame needs a dozen times, and what takes the driver a microsecond, goes through ``load_quick`` instead, which
keeps the GIL: ``cuda.bindings`` lets go of it in every call, and with many sources each time is a turn lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from cuda.bindings import driver

from picasso_kernels.cuda.libcuda import load_quick

_NON_BLOCKING: Final = int(driver.CUstream_flags.CU_STREAM_NON_BLOCKING)
_NO_TIMING: Final = int(driver.CUevent_flags.CU_EVENT_DISABLE_TIMING)
_ORDINAL: Final = int(driver.CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
_KEEP_ALL: Final = 2**63
"""Bytes that a pool keeps when they are given back: all."""


_quick: Final = load_quick()
_POINTER, _UINT, _SIZE = ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t
_quick.cuLaunchKernel.argtypes = [_POINTER, *[_UINT] * 7, *[_POINTER] * 3]
_quick.cuCtxSetCurrent.argtypes = [_POINTER]
_quick.cuCtxPushCurrent_v2.argtypes = _quick.cuCtxPopCurrent_v2.argtypes = [_POINTER]
_quick.cuEventRecord.argtypes = [_POINTER, _POINTER]
_quick.cuEventQuery.argtypes = [_POINTER]
_quick.cuStreamWaitEvent.argtypes = [_POINTER, _POINTER, _UINT]
_quick.cuPointerGetAttribute.argtypes = [_POINTER, _UINT, ctypes.c_uint64]
_quick.cuMemcpyHtoDAsync_v2.argtypes = [_POINTER, _POINTER, _SIZE, _POINTER]
_quick.cuMemAllocFromPoolAsync.argtypes = [_POINTER, _SIZE, _POINTER, _POINTER]
_quick.cuMemFreeAsync.argtypes = [_POINTER, _POINTER]
_record: Final = _quick.cuEventRecord
_let_wait: Final = _quick.cuStreamWaitEvent
_put_kernel: Final = _quick.cuLaunchKernelEx
"""Takes what ``Launch`` has converted already, so it is told no types."""


def _demand(status: int, call: str) -> None:
    """Raise ``CudaError`` unless a quick call succeeded."""
    if status:
        raise CudaError(f"{call}: {driver.CUresult(status).name}")


class CudaError(RuntimeError):
    """The CUDA driver refused a call."""


def check(result: tuple[Any, ...], call: str) -> Any:
    """Return what a driver call returned, or raise ``CudaError``."""
    status, *values = result
    if status:
        raise CudaError(f"{call}: {status.name}")
    return values[0] if len(values) == 1 else tuple(values) or None


class Device:
    """One GPU: its primary context, shared with every other CUDA library of the process, and its memory pool.

    Made by ``device_of`` only, once a GPU. Every method may be called from any thread.
    """

    def __init__(self, index: int) -> None:
        check(driver.cuInit(0), "cuInit")
        count = check(driver.cuDeviceGetCount(), "cuDeviceGetCount")
        if not 0 <= index < count:
            raise CudaError(f"there is no GPU {index}; {count} found")
        self.index = index
        self.handle: Any = check(driver.cuDeviceGet(index), "cuDeviceGet")
        self.context: Any = check(driver.cuDevicePrimaryCtxRetain(self.handle), "cuDevicePrimaryCtxRetain")
        self._context = int(self.context)
        kinds = driver.CUdevice_attribute
        major = self.attribute(kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        minor = self.attribute(kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
        self.compute_capability: tuple[int, int] = (major, minor)
        self.pool: Any = self._make_pool()
        self._pool_address = int(self.pool)
        self._reached: dict[int, bool] = {}
        self._functions: dict[tuple[str, bool], int] = {}
        self._loading = threading.Lock()

    def attribute(self, kind: Any) -> int:
        """Return a device attribute of the driver's enumeration."""
        return int(check(driver.cuDeviceGetAttribute(kind, self.handle), "cuDeviceGetAttribute"))

    @property
    def name(self) -> str:
        """What the device calls itself, e.g. ``"NVIDIA L4"``."""
        name: bytes = check(driver.cuDeviceGetName(128, self.handle), "cuDeviceGetName")
        return name.split(b"\0")[0].decode()

    def make_current(self) -> None:
        """Let the calling thread's driver calls mean this device."""
        if status := _quick.cuCtxSetCurrent(self._context):
            _demand(status, "cuCtxSetCurrent")

    def _make_pool(self) -> Any:
        """Make a stream-ordered pool that keeps its memory: allocation costs the driver nothing once it is warm."""
        properties = driver.CUmemPoolProps()
        properties.allocType = driver.CUmemAllocationType.CU_MEM_ALLOCATION_TYPE_PINNED
        properties.location.type = driver.CUmemLocationType.CU_MEM_LOCATION_TYPE_DEVICE
        properties.location.id = self.index
        pool = check(driver.cuMemPoolCreate(properties), "cuMemPoolCreate")
        kind = driver.CUmemPool_attribute.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD
        check(driver.cuMemPoolSetAttribute(pool, kind, driver.cuuint64_t(_KEEP_ALL)), "cuMemPoolSetAttribute")
        return pool

    def allocate(self, size: int, stream: Stream) -> int:
        """Return the address of ``size`` bytes, a multiple of 256, usable by what follows on ``stream``."""
        self.make_current()
        address = ctypes.c_uint64()
        status = _quick.cuMemAllocFromPoolAsync(ctypes.byref(address), size, self._pool_address, stream.address)
        _demand(status, "cuMemAllocFromPoolAsync")
        return address.value

    def release(self, address: int, stream: Stream) -> None:
        """Give memory back once all that was put on ``stream`` before is done.

        Called by destructors: after a fault on the GPU, which every other call reports, there is nothing to give back.
        They run in the middle of other work, so the device that is current stays current.
        """
        _quick.cuCtxPushCurrent_v2(self._context)
        _quick.cuMemFreeAsync(address, stream.address)
        _quick.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))

    def function(self, name: str, *, batched: bool) -> int:
        """Return a kernel, loaded once; its machine code comes from disk or is built."""
        key = (name, batched)
        found = self._functions.get(key)
        return found if found is not None else self._load(key)

    def _load(self, key: tuple[str, bool]) -> int:
        from picasso_kernels.cuda.cubin import entry_name, load_cubin

        name, batched = key
        with self._loading:
            if key not in self._functions:
                self.make_current()
                module = check(
                    driver.cuModuleLoadData(load_cubin(name, self.compute_capability, batched=batched)), name
                )
                entry = entry_name(name, batched=batched).encode()
                found = check(driver.cuModuleGetFunction(module, entry), f"cuModuleGetFunction {name}")
                self._functions[key] = int(found)
        return self._functions[key]

    def holds(self, address: int) -> bool:
        """Tell whether an address is memory that this device's kernels reach: its own, or managed."""
        self.make_current()
        ordinal = ctypes.c_int(-1)  # cuda.bindings 13 says 0 whichever GPU it is
        return (
            not _quick.cuPointerGetAttribute(ctypes.byref(ordinal), _ORDINAL, address) and ordinal.value == self.index
        )

    def reach(self, other: Device) -> bool:
        """Let copies to this device read the memory of another one directly, and tell whether the hardware can.

        Where it cannot, the driver copies by way of the host.
        """
        if other.index not in self._reached:
            able = check(driver.cuDeviceCanAccessPeer(self.handle, other.handle), "cuDeviceCanAccessPeer")
            self._reached[other.index] = bool(able) and self._open_way_to(other)
        return self._reached[other.index]

    def _open_way_to(self, other: Device) -> bool:
        """Map what another device has allocated: by itself, and in our pool there, which has rules of its own."""
        self.make_current()
        (status,) = driver.cuCtxEnablePeerAccess(other.context, 0)
        if status not in {driver.CUresult.CUDA_SUCCESS, driver.CUresult.CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED}:
            return False
        access = driver.CUmemAccessDesc()
        access.location.type = driver.CUmemLocationType.CU_MEM_LOCATION_TYPE_DEVICE
        access.location.id = self.index
        access.flags = driver.CUmemAccess_flags.CU_MEM_ACCESS_FLAGS_PROT_READWRITE
        check(driver.cuMemPoolSetAccess(other.pool, [access], 1), "cuMemPoolSetAccess")
        return True

    def wait_for(self, stream: int) -> None:
        """Wait until a foreign stream, given by its number, is done."""
        self.make_current()
        check(driver.cuStreamSynchronize(driver.CUstream(stream)), "cuStreamSynchronize")

    def fill(self, address: int, pitch: int, byte: int, shape: tuple[int, int]) -> None:
        """Set ``(rows, bytes a row)`` to one byte, and wait for it."""
        self.make_current()
        rows, width = shape
        check(driver.cuMemsetD2D8(address, pitch, byte, width, rows), "cuMemsetD2D8")
        self.wait_for(0)

    def wait(self) -> None:
        """Wait until the GPU has done all that was given to it."""
        self.make_current()
        check(driver.cuCtxSynchronize(), "cuCtxSynchronize")


@functools.cache
def device_of(index: int) -> Device:
    """Return a GPU by its number.

    Raises:
        CudaError: There is no such GPU, or no driver.
    """
    return Device(index)


class Stream:
    """A queue of work that runs in order, beside the queues of others; it never waits for the default stream.

    It goes back to the driver with the last thing that refers to this object: memory that is given back in its order
    needs it as long as someone holds that memory.
    """

    def __init__(self, device: Device, address: int = 0) -> None:
        """Make a stream, or borrow a foreign one by its number, which is not to be closed here."""
        device.make_current()
        self.device: Device = device
        made = driver.CUstream(address) if address else check(driver.cuStreamCreate(_NON_BLOCKING), "cuStreamCreate")
        self._owned = not address
        self.handle: Any = made
        self.address: int = int(made)
        """The stream as the number that other CUDA libraries take."""

    def wait_for(self, event: Event) -> None:
        """Let what follows here start after what ``event`` marks; the caller does not wait."""
        event.hold(self.address)

    def wait(self) -> None:
        """Wait until all of it is done."""
        check(driver.cuStreamSynchronize(self.handle), "cuStreamSynchronize")

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Be where all of it is done and its device is current, as destructors have to, and raise nothing."""
        _quick.cuCtxPushCurrent_v2(self.device._context)
        driver.cuStreamSynchronize(self.handle)
        yield
        _quick.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if getattr(self, "_owned", False):
            if not ending():  # then names of this module may be gone, and the driver takes all back by itself
                driver.cuStreamDestroy(self.handle)
            self.address = 0  # at the interpreter's end, what gives memory back in its order may die after it


class Event:
    """A mark in a stream, which other streams, or the host, can wait for."""

    def __init__(self, device: Device, *, timed: bool = False) -> None:
        device.make_current()
        self.handle: Any = check(driver.cuEventCreate(0 if timed else _NO_TIMING), "cuEventCreate")
        self._address = int(self.handle)

    def record(self, stream: Stream) -> None:
        """Mark what has been put on ``stream`` so far."""
        self.mark(stream.address)

    def mark(self, stream: int) -> None:
        """Mark what a stream, given by its number, has been told so far."""
        if status := _quick.cuEventRecord(self._address, stream):
            _demand(status, "cuEventRecord")

    def order(self, first: int, then: int) -> None:
        """Let what stream ``then`` is told from now on start after what stream ``first`` has been told so far."""
        address = self._address
        if status := _record(address, first):
            _demand(status, "cuEventRecord")
        if status := _let_wait(then, address, 0):
            _demand(status, "cuStreamWaitEvent")

    def hold(self, stream: int) -> None:
        """Let what a stream, given by its number, is told from now on start after what is marked."""
        if status := _quick.cuStreamWaitEvent(stream, self._address, 0):
            _demand(status, "cuStreamWaitEvent")

    def wait(self) -> None:
        """Wait until what is marked is done."""
        if not self.done:
            check(driver.cuEventSynchronize(self.handle), "cuEventSynchronize")

    def settle(self) -> None:
        """Wait as ``wait`` does, but raise nothing: for destructors, after a fault that others report."""
        driver.cuEventSynchronize(self.handle)

    @property
    def done(self) -> bool:
        """Whether what is marked is done."""
        return not _quick.cuEventQuery(self._address)

    def milliseconds_since(self, start: Event) -> float:
        """Return the time between two timed marks."""
        return float(check(driver.cuEventElapsedTime(start.handle, self.handle), "cuEventElapsedTime"))

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if not ending():
            driver.cuEventDestroy(self.handle)


class PinnedMemory:
    """Host memory that a GPU copies from and to without the host's help; given back with the object."""

    def __init__(self, device: Device, size: int) -> None:
        device.make_current()
        self.size = size
        self.address = int(check(driver.cuMemHostAlloc(size, 0), "cuMemHostAlloc"))
        self.bytes = memoryview((ctypes.c_uint8 * size).from_address(self.address)).cast("B")

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if not ending():
            driver.cuMemFreeHost(self.address)


class Arguments:
    """A kernel's parameters as the driver wants them: one packed block, handed over by its address.

    The driver copies the block when a kernel is launched; it can be written to again at once. Not for two threads.
    """

    def __init__(self, size: int) -> None:
        self.block: bytearray = bytearray(size)
        self._pinned = (ctypes.c_uint8 * size).from_buffer(self.block)  # keeps the block where it is
        self._size = ctypes.c_size_t(size)
        values = (1, ctypes.addressof(self._pinned), 2, ctypes.addressof(self._size), 0)
        self._extra = (ctypes.c_void_p * len(values))(*values)  # CU_LAUNCH_PARAM_BUFFER_POINTER, _SIZE, _END
        self.address: int = ctypes.addressof(self._extra)


def launch(
    function: int, grid: tuple[int, int, int], block: tuple[int, int, int], stream: Stream, arguments: Arguments
) -> None:
    """Put a kernel on a stream; the context of its device has to be current."""
    status = _quick.cuLaunchKernel(function, *grid, *block, 0, stream.address, None, arguments.address)
    _demand(status, "cuLaunchKernel")


class _LaunchConfig(ctypes.Structure):
    """``CUlaunchConfig``: grid, block, dynamic shared memory, stream, no attributes."""

    _fields_ = (
        ("grid", _UINT * 3),
        ("block", _UINT * 3),
        ("shared", _UINT),
        ("stream", _POINTER),
        ("attributes", _POINTER),
        ("attribute_count", _UINT),
    )


class Launch:
    """A kernel that goes on one stream again and again, only its parameters change: write those to ``block``.

    All else is converted for the driver once: of the 4.4 microseconds of ``launch``, half are conversions.
    """

    __slots__ = ("_call", "_config", "arguments", "block")

    def __init__(
        self,
        function: int,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        stream: Stream,
        arguments: Arguments,
    ) -> None:
        config = _LaunchConfig((_UINT * 3)(*grid), (_UINT * 3)(*block), 0, stream.address, None, 0)
        self._config = config
        self._call = (ctypes.byref(config), _POINTER(function), None, _POINTER(arguments.address))
        self.arguments: Arguments = arguments
        self.block: bytearray = arguments.block
        """The kernel's parameters."""

    def put(self) -> None:
        """Put the kernel on its stream; the context of its device has to be current."""
        if status := _put_kernel(*self._call):
            _demand(status, "cuLaunchKernelEx")


def copy_to_device(target: int, source: int, size: int, stream: Stream) -> None:
    """Copy host memory to a GPU; asynchronous if it is pinned."""
    if status := _quick.cuMemcpyHtoDAsync_v2(target, source, size, stream.address):
        _demand(status, "cuMemcpyHtoDAsync")


def copy_to_host(target: int, source: int, size: int, stream: Stream) -> None:
    """Copy GPU memory to the host; asynchronous if the host's is pinned."""
    check(driver.cuMemcpyDtoHAsync(target, source, size, stream.handle), "cuMemcpyDtoHAsync")


def pool_bytes(device: Device) -> int:
    """Return how many bytes a device's pool has taken from the driver, in use or not."""
    kind = driver.CUmemPool_attribute.CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT
    return int(check(driver.cuMemPoolGetAttribute(device.pool, kind), "cuMemPoolGetAttribute"))


class Rows(NamedTuple):
    """Rows of bytes on a device or on the host."""

    on_device: bool
    address: int
    pitch: int
    """Bytes from a row to the next."""


def copy_rows(source: Rows, target: Rows, shape: tuple[int, int]) -> None:
    """Copy ``(rows, bytes a row)`` between the host and the current device, and wait for it."""
    check(driver.cuMemcpy2D(_copy_of(source, target, shape)), "cuMemcpy2D")


def copy_rows_in_order(source: Rows, target: Rows, shape: tuple[int, int], stream: Stream) -> None:
    """Copy ``(rows, bytes a row)`` on the current device, in the order of a stream; does not wait."""
    check(driver.cuMemcpy2DAsync(_copy_of(source, target, shape), stream.handle), "cuMemcpy2DAsync")


def _copy_of(source: Rows, target: Rows, shape: tuple[int, int]) -> Any:
    kinds = driver.CUmemorytype
    copy = driver.CUDA_MEMCPY2D()
    copy.srcMemoryType = kinds.CU_MEMORYTYPE_DEVICE if source.on_device else kinds.CU_MEMORYTYPE_HOST
    copy.dstMemoryType = kinds.CU_MEMORYTYPE_DEVICE if target.on_device else kinds.CU_MEMORYTYPE_HOST
    copy.srcDevice, copy.dstDevice = source.address * source.on_device, target.address * target.on_device
    copy.srcHost, copy.dstHost = source.address * (not source.on_device), target.address * (not target.on_device)
    copy.srcPitch, copy.dstPitch = source.pitch, target.pitch
    copy.Height, copy.WidthInBytes = shape
    return copy


def copy_rows_from_peer(source: Rows, owner: Device, target: Rows, shape: tuple[int, int], stream: Stream) -> None:
    """Copy ``(rows, bytes a row)`` from another device to that of ``stream``, in its order."""
    kinds = driver.CUmemorytype
    copy = driver.CUDA_MEMCPY3D_PEER()
    copy.srcMemoryType = copy.dstMemoryType = kinds.CU_MEMORYTYPE_DEVICE
    copy.srcContext, copy.dstContext = owner.context, stream.device.context
    copy.srcDevice, copy.dstDevice = source.address, target.address
    copy.srcPitch, copy.dstPitch = source.pitch, target.pitch
    copy.srcHeight = copy.dstHeight = copy.Height = shape[0]
    copy.WidthInBytes, copy.Depth = shape[1], 1
    check(driver.cuMemcpy3DPeerAsync(copy, stream.handle), "cuMemcpy3DPeerAsync")
