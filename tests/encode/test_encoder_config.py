"""Codec names, the configuration and its early checks."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import picasso.encode as e
from picasso.encode import Codec, EncoderConfig, EncoderProperties, validate
from picasso.encode.property_types import Props
from picasso.errors import SpecError
from picasso.surface.formats import ColorSpace, Matrix, MemType, VideoFormat


@pytest.mark.parametrize(
    ("camel", "member"),
    [("Hevc", 1), ("Jpeg", 2), ("Av1", 3), ("Png", 4), ("Vp8", 5), ("Vp9", 6), ("RawRgba", 7), ("RawRgb", 8)],
)
def test_both_spellings_are_the_same_member(camel: str, member: int) -> None:
    assert getattr(Codec, camel) is next(codec for codec in Codec if int(codec) == member)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("h264", Codec.H264),
        (" AVC ", Codec.H264),
        ("H265", Codec.HEVC),
        ("hevc", Codec.HEVC),
        ("jpeg", Codec.JPEG),
        ("swjpeg", Codec.SW_JPEG),
        ("raw_rgba", Codec.RAW_RGBA),
        ("raw-nv12", Codec.RAW_NV12),
    ],
)
def test_a_codec_is_read_from_its_names(text: str, codec: Codec) -> None:
    assert Codec.from_name(text) is codec
    assert Codec.from_name(codec.name()) is codec


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Codec.from_name("h266"), "Unknown codec: h266; one of h264"),
        (lambda: e.Platform.from_name("x"), "Unknown platform: 'x'; one of dgpu"),
        (lambda: e.RateControl.from_name("x"), "Unknown rate control"),
        (lambda: e.H264Profile.from_name("1"), "Unknown H264 profile"),
        (lambda: e.HevcProfile.from_name("2"), "Unknown HEVC profile"),
        (lambda: e.DgpuPreset.from_name("p8"), "Unknown dGPU preset"),
        (lambda: e.TuningPreset.from_name("5"), "Unknown tuning preset"),
        (lambda: e.JetsonPresetLevel.from_name("5"), "Unknown Jetson preset level"),
    ],
)
def test_unknown_names_are_refused_with_the_choices(call: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        (e.Platform, "Tegra", 1),
        (e.RateControl, "constantqp", 2),
        (e.RateControl, "VBR", 0),
        (e.H264Profile, "high444predictive", 7),
        (e.HevcProfile, "FREXT", 3),
        (e.DgpuPreset, "7", 7),
        (e.TuningPreset, "ultra-low-latency", 3),
        (e.JetsonPresetLevel, "ultra_fast", 1),
        (e.JetsonPresetLevel, "Disable", 0),
    ],
)
def test_names_and_numbers_are_those_of_the_hardware_encoders(kind: type, text: str, number: int) -> None:
    member = kind.from_name(text)
    assert member == number
    assert hash(member) == hash(number)
    assert int(member) == number


def test_builders_change_the_configuration_and_return_it() -> None:
    config = EncoderConfig(Codec.H264, 1280, 720)
    assert config.format(VideoFormat.RGBA) is config.fps(25, 2) is config.gpu_id(1) is config.mem_type(MemType.SYSTEM)
    params = EncoderProperties.h264_dgpu(e.H264DgpuProps(bitrate=1_000_000))
    assert config.properties(params).encoder_params == params
    assert (config.fps_num, config.fps_den, config.device_id) == (25, 2, 1)
    assert (config.video_format, config.memory_type) == (VideoFormat.RGBA, MemType.SYSTEM)
    config.fps_num, config.fps_den, config.encoder_params = 30, 1, None
    assert (config.fps_num, config.fps_den, config.encoder_params) == (30, 1, None)


def test_a_fresh_configuration_holds_the_defaults() -> None:
    config = EncoderConfig(Codec.Hevc, 64, 32)
    assert (config.codec, config.width, config.height) == (Codec.HEVC, 64, 32)
    assert (config.fps_num, config.fps_den, config.device_id, config.encoder_params) == (30, 1, 0, None)
    assert (config.video_format, config.memory_type) == (VideoFormat.NV12, MemType.DEFAULT)
    assert config.color_matrix is None


def test_colours_are_those_of_the_matrix_or_of_the_height() -> None:
    small, large = EncoderConfig(Codec.H264, 640, 360), EncoderConfig(Codec.H264, 1280, 720)
    assert [config.color_space().matrix for config in (small, large)] == [Matrix.BT601, Matrix.BT709]
    assert small.matrix(Matrix.BT709) is small
    assert small.color_space(full_range=True) == ColorSpace(Matrix.BT709, full_range=True)
    assert "gpu_id=0, matrix=bt709, mem_type" in repr(small)
    assert small.matrix(None).color_space() == ColorSpace(Matrix.BT601)
    with pytest.raises(TypeError, match=r"EncoderConfig.matrix: expected Matrix, got 'bt709'"):
        small.matrix("bt709")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["format", "gpu_id", "mem_type", "codec", "width", "nonsense"])
def test_what_is_a_method_or_fixed_cannot_be_assigned(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(EncoderConfig(Codec.H264, 64, 64), name, 1)


def test_the_text_of_a_configuration_names_every_setting() -> None:
    config = EncoderConfig(Codec.H264, 1280, 720).format(VideoFormat.RGBA)
    assert repr(config) == (
        "EncoderConfig(codec=H264, 1280x720, format=Rgba, fps=30/1, gpu_id=0, mem_type=Default, encoder_params=None)"
    )
    config.format(VideoFormat.NV12).mem_type(MemType.CUDA_PINNED)
    config.properties(EncoderProperties.h264_dgpu(e.H264DgpuProps(cq=5)))
    assert "format=Nv12" in repr(config)
    assert "mem_type=CudaPinned" in repr(config)
    assert 'encoder_params="H264DgpuProps(cq=5)"' in repr(config)


def test_a_constant_quality_is_kept_and_shown() -> None:
    config = EncoderConfig(Codec.H264, 64, 64)
    assert config.crf is None
    assert config.constant_quality(23.5) is config
    assert config.crf == 23.5
    assert "crf=23.5, mem_type" in repr(config)
    assert config.constant_quality(None).crf is None


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC, Codec.AV1], ids=lambda codec: codec.name())
@pytest.mark.parametrize("value", [-1, 51.5, 64, float("nan"), float("inf")])
def test_a_constant_quality_out_of_range_is_refused(codec: Codec, value: float) -> None:
    with pytest.raises(SpecError, match=r"EncoderConfig.crf = .*: expected "):
        EncoderConfig(codec, 64, 64).constant_quality(value)


@pytest.mark.parametrize("codec", [Codec.JPEG, Codec.PNG, Codec.RAW_RGB], ids=lambda codec: codec.name())
def test_only_video_has_a_constant_quality(codec: Codec) -> None:
    with pytest.raises(SpecError, match=f"{codec.name()} has no constant quality; one of h264, hevc, av1"):
        EncoderConfig(codec, 64, 64).constant_quality(23)


@pytest.mark.parametrize("value", ["23", True])
def test_a_constant_quality_is_a_number(value: object) -> None:
    with pytest.raises(TypeError, match=r"EncoderConfig.crf: expected a number"):
        EncoderConfig(Codec.H264, 64, 64).constant_quality(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "props",
    [
        e.H264DgpuProps(bitrate=1_000_000),
        e.H264DgpuProps(control_rate=e.RateControl.VARIABLE_BITRATE),
        e.H264DgpuProps(cq=20),
        e.H264DgpuProps(const_qp="20:20:20"),
        e.H264DgpuProps(tuning_info=e.TuningPreset.LOSSLESS),
        e.HevcJetsonProps(enable_lossless=True),
        e.Av1JetsonProps(quant_p_frames=20),
    ],
    ids=repr,
)
def test_a_quality_and_a_rate_exclude_each_other(props: Props) -> None:
    config = EncoderConfig(props.codec, 64, 64).constant_quality(23).properties(EncoderProperties(props))
    with pytest.raises(SpecError, match=r"EncoderConfig.crf = 23 excludes "):
        validate(config)


CHANGES: list[Callable[[EncoderConfig], object]] = [
    lambda config: config.format(VideoFormat.RGBA),
    lambda config: config.fps(25, 1),
    lambda config: config.gpu_id(3),
    lambda config: config.mem_type(MemType.SYSTEM),
    lambda config: config.matrix(Matrix.BT601),
    lambda config: config.constant_quality(20),
    lambda config: config.properties(EncoderProperties.jpeg(e.JpegProps(5))),
]


@given(st.lists(st.sampled_from(CHANGES)), st.sampled_from(CHANGES))
def test_a_copy_is_equal_until_one_of_them_changes(
    changes: list[Callable[[EncoderConfig], object]], last: Callable[[EncoderConfig], object]
) -> None:
    config, fresh = EncoderConfig(Codec.H264, 64, 64), EncoderConfig(Codec.H264, 64, 64)
    for change in changes:
        change(config)
        change(fresh)
    twins = [config.copy(), copy.copy(config), copy.deepcopy(config)]
    assert twins == [config] * 3 == [fresh] * 3
    last(config)
    assert (twins[0] == config) == (last in changes)
    assert EncoderConfig(Codec.PNG, 64, 64) != EncoderConfig(Codec.JPEG, 64, 64) != EncoderConfig(Codec.JPEG, 64, 66)


def config(codec: Codec = Codec.H264, width: int = 64, height: int = 64) -> EncoderConfig:
    return EncoderConfig(codec, width, height)


def with_props(config: EncoderConfig, props: object) -> EncoderConfig:
    return config.properties(EncoderProperties(props))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        ("EncoderConfig(0, 64, 64)", TypeError, "EncoderConfig.codec: expected Codec, got 0"),
        ("EncoderConfig(Codec.H264, 0, 64)", ValueError, "EncoderConfig.width = 0: expected 1..16384 pixels"),
        ("EncoderConfig(Codec.H264, 64, 16385)", ValueError, "EncoderConfig.height = 16385: expected 1..16384 pixels"),
        ("EncoderConfig(Codec.H264, 64.0, 64)", TypeError, "EncoderConfig.width: expected int, got 64.0"),
        ("config().fps(0, 1)", ValueError, "EncoderConfig.fps_num = 0: expected 1..2147483647"),
        ("config().fps(30, -1)", ValueError, "EncoderConfig.fps_den = -1: expected 1..2147483647"),
        ("config().fps(True, 1)", TypeError, "EncoderConfig.fps_num: expected int, got True"),
        ("config().gpu_id(-1)", ValueError, "EncoderConfig.gpu_id = -1: expected 0..4294967295"),
        ("config().format(2)", TypeError, "EncoderConfig.format: expected VideoFormat, got 2"),
        ("config().mem_type(0)", TypeError, "EncoderConfig.mem_type: expected MemType, got 0"),
        ("config().properties(None)", TypeError, "EncoderConfig.properties: expected EncoderProperties, got None"),
        ("config().properties(e.JpegProps())", TypeError, "expected EncoderProperties or None, got JpegProps()"),
    ],
    ids=lambda cell: cell if isinstance(cell, str) and cell.endswith(")") else "",
)
def test_bad_settings_are_refused_by_name(call: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        eval(call)


VBR = e.RateControl.VARIABLE_BITRATE
LOSSLESS = e.TuningPreset.LOSSLESS


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (config(Codec.VP8), "Unsupported codec: vp8 cannot be encoded; one of h264, hevc, av1, jpeg"),
        (config(Codec.VP9), "Unsupported codec: vp9"),
        (config(Codec.SwJpeg), "Unsupported codec: sw_jpeg"),
        (
            with_props(config(Codec.HEVC), e.H264DgpuProps()),
            "codec mismatch: H264DgpuProps are for h264, the codec is hevc",
        ),
        (with_props(config(Codec.RAW_RGB), e.PngProps()), "codec mismatch: PngProps are for png, the codec is raw_rgb"),
        (
            with_props(config().mem_type(MemType.CUDA_DEVICE), e.H264JetsonProps()),
            "platform mismatch: H264JetsonProps are for Platform.JETSON, cuda_device memory for Platform.DGPU",
        ),
        (with_props(config().mem_type(MemType.SURFACE_ARRAY), e.H264DgpuProps()), "platform mismatch: H264DgpuProps"),
        (config(Codec.H264, 641, 480), "h264 needs an even width and height, got 641x480"),
        (config(Codec.RAW_NV12, 64, 63), "raw_nv12 needs an even width and height, got 64x63"),
        (config(Codec.HEVC, 14, 64), "hevc needs width and height of at least 16, got 14x64"),
        (config(Codec.AV1, 64, 62), "av1 needs width and height of at least 64, got 64x62"),
        (
            with_props(config(Codec.AV1), e.Av1JetsonProps(tiles="0,5")),
            "Av1JetsonProps.tiles = '0,5': expected at most 128 tiles in at most 16 columns",
        ),
        (
            with_props(config(Codec.AV1), e.Av1JetsonProps(tiles="4,4")),
            "Av1JetsonProps.tiles = '4,4': expected at most",
        ),
        (config(Codec.AV1).fps(241, 1), "av1: fps = 241/1: expected at most 240"),
        (
            with_props(config(), e.H264DgpuProps(tuning_info=LOSSLESS, profile=e.H264Profile.HIGH)),
            "H264DgpuProps.profile = H264Profile.HIGH: a lossless stream needs H264Profile.HIGH444",
        ),
        (
            with_props(config(), e.H264DgpuProps(bitrate=2000, control_rate=VBR, max_bitrate=1999)),
            "H264DgpuProps.max_bitrate = 1999: expected at least bitrate = 2000",
        ),
        (
            with_props(config(), e.H264JetsonProps(bitrate=2000, control_rate=VBR, peak_bitrate=1999)),
            "H264JetsonProps.peak_bitrate = 1999: expected at least bitrate = 2000",
        ),
    ],
    ids=repr,
)
def test_what_cannot_be_encoded_is_refused_early_and_at_opening(bad: EncoderConfig, text: str) -> None:
    for refuse in [validate, e.open_encoder]:
        with pytest.raises(ValueError, match=re.escape(text)):
            refuse(bad)


@pytest.mark.parametrize(
    "good",
    [
        config(Codec.JPEG, 1, 1),
        config(Codec.PNG, 33, 1),
        config(Codec.RAW_RGB, 3, 5),
        config(Codec.RAW_NV12, 2, 2),
        config(Codec.H264, 16, 16),
        config(Codec.AV1, 64, 66).fps(240, 1),
        with_props(config(), e.H264JetsonProps()),
        with_props(config().mem_type(MemType.SURFACE_ARRAY), e.H264JetsonProps()),
        with_props(config().mem_type(MemType.SYSTEM), e.H264DgpuProps(tuning_info=LOSSLESS)),
        with_props(config(), e.H264DgpuProps(bitrate=2000, max_bitrate=1999)),
    ],
    ids=repr,
)
def test_what_can_be_encoded_is_accepted(good: EncoderConfig) -> None:
    validate(good)
