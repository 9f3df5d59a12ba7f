"""Views over arrays: what is wrapped, how it is described, what is refused, when it is consumed."""

from __future__ import annotations

import copy
import pickle
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from picasso.errors import ConsumedError, SurfaceError, SurfaceTypeError, UploadError
from picasso.surface import BufferGenerator, ColorSpace, Matrix, MemType, PlaneLayout, SurfaceView, VideoFormat

Bytes = NDArray[np.uint8]
PLANAR = [VideoFormat.NV12, VideoFormat.NV21, VideoFormat.I420]


def ramp(*shape: int) -> Bytes:
    return (np.arange(np.prod(shape)) * 7 % 256).astype(np.uint8).reshape(shape)


@st.composite
def strided_planes(draw: st.DrawFn) -> Bytes:
    """A plane cut out of a larger block: any step, forwards or backwards, on each axis, axes in any order of memory."""
    size = draw(st.sampled_from([(5, 6), (4, 7, 4), (6, 5, 3), (3, 4, 2)]))
    steps = [draw(st.sampled_from([1, 2, 3, -1, -2])) for _ in size]
    leads = [draw(st.integers(0, 3)) for _ in size]
    extents = [lead + count * abs(step) for count, step, lead in zip(size, steps, leads, strict=True)]
    axes = draw(st.permutations(range(len(size))))
    block = ramp(*(extents[axis] for axis in axes)).transpose(np.argsort(axes))
    cut = block[tuple(slice(lead, None, abs(step)) for lead, step in zip(leads, steps, strict=True))]
    return cut[tuple(slice(None, None, -1 if step < 0 else 1) for step in steps)]


def form_of(plane: Bytes) -> VideoFormat | None:
    """The format to name: two bytes a pixel mean nothing by themselves."""
    return VideoFormat.UYVY if plane.shape[2:] == (2,) else None


def read(layout: PlaneLayout, shape: tuple[int, ...]) -> Bytes:
    """Read a plane the way a kernel does."""
    rows, columns, *rest = shape
    y, x, c = np.ogrid[:rows, :columns, : rest[0] if rest else 1]
    memory = layout.memory
    return memory[layout.base + y * layout.pitch + x * layout.step + c * layout.channel_step].reshape(shape)


@given(strided_planes())
def test_a_layout_addresses_every_byte_of_any_strided_plane(plane: Bytes) -> None:
    (layout,) = SurfaceView.wrap(plane, form_of(plane)).plane_layout()
    assert np.array_equal(read(layout, plane.shape), plane)
    assert layout.memory.ndim == 1
    assert layout.memory.flags.c_contiguous
    assert np.shares_memory(layout.memory, plane)


@given(strided_planes())
def test_wrapping_copies_nothing(plane: Bytes) -> None:
    view = SurfaceView.wrap(plane, form_of(plane))
    assert view.planes[0].__array_interface__["data"] == plane.__array_interface__["data"]
    assert view.size_wh == (view.width, view.height) == (plane.shape[1], plane.shape[0])
    assert view.pitch == plane.strides[0]
    assert view.data_ptr == plane.ctypes.data


@pytest.mark.parametrize(
    ("shape", "form"),
    [
        ((4, 6, 4), VideoFormat.RGBA),
        ((4, 6, 3), VideoFormat.RGB),
        ((4, 6), VideoFormat.GRAY8),
        ((4, 6, 1), VideoFormat.GRAY8),
        ((3, 4), VideoFormat.GRAY8),
    ],
)
def test_the_shape_tells_the_format(shape: tuple[int, ...], form: VideoFormat) -> None:
    view = SurfaceView.wrap(ramp(*shape))
    assert view.format is form
    assert view.color is None
    assert view.channels == form.channels
    assert view.color_format == form.color_format
    assert not view.is_cuda
    assert view.mem_type is MemType.SYSTEM
    assert (view.gpu_id, view.cuda_stream) == (0, 0)


@pytest.mark.parametrize("form", PLANAR)
def test_one_array_holds_luma_with_chroma_below(form: VideoFormat) -> None:
    block = ramp(9, 4)
    view = SurfaceView.wrap(block, form)
    assert view.size_wh == (4, 6)
    assert [plane.shape for plane in view.planes] == [plane.of((4, 6)) for plane in form.planes]
    assert np.concatenate([plane.ravel() for plane in view.planes]).tobytes() == block.tobytes()
    assert all(np.shares_memory(plane, block) for plane in view.planes)
    assert view.channels == 0
    assert np.array_equal(view.to_numpy(), block)


def test_interleaved_chroma_honours_padded_and_reversed_rows() -> None:
    block = ramp(6, 16)[::-1, 1:9]
    luma, chroma = SurfaceView.wrap(block, VideoFormat.NV12).planes
    assert np.array_equal(luma, block[:4])
    assert np.array_equal(chroma, block[4:].reshape(2, 4, 2))
    assert np.shares_memory(chroma, block)


def test_arrays_of_one_shape_are_what_each_is_said_to_be() -> None:
    block = ramp(6, 4)
    forms = [None, VideoFormat.NV12, VideoFormat.GRAY8, VideoFormat.I420, None]
    sizes = [SurfaceView.wrap(block, form).size_wh for form in forms]
    assert sizes == [(4, 6), (4, 4), (4, 6), (4, 4), (4, 6)]


@pytest.mark.parametrize(
    ("array", "form", "message"),
    [
        (np.zeros((4, 4, 4), np.float32), None, "expected an array of uint8, got dtype float32"),
        (np.zeros((4, 4, 4), np.int8), None, "expected an array of uint8, got dtype int8"),
        (np.zeros(16, np.uint8), None, "expected an array (H, W), (H, W, 3) or (H, W, 4), got shape (16,)"),
        (np.zeros((2, 4, 4, 4), np.uint8), None, "expected an array (H, W), (H, W, 3) or (H, W, 4), got shape"),
        (np.zeros((4, 4, 2), np.uint8), None, "expected an array (H, W), (H, W, 3) or (H, W, 4), got shape"),
        (np.zeros((4, 4, 5), np.uint8), None, "expected an array (H, W), (H, W, 3) or (H, W, 4), got shape"),
        (np.zeros((0, 4, 4), np.uint8), None, "width and height must be in 1..16384, got 4x0"),
        (np.zeros((0, 0), np.uint8), None, "width and height must be in 1..16384, got 0x0"),
        (np.zeros((4, 4, 3), np.uint8), VideoFormat.RGBA, "RGBA needs an array (H, W, 4), got shape (4, 4, 3)"),
        (np.zeros((4, 4), np.uint8), VideoFormat.BGR, "BGR needs an array (H, W, 3), got shape (4, 4)"),
        (np.zeros((4, 4, 4), np.uint8), VideoFormat.GRAY8, "GRAY8 needs an array (H, W), got shape (4, 4, 4)"),
        (np.zeros((4, 4), np.uint8), VideoFormat.NV12, "NV12 needs an array (H * 3 / 2, W), got shape (4, 4)"),
        (np.zeros((6, 4, 1), np.uint8), VideoFormat.I420, "I420 needs an array (H * 3 / 2, W), got shape (6, 4, 1)"),
        (np.zeros((6, 5), np.uint8), VideoFormat.NV12, "NV12 needs an even width and height, got 5x4"),
        (np.zeros((6, 8), np.uint8)[:, :4], VideoFormat.I420, "I420 in one array must be C-contiguous"),
        (np.zeros((4, 5, 2), np.uint8), VideoFormat.UYVY, "UYVY needs an even width, got 5x4"),
    ],
)
def test_arrays_that_hold_no_picture(array: Any, form: VideoFormat | None, message: str) -> None:
    with pytest.raises(SurfaceError) as caught:
        SurfaceView.wrap(array, form)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("obj", [None, "frame.png", 1.5, True, [[1, 2], [3, 4]], object], ids=repr)
def test_what_is_no_array_is_a_type_error(obj: object) -> None:
    with pytest.raises(SurfaceTypeError, match=r"expected SharedBuffer or int \(raw pointer\)"):
        SurfaceView.wrap(obj)


@pytest.mark.parametrize(("pointer", "message"), [(0, "buf_ptr is null"), (4096, "valid NvBufSurface")])
def test_raw_pointers_are_refused(pointer: int, message: str) -> None:
    with pytest.raises(SurfaceError, match=message):
        SurfaceView.wrap(pointer)


class ArrayInterface:
    """An object of another library, such as a Pillow image."""

    def __init__(self, array: Bytes) -> None:
        self.__array_interface__ = array.__array_interface__
        self.array = array


class DLPack:
    """A tensor that speaks DLPack only."""

    def __init__(self, array: Bytes, device: tuple[int, int] = (1, 0)) -> None:
        self.array, self.device = array, device

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)


@pytest.mark.parametrize("library", [ArrayInterface, DLPack])
def test_pixels_of_other_libraries_are_shared(library: Any) -> None:
    array = ramp(4, 6, 3)
    view = SurfaceView.wrap(library(array))
    array[2, 3] = 9
    assert view.planes[0][2, 3].tolist() == [9, 9, 9]


def test_dlpack_of_another_device_is_refused() -> None:
    with pytest.raises(SurfaceError, match=r"DLPack of device \(10, 1\)"):
        SurfaceView.wrap(DLPack(ramp(4, 6, 3), (10, 1)))


def test_a_view_wraps_to_itself() -> None:
    view = SurfaceView.wrap(ramp(4, 6, 4))
    assert SurfaceView.wrap(view) is view
    assert SurfaceView.wrap(view, VideoFormat.RGBA) is view
    with pytest.raises(SurfaceError, match="the pixels are RGBA, not NV12"):
        SurfaceView.wrap(view, VideoFormat.NV12)
    with pytest.raises(SurfaceError, match="the pixels are None, not ColorSpace"):
        SurfaceView.wrap(view, color=ColorSpace(Matrix.BT709))


def test_planes_of_a_decoder() -> None:
    luma, u, v = ramp(6, 32)[:4, :8], ramp(3, 16)[:2, :4], ramp(2, 4)
    view = SurfaceView.from_planes([luma, u, v], VideoFormat.I420, (8, 4), ColorSpace(Matrix.BT601, full_range=True))
    assert view.color == ColorSpace(Matrix.BT601, full_range=True)
    assert [np.array_equal(*pair) for pair in zip(view.planes, (luma, u, v), strict=True)] == [True] * 3
    nv12 = SurfaceView.from_planes([luma, ramp(2, 16)[:, :8]], VideoFormat.NV12, (8, 4))
    assert nv12.planes[1].shape == (2, 4, 2)
    assert nv12.color == ColorSpace(Matrix.BT601)


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        ([ramp(4, 8)], "NV12 has 2 planes, got 1"),
        ([ramp(4, 8), ramp(2, 4)], "plane 1 of NV12 needs shape (2, 4, 2), got (2, 4)"),
        ([ramp(4, 9), ramp(2, 8)], "plane 0 of NV12 needs shape (4, 8), got (4, 9)"),
        ([ramp(4, 8), ramp(2, 8).astype(np.uint16)], "expected an array of uint8, got dtype uint16"),
    ],
)
def test_planes_that_do_not_fit(planes: list[Bytes], message: str) -> None:
    with pytest.raises(SurfaceError) as caught:
        SurfaceView.from_planes(planes, VideoFormat.NV12, (8, 4))
    assert str(caught.value) == message


@given(st.sampled_from(list(VideoFormat)), st.integers(1, 90), st.integers(1, 20))
def test_allocated_surfaces_are_aligned_zeroed_and_apart(form: VideoFormat, half_width: int, half_height: int) -> None:
    size_wh = (2 * half_width, 2 * half_height)
    view = SurfaceView.allocate(form, size_wh)
    assert view.size_wh == size_wh
    assert view.data_ptr % 64 == 0
    assert form is VideoFormat.I420 or all(plane.strides[0] % 64 == 0 for plane in view.planes)
    assert not view.readonly
    assert not view.to_numpy().any()
    for value, plane in enumerate(view.planes, 1):
        plane[...] = value
    assert [set(plane.ravel().tolist()) for plane in view.planes] == [{n + 1} for n in range(len(view.planes))]


def test_i420_is_one_tight_block() -> None:
    view = SurfaceView.allocate(VideoFormat.I420, (6, 4))
    starts = [plane.ctypes.data - view.data_ptr for plane in view.planes]
    assert starts == [0, 24, 30]
    assert [plane.strides for plane in view.planes] == [(6, 1), (3, 1), (3, 1)]


def test_a_color_space_belongs_to_yuv() -> None:
    with pytest.raises(SurfaceError, match="a colour space belongs to YUV pictures, not to RGBA"):
        SurfaceView.allocate(VideoFormat.RGBA, (4, 4), ColorSpace(Matrix.BT709))


def test_memset_and_fill() -> None:
    view = SurfaceView.allocate(VideoFormat.RGBA, (4, 3))
    view.memset(7)
    assert set(view.to_numpy().ravel().tolist()) == {7}
    view.fill([1, 2, 3, 4])
    assert view.to_numpy()[2, 3].tolist() == [1, 2, 3, 4]
    gray = SurfaceView.allocate(VideoFormat.GRAY8, (4, 3))
    gray.fill([9])
    assert set(gray.to_numpy().ravel().tolist()) == {9}
    nv12 = SurfaceView.allocate(VideoFormat.NV12, (4, 2))
    nv12.memset(16)
    assert set(nv12.to_numpy().ravel().tolist()) == {16}


@pytest.mark.parametrize(
    ("form", "color", "message"),
    [
        (VideoFormat.RGBA, [1, 2, 3], "color length 3 does not match surface channel count 4"),
        (VideoFormat.NV12, [1, 2, 3], "color length 3 does not match surface channel count 0"),
        (VideoFormat.NV12, [], "a picture of 2 planes has no channels to fill"),
        (VideoFormat.RGB, [1, 2, 256], "a byte is 0..255, got 256"),
        (VideoFormat.RGB, [1, 2, -1], "a byte is 0..255, got -1"),
    ],
)
def test_colors_that_do_not_fit(form: VideoFormat, color: list[int], message: str) -> None:
    view = SurfaceView.allocate(form, (4, 4))
    with pytest.raises(SurfaceError) as caught:
        view.fill(color)
    assert str(caught.value) == message
    assert not view.to_numpy().any()


def test_memset_takes_a_byte() -> None:
    with pytest.raises(SurfaceError, match=r"a byte is 0\.\.255, got 256"):
        SurfaceView.allocate(VideoFormat.RGBA, (4, 4)).memset(256)


def test_a_smaller_upload_fills_the_top_left() -> None:
    view = SurfaceView.allocate(VideoFormat.RGB, (5, 4))
    view.upload(ramp(2, 3, 3))
    assert np.array_equal(view.planes[0][:2, :3], ramp(2, 3, 3))
    assert not view.planes[0][2:].any()
    assert not view.planes[0][:, 3:].any()
    gray = SurfaceView.allocate(VideoFormat.GRAY8, (5, 4))
    gray.upload(ramp(4, 5))
    assert np.array_equal(gray.to_numpy(), ramp(4, 5))


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (ramp(5, 4, 4), UploadError, "array dimensions 4x5 exceed surface dimensions 4x4"),
        (ramp(4, 5, 4), UploadError, "array dimensions 5x4 exceed surface dimensions 4x4"),
        (ramp(4, 4, 3), UploadError, "channel count mismatch: surface has 4, array has shape (4, 4, 3)"),
        (ramp(4, 4), UploadError, "channel count mismatch: surface has 4, array has shape (4, 4)"),
        (ramp(4), UploadError, "channel count mismatch: surface has 4, array has shape (4,)"),
        (np.zeros((4, 4, 4)), SurfaceError, "expected an array of uint8, got dtype float64"),
    ],
)
def test_uploads_that_do_not_fit(array: Any, error: type[Exception], message: str) -> None:
    view = SurfaceView.allocate(VideoFormat.RGBA, (4, 4))
    with pytest.raises(error) as caught:
        view.upload(array)
    assert str(caught.value) == message


def test_upload_errors_are_runtime_errors() -> None:
    assert issubclass(UploadError, RuntimeError)


@pytest.mark.parametrize("write", [lambda v: v.memset(1), lambda v: v.fill([1] * 4), lambda v: v.upload(ramp(1, 1, 4))])
def test_read_only_pixels_stay_as_they_are(write: Any) -> None:
    array = ramp(4, 4, 4)
    array.flags.writeable = False
    view = SurfaceView.wrap(array)
    assert view.readonly
    with pytest.raises(SurfaceError, match="the pixels are read-only"):
        write(view)
    assert not view.plane_layout()[0].memory.flags.writeable


def test_a_layout_of_read_only_strided_pixels_is_read_only() -> None:
    array = ramp(4, 8, 4)[:, ::2]
    array.flags.writeable = False
    assert not SurfaceView.wrap(array).plane_layout()[0].memory.flags.writeable


def test_the_layout_is_made_once() -> None:
    view = SurfaceView.wrap(ramp(4, 4, 4))
    assert view.plane_layout() is view.plane_layout()


def test_a_copy_is_apart() -> None:
    array = ramp(4, 4, 4)
    copy = SurfaceView.wrap(array).to_numpy()
    array[...] = 0
    assert copy.any()
    assert copy.flags.c_contiguous


USES = [
    "planes", "format", "size_wh", "width", "height", "color", "is_cuda", "mem_type", "gpu_id", "cuda_stream",
    "data_ptr", "pitch", "channels", "color_format", "readonly", "device_plane",
]  # fmt: skip


@pytest.mark.parametrize("name", USES)
def test_a_consumed_view_has_nothing(name: str) -> None:
    view = SurfaceView.wrap(ramp(4, 4, 4))
    view.take()
    with pytest.raises(ConsumedError, match="SurfaceView has been consumed"):
        getattr(view, name)


def test_taking_moves_the_pixels() -> None:
    array = ramp(4, 6, 4)
    view = SurfaceView.wrap(array)
    assert view
    assert repr(view) == "SurfaceView(6x4, ch=4, gpu=0)"
    taken = view.take()
    assert taken.planes[0] is array
    assert (taken.format, taken.size_wh) == (VideoFormat.RGBA, (6, 4))
    assert not view
    assert repr(view) == "SurfaceView(<consumed>)"
    for use in (view.take, view.plane_layout, view.to_numpy, lambda: view.memset(0), lambda: SurfaceView.wrap(view)):
        with pytest.raises(RuntimeError, match="SurfaceView has been consumed"):
            use()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda view: pickle.loads(pickle.dumps(view))])
def test_a_copy_of_a_consumed_view_is_consumed(duplicate) -> None:
    view = SurfaceView.wrap(ramp(4, 4, 4))
    view.take()
    again = duplicate(view)
    assert not again
    with pytest.raises(ConsumedError):
        again.take()


@pytest.mark.usefixtures("hasty")
def test_of_several_threads_that_take_a_view_one_gets_it() -> None:
    views, won = [SurfaceView.wrap(ramp(2, 2, 4)) for _ in range(2000)], []

    def take_all() -> None:
        for number, view in enumerate(views):
            with suppress(ConsumedError):
                won.append((number, view.take()))

    threads = [threading.Thread(target=take_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for number, _ in won) == list(range(len(views)))
    assert all(taken for _, taken in won)


def test_a_buffer_of_a_pool_is_wrapped_and_keeps_its_slot() -> None:
    pool = BufferGenerator(VideoFormat.RGBA, 4, 4, pool_size=1)
    view = SurfaceView.wrap(pool.acquire())
    with pytest.raises(TimeoutError):
        pool.acquire(timeout_s=0)
    del view
    assert pool.acquire(timeout_s=0)


def test_a_view_keeps_what_its_reader_made_of_it_until_it_is_consumed() -> None:
    class Reader:
        """Someone."""

    one, other = Reader(), Reader()
    view = SurfaceView.allocate(VideoFormat.RGBA, (2, 2))
    view.keep(one, "made by one")
    assert (view.kept(one), view.kept(other)) == ("made by one", None)
    view.keep(other, "made by the other")
    assert (view.kept(one), view.kept(other)) == (None, "made by the other")
    taken = view.take()
    assert (view.kept(other), taken.kept(other)) == (None, None)
    with pytest.raises(ConsumedError):
        view.keep(one, "too late")


def test_what_is_not_there_is_named() -> None:
    view = SurfaceView.wrap(ramp(4, 4, 4))
    with pytest.raises(AttributeError, match="a surface in host memory has no __cuda_array_interface__"):
        view.__cuda_array_interface__  # noqa: B018
    with pytest.raises(AttributeError, match="'SurfaceView' object has no attribute 'nothing'"):
        view.nothing  # noqa: B018
