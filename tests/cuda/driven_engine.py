"""Rules of an engine on GPUs, as those of ``driven``: run over ``strict_driver.c`` by ``test_driver_rules``."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from driven import MIB, SIZE_WH, STRICT, borrowed
from engine_run import DeviceSink, make_frame

from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import DeviceError
from picasso.surface import MemType, SurfaceView, VideoFormat
from picasso.surface.cuda_memory import Uploader, open_device
from picasso.transform import TransformConfig
from picasso_kernels.cuda.driver import CudaError, Stream


def run_camera(before: Callable[[], object], after_first: Callable[[], object]) -> list[Any]:
    """Send three device frames to an engine, one after the other; return what it said of each."""
    seen: list[Any] = []
    arrived = threading.Semaphore(0)

    def note(*details: Any) -> None:
        seen.append(details)
        arrived.release()

    uploader = Uploader(Stream(open_device(0)))
    pictures = [uploader.upload(SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH)) for _ in range(3)]
    config = EncoderConfig(Codec.H264, 1280, 720).mem_type(MemType.CUDA_DEVICE)
    spec = SourceSpec(CodecSpec.encode(TransformConfig(), config))
    callbacks = Callbacks(on_encoded_frame=note, on_error=note)
    with PicassoEngine(GeneralSpec(), callbacks, encoder_factory=DeviceSink) as engine:
        engine.set_source_spec("camera", spec)
        before()
        for number, picture in enumerate(pictures):
            engine.send_frame("camera", make_frame("camera", 40_000_000 * number, 0, SIZE_WH), picture)
            assert arrived.acquire(timeout=60)
            if not number:
                after_first()
    return seen


def a_source_that_names_nothing_works_where_its_pixels_are() -> None:
    for place, config, works in (
        (1, EncoderConfig(Codec.H264, 64, 48), 1),
        (0, EncoderConfig(Codec.H264, 64, 48), 0),
        (1, EncoderConfig(Codec.H264, 64, 48).gpu_id(0), 0),
        (0, EncoderConfig(Codec.H264, 64, 48).mem_type(MemType.CUDA_DEVICE).gpu_id(1), 1),
    ):
        sinks: list[DeviceSink] = []
        done = threading.Event()

        def make(config: EncoderConfig, sinks: list[DeviceSink] = sinks) -> DeviceSink:
            sinks.append(DeviceSink(config))
            return sinks[-1]

        seen: list[int] = []

        def note(*_details: Any, sinks: Any = sinks, seen: Any = seen, done: Any = done) -> None:
            seen.append(sinks[0].last.gpu_id)
            done.set()

        with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=note), encoder_factory=make) as engine:
            engine.set_source_spec("camera", SourceSpec(CodecSpec.encode(TransformConfig(), config)))
            engine.send_frame("camera", make_frame("camera", 0, 0, SIZE_WH), borrowed(place))
            assert done.wait(60)
        assert seen == [works]


def a_source_without_memory_reports_its_frame_and_goes_on() -> None:
    seen = run_camera(lambda: STRICT.driver_limit(0, STRICT.driver_taken(0)), lambda: STRICT.driver_limit(0, 64 * MIB))
    assert isinstance(seen[0][2], DeviceError)
    assert str(seen[0][2]).startswith("GPU 0 gives no memory: ")
    assert [len(details) for details in seen[1:3]] == [1, 1]


def a_source_whose_kernel_was_refused_reports_its_frame_and_goes_on() -> None:
    seen = run_camera(lambda: STRICT.driver_refuse(1), lambda: None)
    assert isinstance(seen[0][2], CudaError)
    assert str(seen[0][2]) == "cuLaunchKernelEx: CUDA_ERROR_LAUNCH_FAILED"
    assert [len(details) for details in seen[1:3]] == [1, 1]


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # that no encoder of a GPU is there
    globals()[sys.argv[1]]()
