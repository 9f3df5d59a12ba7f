"""After a warm-up the first frames of its specs compile nothing and load nothing."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest
from engine_kit import make_frame, make_pixels

import picasso
from picasso import CallbackInvocationOrder, Callbacks, CodecSpec, EncoderConfig, GeneralSpec, PicassoEngine, SourceSpec
from picasso.draw import BoundingBoxDraw, ColorDraw, LabelDraw, ObjectDraw, ObjectDrawSpec
from picasso.encode import Codec, Encoder
from picasso.engine.path.surfaces import Surfaces, open_surfaces, works_on_gpu
from picasso.engine.warming import _kernels_of
from picasso.surface import MemType, VideoFormat
from picasso.transform import Interpolation, TransformConfig
from picasso_kernels.paint.compose import compose
from picasso_kernels.paint.compose_frame import compose_frame
from picasso_kernels.processes.pending import MADE

RED = ColorDraw(255, 0, 0)


def labelled() -> ObjectDrawSpec:
    draw = ObjectDrawSpec()
    draw.insert("detector", "car", ObjectDraw(BoundingBoxDraw(RED), label=LabelDraw(RED), blur=True))
    return draw


def encoding(codec: Codec, how: Interpolation = Interpolation.BILINEAR, **spec: object) -> SourceSpec:
    config = TransformConfig(interpolation=how)
    return SourceSpec(codec=CodecSpec.encode(config, EncoderConfig(codec, 64, 64)), **spec)  # type: ignore[arg-type]


SPECS = {
    f"{codec.name()} {how.name} {'' if draws else 'not '}labelled {flags}": encoding(
        codec, how, draw=labelled() if draws else None, **dict.fromkeys(flags, True)
    )
    for codec, (how, draws, flags) in product(
        (Codec.H264, Codec.JPEG, Codec.RAW_RGBA, Codec.RAW_RGB),
        (
            (Interpolation.BILINEAR, True, ()),
            (Interpolation.AREA, False, ()),
            (Interpolation.NEAREST, True, ("use_on_gpumat",)),
            (Interpolation.BILINEAR, True, ("use_on_render",)),
        ),
    )
}


@pytest.mark.parametrize(
    "spec", [pytest.param(spec, marks=[pytest.mark.skia] * spec.use_on_render) for spec in SPECS.values()], ids=SPECS
)
def test_the_first_frames_after_a_warm_up_compile_nothing(spec: SourceSpec) -> None:
    done = picasso.warm_up(spec)
    before, got, errors = list(MADE), [], []
    callbacks = Callbacks(
        on_encoded_frame=got.append,
        on_error=lambda *what: errors.append(what),
        on_render=lambda *_: None,
        on_gpumat=lambda *_: None,
        on_object_draw_spec=lambda *_: None,
    )
    for order in CallbackInvocationOrder:
        spec.callback_order = order
        with PicassoEngine(GeneralSpec(), callbacks) as engine:
            engine.set_source_spec("a", spec)
            engine.send_frame("a", make_frame(), make_pixels())
    assert errors == []
    assert len([output for output in got if output.is_video_frame]) == 3
    assert before == MADE
    assert done.failures == ()
    assert str(done).endswith(f"ready after {done.seconds:.1f} s")


def test_a_warm_up_waits_for_the_quick_way_of_lists_too() -> None:
    """Frames would go the longer way until it is compiled, and no frame says so."""
    spec = encoding(Codec.H264, draw=labelled())
    assert {compose, compose_frame} <= set(_kernels_of(spec.settings(1)))
    assert not {compose, compose_frame} & set(_kernels_of(encoding(Codec.H264).settings(1)))


def test_a_spec_whose_encoder_does_not_open_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.encode.av.AvEncoder.__init__", _refuse)
    done = picasso.warm_up([encoding(Codec.H264, draw=labelled()), encoding(Codec.JPEG)])
    [failure] = done.failures
    assert failure.startswith("h264 64x64: open: ")
    assert "no more threads" in failure


def _refuse(*_arguments: object) -> None:
    raise picasso.errors.EncoderError("no more threads")


@pytest.mark.parametrize("sources_on_gpu", [False, True])
def test_where_a_gpu_does_not_serve_a_spec_that_needs_one_is_told(
    sources_on_gpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(config: EncoderConfig, encoder: Encoder, *, source_on_gpu: bool) -> Surfaces:
        if works_on_gpu(config, source_on_gpu=source_on_gpu):
            raise picasso.errors.DeviceError("no such GPU")
        return open_surfaces(config, encoder, source_on_gpu=False)

    monkeypatch.setattr("picasso.engine.path.session.open_surfaces", refuse)
    monkeypatch.setattr("picasso.encode.factory._on_gpu", lambda _config: None)
    config = EncoderConfig(Codec.H264, 64, 64)
    if not sources_on_gpu:
        config.mem_type(MemType.CUDA_DEVICE)
    spec = SourceSpec(codec=CodecSpec.encode(TransformConfig(), config))
    [failure] = picasso.warm_up(spec, sources_on_gpu=sources_on_gpu).failures
    assert failure.startswith("h264 64x64: open: ")
    assert failure.endswith("no such GPU")
    assert picasso.warm_up(spec).failures == (() if sources_on_gpu else (failure,))


def test_specs_that_encode_nothing_need_nothing() -> None:
    done = picasso.warm_up([SourceSpec(), SourceSpec(codec=CodecSpec.bypass())])
    assert (done.kernels, done.failures) == ((), ())


def test_specs_of_one_kind_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    monkeypatch.setattr("picasso.engine.warming._send_frames", lambda spec, *_: sent.append(spec) or [])
    picasso.warm_up([encoding(Codec.JPEG, draw=labelled()) for _ in range(500)])
    assert len(sent) == 1


def test_gates_hold_nothing_back() -> None:
    spec = encoding(Codec.RAW_RGBA, draw=labelled())
    spec.conditional = picasso.ConditionalSpec(("a", "b"), ("c", "d"))
    assert picasso.warm_up(spec, source_formats=[VideoFormat.RGBA], source_size_wh=(32, 32)).failures == ()


def test_its_name_costs_no_import() -> None:
    code = "import sys, picasso; picasso.warm_up; print([name for name in ('numba', 'av') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
