"""Encoded frames: what comes out, and that a frame that fails is as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine_kit import HEIGHT, WIDTH, encode, encode_spec, make_frame, make_pixels, send

from picasso.encode import Codec, EncoderConfig
from picasso.engine import CodecSpec, ErrorStage, GeneralSpec, PicassoEngine, SourceSpec, Step
from picasso.errors import EncoderError
from picasso.primitives import (
    AttributeValue,
    RBBox,
    VideoFrame,
    VideoFrameTranscodingMethod,
    VideoFrameTransformation,
)
from picasso.surface import BufferGenerator, ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks
from picasso.transform import Interpolation, Padding, Rect, TransformConfig, unplace


def geometry(frame: VideoFrame) -> tuple[Any, ...]:
    boxes = frame.get_detections().xywha
    return frame.width, frame.height, tuple(frame.transformations), boxes.tobytes()


def test_the_output_is_the_frame_that_was_sent_with_boxes_in_output_pixels(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    engine.set_source_spec("a", encode_spec(128, 128))
    frame = make_frame(7)
    frame.create_object(
        "detector", "person", detection_box=RBBox(10, 12, 4, 6), track_id=5, track_box=RBBox(8, 8, 2, 2)
    )
    frame.set_persistent_attribute("meta", "key", False, None, [AttributeValue.integer(3)])
    uuid = frame.uuid
    engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    (output,) = recorder.outputs()
    assert output.as_video_frame() is frame
    assert (frame.uuid, frame.pts, frame.source_id, frame.framerate) == (uuid, 7, "a", "30/1")
    assert (frame.width, frame.height) == (128, 128)
    assert frame.transformations == [VideoFrameTransformation.initial_size(128, 128)]
    assert frame.content.get_data() == b"128x128 0"
    assert frame.transcoding_method == VideoFrameTranscodingMethod.Encoded
    assert (frame.codec, frame.keyframe, frame.dts) == ("raw_rgba", True, 7)
    assert frame.get_attribute("meta", "key").values[0].as_integer() == 3
    # 64x48 into 128x128: twice as large, bars of 16 lines above and below
    assert frame.get_detections().xywha[:, :4].tolist() == [[64, 64, 20, 16], [20, 40, 8, 12]]
    assert frame.get_object(1).track_box.as_xcycwh() == (16, 32, 4, 4)
    assert output.placement is not None
    assert unplace(frame.get_detections().xyxy, output.placement).tolist() == [[27, 20, 37, 28], [8, 9, 12, 15]]


def test_identity_keeps_boxes_and_pixels(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.keeps_pixels = True
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    pixels[..., 3] = 255
    engine.set_source_spec("a", encode_spec(WIDTH, HEIGHT))
    frame = make_frame()
    boxes = frame.get_detections().xyxy.copy()
    engine.send_frame("a", frame, pixels)
    engine.shutdown()
    assert np.array_equal(encoders.opened[0].pixels[0], pixels)
    assert np.array_equal(frame.get_detections().xyxy, boxes)


def test_only_the_crop_is_encoded_and_its_rectangle_is_copied(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.keeps_pixels = True
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[8:24, 16:48] = 255
    engine.set_source_spec("a", encode_spec(32, 16))
    rect = Rect(8, 16, 32, 16)
    engine.send_frame("a", frame := make_frame(), pixels, rect)
    rect.top = 40
    engine.shutdown()
    assert (encoders.opened[0].pixels[0] == 255).all()
    assert frame.get_detections().xywha[0, :4].tolist() == [16, 16, 10, 8]
    assert recorder.outputs()[0].placement.crop_ltwh == (16, 8, 32, 16)


def test_the_transform_of_the_spec_is_used(engine: PicassoEngine, encoders: MemoryEncoders) -> None:
    encoders.keeps_pixels = True
    spec = SourceSpec(codec=encode(64, 64, padding=Padding.RIGHT_BOTTOM, interpolation=Interpolation.NEAREST))
    engine.set_source_spec("a", spec)
    send(engine)
    engine.shutdown()
    (picture,) = encoders.opened[0].pixels
    assert (picture[:48, :, :3] == 200).all()
    assert picture[48:].tolist() == [[[0, 0, 0, 255]] * 64] * 16, "opaque black below"


@pytest.mark.parametrize("form", [VideoFormat.I420, VideoFormat.NV12, VideoFormat.RGBA], ids=lambda form: form.name())
def test_the_encoder_gets_the_format_it_names(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, form: VideoFormat
) -> None:
    encoders.input_format, encoders.keeps_pixels = form, True
    engine.set_source_spec("a", encode_spec())
    send(engine)
    engine.shutdown()
    assert recorder.errors() == []
    assert encoders.opened[0].pixels[0].shape == ((32, 32, 4) if form is VideoFormat.RGBA else (48, 32))


def test_frames_that_the_encoder_holds_back_come_with_their_own_metadata(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.delay = 3
    engine.set_source_spec("a", encode_spec())
    frames = [send(engine, pts) for pts in range(8)]
    engine.send_eos("a")
    engine.shutdown()
    assert [output.as_video_frame() for output in recorder.outputs()[:-1]] == frames
    assert [frame.content.get_data() for frame in frames] == [f"32x32 {n}".encode() for n in range(8)]


def test_one_frame_object_that_came_out_may_be_sent_again(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    """In the encoder it is in flight: the end of the stream brings it out."""
    encoders.delay = 2
    engine.set_source_spec("a", encode_spec(WIDTH, HEIGHT))
    frame = make_frame()
    for count in (1, 2):
        engine.send_frame("a", frame, make_pixels())
        engine.send_eos("a")
        recorder.wait_for("on_encoded_frame", 2 * count)
    engine.shutdown()
    assert [output.is_eos or output.as_video_frame() for output in recorder.outputs()] == [frame, True, frame, True]


BAD_FRAMES = {
    "surface of another size": (make_frame(), make_pixels((32, 32)), None, "the surface is 32x32, its frame 64x48"),
    "crop beyond the right edge": (make_frame(), make_pixels(), Rect(0, 40, 40, 10), "crop right edge"),
    "empty crop": (make_frame(), make_pixels(), Rect(0, 0, 0, 10), "crop dimensions must be > 0"),
}


@pytest.mark.parametrize("case", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_a_frame_that_cannot_be_processed_is_reported_and_as_it_was(
    engine: PicassoEngine, recorder: RecordingCallbacks, case: tuple[VideoFrame, SurfaceView, Rect | None, str]
) -> None:
    template, pixels, src_rect, text = case
    frame = template.copy()
    before = geometry(frame)
    engine.set_source_spec("a", encode_spec())
    engine.send_frame("a", frame, pixels.take(), src_rect)
    send(engine, 1)
    engine.shutdown()
    ((stage, error),) = recorder.errors()
    assert stage == ErrorStage.INPUT
    assert text in str(error)
    assert recorder.calls("on_error")[0].arguments[3] is frame
    assert geometry(frame) == before
    assert recorder.pts_ns() == [1]


@pytest.mark.parametrize("stage", ["input", "transform"])
def test_errors_that_are_kept_do_not_keep_the_pixels(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, stage: str
) -> None:
    """A pool of one buffer goes round although every error is kept, with its traceback."""
    encoders.input_format = VideoFormat.GRAY8  # which has no writer
    size_wh = (32, 32) if stage == "input" else (WIDTH, HEIGHT)
    pool = BufferGenerator(VideoFormat.RGBA, *size_wh, pool_size=1)
    engine.set_source_spec("a", encode_spec())
    for pts in range(4):
        engine.send_frame("a", make_frame(pts), SurfaceView.from_buffer(pool.acquire(timeout_s=10)))
        recorder.wait_for("on_error", pts + 1)
    assert {where for where, _ in recorder.errors()} == {stage}
    assert all(error.__traceback__ is not None for _, error in recorder.errors())


def test_a_chain_that_is_not_pristine_is_refused_with_both_chains_in_the_text(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    frame = make_frame()
    frame.add_transformation(VideoFrameTransformation.padding(1, 1, 1, 1))
    engine.set_source_spec("a", encode_spec())
    engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    ((stage, error),) = recorder.errors()
    assert stage == "input"
    assert "Invalid transformation chain: expected [" in str(error)
    assert len(frame.transformations) == 2


def test_an_encoder_that_fails_on_a_frame_costs_that_frame_and_is_replaced(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.fails_on = frozenset({2})
    engine.set_source_spec("a", encode_spec())
    frames = [make_frame(pts) for pts in range(5)]
    before = geometry(frames[2])
    for frame in frames:
        engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1, 3, 4]
    assert [stage for stage, _ in recorder.errors()] == ["encode"]
    assert recorder.calls("on_error")[0].arguments[3] is frames[2]
    assert geometry(frames[2]) == before
    assert len(encoders.opened) == 2
    assert encoders.opened[0].is_closed


def test_an_encoder_that_fails_costs_the_frames_it_held_too_and_all_are_reported(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.fails_on, encoders.delay = frozenset({3}), 2
    engine.set_source_spec("a", encode_spec())
    frames = [make_frame(pts) for pts in range(6)]
    before = [geometry(frame) for frame in frames]
    for frame in frames:
        engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    assert recorder.pts_ns() == [0, 4, 5]
    reported = [call.arguments[3] for call in recorder.calls("on_error")]
    assert reported == frames[1:4]
    assert [geometry(frame) for frame in frames[1:4]] == before[1:4]
    assert [stage for stage, _ in recorder.errors()] == ["flush", "flush", "encode"]


def test_an_encoder_that_fails_to_flush_costs_what_it_held_but_not_the_sentinel(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.fails_to_flush, encoders.delay = True, 2
    engine.set_source_spec("a", encode_spec())
    frames = [send(engine, pts) for pts in range(3)]
    engine.send_eos("a")
    engine.shutdown()
    assert recorder.pts_ns() == [0, None]
    assert [call.arguments[3] for call in recorder.calls("on_error")] == frames[1:]
    assert [str(error) for _, error in recorder.errors()] == ["told to fail at the flush"] * 2


def test_an_encoder_that_does_not_open_is_tried_again_later_and_later(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, clock: FakeClock
) -> None:
    encoders.failures_to_open = 3
    engine.set_source_spec("a", encode_spec(idle_timeout_secs=1000))
    sent = []
    for wait_s in (0, 0.5, 0.5, 1, 1, 3, 1, 0):
        clock.advance(wait_s)
        sent.append(send(engine, len(sent)))
        recorder.wait_until(lambda calls: len(calls) == len(sent))
    assert recorder.pts_ns() == [6, 7], "attempts at 0, 1, 3 and 7 s; the last one succeeds"
    errors = [str(error) for _, error in recorder.errors()]
    attempts = [text == "told to fail to open" for text in errors]
    assert attempts == [True, False, True, False, True, False]
    assert errors[1] == "the encoder could not be opened, next attempt in 0.5 s: told to fail to open"
    assert {stage for stage, _ in recorder.errors()} == {"open"}


def test_another_configuration_is_tried_at_once(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.failures_to_open = 1
    engine.set_source_spec("a", encode_spec())
    send(engine, 0)
    engine.set_source_spec("a", encode_spec(48, 48))
    send(engine, 1)
    engine.shutdown()
    assert recorder.pts_ns() == [1]


def test_units_that_belong_to_no_frame_are_reported(recorder: RecordingCallbacks, encoders: MemoryEncoders) -> None:
    """An encoder that leaves a frame out and invents another."""

    def open_liar(config: Any) -> Any:
        encoder = encoders(config)
        honest = encoder.encode

        def encode(surface: Any, pts_ns: int, duration_ns: Any, **keywords: Any) -> Any:
            units = honest(surface, pts_ns, duration_ns, **keywords)
            match pts_ns:
                case 1:
                    return []
                case 2:
                    return [units[0], units[0]]
            return units

        encoder.encode = encode  # type: ignore[method-assign]
        return encoder

    with PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=open_liar) as liar:
        liar.set_source_spec("a", encode_spec())
        frames = [send(liar, pts) for pts in range(4)]
    assert recorder.pts_ns() == [0, 2, 3]
    texts = [str(error) for _, error in recorder.errors()]
    assert texts == ["the encoder left this frame out", "the encoder returned a unit of pts 2 ns, which no frame has"]
    assert recorder.calls("on_error")[0].arguments[3] is frames[1]
    assert isinstance(recorder.errors()[0][1], EncoderError)


def test_the_steps_of_a_frame_are_measured(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", encode_spec())
    for pts in range(3):
        send(engine, pts)
    engine.shutdown()
    stats = engine.stats().sources["a"]
    counts = {step: stats.latency[step].count for step in Step}
    assert counts == dict.fromkeys(Step, 3) | {Step.DRAW: 0}
    assert (stats.frames_in, stats.frames_out, sum(stats.dropped.values())) == (3, 3, 0)


@pytest.mark.parametrize("codec", [Codec.JPEG, Codec.PNG, Codec.RAW_RGBA, Codec.H264], ids=lambda codec: codec.name())
def test_real_encoders_fit_the_seam(recorder: RecordingCallbacks, codec: Codec) -> None:
    with PicassoEngine(GeneralSpec(), recorder.callbacks()) as engine:
        engine.set_source_spec("a", SourceSpec(codec=encode(codec=codec)))
        for pts in range(3):
            send(engine, pts * 33_000_000)
        engine.send_eos("a")
    assert recorder.errors() == []
    assert recorder.pts_ns() == [0, 33_000_000, 66_000_000, None]
    assert {output.as_video_frame().codec for output in recorder.outputs()[:-1]} == {codec.name()}


@pytest.mark.parametrize(
    ("codec", "asked", "kept"),
    [
        (Codec.H264, None, Matrix.BT709),
        (Codec.H264, Matrix.BT601, Matrix.BT601),
        (Codec.RAW_NV12, None, None),
        (Codec.JPEG, None, None),
    ],
    ids=["the source's", "the one asked for", "raw bytes bear no tags", "JPEG has its own"],
)
def test_a_tagged_stream_keeps_the_matrix_of_its_first_picture(
    codec: Codec, asked: Matrix | None, kept: Matrix | None, recorder: RecordingCallbacks
) -> None:
    encoders = MemoryEncoders(VideoFormat.I420, keeps_pixels=True, live_changes=True)
    spec, other = (
        CodecSpec.encode(TransformConfig(), EncoderConfig(codec, WIDTH, HEIGHT).matrix(asked).fps(rate, 1))
        for rate in (25, 50)
    )
    with PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=encoders) as engine:
        engine.set_source_spec("a", SourceSpec(codec=spec))
        for pts, matrix in enumerate([Matrix.BT709, Matrix.BT601, Matrix.BT709]):
            surface = SurfaceView.allocate(VideoFormat.I420, (WIDTH, HEIGHT), ColorSpace(matrix))
            for level, plane in zip((81, 90, 240), surface.planes, strict=True):
                plane[...] = level
            engine.send_frame("a", make_frame(pts), surface)
            engine.set_source_spec("a", SourceSpec(codec=other))
    assert recorder.errors() == []
    (encoder,) = encoders.opened  # a live change kept it open
    assert encoder.config.color_matrix is kept
    assert encoder.config.fps_num == 50
    first, second, third = (pixels[0, 0] for pixels in encoder.pixels)
    is_709 = kept is Matrix.BT709
    assert (first == 81, second == 81, third == 81) == (is_709, not is_709, is_709), (
        "its own numbers, or converted ones"
    )


def test_a_matrix_that_is_no_longer_asked_for_begins_a_stream_of_the_sources_own(recorder: RecordingCallbacks) -> None:
    encoders = MemoryEncoders(VideoFormat.I420, live_changes=True)
    with PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=encoders) as engine:
        for pts, asked in enumerate([Matrix.BT601, Matrix.BT601, None]):
            config = EncoderConfig(Codec.H264, WIDTH, HEIGHT).matrix(asked).fps(25 + pts, 1)
            engine.set_source_spec("a", SourceSpec(codec=CodecSpec.encode(TransformConfig(), config)))
            surface = SurfaceView.allocate(VideoFormat.I420, (WIDTH, HEIGHT), ColorSpace(Matrix.BT709))
            engine.send_frame("a", make_frame(pts), surface)
    assert recorder.errors() == []
    assert [encoder.config.color_matrix for encoder in encoders.opened] == [Matrix.BT601, Matrix.BT709]


def test_the_placement_is_that_of_the_frames_own_size(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", encode_spec(64, 64))
    sizes = [(64, 48), (48, 64), (64, 64), (64, 48)]
    for pts, size_wh in enumerate(sizes):
        engine.send_frame("a", make_frame(pts, size_wh=size_wh), make_pixels(size_wh))
    engine.shutdown()
    placements = [output.placement for output in recorder.outputs()]
    assert [placement.source_wh for placement in placements if placement] == sizes
