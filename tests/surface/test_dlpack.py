"""DLPack of GPU memory, read and lent without a GPU: the capsules are real, the addresses are not."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from picasso.errors import SurfaceError
from picasso.surface import SurfaceView, VideoFormat, device_memory
from picasso.surface.dlpack import Imported, Loan, export_array
from picasso.surface.tensor import DeviceTensor, tensor_over

POINTER = 0x7F0000000000


class Owner:
    """Something that can die."""


class Lent:
    """A device array of another library: its capsules are ours."""

    def __init__(self, shape: tuple[int, ...] = (4, 6, 4), *, old: bool = False, says: int | None = None, **loan: Any):
        strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
        given = {"ptr": POINTER, "shape": shape, "strides": strides, "dtype": "uint8", "gpu_id": 1, "stream": 0}
        self.given = given | {"owner": self} | loan
        self.old, self.says = old, self.given["gpu_id"] if says is None else says
        self.streams: list[int | None] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self.says

    def __dlpack__(self, **options: Any) -> Any:
        if self.old and "max_version" in options:
            raise TypeError("unexpected keyword argument 'max_version'")
        self.streams.append(options["stream"])
        return export_array(Loan(**self.given), refuse_order, None, options.get("max_version"))


def refuse_order(*_order: int) -> None:
    raise AssertionError("nothing to be put in order")


@pytest.mark.parametrize("version", [None, (1, 0)], ids=["before 1", "version 1"])
@pytest.mark.parametrize("array", [np.zeros((4, 6, 3), np.uint8)[:, ::2], np.zeros((2, 3, 4), np.float16)])
def test_what_numpy_lends_is_read_as_it_is(array: np.ndarray[Any, Any], version: tuple[int, int] | None) -> None:
    given = Imported(array.__dlpack__(max_version=version))
    assert (given.ptr, given.shape, given.strides) == (array.ctypes.data, array.shape, array.strides)
    assert given.dtype == (2 if array.dtype.kind == "f" else 1, 8 * array.itemsize, 1)
    assert (given.gpu_id, given.read_only) == (0, False)


def test_what_numpy_lends_is_given_back() -> None:
    array = np.zeros((4, 6), np.uint8)
    watched = weakref.ref(array)
    given = Imported(array.__dlpack__())
    del array
    gc.collect()
    assert watched() is not None
    del given
    gc.collect()
    assert watched() is None


def test_a_capsule_is_taken_once() -> None:
    capsule = np.zeros(3, np.uint8).__dlpack__()
    Imported(capsule)
    for taken in (capsule, object()):
        with pytest.raises(SurfaceError, match="no capsule that is still to be taken"):
            Imported(taken)


@pytest.mark.parametrize("old", [False, True], ids=["version 1", "before 1"])
def test_a_device_array_is_wrapped_and_kept(old: bool) -> None:
    array = Lent(strides=(256, 4, 1), owner=(owner := Owner()), old=old)
    watched = weakref.ref(owner)
    view = SurfaceView.wrap(array)
    assert (view.format, view.size_wh, view.pitch, view.data_ptr) == (VideoFormat.RGBA, (6, 4), 256, POINTER)
    assert (view.is_cuda, view.gpu_id, view.cuda_stream, array.streams) == (True, 1, 1, [1])
    del array, owner
    gc.collect()
    assert watched() is not None
    del view
    gc.collect()
    assert watched() is None


def test_an_array_whose_interface_tells_no_stream_is_read_by_dlpack() -> None:
    """Which puts the producer's own stream in order, as torch does."""
    array: Any = Lent()
    array.__cuda_array_interface__ = {"version": 2, "data": (1, False), "shape": (1, 1), "typestr": "|u1"}
    view = SurfaceView.wrap(array)
    assert (view.data_ptr, view.cuda_stream, array.streams) == (POINTER, 1, [1])
    array.__cuda_array_interface__ = {
        **{"version": 3, "data": (POINTER + 64, False), "shape": (4, 6, 4), "typestr": "|u1", "stream": 9}
    }
    view = SurfaceView.wrap(array)
    assert (view.data_ptr, view.cuda_stream, array.streams) == (POINTER + 64, 9, [1])


def test_an_array_that_is_not_lent_is_read_by_its_interface() -> None:
    """As torch's on another device than the current one."""
    array: Any = Lent((4, 6, 4), read_only=True, old=True)
    array.__cuda_array_interface__ = {"version": 2, "data": (POINTER, False), "shape": (4, 6, 4), "typestr": "|u1"}
    view = SurfaceView.wrap(array)
    assert (view.data_ptr, view.cuda_stream) == (POINTER, 1)


def test_the_producer_is_asked_for_the_stream_of_the_caller() -> None:
    view = SurfaceView.from_dlpack(array := Lent(), cuda_stream=77)
    assert (array.streams, view.cuda_stream) == ([77], 77)


def test_a_read_only_array_stays_read_only() -> None:
    assert SurfaceView.wrap(Lent(read_only=True)).readonly


@pytest.mark.parametrize(
    ("array", "form", "message"),
    [
        (Lent(dtype="float16", strides=(48, 8, 2)), None, "unsupported dtype 'DLPack code 2, 16 bits, 1 lanes'"),
        (Lent((6,)), None, r"unsupported shape \(6,\)"),
        (Lent((4, 6, 2)), None, r"expected an array \(H, W\), \(H, W, 3\) or \(H, W, 4\), got shape \(4, 6, 2\)"),
        (Lent(), VideoFormat.RGB, r"RGB needs an array \(H, W, 3\), got shape \(4, 6, 4\)"),
        (Lent(ptr=0), None, "data pointer is null"),
        (Lent(strides=(16, 4, 1)), None, "pitch 16 is less than a row of 6 pixels, 24 bytes"),
        (Lent(strides=(64, 8, 1)), None, "only rows may be padded on a GPU"),
        (Lent((4, 5), strides=(5, 1)), VideoFormat.NV12, r"NV12 needs an array \(H \* 3 / 2, W\)"),
        (Lent((6, 4), strides=(8, 1)), VideoFormat.I420, "I420 in one array must have no gaps, got a pitch of 8 bytes"),
        (Lent(says=3), None, "__dlpack_device__ says GPU 3, the array is on GPU 1"),
    ],
)
def test_arrays_that_hold_no_picture_are_given_back(array: Lent, form: VideoFormat | None, message: str) -> None:
    array.given["owner"] = owner = Owner()
    watched = weakref.ref(owner)
    with pytest.raises(SurfaceError, match=message):
        SurfaceView.wrap(array, form)
    array.given["owner"] = owner = None
    gc.collect()
    assert watched() is None


def test_from_dlpack_is_for_gpus() -> None:
    with pytest.raises(SurfaceError, match="ndarray offers no DLPack of GPU memory; wrap takes what is on the host"):
        SurfaceView.from_dlpack(np.zeros((4, 6, 4), np.uint8))


Orders = list[tuple[int, int, int]]


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Orders:
    """Give the orders of streams, which no one carries out."""
    seen: Orders = []
    monkeypatch.setattr(device_memory, "order_streams", lambda *order: seen.append(order))
    return seen


def surface(stream: int = 0, **loan: Any) -> SurfaceView:
    return SurfaceView.from_dlpack(Lent(**loan), cuda_stream=stream)


def tensor(stream: int = 0, **loan: Any) -> DeviceTensor:
    return DeviceTensor(POINTER, (1, 3, 4, 6), (288, 96, 24, 4), "float32", gpu_id=1, stream=stream, owner=Lent(**loan))


LENDERS = pytest.mark.parametrize("make", [surface, tensor])


@LENDERS
@pytest.mark.parametrize("version", [None, (1, 1)], ids=["before 1", "version 1"])
def test_what_is_lent_is_what_there_is(make: Callable[..., Any], version: Any, orders: Orders) -> None:
    lender = make(stream=5)
    assert lender.__dlpack_device__() == (2, 1)
    given = Imported(lender.__dlpack__(stream=5, max_version=version))
    interface = lender.__cuda_array_interface__
    assert (given.ptr, given.shape, given.strides) == (POINTER, interface["shape"], interface["strides"])
    assert given.dtype == ((1, 8, 1) if make is surface else (2, 32, 1))
    assert (given.gpu_id, given.read_only) == (1, False)


@LENDERS
@pytest.mark.parametrize(
    ("made_on", "used_on", "expected"),
    [
        (5, 9, [(1, 5, 9), (1, 9, 5)]),
        (5, None, [(1, 5, 1), (1, 1, 5)]),
        (5, 5, []),
        (5, -1, []),
    ],
)
def test_the_borrower_starts_after_the_owner_and_the_owner_goes_on_after_the_borrower(
    make: Callable[..., Any], made_on: int, used_on: int | None, expected: Orders, orders: Orders
) -> None:
    given = Imported(make(stream=made_on).__dlpack__(stream=used_on))
    assert orders == expected[:1]
    del given
    assert orders == expected


@LENDERS
def test_a_capsule_that_nobody_takes_gives_back_what_it_holds(make: Callable[..., Any], orders: Orders) -> None:
    lender = make(owner=(owner := Owner()))
    watched = weakref.ref(owner)
    capsule = lender.__dlpack__(stream=-1)
    del lender, owner
    gc.collect()
    assert watched() is not None
    del capsule
    gc.collect()
    assert watched() is None


@LENDERS
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stream": 0}, "stream 0 is ambiguous in DLPack"),
        ({"dl_device": (1, 0)}, "the array is on GPU 1 and is not moved to device"),
        ({"dl_device": (2, 0)}, "the array is on GPU 1 and is not moved to device"),
        ({"copy": True}, "the array is lent as it is"),
    ],
)
def test_what_a_lender_refuses(make: Callable[..., Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(BufferError, match=message):
        make().__dlpack__(**options)


def test_read_only_pixels_are_lent_to_those_who_can_be_told() -> None:
    view = surface(read_only=True)
    with pytest.raises(BufferError, match="the array is read-only"):
        view.__dlpack__(stream=-1)
    assert Imported(view.__dlpack__(stream=-1, max_version=(1, 0))).read_only


def test_a_picture_of_planes_is_lent_plane_by_plane() -> None:
    view = SurfaceView.wrap(Lent((6, 4)), VideoFormat.NV12)
    with pytest.raises(SurfaceError, match="NV12 has 2 planes, DLPack lends one array"):
        view.__dlpack__()


def test_host_pixels_are_lent_by_numpy() -> None:
    view = SurfaceView.allocate(VideoFormat.RGBA, (4, 4))
    view.fill([1, 2, 3, 4])
    assert view.__dlpack_device__() == (1, 0)
    assert np.from_dlpack(view)[3, 3].tolist() == [1, 2, 3, 4]


class Array:
    """An array with the CUDA interface."""

    def __init__(self, shape: tuple[int, ...], **entries: Any) -> None:
        given = {"version": 3, "shape": shape, "typestr": "<f2", "data": (POINTER, False), "strides": None}
        self.__cuda_array_interface__ = given | entries


@pytest.mark.parametrize(
    ("array", "strides"),
    [
        (Array((2, 3, 4, 6)), (144, 48, 12, 2)),
        (Array((3, 4, 6)), (144, 48, 12, 2)),
        (Array((3, 4, 6), strides=(64, 16, 2)), (144, 64, 16, 2)),
        (Array((2, 3, 4, 6), strides=(48, 96, 12, 2)), (48, 96, 12, 2)),
    ],
)
def test_a_tensor_over_another_librarys_array(array: Array, strides: tuple[int, ...]) -> None:
    made = tensor_over(array)
    assert (made.data_ptr, made.dtype, made.strides, made.shape[1:]) == (POINTER, "float16", strides, (3, 4, 6))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (Array((2, 3, 4, 6), typestr="|u1"), r"unsupported dtype '\|u1'; a tensor is of <f2 or <f4"),
        (Array((2, 4, 4, 6)), r"unsupported shape \(2, 4, 4, 6\)"),
        (Array((4, 6)), r"unsupported shape \(4, 6\)"),
        (Array((3, 4, 6), data=(0, False)), "data pointer is null"),
        (Array((3, 4, 6), data=(POINTER, True)), "the tensor is read-only"),
        (Array((3, 4, 6), strides=(2, 36, 6)), "the numbers of a row must follow each other"),
        (Array((3, 4, 6), strides=(48, 8, 2)), "the numbers of a row must follow each other"),
        (Array((3, 4, 6), strides=(48, -12, 2)), "the numbers of a row must follow each other"),
    ],
)
def test_arrays_that_are_no_tensor(array: Array, message: str) -> None:
    with pytest.raises(SurfaceError, match=message):
        tensor_over(array)


def test_what_is_out_when_the_interpreter_ends_does_no_harm() -> None:
    """A borrower may free it from C when Python is gone: it calls a function that is not Python's."""
    code = """
import atexit, ctypes

def free_it():
    now = _Managed.from_address(given._address).deleter
    assert now != given._deleter
    print(ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(now)(given._address))
    given._deleter = None

atexit.register(free_it)  # what is registered last runs first
from picasso.surface.dlpack import Imported, Loan, _Managed, export_array
loan = Loan(0x7F0000000000, (4, 6), (6, 1), "uint8", gpu_id=0, stream=5, owner=None)
given = Imported(export_array(loan, print, -1))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
