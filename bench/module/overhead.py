"""What a module costs beyond the engine: nothing touched, metadata read, pixels read."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clips import BIT_RATE, FRAMES_A_SECOND, INTERVAL, TARGET_WH, clip
from pairs import Ratio, Way, compare

from picasso.encode import Codec, EncoderConfig, EncoderProperties, H264DgpuProps
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, OutputMessage, PicassoEngine, SourceSpec
from picasso.media import StreamWriter, VideoReader
from picasso.module import Frame, Module
from picasso.primitives import EndOfStream
from picasso.surface import MemType, SurfaceView, VideoFormat
from picasso.transform import Padding, Placement, TransformConfig
from picasso.transform.cpu import transform

STRETCH = TransformConfig(Padding.NONE)


def reads_metadata(frame: Frame) -> None:
    """Look at every object and one tag: a pyfunc that touches no pixels."""
    if any(one.label == "person" for one in frame.objects):
        frame.set_tag("people")


def reads_pixels(frame: Frame) -> None:
    """Ask for the picture of every frame."""
    frame.image()


def tree(path: Path, folder: Path, step: str | None = None) -> dict[str, Any]:
    """A module that reads, scales, encodes and writes."""
    elements = [] if step is None else [{"element": "pyfunc", "module": __name__, "class_name": step}]
    return {
        "name": "bench",
        "parameters": {
            "code_root": None,
            "frame": {"width": TARGET_WH[0], "height": TARGET_WH[1]},
            "output_frame": {
                "codec": "h264",
                "encoder": "software",
                "encoder_params": {"bitrate": BIT_RATE // 1000, "key-int-max": INTERVAL},
            },
        },
        "pipeline": {
            "source": {"element": "uridecodebin", "properties": {"uri": str(path), "source_id": "s"}},
            "elements": elements,
            "sink": [{"element": "video_file_sink", "properties": {"location": f"{folder}/{time.time_ns()}.mp4"}}],
        },
    }


def by_module(path: Path, folder: Path, step: str | None = None) -> int:
    """Run the module, and return its frames."""
    (status,) = Module(tree(path, folder, step)).run().statuses
    assert status.delivered == status.read
    return status.delivered


def by_hand(path: Path, folder: Path) -> int:
    """Do the same with a reader, the engine and a writer."""
    writer = StreamWriter(folder / f"{time.time_ns()}.mp4")
    props = H264DgpuProps(bitrate=BIT_RATE, iframeinterval=INTERVAL)
    encoder = EncoderConfig(Codec.H264, *TARGET_WH).fps(FRAMES_A_SECOND, 1).mem_type(MemType.SYSTEM)
    encoder.properties(EncoderProperties.h264_dgpu(props))

    def write(output: OutputMessage) -> None:
        if output.is_video_frame:
            writer.write(output)

    frames = 0
    with (
        writer,
        PicassoEngine(GeneralSpec(inflight_queue_size=2), Callbacks(on_encoded_frame=write)) as engine,
        VideoReader(path, "s") as reader,
    ):
        engine.set_source_spec("s", SourceSpec(codec=CodecSpec.encode(STRETCH, encoder)))
        for item in reader:
            if not isinstance(item, EndOfStream):
                engine.send_frame("s", *item)
                frames += 1
        engine.send_eos("s")
        engine.shutdown()
    return frames


def pictures(path: Path, count: int) -> Callable[[], int]:
    """Return what makes the RGBA pictures of frames that were decoded before: the cost that a look at pixels has."""
    with VideoReader(path, "s") as reader:
        surfaces = [item[1] for item in itertools.islice(reader, count) if not isinstance(item, EndOfStream)]
    placement = Placement.compute(surfaces[0].size_wh, TARGET_WH, STRETCH)

    def make() -> int:
        for surface in surfaces:
            transform(surface, placement, SurfaceView.allocate(VideoFormat.RGBA, TARGET_WH))
        return len(surfaces)

    return make


def overhead(pairs: int, seconds: float) -> list[Ratio]:
    """Compare a module with the engine by hand, and with itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = clip(folder, seconds), clip(folder, 2 / FRAMES_A_SECOND)
        makers = [pictures(path, 60) for path in clips]

        def module(which: int, step: str | None = None) -> Way:
            return lambda: by_module(clips[which], folder, step)

        def hand(which: int) -> Way:
            return lambda: by_hand(clips[which], folder)

        def apart(which: int) -> Way:
            def work() -> int:
                frames, made = by_module(clips[which], folder, "reads_metadata"), 0
                while made < frames:
                    made += makers[which]()
                return frames

            return work

        kinds: list[tuple[str, float, Callable[[int], Way], Callable[[int], Way]]] = [
            ("nothing touched / engine by hand", 1.05, module, hand),
            ("metadata read / engine by hand", 1.08, lambda which: module(which, "reads_metadata"), hand),
            ("pixels read / metadata + pictures", 1.05, lambda which: module(which, "reads_pixels"), apart),
        ]
        return [
            compare(name, first(0), second(0), target=target, pairs=pairs, starts=(first(1), second(1)))
            for name, target, first, second in kinds
        ]
