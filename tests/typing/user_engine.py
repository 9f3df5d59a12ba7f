"""User code that the type checker reads, strictly: an engine, its specs and callbacks. Never run."""

from __future__ import annotations

from typing import assert_type

import numpy as np
import numpy.typing as npt

from picasso import (
    Callbacks,
    CodecSpec,
    ConditionalSpec,
    EncoderConfig,
    EncoderProperties,
    EvictionDecision,
    GeneralSpec,
    H264DgpuProps,
    ObjectDrawSpec,
    OutputMessage,
    PicassoEngine,
    PtsResetPolicy,
    SourceSpec,
    StreamResetReason,
)
from picasso.draw import BoundingBoxDraw, ColorDraw, LabelDraw, ObjectDraw
from picasso.encode import Codec, EncodedUnit, Encoder, open_encoder
from picasso.engine import DropReason, EngineStats, ErrorStage
from picasso.primitives import BorrowedVideoObject, EndOfStream, VideoFrame
from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.transform import Padding, Placement, Rect, TransformConfig


def on_encoded_frame(output: OutputMessage) -> None:
    if output.is_eos:
        assert_type(output.as_eos(), EndOfStream)
        return
    frame = output.as_video_frame()
    assert_type(frame, VideoFrame)
    assert_type(frame.pts, int)
    assert_type(frame.content.get_data(), bytes)
    assert_type(output.placement, Placement | None)


def on_object_draw_spec(source_id: str, obj: BorrowedVideoObject, current: ObjectDraw | None) -> ObjectDraw | None:
    return current if obj.label == "car" else ObjectDraw(blur=True)


def on_eviction(source_id: str) -> EvictionDecision:
    return EvictionDecision.keep_for(5) if source_id else EvictionDecision.terminate()


def on_error(source_id: str, stage: ErrorStage, error: BaseException, frame: VideoFrame | None) -> None:
    print(source_id, stage.value, error, frame and frame.uuid)


def on_stream_reset(source_id: str, reason: StreamResetReason) -> None:
    assert_type(reason.last_pts_ns, int | None)


def specs() -> SourceSpec:
    config = EncoderConfig(Codec.H264, 1280, 720).fps(30, 1)
    config.properties(EncoderProperties.h264_dgpu(H264DgpuProps(bitrate=4_000_000)))
    draw = ObjectDrawSpec()
    label = LabelDraw(ColorDraw(255, 255, 255), format=["{label}"])
    draw.insert("detector", "car", ObjectDraw(BoundingBoxDraw(ColorDraw(255, 0, 0)), label=label))
    return SourceSpec(
        CodecSpec.encode(TransformConfig(Padding.SYMMETRIC), config),
        ConditionalSpec(encode_attribute=("gate", "open")),
        draw,
        idle_timeout_secs=5.0,
        overflow="drop_oldest",
    )


def run(pictures: list[npt.NDArray[np.uint8]]) -> EngineStats:
    callbacks = Callbacks(
        on_encoded_frame=on_encoded_frame,
        on_object_draw_spec=on_object_draw_spec,
        on_eviction=on_eviction,
        on_stream_reset=on_stream_reset,
        on_error=on_error,
    )
    general = GeneralSpec(pts_reset_policy=PtsResetPolicy.recreate_on_decreasing_pts())
    with PicassoEngine(general, callbacks) as engine:
        engine.set_source_spec("cam", specs())
        for number, picture in enumerate(pictures):
            frame = VideoFrame("cam", "30/1", 1920, 1080, pts=number)
            engine.send_frame("cam", frame, picture, Rect(0, 0, 960, 540), timeout=1.0)
        engine.send_eos("cam")
    stats = engine.stats()
    assert_type(stats.sources["cam"].dropped[DropReason.GATE], int)
    return stats


class Loopback:
    """An encoder of the user's own fits the seam without a base class."""

    input_format = VideoFormat.RGBA
    color = ColorSpace.for_height(720)
    name = "loopback"
    extradata = b""

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        return [EncodedUnit(surface.to_numpy().tobytes(), pts_ns, pts_ns, duration_ns, True)]

    def flush(self) -> list[EncodedUnit]:
        return []

    def close(self) -> None:
        return None

    def reconfigure(self, config: EncoderConfig) -> bool:
        return False


def factory(config: EncoderConfig) -> Encoder:
    return Loopback() if config.codec is Codec.RAW_RGBA else open_encoder(config)


def with_own_encoder() -> PicassoEngine:
    return PicassoEngine(GeneralSpec(), Callbacks(), encoder_factory=factory)
