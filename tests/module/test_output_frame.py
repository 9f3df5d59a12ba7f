"""What leaves a module, field by field, and the encoder behind it: proven before the start, told what the YAML says."""

from __future__ import annotations

import io
import logging
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import no_thread_is_left, tree

from picasso.encode import DgpuPreset, H264Profile, HevcProfile, RateControl, TuningPreset
from picasso.module import ConfigError, Module
from picasso.module.config import OutputFrame, load_config
from picasso.module.run.encoders import encoder_config, with_proven_encoder
from picasso.primitives import Attribute, AttributeValue, BBox, VideoFrame, VideoFrameTranscodingMethod
from picasso.surface import MemType
from picasso.testing import nvenc as double

__all__ = ["no_thread_is_left"]

FRAMES = 4
PADDED = {"width": 128, "height": 96, "padding": {"left": 16, "top": 8}}


def sent(number: int) -> VideoFrame:
    """A frame with everything that may leave: fields, an attribute, two objects of which one belongs to the other."""
    frame = VideoFrame(
        "cam", "25/1", 64, 48, time_base=(1, 10**9), pts=number * 40_000_000, dts=number * 40_000_000 + 7,
        duration=40_000_000, codec="mpeg4", keyframe=number == 1,
    )  # fmt: skip
    frame.creation_timestamp_ns = 1_700_000_000_000_000_000 + number
    frame.set_attribute(Attribute("weather", "rain", [AttributeValue.float(0.25)]))
    car = frame.create_object("yolo", "car", detection_box=BBox(20, 10, 8, 6).as_rbbox(), confidence=0.5)
    frame.create_object("yolo", "plate", parent_id=car.id, detection_box=BBox(20, 12, 2, 2).as_rbbox(), confidence=0.25)
    return frame


SENT = [sent(number) for number in range(FRAMES)]


def outputs_of(output: dict[str, Any] | None, frame: dict[str, Any] | None = None) -> list[VideoFrame]:
    parameters = {"output_frame": output, "frame": frame or PADDED}
    with Module({"name": "m", "parameters": parameters}) as module:
        for number in range(FRAMES):
            module.send(SENT[number], np.full((48, 64, 3), 60 * number, np.uint8))
        return [out.frame.video_frame for out in module.run()["cam"]]


KINDS: dict[str, Any] = {
    # output_frame, codec, keyframes, whether dts is there
    "metadata only": (None, "mpeg4", [True] * FRAMES, False),
    "h264": (
        {"codec": "h264", "encoder": "software", "encoder_params": {"key-int-max": 3}},
        "h264", [True, False, False, True], True,
    ),
    "hevc": ({"codec": "hevc", "encoder_params": {"iframeinterval": 2}}, "hevc", [True, False, True, False], True),
    "av1": ({"codec": "av1", "encoder_params": {"iframeinterval": 2}}, "av1", [True, False, True, False], True),
    "jpeg": ({"codec": "jpeg"}, "jpeg", [True] * FRAMES, True),
    "png": ({"codec": "png"}, "png", [True] * FRAMES, True),
    "raw-rgba": ({"codec": "raw-rgba"}, "raw-rgba", [True] * FRAMES, False),
    "raw-rgb24": ({"codec": "raw-rgb24"}, "raw-rgb24", [True] * FRAMES, False),
    "not tagged": (
        {"codec": "h264", "encoder": "software", "condition": {"tag": "encode"}}, "h264", [False] * FRAMES, False,
    ),
}  # fmt: skip
"""The rows of the contract's table, a column each."""


@pytest.mark.parametrize(("output", "codec", "keyframes", "has_dts"), KINDS.values(), ids=KINDS)
def test_every_field_leaves_as_the_table_says(
    output: dict[str, Any] | None, codec: str, keyframes: list[bool], has_dts: bool
) -> None:
    frames = outputs_of(output)
    assert [frame.keyframe for frame in frames] == keyframes
    assert {frame.codec for frame in frames} == {codec}
    assert {(frame.width, frame.height) for frame in frames} == {(144, 104)}
    assert {frame.transcoding_method for frame in frames} == {VideoFrameTranscodingMethod.Encoded}
    assert {frame.content.is_none() for frame in frames} == {not has_dts and not codec.startswith("raw")}
    for number, frame in enumerate(frames):
        was = SENT[number]
        assert frame.dts == (was.pts if has_dts else None)
        kept = ("pts", "duration", "framerate", "uuid", "creation_timestamp_ns", "source_id", "time_base")
        assert {name: getattr(frame, name) for name in kept} == {name: getattr(was, name) for name in kept}
        assert frame.get_attribute("weather", "rain").values[0].as_float() == 0.25  # type: ignore[union-attr]
        assert frame.attributes == [("weather", "rain")]
        car, plate = frame.get_all_objects()
        assert (car.label, plate.label, plate.parent_id, car.track_id) == ("car", "plate", car.id, None)
        assert car.detection_box.as_xcycwh() == pytest.approx((2 * 20 + 16, 2 * 10 + 8, 16, 12), abs=1e-3)
        assert plate.detection_box.as_xcycwh() == pytest.approx((2 * 20 + 16, 2 * 12 + 8, 4, 4), abs=1e-3)
        assert [step.values for step in frame.transformations] == [(64, 48), (144, 104, 16, 8, 0, 0)]


SIZES = {"raw-rgba": 144 * 104 * 4, "raw-rgb24": 144 * 104 * 3}


@pytest.mark.parametrize("codec", SIZES)
def test_raw_pixels_are_packed_tightly_and_ignore_the_condition(codec: str) -> None:
    frames = outputs_of({"codec": codec, "condition": {"tag": "never"}})
    assert {len(frame.content.get_data()) for frame in frames} == {SIZES[codec]}
    channels = SIZES[codec] // (144 * 104)
    pixels = np.frombuffer(frames[2].content.get_data(), np.uint8).reshape(104, 144, channels)
    assert (pixels[8:, 16:, :3] == 120).all()
    assert not pixels[:8, :, :3].any()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_every_keyframe_brings_its_parameter_sets_and_a_message_is_one_access_unit(codec: str) -> None:
    frames = outputs_of({"codec": codec, "encoder_params": {"iframeinterval": 2}})
    for frame in frames:
        data = frame.content.get_data()
        assert data.startswith(b"\0\0\0\1")
        starts = (data[place + 3] for place in range(len(data) - 3) if data[place : place + 3] == b"\0\0\1")
        units = [byte & 31 if codec == "h264" else byte >> 1 & 63 for byte in starts]
        assert (units[0] in (7, 32)) is frame.keyframe
    decoder = av.CodecContext.create(codec, "r")
    packets = [av.Packet(frame.content.get_data()) for frame in frames]
    assert len([one for packet in [*packets, None] for one in decoder.decode(packet)]) == FRAMES  # type: ignore[attr-defined]


# the encoder


def spec(codec: str = "h264", encoder: str | None = "software", profile: str | None = None, **params: Any) -> Any:
    params = {name.replace("_", "-"): value for name, value in params.items()}
    config = encoder_config(OutputFrame(codec, encoder, params, profile), (64, 48), Fraction(30))
    assert config.encoder_params is not None
    return config.encoder_params.props


MAPPED: dict[str, tuple[Any, str, Any]] = {
    "bitrate of software is in kilobits": (spec(bitrate=900), "bitrate", 900_000),
    "bitrate of nvenc is in bits": (spec(encoder="nvenc", bitrate=900_000), "bitrate", 900_000),
    "key-int-max": (spec(key_int_max=12), "iframeinterval", 12),
    "key-int-max 0": (spec(key_int_max=0), "iframeinterval", 250),
    "iframeinterval": (spec(encoder="nvenc", iframeinterval=12), "iframeinterval", 12),
    "iframeinterval 0": (spec(encoder="nvenc", iframeinterval=0), "iframeinterval", 0),
    "force-intra": (spec(encoder="nvenc", iframeinterval=12, force_intra=True), "iframeinterval", 1),
    "control-rate 0": (spec(encoder="nvenc", control_rate=0), "control_rate", RateControl.VARIABLE_BITRATE),
    "control-rate 1": (spec(encoder="nvenc", control_rate=1), "control_rate", RateControl.CONSTANT_BITRATE),
    "preset-id": (spec(encoder="nvenc", preset_id=4), "preset", DgpuPreset.P4),
    "speed-preset": (spec(speed_preset=2), "preset", DgpuPreset.P2),
    "speed-preset by name": (spec(speed_preset="medium"), "preset", DgpuPreset.P6),
    "speed-preset beyond ours": (spec(speed_preset="placebo"), "preset", DgpuPreset.P7),
    "tuning-info-id": (spec(encoder="nvenc", tuning_info_id=3), "tuning_info", TuningPreset.ULTRA_LOW_LATENCY),
    "profile by number": (spec(encoder="nvenc", **{"profile": 0}), "profile", None),
    "profile by name": (spec(profile="high"), "profile", H264Profile.HIGH),
    "no profile": (spec(), "profile", None),
    "extended-colorformat": (spec(encoder="nvenc", extended_colorformat=True), "extended_colorformat", True),
    "pass cbr": (spec(**{"pass": 0}), "control_rate", None),
    "pass quant": (spec(bitrate=900, **{"pass": "quant"}), "const_qp", "21:21:21"),
    "pass qual": (spec(bitrate=900, **{"pass": 5}), "cq", 21),
    "hevc": (spec("hevc", bitrate=900), "bitrate", 900_000),
    "av1": (spec("av1", bitrate=900), "bitrate", 900_000),
    "quality": (spec("jpeg", quality=33), "quality", 33),
    "no quality": (spec("jpeg"), "quality", 85),
    "compression-level": (spec("png", compression_level=2), "compression_level", 2),
}


@pytest.mark.parametrize(("props", "name", "value"), MAPPED.values(), ids=MAPPED)
def test_encoder_params_become_the_properties_of_the_encoder(props: Any, name: str, value: Any) -> None:
    assert getattr(props, name) == value


@pytest.mark.parametrize(
    ("number", "profile"), [(0, H264Profile.BASELINE), (2, H264Profile.MAIN), (7, H264Profile.HIGH444)]
)
def test_nvenc_reads_its_profile_by_number(number: int, profile: H264Profile) -> None:
    output = OutputFrame("h264", "nvenc", {"profile": number}, "main")
    assert encoder_config(output, (64, 48), Fraction(30)).encoder_params.props.profile is profile  # type: ignore[union-attr]
    hevc = OutputFrame("hevc", "nvenc", {"profile": 1})
    assert encoder_config(hevc, (64, 48), Fraction(30)).encoder_params.props.profile is HevcProfile.MAIN10  # type: ignore[union-attr]


def test_every_parameter_that_the_check_takes_is_one_that_encodes() -> None:
    """A module that passes ``check`` does not fail at its first frame."""
    from picasso.module.config.output import PASSES, SPEEDS

    options: dict[str, list[Any]] = {
        "bitrate": [1, 4000], "key-int-max": [0, 1, 600], "pass": [*PASSES, *PASSES.values()],
        "speed-preset": [*SPEEDS, 1, 10], "tune": ["none", "zerolatency", "stillimage", "fastdecode"],
    }  # fmt: skip
    sized = {"width": 64, "height": 48}
    for name, values in options.items():
        for value in values:
            output = {"codec": "h264", "encoder": "software", "encoder_params": {name: value}}
            with_proven_encoder(load_config(tree(parameters={"output_frame": output, "frame": sized})))


MISFITS = {
    "bitrate": (-5, "expected a whole number from 1 to 4294966, got -5"),
    "key-int-max": (1.5, "expected a whole number from 0 to 2147483647, got 1.5"),
    "pass": (17, "unknown value 17; one of 0, 4, 5, cbr, quant, qual"),
    "speed-preset": ("warp", "unknown value 'warp'; one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ultrafast, superfast,"),
    "tune": ("film", "unknown value 'film'; one of none, stillimage, fastdecode, zerolatency"),
}


@pytest.mark.parametrize(("name", "value", "text"), [(name, *misfit) for name, misfit in MISFITS.items()], ids=MISFITS)
def test_a_parameter_outside_its_range_is_refused_by_the_check(name: str, value: Any, text: str) -> None:
    output = {"codec": "h264", "encoder": "software", "encoder_params": {name: value}}
    with pytest.raises(ConfigError) as caught:
        load_config(tree(parameters={"output_frame": output}))
    assert f"parameters.output_frame.encoder_params.{name}: {text}" in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "output", "text"),
    [
        ({"width": 65, "height": 48, "geometry_base": 1}, {"codec": "h264"}, "width: h264 takes even sizes, got 65"),
        ({"width": 64, "height": 48}, {"codec": "av1"}, "frame.height: av1 takes at least 64 pixels, got 48"),
        (
            {"width": 64, "height": 48, "padding": {"left": 1}, "geometry_base": 1},
            {"codec": "hevc"}, "frame.width: hevc takes even sizes, got 65 pixels",
        ),
    ],
)  # fmt: skip
def test_a_size_that_the_codec_does_not_have_is_refused_by_the_check(
    frame: dict[str, Any], output: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tree(parameters={"output_frame": output, "frame": frame}))
    assert text in str(caught.value)


def test_every_frame_of_a_size_that_the_codec_does_not_have_is_counted_as_failed_and_the_others_leave() -> None:
    parameters = {"output_frame": {"codec": "h264"}, "frame": {"width": None, "height": None}}
    with Module({"name": "m", "parameters": parameters}) as module:
        for number, width in enumerate([65, 65, 64, 64, 67, 67, 67, 64]):
            frame = VideoFrame("cam", "25/1", width, 48, time_base=(1, 10**9), pts=number * 40_000_000)
            module.send(frame, np.zeros((48, width, 3), np.uint8))
        left = module.run()["cam"]
    assert [out.frame.pts // 40_000_000 for out in left] == [2, 3, 7]
    assert str(module.statistics()) == "module 'm': 8 frames in = 3 out + 5 dropped (failed 5)"


def test_padding_that_is_cut_may_be_odd() -> None:
    frame = {"width": 64, "height": 48, "padding": {"left": 1, "keep": False}, "geometry_base": 1}
    assert {(f.width, f.height) for f in outputs_of({"codec": "h264"}, frame)} == {(64, 48)}


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "jpeg"])
def test_an_encoder_that_is_named_and_not_there_stops_the_start_with_the_reason(codec: str) -> None:
    parameters = {"output_frame": {"codec": codec, "encoder": "nvenc"}, "frame": {"width": 64, "height": 64}}
    module = Module({"name": "m", "parameters": parameters})
    with pytest.raises(ConfigError) as caught:
        module.run()
    (problem,) = caught.value.problems
    assert str(problem).startswith(
        f"<config>: parameters.output_frame.encoder: {codec} by nvenc cannot be encoded here: "
    )


def test_the_command_ends_with_1_and_the_reason(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "m.yml").write_text(
        "name: m\nparameters:\n  output_frame: {codec: h264, encoder: nvenc}\n"
        "pipeline: {source: {element: videotestsrc}, sink: [{element: devnull_sink}]}\n"
    )
    command = [sys.executable, "-m", "picasso", "run", "m.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("m.yml:3: parameters.output_frame.encoder: h264 by nvenc cannot be")


def test_without_a_name_software_takes_over_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "picasso.module"):
        module = with_proven_encoder(load_config(tree(parameters={"output_frame": {"codec": "h264"}})))
    assert module.output_frame is not None
    assert module.output_frame.encoder == "software"
    assert any(record.message.startswith("output_frame: h264 is encoded by software: ") for record in caplog.records)


@pytest.fixture
def an_nvenc(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVENC's double where the library and the GPU would be."""
    monkeypatch.setattr("picasso.encode.nvenc.load_library", lambda: double)
    monkeypatch.setattr("picasso.encode.nvenc.CudaGpu", lambda _device: double.HostGpu())


@pytest.mark.usefixtures("an_nvenc")
@pytest.mark.parametrize("encoder", [None, "nvenc"])
def test_hardware_comes_first_where_it_is_there(encoder: str | None) -> None:
    output = {"codec": "h264", "encoder": encoder, "encoder_params": {"bitrate": 900_000}}
    module = with_proven_encoder(load_config(tree(parameters={"output_frame": output})))
    assert module.output_frame is not None
    assert module.output_frame.encoder == "nvenc"
    config = encoder_config(module.output_frame, (64, 48), Fraction(30))
    assert (config.memory_type, config.encoder_params.props.bitrate) == (MemType.CUDA_DEVICE, 900_000)  # type: ignore[union-attr]


@pytest.mark.parametrize(("encoder", "rate", "bits"), [(None, 900_000, 900_000), ("software", 900, 900_000)])
def test_a_bit_rate_is_in_bits_unless_software_is_named(encoder: str | None, rate: int, bits: int) -> None:
    output = {"codec": "h264", "encoder": encoder, "encoder_params": {"bitrate": rate}}
    module = with_proven_encoder(load_config(tree(parameters={"output_frame": output})))
    assert module.output_frame is not None
    props = encoder_config(module.output_frame, (64, 48), Fraction(30)).encoder_params.props  # type: ignore[union-attr]
    assert props.bitrate == bits


def test_stills_are_what_their_names_say() -> None:
    from PIL import Image

    for codec, form in (("jpeg", "JPEG"), ("png", "PNG")):
        picture = Image.open(io.BytesIO(outputs_of({"codec": codec})[0].content.get_data()))
        assert (picture.format, picture.size) == (form, (144, 104))


def test_parameters_that_come_from_variables_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICASSO_TEST_RATE", "900")
    params = {"bitrate": "${oc.env:PICASSO_TEST_RATE}", "speed-preset": "medium"}
    output = {"codec": "h264", "encoder": "software", "encoder_params": params}
    config = load_config(tree(parameters={"output_frame": output}))
    assert config.output_frame is not None
    assert config.output_frame.encoder_params == {"bitrate": 900, "speed-preset": "medium"}


def test_encoders_of_pyfuncs_are_held_to_the_same_rules() -> None:
    encoders = [{"codec": "jpeg"}, {"codec": "jpeg", "encoder_params": {"quality": 101, "qualty": 5}}]
    with pytest.raises(ConfigError) as caught:
        load_config(tree(parameters={"auxiliary_encoders": encoders}))
    place = "<config>: parameters.auxiliary_encoders[1].encoder_params"
    assert str(caught.value).splitlines() == [
        f"{place}.quality: expected a whole number from 0 to 100, got 101",
        f"{place}.qualty: unknown parameter of jpeg: 'qualty'; did you mean 'quality'?",
    ]
