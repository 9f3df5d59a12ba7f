"""Objects with ``__cuda_array_interface__``, checked without CUDA."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from picasso.errors import DeviceError, MissingDependencyError, SurfaceError, SurfaceTypeError, UploadError
from picasso.surface import MemType, SurfaceView, VideoFormat

POINTER = 0x7F0000000000


class Tensor:
    """A device array of another library: an interface and nothing behind it."""

    def __init__(self, shape: tuple[int, ...], device: Any = None, **entries: Any) -> None:
        interface = {"version": 3, "shape": shape, "typestr": "|u1", "data": (POINTER, False), "strides": None}
        self.__cuda_array_interface__ = interface | entries
        self.device = device


@pytest.mark.parametrize(
    ("shape", "strides", "form", "pitch", "shape_out", "strides_out"),
    [
        ((4, 6, 4), None, VideoFormat.RGBA, 24, (4, 6, 4), (24, 4, 1)),
        ((4, 6, 4), (256, 4, 1), VideoFormat.RGBA, 256, (4, 6, 4), (256, 4, 1)),
        ((4, 6), None, VideoFormat.GRAY8, 6, (4, 6), (6, 1)),
        ((4, 6), (64, 1), VideoFormat.GRAY8, 64, (4, 6), (64, 1)),
        ((4, 6, 1), (64, 1, 1), VideoFormat.GRAY8, 64, (4, 6), (64, 1)),
    ],
)
def test_an_interface_is_read_and_given_on(
    shape: tuple[int, ...],
    strides: tuple[int, ...] | None,
    form: VideoFormat,
    pitch: int,
    shape_out: tuple[int, ...],
    strides_out: tuple[int, ...],
) -> None:
    tensor = Tensor(shape, strides=strides)
    view = SurfaceView.from_cuda_array(tensor, gpu_id=1)
    assert (view.format, view.size_wh, view.pitch, view.data_ptr) == (form, (6, 4), pitch, POINTER)
    assert (view.is_cuda, view.gpu_id, view.mem_type) == (True, 1, MemType.CUDA_DEVICE)
    assert (view.channels, view.color_format) == (form.channels, form.color_format)
    assert view.device_plane.owner is tensor
    assert repr(view) == f"SurfaceView(6x4, ch={form.channels}, gpu=1)"
    assert view.__cuda_array_interface__ == {
        "version": 3,
        "shape": shape_out,
        "typestr": "|u1",
        "descr": [("", "|u1")],
        "data": (POINTER, False),
        "strides": strides_out,
        "stream": None,
    }


@pytest.mark.parametrize(
    ("tensor", "error", "message"),
    [
        (object(), SurfaceTypeError, "object does not expose __cuda_array_interface__"),
        (Tensor((4, 6, 4), data=(0, False)), SurfaceError, "data pointer is null"),
        (Tensor((4, 6, 4), data=(0, False), typestr="<f4"), SurfaceError, "data pointer is null"),
        (Tensor((4, 6, 4), typestr="<f4"), SurfaceError, "unsupported dtype '<f4'; only uint8"),
        (Tensor((4,), typestr="<f4"), SurfaceError, "unsupported dtype '<f4'; only uint8"),
        (Tensor((4,)), SurfaceError, "unsupported shape"),
        (Tensor((2, 4, 6, 4)), SurfaceError, "unsupported shape"),
        (Tensor((4, 6, 3)), SurfaceError, "unsupported channel count 3; expected 1 (GRAY8) or 4 (RGBA)"),
        (Tensor((4, 6, 4), strides=()), SurfaceError, "strides must be non-empty"),
        (Tensor((4, 6, 4), strides=(23, 4, 1)), SurfaceError, "pitch 23 is less than a row of 6 pixels, 24 bytes"),
        (Tensor((4, 6, 4), strides=(-24, 4, 1)), SurfaceError, "pitch -24 is less than a row of 6 pixels, 24 bytes"),
        (Tensor((4, 6, 4), strides=(64, 8, 1)), SurfaceError, "only rows may be padded on a GPU"),
        (Tensor((4, 6, 4), strides=(64, 4, -1)), SurfaceError, "only rows may be padded on a GPU"),
        (Tensor((4, 6, 4), mask=object()), SurfaceError, "masked arrays hold no picture"),
        (Tensor((4, 6, 4), stream=0), SurfaceError, "stream 0 is ambiguous"),
        (Tensor((0, 6, 4)), SurfaceError, "width and height must be in 1..16384, got 6x0"),
    ],
)
def test_interfaces_that_are_refused_in_the_order_of_the_checks(
    tensor: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        SurfaceView.from_cuda_array(tensor)
    assert str(caught.value).startswith(message)


def test_the_typestr_of_little_endian_bytes_is_taken() -> None:
    assert SurfaceView.from_cuda_array(Tensor((4, 6), typestr="<u1")).format is VideoFormat.GRAY8


@pytest.mark.parametrize(
    ("device", "gpu_id"),
    [
        (SimpleNamespace(id=3), 3),
        (SimpleNamespace(index=2), 2),
        (SimpleNamespace(id=1, index=2), 1),
        (SimpleNamespace(index=None), 0),
        (None, 0),
    ],
    ids=repr,
)
def test_wrap_asks_the_object_for_its_device(device: Any, gpu_id: int) -> None:
    assert SurfaceView.wrap(Tensor((4, 6, 4), device)).gpu_id == gpu_id


@pytest.mark.parametrize(("given", "made_on", "ready_on"), [(0, None, 0), (0, 3, 3), (7, 3, 7), (7, None, 7)])
def test_the_producers_stream_is_kept(given: int, made_on: int | None, ready_on: int) -> None:
    view = SurfaceView.from_cuda_array(Tensor((4, 6, 4), stream=made_on), cuda_stream=given)
    assert view.cuda_stream == ready_on
    assert view.__cuda_array_interface__["stream"] == (ready_on or None)


@pytest.mark.parametrize(("given", "made_on"), [(0, 2), (2, None), (2, 7)])
def test_the_default_stream_of_a_thread_is_followed_on_the_one_of_all_threads(given: int, made_on: int | None) -> None:
    """On another thread, such as an engine's, 2 would be another stream; 1 is in order with that of each thread."""
    view = SurfaceView.from_cuda_array(Tensor((4, 6, 4), stream=made_on), cuda_stream=given)
    assert view.cuda_stream == 1
    assert view.__cuda_array_interface__["stream"] == 1


def test_an_array_that_can_tell_no_stream_is_followed_on_the_default_one() -> None:
    """The interface of torch is of version 2; its pixels may still be in the making."""
    tensor = Tensor((4, 6, 4))
    tensor.__cuda_array_interface__ |= {"version": 2}
    tensor.__cuda_array_interface__.pop("stream", None)
    assert SurfaceView.wrap(tensor).cuda_stream == 1
    assert SurfaceView.from_cuda_array(tensor, cuda_stream=7).cuda_stream == 7


def test_a_read_only_tensor_stays_read_only() -> None:
    assert SurfaceView.wrap(Tensor((4, 6, 4), data=(POINTER, True))).readonly


@pytest.mark.parametrize(
    "use",
    [
        lambda view: view.planes,
        lambda view: view.plane_layout(),
    ],
    ids=["planes", "plane_layout"],
)
def test_the_host_cannot_reach_the_pixels(use: Callable[[SurfaceView], object]) -> None:
    view = SurfaceView.wrap(Tensor((4, 6, 4), SimpleNamespace(id=2)))
    with pytest.raises(SurfaceError, match="the pixels are in the memory of GPU 2, which the host cannot read"):
        use(view)


@pytest.mark.parametrize(
    "use",
    [
        lambda view: view.to_numpy(),
        lambda view: view.memset(0),
        lambda view: view.fill([0, 0, 0, 0]),
        lambda view: view.upload(np.zeros((4, 6, 4), np.uint8)),
    ],
    ids=["to_numpy", "memset", "fill", "upload"],
)
def test_a_copy_to_or_from_a_gpu_says_what_it_lacks(use: Callable[[SurfaceView], object]) -> None:
    """GPU 99 is nowhere; without CUDA's bindings the error names what to install."""
    view = SurfaceView.wrap(Tensor((4, 6, 4), SimpleNamespace(id=99)))
    with pytest.raises((MissingDependencyError, DeviceError), match=r"cuda13|GPU 99 cannot be used"):
        use(view)


def test_a_host_surface_has_no_cuda_interface() -> None:
    view = SurfaceView.allocate(VideoFormat.RGBA, (4, 4))
    assert not hasattr(view, "__cuda_array_interface__")
    with pytest.raises(SurfaceError, match="the pixels are in host memory"):
        _ = view.device_plane


def test_taking_keeps_what_a_device_view_knows() -> None:
    view = SurfaceView.from_cuda_array(Tensor((4, 6, 4)), gpu_id=1, cuda_stream=5)
    taken = view.take()
    assert (taken.gpu_id, taken.cuda_stream, taken.data_ptr) == (1, 5, POINTER)
    assert not view


@pytest.mark.parametrize(
    ("shape", "strides", "form", "size_wh", "planes"),
    [
        ((4, 6, 3), None, None, (6, 4), [(0, (4, 6, 3), (18, 3, 1))]),
        ((4, 6, 3), (32, 3, 1), VideoFormat.BGR, (6, 4), [(0, (4, 6, 3), (32, 3, 1))]),
        ((4, 6, 4), None, VideoFormat.BGRx, (6, 4), [(0, (4, 6, 4), (24, 4, 1))]),
        ((4, 6, 2), None, VideoFormat.UYVY, (6, 4), [(0, (4, 6, 2), (12, 2, 1))]),
        ((6, 6), (64, 1), VideoFormat.NV12, (6, 4), [(0, (4, 6), (64, 1)), (256, (2, 3, 2), (64, 2, 1))]),
        ((6, 6), None, VideoFormat.I420, (6, 4), [(0, (4, 6), (6, 1)), (24, (2, 3), (3, 1)), (30, (2, 3), (3, 1))]),
    ],
)
def test_wrap_reads_a_device_array_as_the_format_that_is_named(
    shape: tuple[int, ...], strides: Any, form: VideoFormat | None, size_wh: tuple[int, int], planes: list[Any]
) -> None:
    view = SurfaceView.wrap(Tensor(shape, strides=strides), form)
    assert view.size_wh == size_wh
    assert view.format is (form or VideoFormat.RGB)
    assert [(plane.ptr - POINTER, plane.shape, plane.strides) for plane in view.device_planes] == planes


def test_the_planes_of_a_decoder_come_one_by_one() -> None:
    luma = Tensor((4, 6, 1), SimpleNamespace(id=2), strides=(64, 1, 1), stream=9)
    chroma = Tensor((2, 6), SimpleNamespace(id=2), strides=(128, 1), data=(POINTER + 4096, True), stream=9)
    view = SurfaceView.from_planes([luma, chroma], VideoFormat.NV12, (6, 4))
    assert (view.gpu_id, view.cuda_stream, view.readonly, view.size_wh) == (2, 9, True, (6, 4))
    assert [plane.ptr - POINTER for plane in view.device_planes] == [0, 4096]
    assert [plane.strides for plane in view.device_planes] == [(64, 1), (128, 2, 1)]
    assert [plane.owner for plane in view.device_planes] == [luma, chroma]


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        ([Tensor((4, 6))], "NV12 has 2 planes, got 1"),
        ([Tensor((4, 6)), Tensor((2, 3))], r"plane 1 of NV12 needs shape \(2, 3, 2\), got \(2, 3\)"),
        ([Tensor((4, 5)), Tensor((2, 6))], r"plane 0 of NV12 needs shape \(4, 6\), got \(4, 5\)"),
        ([Tensor((4, 6)), Tensor((2, 6), strides=(4, 1))], "pitch 4 is less than a row of 6 pixels"),
        ([Tensor((4, 6), SimpleNamespace(id=1)), Tensor((2, 6), SimpleNamespace(id=0))], "are on different GPUs"),
        ([Tensor((4, 6), stream=1), Tensor((2, 6), stream=3)], "are on different streams"),
    ],
)
def test_planes_that_make_no_picture(planes: list[Any], message: str) -> None:
    with pytest.raises(SurfaceError, match=message):
        SurfaceView.from_planes(planes, VideoFormat.NV12, (6, 4))


def test_host_and_device_planes_do_not_mix() -> None:
    with pytest.raises(SurfaceTypeError, match="object does not expose __cuda_array_interface__, got ndarray"):
        SurfaceView.from_planes([Tensor((4, 6)), np.zeros((2, 6), np.uint8)], VideoFormat.NV12, (6, 4))


def test_an_array_of_another_gpu_than_the_caller_says_is_refused() -> None:
    tensor = Tensor((4, 6, 4), SimpleNamespace(id=2))
    assert SurfaceView.from_cuda_array(tensor).gpu_id == 2
    assert SurfaceView.from_cuda_array(tensor, gpu_id=2).gpu_id == 2
    with pytest.raises(SurfaceError, match="the array is on GPU 2, not on GPU 0"):
        SurfaceView.from_cuda_array(tensor, gpu_id=0)


@pytest.mark.parametrize(
    ("tensor", "error", "message"),
    [
        (Tensor((4, 6, 3)), UploadError, "channel count mismatch: surface has 4, array has shape (4, 6, 3)"),
        (Tensor((4, 6)), UploadError, "channel count mismatch: surface has 4, array has shape (4, 6)"),
        (Tensor((9, 6, 4)), UploadError, "array dimensions 6x9 exceed surface dimensions 6x4"),
        (Tensor((4, 7, 4)), UploadError, "array dimensions 7x4 exceed surface dimensions 6x4"),
        (Tensor((4, 6, 4), strides=(64, 8, 1)), SurfaceError, "only rows may be padded on a GPU"),
        (Tensor((4, 6, 4), typestr="<f4"), SurfaceError, "unsupported dtype '<f4'; only uint8"),
        (Tensor((4, 6, 4), data=(0, False)), SurfaceError, "data pointer is null"),
    ],
)
def test_an_array_on_a_gpu_that_does_not_fit_is_not_uploaded(
    tensor: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        SurfaceView.allocate(VideoFormat.RGBA, (6, 4)).upload(tensor)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("tensor", [Tensor((4, 6, 4)), None], ids=["on a GPU", "on the host"])
def test_without_cupy_the_error_names_what_to_install(tensor: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    view = SurfaceView.wrap(tensor) if tensor else SurfaceView.allocate(VideoFormat.RGBA, (6, 4))
    with pytest.raises(MissingDependencyError, match=r"pip install 'picasso-engine\[cuda13\]'"):
        view.to_cupy()
