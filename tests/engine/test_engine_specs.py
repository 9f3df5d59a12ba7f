"""Specs: defaults, texts, checks, and that they are copied wherever they are handed over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from engine_kit import encode

from picasso.draw import BoundingBoxDraw, ObjectDraw, ObjectDrawSpec
from picasso.encode import Codec, EncoderConfig, EncoderProperties, HevcDgpuProps
from picasso.engine import (
    CallbackInvocationOrder,
    Callbacks,
    CodecSpec,
    ConditionalSpec,
    EvictionDecision,
    GeneralSpec,
    IdleTimeout,
    OutputMessage,
    OverflowPolicy,
    PtsResetPolicy,
    SourceSpec,
    StreamResetReason,
)
from picasso.errors import SpecError
from picasso.primitives import EndOfStream, VideoFrame
from picasso.transform import DstPadding, TransformConfig


def _drawing() -> ObjectDrawSpec:
    draw = ObjectDrawSpec()
    draw.insert("detector", "car", ObjectDraw(BoundingBoxDraw()))
    return draw


def test_the_defaults_of_a_general_spec() -> None:
    spec = GeneralSpec()
    assert (spec.name, spec.idle_timeout_secs, spec.inflight_queue_size) == ("picasso", 30, 8)
    assert spec.pts_reset_policy == PtsResetPolicy.eos_on_decreasing_pts()
    assert repr(GeneralSpec("x", 45, 4)) == (
        'GeneralSpec(name="x", idle_timeout_secs=45, inflight_queue_size=4, '
        "pts_reset_policy=PtsResetPolicy.eos_on_decreasing_pts())"
    )


def test_the_defaults_of_a_source_spec() -> None:
    spec = SourceSpec()
    assert spec.codec.is_drop
    assert spec.conditional == ConditionalSpec(None, None)
    assert spec.draw.is_empty()
    assert spec.font_family == "sans-serif"
    assert spec.idle_timeout_secs is None
    assert not spec.use_on_render
    assert not spec.use_on_gpumat
    assert spec.callback_order is CallbackInvocationOrder.SkiaGpuMat
    assert spec.overflow is OverflowPolicy.BLOCK


@pytest.mark.parametrize(
    ("spec", "flags"),
    [
        (CodecSpec.drop_frames(), (True, False, False)),
        (CodecSpec.bypass(), (False, True, False)),
        (encode(), (False, False, True)),
    ],
    ids=["drop_frames", "bypass", "encode"],
)
def test_a_codec_spec_is_one_of_three(spec: CodecSpec, flags: tuple[bool, bool, bool]) -> None:
    assert (spec.is_drop, spec.is_bypass, spec.is_encode) == flags
    assert repr(spec).startswith("CodecSpec.")


H264 = EncoderConfig(Codec.H264, 64, 64)

BAD: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "GeneralSpec(idle_timeout_secs=0)": (
        lambda: GeneralSpec(idle_timeout_secs=0),
        ValueError,
        "GeneralSpec.idle_timeout_secs = 0: expected a finite number of seconds greater than 0",
    ),
    "GeneralSpec(idle_timeout_secs=nan)": (lambda: GeneralSpec(idle_timeout_secs=float("nan")), ValueError, "nan"),
    "GeneralSpec(idle_timeout_secs='1')": (lambda: GeneralSpec(idle_timeout_secs="1"), TypeError, "seconds"),  # type: ignore[arg-type]
    "GeneralSpec(inflight_queue_size=0)": (
        lambda: GeneralSpec(inflight_queue_size=0),
        ValueError,
        "GeneralSpec.inflight_queue_size = 0: expected at least 1",
    ),
    "GeneralSpec(inflight_queue_size=1.5)": (lambda: GeneralSpec(inflight_queue_size=1.5), TypeError, "int"),  # type: ignore[arg-type]
    "GeneralSpec(name=1)": (lambda: GeneralSpec(1), TypeError, "GeneralSpec.name: expected str, got 1"),  # type: ignore[arg-type]
    "SourceSpec(idle_timeout_secs=-1)": (lambda: SourceSpec(idle_timeout_secs=-1), ValueError, "-1"),
    "SourceSpec(overflow='drop')": (
        lambda: SourceSpec(overflow="drop"),
        ValueError,
        "SourceSpec.overflow = 'drop': expected one of block, drop_oldest, drop_newest",
    ),
    "SourceSpec(codec=H264)": (lambda: SourceSpec(codec=H264), TypeError, "SourceSpec.codec"),  # type: ignore[arg-type]
    "SourceSpec(use_on_render=1)": (lambda: SourceSpec(use_on_render=1), TypeError, "bool"),  # type: ignore[arg-type]
    "ConditionalSpec('a')": (lambda: ConditionalSpec("a"), TypeError, "(namespace, name)"),  # type: ignore[arg-type]
    "keep_for(0)": (lambda: EvictionDecision.keep_for(0), ValueError, "keep_for"),
    "CallbackInvocationOrder.from_name('skiagpumat')": (
        lambda: CallbackInvocationOrder.from_name("skiagpumat"),
        ValueError,
        "Unknown CallbackInvocationOrder: skiagpumat",
    ),
    "Callbacks(on_render=1)": (lambda: Callbacks(on_render=1), TypeError, "Callbacks.on_render"),  # type: ignore[arg-type]
    "encode(VP8)": (
        lambda: CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.VP8, 64, 64)),
        ValueError,
        "Unsupported codec",
    ),
    "encode(H264 with HEVC properties)": (
        lambda: CodecSpec.encode(
            TransformConfig(), H264.copy().properties(EncoderProperties.hevc_dgpu(HevcDgpuProps()))
        ),
        ValueError,
        "codec mismatch",
    ),
    "encode(inset that leaves 8 pixels)": (
        lambda: CodecSpec.encode(TransformConfig(dst_padding=DstPadding(28, 0, 28, 0)), H264),
        ValueError,
        "effective dimensions after dst_inset must be >= 16x16",
    ),
    "encode(None, H264)": (lambda: CodecSpec.encode(None, H264), TypeError, "transform"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_argument_is_named(case: tuple[Callable[[], object], type[Exception], str]) -> None:
    call, kind, text = case
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_assignments_are_checked_like_arguments() -> None:
    general, source = GeneralSpec(), SourceSpec()
    with pytest.raises(ValueError, match="inflight_queue_size"):
        general.inflight_queue_size = 0
    with pytest.raises(TypeError, match=r"SourceSpec\.codec"):
        source.codec = None  # type: ignore[assignment]
    assert general == GeneralSpec()
    assert source == SourceSpec()


def test_an_idle_timeout_is_seconds_or_none_or_the_default_by_name() -> None:
    for value in (None, 2, 0.25, IdleTimeout.ENGINE_DEFAULT):
        assert SourceSpec(idle_timeout_secs=value).idle_timeout_secs == value


def test_a_source_spec_copies_what_it_is_given_and_what_it_gives() -> None:
    conditional, draw = ConditionalSpec(("n", "a")), ObjectDrawSpec()
    spec = SourceSpec(conditional=conditional, draw=draw)
    conditional.encode_attribute = None
    draw.insert("n", "l", ObjectDraw(bounding_box=BoundingBoxDraw()))
    spec.conditional.encode_attribute = None
    spec.draw.insert("n", "l", ObjectDraw())
    assert spec.conditional.encode_attribute == ("n", "a")
    assert spec.draw.is_empty()


CHANGES = {
    "codec": encode(64, 64),
    "conditional": ConditionalSpec(("a", "b")),
    "draw": _drawing(),
    "font_family": "serif",
    "idle_timeout_secs": 7,
    "use_on_render": True,
    "use_on_gpumat": True,
    "callback_order": CallbackInvocationOrder.GpuMatSkia,
    "overflow": OverflowPolicy.DROP_OLDEST,
}


@pytest.mark.parametrize("field", CHANGES)
def test_replacing_a_field_changes_that_one_and_no_other(field: str) -> None:
    spec, before = SourceSpec(), SourceSpec()
    changed = spec.replace(**{field: CHANGES[field]})
    assert getattr(changed, field) == CHANGES[field] != getattr(spec, field)
    assert changed.replace(**{field: getattr(before, field)}) == before
    assert spec == before, "the one it was made from is as it was"


def test_replacing_nothing_is_a_copy() -> None:
    spec = SourceSpec(**CHANGES)
    assert spec.replace() == spec
    assert spec.replace() is not spec


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"codecs": 1}, TypeError, "SourceSpec.replace: no field codecs; one of codec, conditional, draw, "),
        ({"use_on_render": 1}, TypeError, "SourceSpec.use_on_render: expected bool, got 1"),
        ({"overflow": "wait"}, SpecError, "SourceSpec.overflow = 'wait': expected one of block"),
    ],
    ids=["no field", "wrong type", "out of range"],
)
def test_replacing_is_checked_like_the_constructor(
    changes: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        SourceSpec().replace(**changes)  # type: ignore[arg-type]  # the point of it


def test_a_codec_spec_is_a_snapshot() -> None:
    transform, encoder = TransformConfig(), EncoderConfig(Codec.JPEG, 64, 64)
    spec = CodecSpec.encode(transform, encoder)
    transform.dst_padding = DstPadding.uniform(2)
    encoder.fps(7, 1)
    assert spec == CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.JPEG, 64, 64))


def test_specs_are_equal_by_value_and_copies_change_on_their_own() -> None:
    spec = SourceSpec(codec=encode(), conditional=ConditionalSpec(render_attribute=("n", "a")), overflow="drop_oldest")
    twin = spec.copy()
    assert twin == spec
    twin.font_family = "serif"
    assert twin != spec
    assert 'font_family="sans-serif"' in repr(spec)


def test_the_order_of_callbacks_is_found_by_its_exact_name() -> None:
    for order in CallbackInvocationOrder:
        assert CallbackInvocationOrder.from_name(order.value) is order
        assert repr(order) == f"CallbackInvocationOrder.{order.value}"
        assert order != 0
        assert order in {order}


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        (EvictionDecision.keep_for(10), "EvictionDecision.keep_for(10)"),
        (EvictionDecision.terminate(), "EvictionDecision.terminate()"),
        (EvictionDecision.terminate_immediately(), "EvictionDecision.terminate_immediately()"),
    ],
    ids=str,
)
def test_a_decision_reads_as_the_call_that_made_it(decision: EvictionDecision, text: str) -> None:
    assert repr(decision) == text


def test_reset_policies_are_equal_by_value_and_hash_to_their_number() -> None:
    eos, recreate = PtsResetPolicy.eos_on_decreasing_pts(), PtsResetPolicy.recreate_on_decreasing_pts()
    assert eos == PtsResetPolicy.eos_on_decreasing_pts() != recreate
    assert (hash(eos), hash(recreate)) == (0, 1)
    assert repr(recreate) == "PtsResetPolicy.recreate_on_decreasing_pts()"
    assert eos is PtsResetPolicy.SEGMENT
    assert recreate is PtsResetPolicy.RESET
    assert repr(PtsResetPolicy.CONTINUE) == "PtsResetPolicy.CONTINUE"


@pytest.mark.parametrize("policy", PtsResetPolicy)
def test_a_reset_policy_is_found_by_its_name(policy: PtsResetPolicy) -> None:
    assert PtsResetPolicy.of(policy) is policy
    assert PtsResetPolicy.of(policy.value.upper()) is policy


def test_a_reset_policy_that_is_none() -> None:
    choices = "continue, segment, eos_on_decreasing_pts, reset, recreate_on_decreasing_pts"
    with pytest.raises(ValueError, match=f"unknown policy 'stop' for timestamps that start again; one of {choices}"):
        PtsResetPolicy.of("stop")
    with pytest.raises(TypeError, match="expected str, got NoneType"):
        PtsResetPolicy.of(None)  # type: ignore[arg-type]  # the point of the test


def test_reset_reasons_say_what_happened() -> None:
    falling, changed = StreamResetReason.pts_decreased(20, 0), StreamResetReason.encoder_spec_changed()
    assert (falling.kind, falling.last_pts_ns, falling.new_pts_ns) == ("pts_decreased", 20, 0)
    assert (changed.kind, changed.last_pts_ns, changed.new_pts_ns) == ("encoder_spec_changed", None, None)
    assert repr(falling) == "StreamResetReason.pts_decreased(last_pts_ns=20, new_pts_ns=0)"
    assert repr(changed) == "StreamResetReason.encoder_spec_changed()"


def test_callbacks_list_what_is_set() -> None:
    callbacks = Callbacks(on_render=print, on_eviction=lambda _: EvictionDecision.terminate())
    assert repr(callbacks) == "Callbacks(active=[on_render, on_eviction])"
    callbacks.on_render = None
    assert repr(callbacks) == "Callbacks(active=[on_eviction])"


def test_an_output_is_a_frame_or_a_sentinel() -> None:
    frame, eos = VideoFrame("a", "30/1", 8, 8), EndOfStream("a")
    output, sentinel = OutputMessage(frame, is_eos=False), OutputMessage(eos, is_eos=True)
    assert (output.is_video_frame, output.is_eos) == (True, False)
    assert (sentinel.is_video_frame, sentinel.is_eos) == (False, True)
    assert output.as_video_frame() is frame
    assert sentinel.as_eos() is eos
    with pytest.raises(RuntimeError, match="OutputMessage is VideoFrame, not EndOfStream"):
        output.as_eos()
    with pytest.raises(RuntimeError, match="OutputMessage is EndOfStream, not VideoFrame"):
        sentinel.as_video_frame()
    assert repr(sentinel) == 'OutputMessage.EndOfStream(source_id="a")'
    assert repr(output).startswith("OutputMessage.VideoFrame(")
