"""Rules of the CUDA side that show in the calls of the driver; run over ``strict_driver.c`` by ``test_driver_rules``.

Each function is a rule. ``python driven.py NAME`` runs one of them and says nothing if it holds.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pytest

from picasso.draw import Painter
from picasso.draw.cuda import CudaPainter, _Scratch, _Upload
from picasso.draw.lists import DisplayList
from picasso.encode.nvenc_gpu import CudaGpu
from picasso.encode.nvjpeg_library import OUT, Handles
from picasso.errors import DeviceError, EncoderError, SurfaceError
from picasso.infer import to_tensor
from picasso.media.nvdec_frames import _Loans
from picasso.surface import BufferGenerator, ColorSpace, DevicePlane, Matrix, MemType, SurfaceView, VideoFormat
from picasso.surface.cuda_memory import (
    DeviceBlock,
    Uploader,
    allocate_on_device,
    allocator_on_device,
    download,
    open_device,
)
from picasso.surface.device_memory import pinned_bytes
from picasso.surface.tensor import bring_tensor
from picasso.transform import Placement
from picasso.transform.cuda import CudaTransformer, Job
from picasso.verbs.writing import write_video
from picasso_kernels.cuda import cubin
from picasso_kernels.cuda.driver import Event, Stream
from picasso_kernels.cuda.launches import OFTEN

STRICT: Final = ctypes.CDLL("libcuda.so.1")
STRICT.driver_log.restype = ctypes.c_char_p
STRICT.driver_limit.argtypes = [ctypes.c_int, ctypes.c_uint64]
STRICT.driver_taken.restype = ctypes.c_uint64
STRICT.cuCtxSetCurrent.argtypes = [ctypes.c_void_p]
PRIMARY: Final = [1 << 32, 2 << 32]
"""The contexts of the two devices."""
MIB: Final = 1 << 20
SIZE_WH: Final = (64, 48)
WHOLE: Final = Placement.identity(SIZE_WH)
cubin.load_cubin = lambda *_, **__: b"machine code"


def calls() -> list[str]:
    """Return what the driver was told since the last time."""
    lines = STRICT.driver_log().decode().splitlines()
    STRICT.driver_forget()
    return lines


def current() -> int | None:
    """Return the context that is current on this thread."""
    found = ctypes.c_void_p()
    STRICT.cuCtxGetCurrent(ctypes.byref(found))
    return found.value


def borrowed(gpu_id: int, stream: int = 0, form: VideoFormat = VideoFormat.RGBA, **changes: Any) -> SurfaceView:
    """View memory of another library."""
    width, height = SIZE_WH
    there = DeviceBlock(4 * width * height, Stream(open_device(gpu_id)))
    given = {"ptr": there.address, "shape": (height, width, 4), "strides": (4 * width, 4, 1), "owner": [there]}
    plane = DevicePlane(**(given | changes), read_only=False, stream=stream or None)
    return SurfaceView((plane,), form, SIZE_WH, None, gpu_id=gpu_id, cuda_stream=stream)


def each_call_leaves_the_device_of_its_caller_current() -> None:
    picture = SurfaceView.allocate(VideoFormat.NV12, SIZE_WH)
    drawing = DisplayList(np.zeros((1, 32), np.int32), np.zeros((0, 8), np.int32), np.zeros(0, np.uint8), 1)
    for before in (None, *PRIMARY):
        STRICT.cuCtxSetCurrent(before)
        for gpu_id in (0, 1):
            gpu = CudaTransformer(gpu_id)
            there = Uploader(gpu.stream).upload(picture)
            other = Uploader(CudaTransformer(1 - gpu_id).stream).bring(there)
            target = allocate_on_device(VideoFormat.RGBA, SIZE_WH, gpu.stream)
            for call in (
                lambda gpu=gpu, there=there, target=target: gpu.transform(there, WHOLE, target),
                lambda gpu=gpu, there=there, target=target: gpu.transform_batch([Job(there, WHOLE, target)] * 2),
                lambda gpu=gpu, there=there: gpu.to_tensor([there], WHOLE).to_numpy(),
                lambda target=target: target.upload(np.zeros((4, 4, 4), np.uint8)),
                lambda target=target: target.memset(3),
                lambda target=target: target.to_numpy(),
                lambda target=target: target.__dlpack__(stream=1),
                lambda other=other: download(other),
                lambda gpu=gpu, target=target: CudaPainter(gpu.stream).paint(target, drawing),
                lambda gpu=gpu: gpu.wait(),
                lambda gpu=gpu: pinned_bytes(gpu.device, 64),
                lambda gpu_id=gpu_id: BufferGenerator("RGBA", *SIZE_WH, gpu_id=gpu_id, mem_type=MemType.CUDA_DEVICE),
                lambda there=there, picture=picture: to_tensor([there, picture], (32, 32)),
                gpu.close,
            ):
                call()
                gc.collect()
                assert current() == before
                assert not [line for line in calls() if line.endswith(": 201") or line.startswith("keep")]


def what_dies_leaves_the_device_current() -> None:
    for before in (None, *PRIMARY):
        STRICT.cuCtxSetCurrent(before)
        for gpu_id in (0, 1):
            gpu = CudaTransformer(gpu_id)
            surface = Uploader(gpu.stream).upload(SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH))
            capsule = surface.__dlpack__(stream=1)
            del surface
            del capsule  # the owner's stream waits for the borrower's
            assert current() == before
            pinned = pinned_bytes(gpu.device, 64)
            calls()
            del pinned
            assert calls() == ["unpin: 0"]
            del gpu
            gc.collect()
            assert not [line for line in calls() if line.endswith(": 201") or line.startswith("keep")]
            assert current() == before


def a_producers_default_stream_is_that_of_its_own_device() -> None:
    here = Stream(open_device(0))
    uploader = Uploader(here)
    source = borrowed(1, stream=1)
    calls()
    uploader.bring(source)
    lines = calls()
    marked = next(line for line in lines if line.startswith("mark") and line.endswith("on 1 of 1"))
    assert f"let {here.address:x} of 0 wait for {marked.split()[1]}" in lines
    read = [line.split()[1] for line in lines if line.endswith(f"on {here.address:x} of 0") and "mark" in line]
    assert f"let 1 of 1 wait for {read[-1]}" in lines  # and not: let 1 of 0 wait


def pinned_memory_is_read_before_it_goes() -> None:
    stream = Stream(open_device(0))
    uploader = Uploader(stream)
    uploader.upload(SurfaceView.allocate(VideoFormat.RGBA, (64, 48)))
    calls()
    uploader.upload(SurfaceView.allocate(VideoFormat.RGBA, (32, 48)))
    lines = calls()
    assert "unpin: 0" in lines
    assert any("wait for" in line for line in lines[: lines.index("unpin: 0")]), lines


def sources_are_held_until_they_are_read_even_without_close() -> None:
    gpu = CudaTransformer(0)
    source = borrowed(0)
    gpu.transform(source, WHOLE, allocate_on_device(VideoFormat.NV12, SIZE_WH, gpu.stream))
    owner = source.device_plane.owner[0].address  # type: ignore[index]
    del source
    calls()
    del gpu
    lines = calls()
    freed = next(index for index, line in enumerate(lines) if line.startswith(f"give back {owner:x}"))
    assert any(line.startswith("wait for") for line in lines[:freed]), lines


def a_copy_to_a_device_is_waited_for() -> None:
    """The driver returns from a copy of pageable memory as soon as it has read it."""
    surface = allocate_on_device(VideoFormat.RGBA, SIZE_WH, Stream(open_device(1)))
    calls()
    surface.upload(np.zeros((8, 8, 4), np.uint8))
    lines = calls()
    assert lines.index("copy rows on 0 of 1") < len(lines) - 1 - lines[::-1].index("wait for stream 0 of 1")


def threads_that_begin_together_share_a_device() -> None:
    found: list[Any] = []
    together = threading.Barrier(8)

    def open_it() -> None:
        together.wait()
        found.append(open_device(1))

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert calls().count("pool of 1") == 1


def a_full_pool_is_emptied_and_asked_again() -> None:
    stream = Stream(open_device(0))
    STRICT.driver_limit(0, 8 * MIB)
    held = [DeviceBlock(MIB, stream) for _ in range(8)]
    held.clear()
    assert STRICT.driver_taken(0) == 8 * MIB  # the pool keeps them, and none has the size of the next
    calls()
    large = DeviceBlock(5 * MIB, stream)
    assert [line for line in calls() if not line.startswith("give")] == [
        f"take {5 * MIB} of 0: 2", "synchronize 0", "trim 0", f"take {5 * MIB} of 0: 0",
    ]  # fmt: skip
    assert STRICT.driver_taken(0) == 5 * MIB
    del large


def what_does_not_fit_is_said_and_what_fits_goes_on() -> None:
    stream = Stream(open_device(0))
    STRICT.driver_limit(0, 8 * MIB)
    held = DeviceBlock(6 * MIB, stream)
    message = f"^GPU 0 gives no memory: {4 * MIB} bytes were asked for, {2 * MIB} of {8 * MIB} are free$"
    with pytest.raises(DeviceError, match=message):
        DeviceBlock(4 * MIB, stream)
    DeviceBlock(2 * MIB, stream)
    del held
    DeviceBlock(4 * MIB, stream)


def a_painter_that_got_no_memory_keeps_what_it_had() -> None:
    stream = Stream(open_device(0))
    stream.device.make_current()  # as the painter does
    upload, scratch = _Upload(stream), _Scratch(stream)
    before = upload.address
    scratch.take(100)
    STRICT.driver_limit(0, STRICT.driver_taken(0))
    for _ in range(2):  # the second time nothing is written beyond what there is
        with pytest.raises(DeviceError, match="GPU 0 gives no memory"):
            upload.send(np.zeros(MIB, np.uint8))
        with pytest.raises(DeviceError, match="GPU 0 gives no memory"):
            scratch.take(MIB)
    assert upload.address == before
    scratch.take(100)
    STRICT.driver_limit(0, 64 * MIB)
    upload.send(np.zeros(MIB, np.uint8))
    scratch.take(MIB)
    calls()
    del upload, scratch
    given = [line for line in calls() if line.startswith("give back")]
    assert len(given) == 2
    assert all(line.endswith(": 0") for line in given), given


def rows_beyond_the_reach_of_32_bits_are_refused() -> None:
    """Such as a part of an atlas: the last row's offset would become negative, and the kernel would fault."""
    gpu = CudaTransformer(0)
    fine = allocate_on_device(VideoFormat.RGBA, SIZE_WH, gpu.stream)
    far = borrowed(0, strides=(1 << 26, 4, 1))
    for source, target, what in ((far, fine, "source"), (fine, far, "target")):
        for call in (
            lambda source=source, target=target: gpu.transform(source, WHOLE, target),
            lambda source=source, target=target: gpu.transform_batch([Job(source, WHOLE, target)]),
        ):
            with pytest.raises(SurfaceError, match=f"the {what} has 48 rows of a pitch of 67108864 bytes"):
                call()
    near = borrowed(0, strides=(1 << 25, 4, 1))
    gpu.transform(near, WHOLE, fine)


def chroma_of_two_pitches_is_refused() -> None:
    """Kernels know one: rows of the other plane were read beyond its end."""
    gpu = CudaTransformer(0)
    memory = DeviceBlock(1 << 14, gpu.stream)

    def planes(v_pitch: int) -> SurfaceView:
        places = ((0, (48, 64), 64), (4096, (24, 32), 48), (8192, (24, 32), v_pitch))
        made = tuple(DevicePlane(memory.address + at, of, (step, 1), False, None, memory) for at, of, step in places)
        return SurfaceView(made, VideoFormat.I420, SIZE_WH, None)

    fine = allocate_on_device(VideoFormat.RGBA, SIZE_WH, gpu.stream)
    drawing = DisplayList(np.zeros((1, 32), np.int32), np.zeros((0, 8), np.int32), np.zeros(0, np.uint8), 1)
    bad = planes(32)
    for what, call in (
        ("source", lambda: gpu.transform(bad, WHOLE, fine)),
        ("source", lambda: gpu.to_tensor([bad], WHOLE)),
        ("target", lambda: gpu.transform_batch([Job(fine, WHOLE, bad)])),
        ("surface", lambda: CudaPainter(gpu.stream).paint(bad, drawing)),
    ):
        with pytest.raises(SurfaceError, match=f"the {what} has U and V of different pitches, 48 and 32 bytes"):
            call()
    gpu.transform(planes(48), WHOLE, fine)


class Told:
    """A library of which all functions succeed, and are noted."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self._told.append(name)


def a_fork_says_what_it_is_and_calls_nothing() -> None:
    gpu = CudaTransformer(0)
    surface = Uploader(gpu.stream).upload(SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH))
    pinned, event = pinned_bytes(gpu.device, 64), Event(gpu.device)
    for _ in range(2 * OFTEN):
        gpu.transform(surface, WHOLE, surface)
        gpu.to_tensor([surface], WHOLE)
    told: list[str] = []
    handles = Handles(Told(told), EncoderError, gpu.stream.at_rest)
    handles.make("", OUT)
    loans = _Loans(Told(told), gpu.stream)
    loans.returned.append(7)
    calls()
    told.clear()
    child = os.fork()
    if not child:
        try:
            del surface, pinned, event, handles, loans, gpu
            gc.collect()
            assert (calls(), told) == ([], [])
            for gpu_id in (0, 1):
                with pytest.raises(DeviceError, match="this process is a fork of one that has opened the CUDA driver"):
                    open_device(gpu_id)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - nothing of the parent's may run here
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    surface.to_numpy()
    del handles, loans
    assert told == ["nvjpegDestroy", "UnlockFrame"]


def encoders_bring_surfaces_of_the_other_device() -> None:
    for place in (0, 1):
        gpu = CudaGpu(place)
        same, other, host = borrowed(place), borrowed(1 - place), SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH)
        assert gpu.ready(same) is same
        for surface in (other, host):
            assert (gpu.ready(surface).is_cuda, gpu.ready(surface).gpu_id) == (True, place)


def painting_is_waited_for_where_no_stream_is_named() -> None:
    drawing = DisplayList(np.zeros((1, 32), np.int32), np.zeros((0, 8), np.int32), np.zeros(0, np.uint8), 1)
    painter = Painter()
    stream = Stream(open_device(0))
    for surface, waits in ((borrowed(0), 1), (borrowed(0, stream.address), 0), (borrowed(0, 1), 0), (borrowed(0), 1)):
        for _ in range(2):
            calls()
            painter.paint_list(surface, drawing)
            assert sum(line.startswith("wait for stream") for line in calls()) == waits


def pictures_of_a_video_are_copied_before_the_next_is_asked_for() -> None:
    surface = borrowed(0, 1)

    def pictures() -> Iterator[SurfaceView]:
        for number in range(4):
            if number:
                assert any(line.startswith("copy rows") for line in calls())
            calls()
            yield surface

    with tempfile.TemporaryDirectory() as folder:
        assert write_video(f"{folder}/a.mp4", pictures()) == 4
    assert surface


def a_fork_of_what_has_opened_nothing_opens_devices() -> None:
    child = os.fork()
    if not child:
        try:
            Uploader(Stream(open_device(1))).upload(SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH))
            os._exit(0)
        except BaseException:  # noqa: BLE001 - nothing of the parent's may run here
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def surfaces_that_are_made_alike_are_those_made_one_by_one() -> None:
    stream, color = Stream(open_device(1)), ColorSpace(Matrix.BT601, full_range=True)
    for form, meaning in ((VideoFormat.RGBA, None), (VideoFormat.NV12, color), (VideoFormat.I420, None)):
        allocate = allocator_on_device(form, SIZE_WH, stream, meaning)
        single, first, second = allocate_on_device(form, SIZE_WH, stream, meaning), allocate(), allocate()
        assert first.data_ptr != second.data_ptr
        for made in (first, second):
            assert made.device_pixels[1:] == single.device_pixels[1:]
            for plane, expected in zip(made.device_planes, single.device_planes, strict=True):
                assert plane.ptr - made.data_ptr == expected.ptr - single.data_ptr
                assert (plane.shape, plane.strides, plane.read_only) == (
                    expected.shape,
                    expected.strides,
                    expected.read_only,
                )
                assert plane.stream == expected.stream == stream.address
                assert (plane.owner.address, type(plane.owner)) == (made.data_ptr, type(expected.owner))


def copies_keep_the_shape_of_pixels() -> None:
    source = SurfaceView.allocate(VideoFormat.NV12, SIZE_WH).with_sample_aspect_ratio(Fraction(4, 3))
    there = Uploader(Stream(open_device(1))).upload(source)
    here = Uploader(Stream(open_device(0))).bring(there)
    for copy in (there, here, download(here)):
        assert copy.sample_aspect_ratio == Fraction(4, 3)


def a_tensor_comes_from_the_other_device_in_the_order_of_its_streams() -> None:
    gpu, here = CudaTransformer(1), Stream(open_device(0))
    tensor = gpu.to_tensor([borrowed(1)], WHOLE)
    calls()
    copy = bring_tensor(tensor, here)
    assert (copy.gpu_id, copy.shape, copy.dtype, copy.cuda_stream) == (0, tensor.shape, tensor.dtype, here.address)
    lines = calls()
    marked = next(line.split()[1] for line in lines if line.endswith(f"on {gpu.stream.address:x} of 1"))
    waits = lines.index(f"let {here.address:x} of 0 wait for {marked}")
    assert waits < lines.index(f"copy from peer on {here.address:x} of 0")


def pictures_of_both_devices_and_of_the_host_are_one_tensor() -> None:
    for places in ((0, 1, None), (1, None, 0), (None, 0, 1)):
        pictures = [
            borrowed(place) if place is not None else SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH)
            for place in places
        ]
        batch, placements = to_tensor(pictures, (32, 32), dtype="float32")
        assert (tuple(batch.shape), len(placements)) == ((3, 3, 32, 32), 3)
        assert getattr(batch, "gpu_id", None) == places[0]


def the_end_of_a_program_is_quiet() -> None:
    """The driver takes back by itself what still lives then."""
    import builtins

    gpu = CudaTransformer(0)
    surface = Uploader(gpu.stream).upload(SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH))
    builtins.kept = [gpu, surface, pinned_bytes(gpu.device, 64), Event(gpu.device), CudaPainter(gpu.stream)]  # type: ignore[attr-defined]
    for _ in range(2 * OFTEN):
        gpu.transform(borrowed(0), WHOLE, surface)
    loop: list[Any] = [gpu, surface.share(), Uploader(gpu.stream)]
    loop.append(loop)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # that no encoder of a GPU is there
    globals()[sys.argv[1]]()
