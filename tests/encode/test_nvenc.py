"""NVENC over a double: the laws of every encoder, what each property becomes, live changes, and the way to the CPU."""

from __future__ import annotations

import inspect
import logging
import re
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from encoded_streams import FRAME_NS, SIZE_WH, Picture, decode, nal_types, obu_types, psnr, syntax

from picasso.encode import (
    Av1DgpuProps,
    Codec,
    DgpuPreset,
    EncodedUnit,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    H264Profile,
    HevcDgpuProps,
    HevcProfile,
    RateControl,
    TuningPreset,
    factory,
    open_encoder,
)
from picasso.encode.bitstream import parameter_sets
from picasso.encode.nvenc import NvencEncoder
from picasso.encode.nvenc_options import nvenc_plan
from picasso.encode.property_types import Props
from picasso.errors import DeviceError, EncoderError, MissingDependencyError, SurfaceError
from picasso.surface.formats import MemType, VideoFormat
from picasso.surface.planes import Bytes
from picasso.surface.view import SurfaceView
from picasso.testing import nvenc as double

VIDEO = [Codec.H264, Codec.HEVC, Codec.AV1]
PROPS: dict[Codec, type[Any]] = {Codec.H264: H264DgpuProps, Codec.HEVC: HevcDgpuProps, Codec.AV1: Av1DgpuProps}
VBR, CQP = RateControl.VARIABLE_BITRATE, RateControl.CONSTANT_QP
Opened = Callable[..., NvencEncoder]

every_codec = pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.name())


def config(codec: Codec = Codec.H264, props: Props | None = None) -> EncoderConfig:
    made = EncoderConfig(codec, *SIZE_WH).mem_type(MemType.CUDA_DEVICE)
    return made.properties(EncoderProperties(props)) if props else made


@pytest.fixture
def opened() -> Iterator[Opened]:
    """``opened(codec, props)``: a session of the double that the test need not close."""
    encoders: list[NvencEncoder] = []

    def open_one(codec: Codec = Codec.H264, props: Props | None = None) -> NvencEncoder:
        encoders.append(NvencEncoder(config(codec, props), double, double.HostGpu()))
        return encoders[-1]

    yield open_one
    for encoder in encoders:
        encoder.close()


def nv12(encoder: NvencEncoder, picture: Picture) -> SurfaceView:
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    surface = SurfaceView.allocate(VideoFormat.NV12, (width, height), encoder.color)
    luma, chroma = surface.planes
    luma[:] = picture[:height]
    halves = picture[height:].reshape(2, height // 2, width // 2)
    chroma[..., 0], chroma[..., 1] = halves
    return surface


def encode_all(encoder: NvencEncoder, clip: list[Picture], forced: frozenset[int] = frozenset()) -> list[EncodedUnit]:
    units: list[EncodedUnit] = []
    for index, picture in enumerate(clip):
        surface = nv12(encoder, picture)
        units += encoder.encode(surface, index * FRAME_NS, FRAME_NS, force_keyframe=index in forced)
    return units + encoder.flush()


def test_an_encoder_that_is_dropped_ends_its_session_before_the_stream_that_it_works_on() -> None:
    gone: list[str] = []
    encoder = NvencEncoder(config(), double, double.HostGpu())
    weakref.finalize(encoder._session, gone.append, "session")
    weakref.finalize(encoder._gpu, gone.append, "gpu")
    del encoder
    assert gone == ["session", "gpu"]


@every_codec
def test_a_stream_decodes_to_what_was_encoded(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    encoder = opened(codec)
    units = encode_all(encoder, clip)
    assert psnr(decode(codec, units), clip) > 38
    assert encoder.extradata == parameter_sets(codec, units[0].data)


@every_codec
@pytest.mark.parametrize("delay", [0, 1, 4], ids="delay={}".format)
def test_count_order_and_times_are_kept_whatever_is_held_back(
    codec: Codec, delay: int, opened: Opened, clip: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(double.PyNvEncoder, "delay", delay)
    encoder, units = opened(codec), []
    times = [-5, 0, 1, 33_333_333, 33_333_334, 2**62, 2**63 - 1]
    for number, (pts_ns, picture) in enumerate(zip(times, clip, strict=False)):
        ready = encoder.encode(nv12(encoder, picture), pts_ns, pts_ns % 7 or None)
        assert len(ready) == (number >= delay)
        units += ready
    units += encoder.flush()
    assert [(unit.pts_ns, unit.dts_ns, unit.duration_ns) for unit in units] == [(t, t, t % 7 or None) for t in times]


@every_codec
def test_keyframes_stand_at_the_interval_and_where_forced_with_their_headers(
    codec: Codec, opened: Opened, clip: list[Picture]
) -> None:
    encoder = opened(codec, PROPS[codec](iframeinterval=16))
    units = encode_all(encoder, clip, frozenset({5}))
    keyframes = [index for index, unit in enumerate(units) if unit.keyframe]
    assert keyframes[:2] == [0, 5]
    assert len(keyframes) > 2
    for index in keyframes:
        assert parameter_sets(codec, units[index].data)
        assert len(decode(codec, units[index:])) == len(units) - index


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC], ids=lambda codec: codec.name())
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_colours_are_tagged(codec: Codec, full: bool, opened: Opened, clip: list[Picture]) -> None:
    encoder = opened(codec, PROPS[codec](extended_colorformat=full))
    (unit,) = encoder.encode(nv12(encoder, clip[0]), 0, None)
    names = ("video_full_range_flag", "colour_primaries", "transfer_characteristics", "matrix_coefficients")
    assert list(syntax(codec, unit, *names).values()) == [int(full), 6, 6, 6]
    assert encoder.color.full_range is full


def test_av1_units_are_plain_obus_with_their_colours(opened: Opened, clip: list[Picture]) -> None:
    encoder = opened(Codec.AV1)
    (unit,) = encoder.encode(nv12(encoder, clip[0]), 0, None)
    assert 1 in obu_types(unit.data)
    assert syntax(Codec.AV1, unit, "color_primaries", "matrix_coefficients", "color_range") == {
        "color_primaries": 6,
        "matrix_coefficients": 6,
        "color_range": 0,
    }


def test_an_annex_b_keyframe_begins_with_its_parameter_sets(opened: Opened, clip: list[Picture]) -> None:
    encoder = opened()
    (unit,) = encoder.encode(nv12(encoder, clip[0]), 0, None)
    assert [kind for kind in nal_types(Codec.H264, unit.data) if kind in {5, 7, 8}][:3] == [7, 8, 5]


def test_headers_that_the_driver_leaves_out_are_put_in(
    opened: Opened, clip: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = double.PyNvEncoder.Encode

    def bare(self: double.PyNvEncoder, *arguments: Any) -> list[dict[str, Any]]:
        packets = whole(self, *arguments)
        for packet in packets:
            packet["data"] = packet["data"].replace(self.GetSequenceParams(), b"")
        return packets

    monkeypatch.setattr(double.PyNvEncoder, "Encode", bare)
    units = encode_all(opened(), clip[:3])
    assert parameter_sets(Codec.H264, units[0].data)
    assert len(decode(Codec.H264, units)) == 3


DEFAULTS = {
    "codec": "h264",
    "preset": "P1",
    "tuning_info": "low_latency",
    "fps": "30",
    "gop": "30",
    "idrperiod": "30",
    "bf": "0",
    "repeatspspps": "1",
    "rc": "cbr",
    "bitrate": "4000000",
    "maxbitrate": "4000000",
    "vbvbufsize": "4000000",
}


@pytest.mark.parametrize(
    ("props", "changed"),
    [
        (H264DgpuProps(), {}),
        (H264DgpuProps(bitrate=10**6), {"bitrate": "1000000", "maxbitrate": "1000000", "vbvbufsize": "1000000"}),
        (H264DgpuProps(control_rate=VBR), {"rc": "vbr", "maxbitrate": None, "vbvbufsize": None}),
        (H264DgpuProps(control_rate=VBR, cq=23), {"rc": "vbr", "cq": "23", "maxbitrate": None, "vbvbufsize": None}),
        (
            H264DgpuProps(control_rate=VBR, max_bitrate=6 * 10**6),
            {"rc": "vbr", "maxbitrate": "6000000", "vbvbufsize": "6000000"},
        ),
        (
            H264DgpuProps(control_rate=CQP, const_qp="20:25:30"),
            {"rc": "constqp", "constqp": "25,25,20", "bitrate": None, "maxbitrate": None, "vbvbufsize": None},
        ),
        (H264DgpuProps(iframeinterval=50, idrinterval=25), {"gop": "25", "idrperiod": "25"}),
        (H264DgpuProps(iframeinterval=0), {"gop": str(2**30), "idrperiod": str(2**30)}),
        (H264DgpuProps(preset=DgpuPreset.P7), {"preset": "P7"}),
        (
            H264DgpuProps(tuning_info=TuningPreset.HIGH_QUALITY),
            {"tuning_info": "high_quality", "vbvbufsize": "8000000"},
        ),
        (
            H264DgpuProps(tuning_info=TuningPreset.ULTRA_LOW_LATENCY),
            {"tuning_info": "ultra_low_latency", "vbvbufsize": "1000000"},
        ),
        (
            H264DgpuProps(tuning_info=TuningPreset.LOSSLESS),
            {"tuning_info": "lossless", "rc": "constqp", "constqp": "0", "bitrate": None, "maxbitrate": None}
            | {"vbvbufsize": None},
        ),
        (H264DgpuProps(qp_range="10:40"), {"qmin": "10", "qmax": "40"}),
        (H264DgpuProps(init_qp="20:25:30"), {"initqp": "25,30,20"}),
        (H264DgpuProps(vbv_buf_size=500_000, vbv_init=100_000), {"vbvbufsize": "500000", "vbvinit": "100000"}),
        (H264DgpuProps(aq=5), {"aq": "5"}),
        (H264DgpuProps(temporal_aq=True), {"temporalaq": "1"}),
        (H264DgpuProps(temporal_aq=False, extended_colorformat=True), {}),
        (Av1DgpuProps(qp_range="10:200"), {"codec": "av1", "use_ivf_container": "0", "qmin": "10", "qmax": "200"}),
        (
            Av1DgpuProps(control_rate=VBR, cq=51),
            {"codec": "av1", "use_ivf_container": "0", "rc": "vbr", "cq": "63", "maxbitrate": None, "vbvbufsize": None},
        ),
        (
            Av1DgpuProps(control_rate=CQP),
            {"codec": "av1", "use_ivf_container": "0", "rc": "constqp", "constqp": "140,140,125"}
            | {"bitrate": None, "maxbitrate": None, "vbvbufsize": None},
        ),
        (HevcDgpuProps(profile=HevcProfile.MAIN), {"codec": "hevc"}),
    ],
    ids=repr,
)
def test_a_property_becomes_an_option(props: Props, changed: dict[str, str | None]) -> None:
    expected = {name: text for name, text in (DEFAULTS | changed).items() if text is not None}
    plan = nvenc_plan(config(props.codec, props))
    assert plan.options == expected
    assert set(plan.options) <= double.OPTIONS
    assert not plan.ignored


@pytest.mark.parametrize(
    ("codec", "crf", "cq"), [(Codec.H264, 23.5, "24"), (Codec.HEVC, 0, "1"), (Codec.AV1, 32, "32")]
)
def test_a_constant_quality_becomes_a_target_that_no_rate_gets_in_the_way_of(codec: Codec, crf: float, cq: str) -> None:
    options = nvenc_plan(config(codec).constant_quality(crf)).options
    assert (options["rc"], options["cq"], options["bitrate"]) == ("vbr", cq, "100000000")
    assert "maxbitrate" not in options


def test_every_property_of_a_graphics_card_is_mapped_or_said_to_have_no_effect(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    opened(Codec.H264, H264DgpuProps(profile=H264Profile.HIGH))
    assert [record.getMessage() for record in caplog.records] == [
        "H264DgpuProps.profile = H264Profile.HIGH has no effect: NVENC chooses it by the tools that it uses"
    ]


@pytest.mark.parametrize(
    ("before", "after", "applied"),
    [
        (H264DgpuProps(), H264DgpuProps(10**6), {"averageBitrate": 10**6, "maxBitRate": 10**6}),
        (H264DgpuProps(), H264DgpuProps(9 * 10**6), {"averageBitrate": 9 * 10**6, "vbvBufferSize": 9 * 10**6}),
        (H264DgpuProps(), H264DgpuProps(control_rate=VBR), {"rateControlMode": double.NV_ENC_PARAMS_RC_MODE.VBR}),
        (H264DgpuProps(control_rate=VBR), H264DgpuProps(), {"rateControlMode": double.NV_ENC_PARAMS_RC_MODE.CBR}),
        (H264DgpuProps(control_rate=VBR), H264DgpuProps(control_rate=VBR, cq=30), {"targetQuality": 30}),
        (H264DgpuProps(), H264DgpuProps(vbv_buf_size=10**5, vbv_init=10**4), {"vbvInitialDelay": 10**4}),
    ],
    ids=repr,
)
def test_rates_change_live(
    before: Props, after: Props, applied: dict[str, object], opened: Opened, clip: list[Picture]
) -> None:
    encoder = opened(Codec.H264, before)
    units = encoder.encode(nv12(encoder, clip[0]), 0, None)
    assert encoder.reconfigure(config(Codec.H264, after))
    session = encoder._session
    assert {name: getattr(session.applied, name) for name in applied} == applied
    units += encoder.encode(nv12(encoder, clip[1]), 1, None)
    assert [unit.keyframe for unit in units] == [True, False]


@pytest.mark.parametrize(
    "change",
    [
        config(Codec.HEVC),
        config().gpu_id(1),
        config().mem_type(MemType.SYSTEM),
        config(props=H264DgpuProps(iframeinterval=7)),
        config(props=H264DgpuProps(control_rate=CQP)),
        config(props=H264DgpuProps(preset=DgpuPreset.P4)),
        config(props=H264DgpuProps(extended_colorformat=True)),
    ],
    ids=repr,
)
def test_what_asks_for_another_session_is_refused(change: EncoderConfig, opened: Opened) -> None:
    assert not opened().reconfigure(change)


def test_a_frame_rate_is_told_exactly(opened: Opened) -> None:
    encoder = opened()
    assert encoder.reconfigure(config().fps(30_000, 1001))
    assert (encoder._session.applied.frameRateNum, encoder._session.applied.frameRateDen) == (30_000, 1001)
    fresh = NvencEncoder(config().fps(30_000, 1001), double, double.HostGpu())
    assert (fresh._session.applied.frameRateNum, fresh._session.applied.frameRateDen) == (30_000, 1001)
    fresh.close()


def test_a_closed_encoder_takes_nothing_and_has_given_its_gpu_back(clip: list[Picture]) -> None:
    gpu = double.HostGpu()
    encoder = NvencEncoder(config(), double, gpu)
    surface = nv12(encoder, clip[0])
    encoder.encode(surface, 0, None)
    assert gpu.settled == 1
    encoder.close()
    encoder.close()
    assert gpu.closed
    with pytest.raises(EncoderError, match="closed"):
        encoder.encode(surface, 1, None)


def test_surfaces_and_times_are_checked(opened: Opened, clip: list[Picture]) -> None:
    encoder = opened()
    surface = nv12(encoder, clip[0])
    encoder.encode(surface, 5, None)
    with pytest.raises(EncoderError, match="Input PTS reordering"):
        encoder.encode(surface, 5, None)
    with pytest.raises(SurfaceError, match="expected NV12 128x96"):
        encoder.encode(SurfaceView.allocate(VideoFormat.I420, SIZE_WH, encoder.color), 6, None)


def test_a_frame_that_fails_is_reported_and_the_next_goes_on(
    opened: Opened, clip: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = opened()
    session = encoder._session

    class Broken:
        def Encode(self, *_arguments: Any) -> Any:  # noqa: N802  # the library's name
            raise double.PyNvVCException("device lost")

    monkeypatch.setattr(encoder, "_session", Broken())
    with pytest.raises(EncoderError, match=r"nvenc h264 failed on frame 0: device lost"):
        encoder.encode(nv12(encoder, clip[0]), 0, None)
    monkeypatch.setattr(encoder, "_session", session)
    (unit,) = encoder.encode(nv12(encoder, clip[1]), 7, None)
    assert (unit.pts_ns, unit.keyframe) == (7, True)


def test_ten_bits_are_refused() -> None:
    with pytest.raises(EncoderError, match="8 bits: it makes no MAIN10"):
        nvenc_plan(config(Codec.HEVC, HevcDgpuProps(profile=HevcProfile.MAIN10)))


@pytest.mark.parametrize(
    "error",
    [
        DeviceError("no CUDA driver on this machine"),
        MissingDependencyError("PyNvVideoCodec cannot be imported (no); pip install it"),
        EncoderError("NVENC cannot open: nvEncOpenEncodeSessionEx returned error 2"),
    ],
    ids=lambda error: type(error).__name__,
)
@every_codec
def test_without_nvenc_the_cpu_encodes_and_the_reason_is_logged_once(
    codec: Codec, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import picasso.encode.nvenc as backend

    def refuse(_config: EncoderConfig) -> NvencEncoder:
        raise error

    monkeypatch.setattr(backend, "open_nvenc", refuse)
    factory._say_once.forget()
    for _ in range(2):
        encoder = open_encoder(config(codec))
        assert encoder.name.startswith("lib")
        encoder.close()
    with caplog.at_level(logging.WARNING):
        assert [record.getMessage() for record in caplog.records] == [f"{codec.name()} is encoded on the CPU: {error}"]


def test_nvenc_is_taken_where_a_session_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    import picasso.encode.nvenc as backend

    def opens(wanted: EncoderConfig) -> NvencEncoder:
        return NvencEncoder(wanted, double, double.HostGpu())

    monkeypatch.setattr(backend, "open_nvenc", opens)
    encoder = open_encoder(config())
    assert encoder.name == "nvenc h264"
    encoder.close()


def test_without_gpu_memory_no_gpu_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "_on_gpu", lambda _config: pytest.fail("a GPU was looked for"))
    open_encoder(EncoderConfig(Codec.H264, *SIZE_WH)).close()


SIGNATURES = {
    "PyNvEncoder.__init__": "(self, arg0: int, arg1: int, arg2: str, arg3: int, arg4: int, arg5: bool, "
    "arg6: Dict[str, str]) -> None",
    "PyNvEncoder.Encode": "(self, frame: object, picParams: NV_ENC_PIC_PARAMS) -> list",
    "PyNvEncoder.EndEncode": "(self) -> list",
    "PyNvEncoder.GetSequenceParams": "(self) -> bytes",
    "PyNvEncoder.GetEncodeReconfigureParams": "(self) -> structEncodeReconfigureParams",
    "PyNvEncoder.Reconfigure": "(self, arg0: structEncodeReconfigureParams) -> bool",
    "NV_ENC_PIC_PARAMS.__init__": "(self) -> None",
    "structEncodeReconfigureParams.__init__": "(self) -> None",
}
"""As the docstrings of the library, version 2.2.4, have them, without ``self``'s type; ``tests/cuda`` checks it."""
CREATE_ENCODER = ["width", "height", "fmt", "usecpuinputbuffer", "kwargs"]


def member(owner: Any, path: str) -> Any:
    for name in path.split("."):
        owner = getattr(owner, name)
    return owner


@pytest.mark.parametrize("path", SIGNATURES)
def test_the_double_has_the_signatures_of_the_library(path: str) -> None:
    recorded = re.findall(r"(\w+): ", SIGNATURES[path])
    assert [name for name in inspect.signature(member(double, path)).parameters if name != "self"] == recorded


def test_the_double_opens_as_the_library_does() -> None:
    assert list(inspect.signature(double.CreateEncoder).parameters) == CREATE_ENCODER


def test_planes_that_lie_apart_are_refused() -> None:
    from picasso.encode.nvenc import _Frame
    from picasso.surface.cuda import DevicePlane

    def plane(ptr: int, shape: tuple[int, ...]) -> DevicePlane:
        return DevicePlane(ptr, shape, (64, *shape[2:], 1), read_only=False, stream=None, owner=None)

    apart = (plane(4096, (32, 64)), plane(8192, (16, 32, 2)))
    with pytest.raises(SurfaceError, match="chroma follows its luma"):
        _Frame(SurfaceView(apart, VideoFormat.NV12, (64, 32), None))


def test_pixels_reach_the_session_as_they_are(opened: Opened, clip: list[Picture]) -> None:
    seen: list[Bytes] = []
    encoder = opened()
    whole = encoder._session.Encode

    def look(frame: double.HasCuda, params: double.NV_ENC_PIC_PARAMS) -> list[dict[str, Any]]:
        seen.extend(double._bytes_of(plane) for plane in frame.cuda())
        return list(whole(frame, params))

    encoder._session.Encode = look
    surface = nv12(encoder, clip[0])
    encoder.encode(surface, 0, None)
    for got, expected in zip(seen, surface.planes, strict=True):
        assert (got.reshape(expected.shape) == expected).all()
