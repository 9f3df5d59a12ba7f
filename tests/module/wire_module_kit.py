"""Modules behind real sockets: what is sent, what comes out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from picasso.encode.scheduling import unchanged_priority
from picasso.engine import OutputMessage
from picasso.module import Module
from picasso.module.sinks import MemorySink
from picasso.primitives import Message, RBBox, VideoFrame, VideoFrameContent
from picasso.wire import Writer

SIZE = (64, 48)
NS = 1_000_000_000
STEP_NS = 40_000_000
EXTERNAL = VideoFrameContent.external("zeromq")
ENCODERS = {
    "h264": ("libx264", "yuv420p", {"bf": "2", "x264-params": "b-adapt=0"}),
    "hevc": ("libx265", "yuv420p", {"x265-params": "bframes=2:log-level=error"}),
    "jpeg": ("mjpeg", "yuvj420p", {}),
    "png": ("png", "rgb24", {}),
    "av1": ("libsvtav1", "yuv420p", {"preset": "12", "svtav1-params": "pred-struct=1"}),
    "vp8": ("libvpx", "yuv420p", {"deadline": "realtime", "lag-in-frames": "0"}),
    "vp9": ("libvpx-vp9", "yuv420p", {"deadline": "realtime", "lag-in-frames": "0"}),
}


class Units(list[tuple[int, bool, bytes]]):
    """Number of the picture, whether it is a keyframe, and its bytes, in decoding order."""


def encode(codec: str, count: int = 6, size: tuple[int, int] = SIZE) -> Units:
    """Grey pictures, each brighter than the one before."""
    pixels = [np.full((size[1], size[0], 4), 30 + 20 * number, np.uint8) for number in range(count)]
    if codec == "raw-rgba":
        return Units((number, True, one.tobytes()) for number, one in enumerate(pixels))
    name, form, options = ENCODERS[codec]
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = *size, form
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = options
    with unchanged_priority():
        context.open()
    packets = []
    for number, one in enumerate(pixels):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(one[:, :, :3]), format="rgb24")
        picture = picture.reformat(format=form)
        picture.pts = number
        packets += context.encode(picture)
    packets += context.encode(None)
    return Units((packet.pts, packet.is_keyframe, bytes(packet)) for packet in packets)


def frame_of(
    number: int,
    codec: str,
    *,
    source_id: str = "cam",
    keyframe: bool | None = True,
    decoded: int | None = None,
    size: tuple[int, int] = SIZE,
    content: VideoFrameContent = EXTERNAL,
    start_ns: int = 0,
) -> VideoFrame:
    """A frame with one object, which is as far to the right as the frame is late."""
    dts = start_ns + (number if decoded is None else decoded) * STEP_NS
    frame = VideoFrame(
        source_id, "25/1", *size, content, codec=codec, keyframe=keyframe, time_base=(1, NS),
        pts=start_ns + number * STEP_NS + 4 * STEP_NS, dts=dts, duration=STEP_NS,
    )  # fmt: skip
    frame.create_object("detector", "thing", detection_box=RBBox(10 + number, 20, 8, 4), confidence=0.5)
    return frame


def send(writer: Writer, units: Units, codec: str, **options: Any) -> None:
    """Send encoded pictures as a peer does, in decoding order."""
    for index, (number, is_key, data) in enumerate(units):
        frame = frame_of(number, codec, keyframe=is_key, decoded=index, **options)
        writer.send(frame.source_id, Message.video_frame(frame), data)


def config_of(folder: Path, parameters: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "name": "test",
        "parameters": {"frame": {"width": 64, "height": 48}, **(parameters or {})},
        "pipeline": {
            "source": {
                "element": "zeromq_source_bin",
                "properties": {"socket": f"router+bind:ipc://{folder}/in.ipc", **properties},
            },
        },
    }


class Running:
    """A module that runs on a thread, a writer to it, and what came out."""

    def __init__(self, module: Module, writer: Writer, sink: MemorySink) -> None:
        self.module = module
        self.writer = writer
        self._sink = sink
        self.is_told_to_end = False
        """Whether the module ends by itself, by a message that was sent."""

    def outputs(self, source_id: str = "cam") -> list[OutputMessage]:
        return [output for output in self._sink.outputs if output.source_id == source_id]

    def frames(self, source_id: str = "cam") -> list[VideoFrame]:
        return [output.as_video_frame() for output in self.outputs(source_id) if not output.is_eos]

    def story(self, source_id: str = "cam") -> str:
        """A letter for each output: f for a frame, E for the end of a stream."""
        return "".join("E" if output.is_eos else "f" for output in self.outputs(source_id))

    def dropped(self, source_id: str = "cam") -> dict[str, int]:
        return {
            reason: count
            for status in self.module.statuses()
            if status.source_id == source_id
            for reason, count in status.source_dropped.items()
            if count
        }


@contextmanager
def running(config: Mapping[str, Any], **options: Any) -> Iterator[Running]:
    """Run a module until it ends; leaving the block lets everything come out that was acknowledged."""
    sink = MemorySink()
    module = Module(config, sinks=[sink], **options)
    errors: list[BaseException] = []
    module.start()
    thread = threading.Thread(target=lambda: _run(module, errors))
    thread.start()
    address = config["pipeline"]["source"]["properties"]["socket"].partition(":")[2]
    try:
        with Writer(f"dealer+connect:{address}") as writer:
            one = Running(module, writer, sink)
            yield one
            if not one.is_told_to_end:
                writer.send_eos("last")  # everything before it has been read
        if not one.is_told_to_end:
            module.finish()
    except BaseException:
        module.stop()
        raise
    finally:
        thread.join()
    if errors:
        raise errors[0]


def _run(module: Module, errors: list[BaseException]) -> None:
    try:
        module.run()
    except Exception as error:  # noqa: BLE001 - raised by who joins the thread
        errors.append(error)
