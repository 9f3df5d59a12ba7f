"""picasso on the work of the peers, through ``PicassoEngine``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

import numpy.typing as npt

from picasso.draw import BoundingBoxDraw, ColorDraw, LabelDraw, LabelPosition, ObjectDraw, ObjectDrawSpec, PaddingDraw
from picasso.encode import Codec, DgpuPreset, EncoderConfig, EncoderProperties, H264DgpuProps, H264Profile
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, OutputMessage, PicassoEngine, SourceSpec
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView
from picasso.transform import TransformConfig

NAMESPACE = "detector"
NS_PER_S = 1_000_000_000
PRESETS = {"ultrafast": DgpuPreset.P1, "superfast": DgpuPreset.P2, "veryfast": DgpuPreset.P3}


def source_spec(
    target_wh: tuple[int, int],
    looks: dict[str, tuple[int, int, int]],
    *,
    bit_rate: int = 4_000_000,
    interval: int = 50,
    frame_rate: int = 25,
    preset: str = "ultrafast",
) -> SourceSpec:
    """Encode H.264 of one thread without delay; draw boxes two pixels wide with filled labels above them."""
    draw = ObjectDrawSpec()
    for name, rgb in looks.items():
        color = ColorDraw(*rgb)
        position, padding = LabelPosition(margin_y=0), PaddingDraw(2, 1, 2, 1)
        label = LabelDraw(
            ColorDraw(0, 0, 0), color, position=position, padding=padding, format=["{label} {confidence}"]
        )
        draw.insert(NAMESPACE, name, ObjectDraw(BoundingBoxDraw(color), label=label))
    profile = H264Profile.BASELINE if preset == "ultrafast" else H264Profile.HIGH  # what the presets of libx264 use
    properties = H264DgpuProps(bitrate=bit_rate, iframeinterval=interval, preset=PRESETS[preset], profile=profile)
    encoder = EncoderConfig(Codec.H264, *target_wh).fps(frame_rate, 1).properties(EncoderProperties(properties))
    return SourceSpec(CodecSpec.encode(TransformConfig(), encoder), draw=draw)


def send(
    engine: PicassoEngine,
    source_id: str,
    number: int,
    pixels: npt.NDArray[Any],
    corners: npt.NDArray[Any],
    names: Sequence[str],
    confidences: npt.NDArray[Any],
    frame_rate: int = 25,
) -> None:
    """Send one frame with its detections, as a user would; waits while the source's queue is full."""
    high, wide = pixels.shape[:2]
    period_ns = NS_PER_S // frame_rate
    rate = f"{frame_rate}/1"
    frame = VideoFrame(source_id, rate, wide, high, pts=number * period_ns, duration=period_ns, time_base=(1, NS_PER_S))
    frame.add_detections(NAMESPACE, corners, names, confidences=confidences)
    engine.send_frame(source_id, frame, SurfaceView.wrap(pixels))


_shared: dict[int, tuple[PicassoEngine, dict[str, SimpleQueue[bytes]]]] = {}
_lock = threading.Lock()


def picasso(cfg: Any, src: int) -> list[tuple[str, Callable[[Any], list[bytes]]]]:
    """Be a peer of scripts that call stage after stage and wait for the packets: one stage, the whole engine.

    Args:
        cfg: The script's options: ``workload``, ``preset``, and ``WORKLOADS``, ``CLASSES``, ``COLORS`` of its
            module ``common``.
        src: Number of the source; all sources of one ``cfg`` share an engine.
    """
    import common  # the scripts' own

    wide, high = common.WORKLOADS[cfg.workload][2:4]
    looks = dict(zip(common.CLASSES, common.COLORS, strict=True))
    with _lock:
        if id(cfg) not in _shared:
            _shared[id(cfg)] = _open()
        engine, units = _shared[id(cfg)]
    name = f"source-{src}"
    units[name] = SimpleQueue()
    engine.set_source_spec(name, source_spec((wide, high), looks, preset=cfg.preset))
    count = 0

    def stage(item: Any) -> list[bytes]:
        nonlocal count
        pixels, (corners, classes, confidences) = item
        send(engine, name, count, pixels, corners, [common.CLASSES[number] for number in classes.tolist()], confidences)
        count += 1
        return [units[name].get()]

    return [("engine", stage)]


def _open() -> tuple[PicassoEngine, dict[str, SimpleQueue[bytes]]]:
    units: dict[str, SimpleQueue[bytes]] = {}

    def deliver(output: OutputMessage) -> None:
        if output.is_video_frame:
            frame = output.as_video_frame()
            units[frame.source_id].put(frame.content.get_data())

    return PicassoEngine(GeneralSpec(idle_timeout_secs=600), Callbacks(on_encoded_frame=deliver)), units
