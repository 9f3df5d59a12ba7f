"""JPEG on a GPU: over a double of the library where there is none, and back to the CPU with the reason."""

from __future__ import annotations

import ctypes
import gc
import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
import simplejpeg

from picasso.encode import Codec, EncoderConfig, EncoderProperties, JpegProps, factory, open_encoder
from picasso.encode.nvjpeg import NvjpegEncoder
from picasso.encode.nvjpeg_library import SIGNATURES, DeviceRows, NvJpeg
from picasso.errors import DeviceError, EncoderError, SurfaceError
from picasso.surface import MemType, SurfaceView, VideoFormat
from picasso.surface.cuda import DevicePlane
from picasso_kernels.cuda import libcuda

REFUSES = 6
"""NVJPEG_STATUS_EXECUTION_FAILED."""


class Library:
    """The functions of nvJPEG over host memory, with simplejpeg; it counts what is open."""

    def __init__(self, refuse: str = "") -> None:
        self.refuse, self.open, self.quality, self.data = refuse, 0, 0, b""

    def __getattr__(self, name: str) -> Any:
        if name not in SIGNATURES:
            raise AttributeError(name)

        def call(*arguments: Any) -> int:
            assert len(arguments) == len(SIGNATURES[name])
            if name == self.refuse:
                return REFUSES
            getattr(self, "do_" + name.removeprefix("nvjpeg"))(*arguments)
            return 0

        return call

    def make(self, out: Any) -> None:
        self.open += 1
        out._obj.value = self.open

    def give_back(self, held: Any) -> None:
        assert held.value
        self.open -= 1

    def do_CreateSimple(self, out: Any) -> None:  # noqa: N802  # the library's names
        self.make(out)

    def do_EncoderStateCreate(self, handle: Any, out: Any, stream: int) -> None:  # noqa: N802
        self.make(out)

    def do_EncoderParamsCreate(self, handle: Any, out: Any, stream: int) -> None:  # noqa: N802
        self.make(out)

    do_Destroy = do_EncoderStateDestroy = do_EncoderParamsDestroy = give_back  # noqa: N815

    def do_EncoderParamsSetSamplingFactors(self, params: Any, factors: int, stream: int) -> None:  # noqa: N802
        assert factors == 2

    def do_EncoderParamsSetQuality(self, params: Any, quality: int, stream: int) -> None:  # noqa: N802
        self.quality = quality

    def do_EncodeYUV(  # noqa: N802
        self, handle: Any, state: Any, params: Any, image: Any, css: int, width: int, height: int, stream: int
    ) -> None:
        planes = []
        for index, (rows, columns) in enumerate([(height, width)] + 2 * [(height // 2, width // 2)]):
            pitch = image._obj.pitch[index]
            memory = (ctypes.c_uint8 * (pitch * rows)).from_address(image._obj.channel[index])
            planes.append(np.frombuffer(memory, np.uint8).reshape(rows, pitch)[:, :columns])
        self.data = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=self.quality)

    def do_EncodeRetrieveBitstream(  # noqa: N802
        self, handle: Any, state: Any, data: Any, length: Any, stream: int
    ) -> None:
        length._obj.value = len(self.data)
        if data is not None:
            data[: len(self.data)] = self.data


class HostGpu:
    """Host memory that calls itself a GPU's."""

    context, stream = 0, 7

    def __init__(self) -> None:
        self.closed = 0

    def ready(self, surface: SurfaceView) -> SurfaceView:
        planes = tuple(
            DevicePlane(plane.ctypes.data, plane.shape, plane.strides, read_only=False, stream=None, owner=plane)
            for plane in surface.planes
        )
        return SurfaceView(planes, surface.format, surface.size_wh, surface.color)

    def settle(self) -> None:
        """Nothing is under way."""

    def at_rest(self) -> AbstractContextManager[None]:
        """Everywhere."""
        return nullcontext()

    def close(self) -> None:
        self.closed += 1


def config(width: int = 64, height: int = 48, quality: int | None = None) -> EncoderConfig:
    made = EncoderConfig(Codec.JPEG, width, height).mem_type(MemType.CUDA_DEVICE)
    return made if quality is None else made.properties(EncoderProperties.jpeg(JpegProps(quality)))


def picture(encoder: Any) -> SurfaceView:
    surface = SurfaceView.allocate(encoder.input_format, (64, 48), encoder.color)
    for index, plane in enumerate(surface.planes):
        plane[...] = np.arange(plane.shape[1], dtype=np.uint8) * (index + 2)
    return surface


def test_the_planes_of_a_surface_become_the_file_that_the_cpu_makes() -> None:
    library, gpu = Library(), HostGpu()
    encoder = NvjpegEncoder(config(quality=60), library, gpu)
    on_cpu = open_encoder(EncoderConfig(Codec.JPEG, 64, 48).properties(EncoderProperties.jpeg(JpegProps(60))))
    assert (encoder.name, encoder.input_format, encoder.reads_device_memory) == ("nvjpeg", VideoFormat.I420, True)
    assert encoder.color == on_cpu.color
    surface = picture(encoder)
    (unit,), (expected,) = (one.encode(surface, 5, 9) for one in (encoder, on_cpu))
    assert (unit.data, unit.pts_ns, unit.duration_ns, unit.keyframe) == (expected.data, 5, 9, True)
    assert encoder.flush() == []
    encoder.close()
    encoder.close()
    assert (library.open, gpu.closed) == (0, 1)
    with pytest.raises(EncoderError, match="the encoder is closed"):
        encoder.encode(surface, 6, None)


def test_an_encoder_that_is_dropped_gives_back_what_it_holds_on_any_thread() -> None:
    library = Library()
    held = [NvjpegEncoder(config(), library, HostGpu())]
    assert library.open == 3
    dropper = threading.Thread(target=held.clear)
    dropper.start()
    dropper.join()
    assert library.open == 0


def test_an_encoder_that_is_dropped_in_a_fork_gives_nothing_back() -> None:
    """What it holds is the parent's."""
    rests: list[None] = []

    class Gpu(HostGpu):
        def at_rest(self) -> AbstractContextManager[None]:
            rests.append(None)
            return nullcontext()

    library = Library()
    encoder = NvjpegEncoder(config(), library, Gpu())
    libcuda.fork_notes.append(True)
    try:
        del encoder
        gc.collect()
    finally:
        libcuda.fork_notes.clear()
    assert (library.open, rests) == (3, [])


def test_handles_go_back_where_their_work_is_done_the_latest_first() -> None:
    told: list[Any] = []

    class Told(Library):
        def give_back(self, held: Any) -> None:
            told.append(held.value)
            super().give_back(held)

        do_Destroy = do_EncoderStateDestroy = do_EncoderParamsDestroy = give_back  # noqa: N815

    @contextmanager
    def at_rest() -> Iterator[None]:
        told.append("rest")
        yield
        told.append("gone")

    coder = NvJpeg(Told(), 7, at_rest)
    del coder
    assert told == ["rest", 3, 2, 1, "gone"]


def test_the_quality_changes_from_the_next_frame_on() -> None:
    library = Library()
    encoder = NvjpegEncoder(config(), library, HostGpu())
    assert library.quality == 85
    assert encoder.reconfigure(config(quality=0))
    assert library.quality == 1
    assert not encoder.reconfigure(config(width=32))
    encoder.close()


def test_a_surface_of_another_format_is_refused() -> None:
    encoder = NvjpegEncoder(config(), Library(), HostGpu())
    with pytest.raises(SurfaceError, match="nvjpeg: expected I420 64x48 bt601 full range, got RGBA"):
        encoder.encode(SurfaceView.allocate(VideoFormat.RGBA, (64, 48)), 0, None)
    encoder.close()


@pytest.mark.parametrize("name", [name for name in SIGNATURES if not name.endswith("Destroy")])
def test_a_refusal_names_the_call_and_leaves_nothing_open(name: str) -> None:
    library, gpu = Library(refuse=name), HostGpu()

    def use() -> None:
        coder = NvJpeg(library, gpu.stream)
        try:
            coder.set_quality(80)
            surface = gpu.ready(SurfaceView.allocate(VideoFormat.I420, (64, 48)))
            coder.encode(tuple(DeviceRows(plane.ptr, plane.strides[0]) for plane in surface.device_planes), (64, 48))
        finally:
            coder.close()

    with pytest.raises(EncoderError, match=f"{name}: NVJPEG_STATUS_EXECUTION_FAILED"):
        use()
    assert library.open == 0


def test_odd_sizes_go_to_the_cpu() -> None:
    with pytest.raises(EncoderError, match="nvJPEG takes 4:2:0 of even size here, got 63x48"):
        NvjpegEncoder(config(width=63), Library(), HostGpu())


def test_the_cpu_encodes_where_nvjpeg_is_not_and_the_reason_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from picasso.encode import nvjpeg

    def refuse(_config: EncoderConfig) -> NvjpegEncoder:
        raise DeviceError("no CUDA driver on this machine")

    monkeypatch.setattr(nvjpeg, "open_nvjpeg", refuse)
    factory._say_once.forget()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert open_encoder(config()).name == "libjpeg-turbo"
    assert [record.getMessage() for record in caplog.records] == [
        "jpeg is encoded on the CPU: no CUDA driver on this machine"
    ]


def test_without_gpu_memory_no_gpu_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from picasso.encode import nvjpeg

    monkeypatch.setattr(nvjpeg, "open_nvjpeg", pytest.fail)
    assert open_encoder(EncoderConfig(Codec.JPEG, 64, 48)).name == "libjpeg-turbo"
