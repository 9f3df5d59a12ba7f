"""The load of the soak: sources that come, go, change and fail, and the books that say what became of every frame."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from picasso.draw import BoundingBoxDraw, ColorDraw, DotDraw, LabelDraw, ObjectDraw, ObjectDrawSpec
from picasso.encode import (
    Codec,
    EncodedUnit,
    Encoder,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    JpegProps,
    open_encoder,
)
from picasso.engine import (
    CallbackInvocationOrder,
    Callbacks,
    CodecSpec,
    ConditionalSpec,
    EvictionDecision,
    OutputMessage,
    OverflowPolicy,
    PicassoEngine,
    SourceSpec,
)
from picasso.errors import PicassoError
from picasso.primitives import Attribute, AttributeValue, VideoFrame
from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.testing import MemoryEncoder
from picasso.transform import Padding, Rect, TransformConfig

SOURCES = 32
VISITORS = 1_200
"""Sources that come once and are evicted, before anything is measured: more than the engine remembers."""
GATE = ("soak", "wanted")
SIZES = [(64, 48), (96, 64), (160, 96), (128, 128)]
TARGETS = [(64, 64), (96, 64), (128, 96)]


def pictures() -> dict[tuple[int, int], list[np.ndarray]]:
    """Return pictures of every size in RGBA, RGB and grey."""
    rng = np.random.default_rng(1)
    return {
        (w, h): [rng.integers(0, 256, shape, np.uint8) for shape in ((h, w, 4), (h, w, 3), (h, w))] for w, h in SIZES
    }


@dataclass
class Books:
    """What was sent, and what became of it; written from any thread."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies_ns: list[int] = field(default_factory=list)
    _last: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, name: str, number: int = 1) -> None:
        with self._lock:
            self.counts[name] += number

    def deliver(self, frame: VideoFrame) -> None:
        """Write down a frame that came out: once, in order, and after how long."""
        sent_ns, slot = frame.creation_timestamp_ns, frame.source_id.partition("-")[0]
        with self._lock:
            self.counts["delivered"] += 1
            if slot != "visitor":
                self.counts["out of order"] += sent_ns <= self._last.get(slot, 0)
                self._last[slot] = sent_ns
        self.latencies_ns.append(time.monotonic_ns() - sent_ns)

    def unaccounted(self, overflowed: int) -> int:
        """Return how many accepted frames neither came out, nor were reported, nor were to vanish by their spec."""
        counts = self.counts
        return counts["accepted"] - counts["delivered"] - counts["lost"] - counts["silent"] - overflowed


class FlakyEncoder:
    """An encoder without pixels' work that fails now and then: in the middle, at the flush, at the close."""

    def __init__(self, config: EncoderConfig, rng: random.Random) -> None:
        self._encoder = MemoryEncoder(config, delay=rng.choice([0, 0, 1, 3]))
        self._rng = rng
        self.input_format = rng.choice([VideoFormat.RGBA, VideoFormat.I420, VideoFormat.NV12])
        self.name = "flaky"
        self.extradata = b""

    @property
    def color(self) -> ColorSpace:
        return self._encoder.color

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        self._encoder.pts_ns.clear()  # it remembers for tests; a soak cannot
        self._fail(0.01, "in the middle")
        return self._encoder.encode(surface, pts_ns, duration_ns, force_keyframe=force_keyframe)

    def flush(self) -> list[EncodedUnit]:
        self._fail(0.05, "at the flush")
        return self._encoder.flush()

    def close(self) -> None:
        self._encoder.close()
        self._fail(0.02, "at the close")

    def reconfigure(self, config: EncoderConfig) -> bool:  # noqa: ARG002  # every encoder takes it
        self._fail(0.05, "at a live change")
        return False

    def _fail(self, share: float, where: str) -> None:
        if self._rng.random() < share:
            raise RuntimeError(f"the soak's encoder fails {where}")


def open_soak_encoder(config: EncoderConfig) -> Encoder:
    """Open a real encoder for H.264 and JPEG, else one that fails now and then; opening fails too, but rarely."""
    if config.codec in {Codec.H264, Codec.JPEG}:
        return open_encoder(config)
    if random.random() < 0.01:
        raise RuntimeError("the soak's encoder fails to open")
    return FlakyEncoder(config, random.Random(random.getrandbits(64)))


class Hooks:
    """Callbacks that keep the books, and raise, delay and call the engine back now and then."""

    def __init__(self, books: Books) -> None:
        self.engine: PicassoEngine | None = None
        self._books = books
        self._never = threading.Event()

    def callbacks(self) -> Callbacks:
        names = Callbacks.__dataclass_fields__
        return Callbacks(**{name: getattr(self, name) for name in names})

    def on_encoded_frame(self, output: OutputMessage) -> None:
        if output.is_eos:
            self._books.count("sentinels")
        else:
            self._books.deliver(output.as_video_frame())
        self._misbehave()

    on_bypass_frame = on_encoded_frame

    def on_render(self, *_: object) -> None:
        self._misbehave()

    def on_gpumat(self, *_: object) -> None:
        self._misbehave()

    def on_object_draw_spec(self, *_: object) -> None:
        self._misbehave()

    def on_stream_reset(self, *_: object) -> None:
        self._books.count("stream resets")
        self._misbehave()

    def on_eviction(self, _source_id: str) -> EvictionDecision:
        self._books.count("evictions asked")
        self._misbehave()
        choices = [EvictionDecision.terminate(), EvictionDecision.terminate_immediately(), EvictionDecision.keep_for(1)]
        return random.choice(choices)

    def on_error(self, _source_id: str, stage: str, _error: BaseException, frame: VideoFrame | None) -> None:
        self._books.count(f"errors at {stage}")
        if frame is not None and not stage.startswith("on_"):
            self._books.count("lost")
        self._misbehave()

    def _misbehave(self) -> None:
        dice = random.random()
        if dice < 0.01:
            raise ValueError("the soak's callback raises")
        if dice < 0.012:
            self._never.wait(0.003)  # a slow callback
        elif dice < 0.014 and self.engine:
            self.engine.stats()


class Slot:
    """One of the sources: what it is called now, and what it does with its frames."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self.number = number
        self.drops = False
        self.gated = False
        self._rng = rng
        self._generation = 0
        self._pts = 0

    @property
    def source_id(self) -> str:
        return f"{self.number}-{self._generation}"

    @property
    def stays(self) -> bool:
        """Whether it is never removed; its counters then tell what its queue discarded."""
        return self.number == 0

    def rename(self) -> None:
        if self._rng.random() < 0.5:
            self._generation += 1

    def next_pts(self) -> int:
        """Return a timestamp that mostly rises."""
        dice = self._rng.random()
        if dice < 0.97:
            self._pts = self._pts % 2**61 + 33_333_333
        elif dice < 0.98:
            self._pts = self._rng.choice([self._pts, 0, 2**62])
        else:
            self._pts = self._rng.randrange(2**50)
        return self._pts

    def spec(self) -> SourceSpec:
        """Return another spec of this slot's kind, and remember what it means for frames."""
        rng = self._rng
        codec = self._codec()
        self.drops = codec.is_drop
        self.gated = not self.stays and rng.random() < 0.1
        spec = SourceSpec(codec=codec, use_on_gpumat=rng.random() < 0.2, use_on_render=rng.random() < 0.1)
        spec.idle_timeout_secs = rng.choice([0.2, 1, 30])
        spec.callback_order = rng.choice(list(CallbackInvocationOrder))
        spec.conditional = ConditionalSpec(encode_attribute=GATE if self.gated else None)
        if rng.random() < 0.5:
            spec.draw = _drawing(rng)
        if self.stays:
            spec.overflow = rng.choice([OverflowPolicy.DROP_NEWEST, OverflowPolicy.DROP_OLDEST])
        return spec

    def _codec(self) -> CodecSpec:
        rng, number = self._rng, self.number
        kind = "h264" if 1 <= number <= 6 else "jpeg" if 7 <= number <= 8 else "memory"
        if number >= 24:
            kind = rng.choice(["drop", "bypass", "memory"])
        if kind == "drop":
            return CodecSpec.drop_frames()
        if kind == "bypass":
            return CodecSpec.bypass()
        encoder = EncoderConfig(
            {"h264": Codec.H264, "jpeg": Codec.JPEG}.get(kind, Codec.RAW_RGBA), *rng.choice(TARGETS)
        )
        if kind == "h264":
            props = H264DgpuProps(bitrate=rng.choice([200_000, 400_000]), iframeinterval=rng.choice([10, 30]))
            encoder.properties(EncoderProperties.h264_dgpu(props))
        elif kind == "jpeg":
            encoder.properties(EncoderProperties.jpeg(JpegProps(quality=rng.choice([30, 80]))))
        return CodecSpec.encode(TransformConfig(padding=rng.choice([Padding.NONE, Padding.SYMMETRIC])), encoder)


def _drawing(rng: random.Random) -> ObjectDrawSpec:
    color = ColorDraw(rng.randrange(256), rng.randrange(256), 0, 255)
    draw = ObjectDraw(
        bounding_box=BoundingBoxDraw(border_color=color, thickness=rng.choice([1, 2])),
        central_dot=DotDraw(color=color),
        label=LabelDraw(font_color=color, format=["{label} #{id}", "{confidence}"], font_scale=rng.choice([0.5, 0.7])),
        blur=rng.random() < 0.2,
    )
    spec = ObjectDrawSpec()
    spec.insert("soak", "car", draw)
    return spec


class Feeder:
    """Sends to its slots, one step at a time; a thread of its own owns it."""

    def __init__(self, engine: PicassoEngine, slots: list[int], books: Books, seed: int) -> None:
        self._rng = random.Random(seed)
        self._engine = engine
        self._books = books
        self._pictures = pictures()
        self._slots = [Slot(number, self._rng) for number in slots]
        self._visits = 0
        for slot in self._slots:
            engine.set_source_spec(slot.source_id, slot.spec())

    def step(self) -> None:
        """Do something to one source: mostly send it a few frames."""
        slot, dice = self._rng.choice(self._slots), self._rng.random()
        if dice < 0.87:
            for _ in range(self._rng.randrange(1, 7)):
                self._send(slot)
        elif dice < 0.90:
            self._engine.set_source_spec(slot.source_id, slot.spec())
            self._books.count("hot swaps")
        elif dice < 0.97:
            self._change(slot)
        elif dice < 0.99:
            self._engine.send_eos(slot.source_id)
        else:
            self.visit()

    def visit(self) -> None:
        """Have a source come for one frame; it is evicted soon after, and remembered."""
        self._visits += 1
        source_id = f"visitor-{self._rng.getrandbits(32)}"
        self._engine.set_source_spec(source_id, SourceSpec(codec=CodecSpec.bypass(), idle_timeout_secs=0.05))
        frame = self._frame(source_id, (64, 48), 0)
        self._engine.send_frame(source_id, frame, self._pictures[64, 48][0])
        self._books.count("accepted")
        self._books.count("visitors")

    def _change(self, slot: Slot) -> None:
        """Remove a source; it comes back under its old or a new id."""
        if slot.stays:
            return
        self._engine.remove_source_spec(slot.source_id)
        slot.rename()
        self._engine.set_source_spec(slot.source_id, slot.spec())
        self._books.count("source changes")

    def _send(self, slot: Slot) -> None:
        rng = self._rng
        size_wh = rng.choice(SIZES)
        frame = self._frame(slot.source_id, size_wh, slot.next_pts())
        wanted = rng.random() < 0.7
        if wanted:
            frame.set_attribute(Attribute(*GATE, [AttributeValue.boolean(True)]))
        pixels: Any = rng.choice(self._pictures[size_wh if rng.random() > 0.005 else (64, 48)])
        if rng.random() < 0.002:
            pixels = pixels.astype(np.float32)
        crop = Rect(8, 8, 32, rng.choice([32, 32, 32, 4000])) if rng.random() < 0.05 else None
        timeout = rng.choice([None, None, 1.0, 0.0])
        try:
            self._engine.send_frame(slot.source_id, frame, pixels, crop, timeout=timeout)
        except PicassoError as error:
            self._books.count(f"refused with {type(error).__name__}")
            return
        self._books.count("accepted")
        self._books.count("silent", slot.drops or (slot.gated and not wanted))

    def _frame(self, source_id: str, size_wh: tuple[int, int], pts: int) -> VideoFrame:
        frame = VideoFrame(source_id, (30, 1), *size_wh, time_base=(1, 1_000_000_000), pts=pts)
        frame.creation_timestamp_ns = time.monotonic_ns()
        corner = self._rng.randrange(40)
        boxes = np.array([[corner, corner, corner + 20, corner + 15], [0, 0, 500, 9]], np.float32)
        frame.add_detections("soak", boxes, ["car", "car"], confidences=np.array([0.5, 0.9], np.float32))
        return frame
