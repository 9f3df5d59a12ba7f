"""The CUDA driver as the engine uses it: contexts, streams, events, memory, modules; ``launches`` has kernels.

Calls go through ``cuda.bindings``, which numba-cuda brings. Nothing here waits for a GPU unless its name says so, and
every refusal of the driver is a ``CudaError`` that names the call.

The device that is current on a thread belongs to the caller: torch and CuPy allocate on it. A call that needs
another one puts it back. A child of ``os.fork`` cannot use what its parent opened: there ``device_of`` refuses, and
destructors do nothing.

What a frame needs a dozen times, and what takes the driver a microsecond, goes through ``load_quick`` instead, which
keeps the GIL: ``cuda.bindings`` lets go of it in every call, and with many sources each time is a turn lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from cuda.bindings import driver

from picasso_kernels.cuda.libcuda import fork_notes, is_over, load_quick

bindings: Final[Any] = driver
"""Every call of the driver, for ``copies`` and ``kernel_graph``."""
_NON_BLOCKING: Final = int(driver.CUstream_flags.CU_STREAM_NON_BLOCKING)
_NO_TIMING: Final = int(driver.CUevent_flags.CU_EVENT_DISABLE_TIMING)
_ORDINAL: Final = int(driver.CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
_OUT_OF_MEMORY: Final = int(driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY)
_KEEP_ALL: Final = 2**63
"""Bytes that a pool keeps when they are given back: all."""


_quick: Final = load_quick()
_POINTER, _UINT, _SIZE = ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t
_quick.cuCtxSetCurrent.argtypes = _quick.cuCtxGetCurrent.argtypes = [_POINTER]
_quick.cuCtxPushCurrent_v2.argtypes = _quick.cuCtxPopCurrent_v2.argtypes = [_POINTER]
_quick.cuEventRecord.argtypes = [_POINTER, _POINTER]
_quick.cuEventQuery.argtypes = [_POINTER]
_quick.cuStreamWaitEvent.argtypes = [_POINTER, _POINTER, _UINT]
_quick.cuPointerGetAttribute.argtypes = [_POINTER, _UINT, ctypes.c_uint64]
_quick.cuMemcpyHtoDAsync_v2.argtypes = [_POINTER, _POINTER, _SIZE, _POINTER]
_quick.cuMemAllocFromPoolAsync.argtypes = [_POINTER, _SIZE, _POINTER, _POINTER]
_quick.cuMemFreeAsync.argtypes = [_POINTER, _POINTER]
_set_current: Final = _quick.cuCtxSetCurrent
_get_current: Final = _quick.cuCtxGetCurrent
_push_current: Final = _quick.cuCtxPushCurrent_v2
_pop_current: Final = _quick.cuCtxPopCurrent_v2
_free: Final = _quick.cuMemFreeAsync
_record: Final = _quick.cuEventRecord
_let_wait: Final = _quick.cuStreamWaitEvent


def demand(status: int, call: str) -> None:
    """Raise ``CudaError`` unless a quick call succeeded."""
    if status:
        raise CudaError(f"{call}: {driver.CUresult(status).name}")


class CudaError(RuntimeError):
    """The CUDA driver refused a call."""


class OutOfMemoryError(CudaError):
    """A device has no room for what was asked for, even after its pool has given back all that is free."""


_devices: Final[dict[int, Device]] = {}
_opening: Final = threading.Lock()
os.register_at_fork(after_in_child=lambda: fork_notes.extend([True] * bool(_devices)))


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
        self.context_address: int = int(self.context)
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
        """Let the calling thread's driver calls mean this device, from now on: for threads that are picasso's own."""
        if status := _set_current(self.context_address):
            demand(status, "cuCtxSetCurrent")

    def enter(self) -> int | None:
        """Make this device current, and return what ``leave`` needs to undo it; None if it was current before."""
        found = _POINTER()
        if status := _get_current(ctypes.byref(found)):
            demand(status, "cuCtxGetCurrent")
        if found.value == self.context_address:
            return None
        self.make_current()
        return found.value or 0

    def leave(self, before: int | None) -> None:
        """Make current what was so before ``enter``."""
        if before is not None:
            _set_current(before)

    def current(self) -> Current:
        """Make this device current within a ``with`` block."""
        return Current(self)

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
        """Return the address of ``size`` bytes, a multiple of 256, usable by what follows on ``stream``.

        Where there is no room, all that is free goes back to the driver, and it is tried once more.

        Raises:
            OutOfMemoryError: There is no room then either.
        """
        address = ctypes.c_uint64()
        before = self.enter()
        try:
            arguments = (ctypes.byref(address), size, self._pool_address, stream.address)
            status = _quick.cuMemAllocFromPoolAsync(*arguments)
            if status == _OUT_OF_MEMORY:
                self.trim()
                status = _quick.cuMemAllocFromPoolAsync(*arguments)
            if status == _OUT_OF_MEMORY:
                free, total = check(driver.cuMemGetInfo(), "cuMemGetInfo")
                raise OutOfMemoryError(f"{size} bytes were asked for, {free} of {total} are free")
            demand(status, "cuMemAllocFromPoolAsync")
        finally:
            self.leave(before)
        return address.value

    def trim(self) -> None:
        """Wait for the GPU, and give back to the driver what the pool keeps and no one uses."""
        with self.current():
            check(driver.cuCtxSynchronize(), "cuCtxSynchronize")
            check(driver.cuMemPoolTrimTo(self.pool, 0), "cuMemPoolTrimTo")

    def release(self, address: int, stream: Stream, over: Callable[[], bool] = is_over) -> None:
        """Give memory back once all that was put on ``stream`` before is done.

        Called by destructors: after a fault on the GPU, which every other call reports, there is nothing to give back.
        """
        if over():
            return
        _push_current(self.context_address)
        _free(address, stream.address)
        _pop_current(ctypes.byref(_POINTER()))

    def do(self, call: Callable[[Any], Any], what: Any) -> None:
        """Make a call of a destructor, which raises nothing; on a thread without a device it would be refused."""
        _push_current(self.context_address)
        call(what)
        _pop_current(ctypes.byref(_POINTER()))

    def function(self, name: str, *, batched: bool) -> int:
        """Return a kernel, loaded once; its machine code comes from disk or is built."""
        key = (name, batched)
        found = self._functions.get(key)
        return found if found is not None else self._load(key)

    def _load(self, key: tuple[str, bool]) -> int:
        from picasso_kernels.cuda.cubin import entry_name, load_cubin

        name, batched = key
        with self._loading, self.current():
            if key not in self._functions:
                module = check(
                    driver.cuModuleLoadData(load_cubin(name, self.compute_capability, batched=batched)), name
                )
                entry = entry_name(name, batched=batched).encode()
                found = check(driver.cuModuleGetFunction(module, entry), f"cuModuleGetFunction {name}")
                self._functions[key] = int(found)
        return self._functions[key]

    def holds(self, address: int) -> bool:
        """Tell whether an address is memory that this device's kernels reach: its own, or managed."""
        ordinal = ctypes.c_int(-1)  # cuda.bindings 13 says 0 whichever GPU it is
        with self.current():
            status = _quick.cuPointerGetAttribute(ctypes.byref(ordinal), _ORDINAL, address)
        return not status and ordinal.value == self.index

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
        with self.current():
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
        with self.current():
            check(driver.cuStreamSynchronize(driver.CUstream(stream)), "cuStreamSynchronize")

    def order(self, first: int, then: int) -> None:
        """Let what stream ``then`` is told from now on start after what stream ``first`` has been told so far.

        Both are numbers: those of default streams, 1 and 2, mean this device's.
        """
        with self.current():
            event = Event(self)
            event.order(first, then)

    def fill(self, address: int, pitch: int, byte: int, shape: tuple[int, int]) -> None:
        """Set ``(rows, bytes a row)`` to one byte, and wait for it."""
        rows, width = shape
        with self.current():
            check(driver.cuMemsetD2D8(address, pitch, byte, width, rows), "cuMemsetD2D8")
            self.wait_for(0)

    def wait(self) -> None:
        """Wait until the GPU has done all that was given to it."""
        with self.current():
            check(driver.cuCtxSynchronize(), "cuCtxSynchronize")


class Current:
    """A device that is current in a ``with`` block; afterwards the one that was so before."""

    __slots__ = ("_before", "_device")

    def __init__(self, device: Device) -> None:
        self._device = device

    def __enter__(self) -> None:
        self._before = self._device.enter()

    def __exit__(self, *_: object) -> None:
        self._device.leave(self._before)


def device_of(index: int) -> Device:
    """Return a GPU by its number.

    Raises:
        CudaError: There is no such GPU, or no driver, or this process is a fork of one that opened the driver.
    """
    if fork_notes:
        raise CudaError("this process is a fork of one that has opened the CUDA driver: start it by 'spawn' instead")
    found = _devices.get(index)
    if found is None:
        with _opening:  # sources that begin at the same time share one pool
            found = _devices.get(index) or _devices.setdefault(index, Device(index))
    return found


class Stream:
    """A queue of work that runs in order, beside the queues of others; it never waits for the default stream.

    It goes back to the driver with the last thing that refers to this object: memory that is given back in its order
    needs it as long as someone holds that memory.
    """

    def __init__(self, device: Device, address: int = 0) -> None:
        """Make a stream, or borrow a foreign one by its number, which is not to be closed here."""
        self.device: Device = device
        with device.current():
            made = (
                driver.CUstream(address) if address else check(driver.cuStreamCreate(_NON_BLOCKING), "cuStreamCreate")
            )
        self._owned = not address
        self.handle: Any = made
        self.address: int = int(made)
        """The stream as the number that other CUDA libraries take."""

    def wait_for(self, event: Event) -> None:
        """Let what follows here start after what ``event`` marks; the caller does not wait."""
        event.hold(self.address)

    def wait(self) -> None:
        """Wait until all of it is done."""
        with self.device.current():
            check(driver.cuStreamSynchronize(self.handle), "cuStreamSynchronize")

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Be where all of it is done and its device is current, as destructors have to, and raise nothing."""
        _push_current(self.device.context_address)
        try:
            driver.cuStreamSynchronize(self.handle)
            yield
        finally:
            _pop_current(ctypes.byref(_POINTER()))

    def __del__(self, over: Callable[[], bool] = is_over) -> None:
        if getattr(self, "_owned", False):
            if not over():
                self.device.do(driver.cuStreamDestroy, self.handle)
            self.address = 0  # at the interpreter's end, what gives memory back in its order may die after it


class Event:
    """A mark in a stream, which other streams, or the host, can wait for."""

    def __init__(self, device: Device, *, timed: bool = False) -> None:
        self._device = device
        with device.current():
            self.handle: Any = check(driver.cuEventCreate(0 if timed else _NO_TIMING), "cuEventCreate")
        self.address: int = int(self.handle)

    def record(self, stream: Stream) -> None:
        """Mark what has been put on ``stream`` so far."""
        self.mark(stream.address)

    def mark(self, stream: int) -> None:
        """Mark what a stream, given by its number, has been told so far."""
        if status := _quick.cuEventRecord(self.address, stream):
            demand(status, "cuEventRecord")

    def order(self, first: int, then: int) -> None:
        """Let what stream ``then`` is told from now on start after what stream ``first`` has been told so far."""
        address = self.address
        if status := _record(address, first):
            demand(status, "cuEventRecord")
        if status := _let_wait(then, address, 0):
            demand(status, "cuStreamWaitEvent")

    def hold(self, stream: int) -> None:
        """Let what a stream, given by its number, is told from now on start after what is marked."""
        if status := _quick.cuStreamWaitEvent(stream, self.address, 0):
            demand(status, "cuStreamWaitEvent")

    def wait(self) -> None:
        """Wait until what is marked is done."""
        with self._device.current():
            if not self.done:
                check(driver.cuEventSynchronize(self.handle), "cuEventSynchronize")

    def settle(self, over: Callable[[], bool] = is_over) -> None:
        """Wait as ``wait`` does, but raise nothing: for destructors, after a fault that others report."""
        if not over():
            self._device.do(driver.cuEventSynchronize, self.handle)

    @property
    def done(self) -> bool:
        """Whether what is marked is done."""
        return not _quick.cuEventQuery(self.address)

    def milliseconds_since(self, start: Event) -> float:
        """Return the time between two timed marks."""
        return float(check(driver.cuEventElapsedTime(start.handle, self.handle), "cuEventElapsedTime"))

    def __del__(self, over: Callable[[], bool] = is_over) -> None:
        if hasattr(self, "address") and not over():
            self._device.do(driver.cuEventDestroy, self.handle)


class PinnedMemory:
    """Host memory that a GPU copies from and to without the host's help; given back with the object."""

    def __init__(self, device: Device, size: int) -> None:
        self.size = size
        self._device = device
        with device.current():
            made = driver.cuMemHostAlloc(size, 0)
        if made[0] == driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise OutOfMemoryError(f"{size} bytes of pinned host memory were asked for, the driver gets no more")
        self.address = int(check(made, "cuMemHostAlloc"))
        self.bytes = memoryview((ctypes.c_uint8 * size).from_address(self.address)).cast("B")

    def __del__(self, over: Callable[[], bool] = is_over) -> None:
        if hasattr(self, "address") and not over():
            self._device.do(driver.cuMemFreeHost, self.address)


def copy_to_device(target: int, source: int, size: int, stream: Stream) -> None:
    """Copy host memory to a GPU; asynchronous if it is pinned."""
    if status := _quick.cuMemcpyHtoDAsync_v2(target, source, size, stream.address):
        demand(status, "cuMemcpyHtoDAsync")


def pool_bytes(device: Device) -> int:
    """Return how many bytes a device's pool has taken from the driver, in use or not."""
    kind = driver.CUmemPool_attribute.CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT
    return int(check(driver.cuMemPoolGetAttribute(device.pool, kind), "cuMemPoolGetAttribute"))
