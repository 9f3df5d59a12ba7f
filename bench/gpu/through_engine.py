"""Readers that feed an engine: decoded frames of many sources with labelled boxes, to an encoder that takes them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "cuda"))
from engine_run import DeviceSink, drawing, run_engine

from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec, warm_up
from picasso.media import VideoReader
from picasso.primitives import VideoFrame
from picasso.surface import MemType, SurfaceView
from picasso.surface.cuda_memory import download
from picasso.transform import TransformConfig

__all__ = ["BOXES", "run_engine", "run_readers"]

BOXES, SIZE_WH = 20, (1920, 1080)
WARM = 20
"""Frames of each source before the time is taken."""


class KeepingSink(DeviceSink):
    """Keeps what it took last, also when it is closed."""

    def close(self) -> None:
        """Keep the surface."""


class HostSink(KeepingSink):
    """The same in host memory."""

    reads_device_memory = False


def _boxes() -> tuple[Any, list[str], Any]:
    generator = np.random.default_rng(0)
    centers = generator.uniform((120, 120), (SIZE_WH[0] - 120, SIZE_WH[1] - 120), (BOXES, 2))
    halves = generator.uniform(20, 90, (BOXES, 2))
    return np.hstack([centers - halves, centers + halves]), ["person"] * BOXES, generator.uniform(size=BOXES)


class _Output:
    """Counts what comes out, from when every source is warm."""

    def __init__(self, warm: int) -> None:
        self.count, self._warm, self._lock = 0, warm, threading.Lock()
        self.started_s = 0.0
        self.is_warm = threading.Event()
        self.errors: list[Any] = []

    def on_encoded(self, output: Any) -> None:
        """Count a frame."""
        if output.is_eos:
            return
        with self._lock:
            self.count += 1
            if self.count == self._warm:
                self.started_s = time.perf_counter()
                self.is_warm.set()

    def on_error(self, *details: Any) -> None:
        """Note an error."""
        self.errors.append(details)
        self.is_warm.set()


def _spec(memory: MemType) -> SourceSpec:
    config = EncoderConfig(Codec.H264, 1280, 720).mem_type(memory)
    return SourceSpec(CodecSpec.encode(TransformConfig(), config), draw=drawing())


def run_readers(readers: Sequence[VideoReader], seconds: float) -> tuple[float, int]:
    """Feed the frames of each reader to a source of its own for a while.

    Returns:
        Frames a second that came out, and how many of the last ones were compared with the CPU's, bit for bit.
    """
    warm_up()
    boxes, output, stop = _boxes(), _Output(WARM * len(readers)), threading.Event()
    sinks: list[KeepingSink] = []
    newest: dict[str, tuple[VideoFrame, SurfaceView]] = {}

    def sink_of(config: EncoderConfig) -> KeepingSink:
        sinks.append(KeepingSink(config))
        return sinks[-1]

    callbacks = Callbacks(on_encoded_frame=output.on_encoded, on_error=output.on_error)
    with PicassoEngine(GeneralSpec(), callbacks, encoder_factory=sink_of) as engine:
        for reader in readers:
            engine.set_source_spec(reader.source_id, _spec(MemType.CUDA_DEVICE))

        def feed(reader: VideoReader) -> None:
            for frame, surface in reader.frames():
                frame.add_detections("bench", *boxes[:2], confidences=boxes[2])
                if stop.is_set():
                    newest[reader.source_id] = frame.copy(), surface.share()
                engine.send_frame(reader.source_id, frame, surface)
                if stop.is_set():
                    break
            engine.send_eos(reader.source_id)

        feeders = [threading.Thread(target=feed, args=(reader,)) for reader in readers]
        for feeder in feeders:
            feeder.start()
        output.is_warm.wait(30)
        time.sleep(seconds)
        rate = (output.count - WARM * len(readers)) / (time.perf_counter() - output.started_s)
        stop.set()
        for feeder in feeders:
            feeder.join()
        engine.shutdown()
    if output.errors:
        raise RuntimeError(f"the engine reports {output.errors[0]}")
    return rate, _compare(newest, sinks)


def _compare(newest: dict[str, tuple[VideoFrame, SurfaceView]], sinks: list[KeepingSink]) -> int:
    """Send the last frame of each source through an engine on the CPU; each picture is that of one of the sinks."""
    made = [sink.last.to_numpy() for sink in sinks if sink.last is not None]
    for source_id, (frame, surface) in newest.items():
        (expected,) = _on_the_host(source_id, frame, surface)
        if not any(np.array_equal(expected, picture) for picture in made):
            raise AssertionError(f"{source_id}: the last picture is not that of the CPU")
    return len(newest)


def _on_the_host(source_id: str, frame: VideoFrame, surface: SurfaceView) -> list[Any]:
    sinks: list[HostSink] = []

    def sink_of(config: EncoderConfig) -> HostSink:
        sinks.append(HostSink(config))
        return sinks[-1]

    errors: list[Any] = []
    callbacks = Callbacks(on_encoded_frame=lambda _: None, on_error=lambda *details: errors.append(details))
    with PicassoEngine(GeneralSpec(), callbacks, encoder_factory=sink_of) as engine:
        engine.set_source_spec(source_id, _spec(MemType.DEFAULT))
        engine.send_frame(source_id, frame, download(surface))
        engine.send_eos(source_id)
        engine.shutdown()
    if errors:
        raise RuntimeError(f"the engine on the CPU reports {errors[0]}")
    return [sink.last.to_numpy() for sink in sinks if sink.last is not None]
