"""What each property does to a stream, seen in the stream."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing

import av
import numpy as np
import pytest
from encoded_streams import SIZE_WH, Picture, decode, encode_all, psnr, surface_of, syntax
from property_tables import GOOD, ORDER, PROFILES

from picasso.encode import (
    Av1DgpuProps,
    Av1JetsonProps,
    Codec,
    DgpuPreset,
    EncodedUnit,
    Encoder,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    H264JetsonProps,
    H264Profile,
    HevcDgpuProps,
    HevcJetsonProps,
    HevcProfile,
    JetsonPresetLevel,
    RateControl,
    TuningPreset,
    open_encoder,
)
from picasso.encode.property_types import Props

CBR, VBR, CQP = RateControl.CONSTANT_BITRATE, RateControl.VARIABLE_BITRATE, RateControl.CONSTANT_QP
Opened = Callable[..., Encoder]


def size_of(units: list[EncodedUnit]) -> int:
    return sum(len(unit.data) for unit in units)


def quantiser(codec: Codec, unit: EncodedUnit, key: EncodedUnit) -> int:
    """Quantiser of a frame's first slice; ``key`` has the parameter sets."""
    if codec is Codec.AV1:
        both = EncodedUnit(key.data + unit.data, 0, 0, None, True)
        return syntax(codec, both if unit is not key else key, "base_q_idx")["base_q_idx"]
    base = "pic_init_qp_minus26" if codec is Codec.H264 else "init_qp_minus26"
    found = syntax(codec, EncodedUnit(key.data + unit.data, 0, 0, None, True), base, "slice_qp_delta")
    return 26 + found[base] + found["slice_qp_delta"]


@pytest.mark.parametrize(
    "kind", [kind for kind in ORDER if len(ORDER[kind].split()) > 1], ids=lambda kind: kind.__name__
)
@pytest.mark.parametrize("mode", list(RateControl), ids=lambda mode: mode._name_)
def test_the_libraries_take_every_value_of_every_property(
    kind: type[Props], mode: RateControl, opened: Opened, clip: list[Picture]
) -> None:
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as complaints:
            for name in ORDER[kind].split():
                for value in GOOD.get(name) or list(PROFILES.get(kind, HevcProfile)):
                    encoder = opened(kind.codec, kind(**{"control_rate": mode, name: value}))
                    assert len(encoder.encode(surface_of(encoder, clip[0]), 0, None)) == 1
                    encoder.close()
    finally:
        av.logging.set_level(None)
    assert not [text for _, _, text in complaints if "option" in text.lower() or "unknown" in text.lower()]


@pytest.mark.parametrize(
    ("props", "intra", "inter"),
    [
        (H264DgpuProps(control_rate=CQP, const_qp="30:20:1"), 30, 20),
        (H264DgpuProps(control_rate=CQP, const_qp="20:33:1"), 20, 33),
        (H264DgpuProps(control_rate=CQP), 25, 28),
        (H264JetsonProps(ratecontrol_enable=False, quant_i_frames=22, quant_p_frames=27), 22, 27),
        (H264JetsonProps(ratecontrol_enable=False, quant_p_frames=40), 25, 40),
        (HevcDgpuProps(control_rate=CQP, const_qp="30:20:1"), 30, 20),
        (HevcDgpuProps(control_rate=CQP, const_qp="20:33:1"), 20, 33),
        (HevcJetsonProps(ratecontrol_enable=False, quant_i_frames=22, quant_p_frames=27), 22, 27),
        (Av1DgpuProps(control_rate=CQP), 125, 140),
        (Av1JetsonProps(ratecontrol_enable=False, quant_i_frames=101, quant_p_frames=160), 101, 160),
        (Av1JetsonProps(ratecontrol_enable=False, quant_i_frames=255, quant_p_frames=255), 255, 255),
        (Av1JetsonProps(ratecontrol_enable=False, quant_i_frames=160, quant_p_frames=101), 160, 100),
        (Av1JetsonProps(ratecontrol_enable=False, quant_i_frames=1, quant_p_frames=255), 191, 255),
        (Av1JetsonProps(ratecontrol_enable=False, quant_i_frames=255, quant_p_frames=4), 67, 4),
    ],
    ids=repr,
)
def test_constant_quantisers_are_those_of_the_slices(
    props: Props, intra: int, inter: int, opened: Opened, clip: list[Picture]
) -> None:
    units = encode_all(opened(props.codec, props), clip[:3])
    assert [quantiser(props.codec, unit, units[0]) for unit in units] == [intra, inter, inter]


@pytest.mark.parametrize(
    "props",
    [
        H264DgpuProps(bitrate=100_000, qp_range="30:33"),
        H264JetsonProps(bitrate=4_000_000, qp_range="30:33"),
        HevcDgpuProps(bitrate=100_000, qp_range="30:33"),
        Av1DgpuProps(bitrate=100_000, qp_range="120:132"),
    ],
    ids=repr,
)
def test_quantisers_stay_in_their_range(props: Props, opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(props.codec, props), clip[:8])
    low, high = (int(number) for number in props.given()["qp_range"].split(":"))
    assert {low <= quantiser(props.codec, unit, units[0]) <= high for unit in units} == {True}


@pytest.mark.parametrize(
    ("props", "number"),
    [
        (H264DgpuProps(), 66),
        (H264DgpuProps(preset=DgpuPreset.P5), 66),
        (H264DgpuProps(profile=H264Profile.BASELINE), 66),
        (H264DgpuProps(profile=H264Profile.MAIN), 77),
        (H264DgpuProps(profile=H264Profile.HIGH), 100),
        (H264DgpuProps(profile=H264Profile.HIGH444), 100),
        (H264DgpuProps(tuning_info=TuningPreset.LOSSLESS), 244),
        (HevcDgpuProps(), 1),
        (HevcDgpuProps(profile=HevcProfile.MAIN10), 2),
        (HevcDgpuProps(profile=HevcProfile.FREXT), 1),
    ],
    ids=repr,
)
def test_the_profile_is_that_of_the_stream(props: Props, number: int, opened: Opened, clip: list[Picture]) -> None:
    name = "profile_idc" if props.codec is Codec.H264 else "general_profile_idc"
    (unit,) = encode_all(opened(props.codec, props), clip[:1])
    assert syntax(props.codec, unit, name) == {name: number}


@pytest.mark.parametrize("size_wh", [(1920, 1080), (2048, 1090), (2050, 1086), (64, 4222), (64, 4208)], ids=str)
@pytest.mark.parametrize("fps", [30, 65])
@pytest.mark.parametrize(
    "props",
    [
        HevcDgpuProps(),
        HevcDgpuProps(20_000_000),
        HevcDgpuProps(21_000_000),
        HevcDgpuProps(12_000_000, tuning_info=TuningPreset.HIGH_QUALITY),
        HevcDgpuProps(control_rate=CQP),
        HevcJetsonProps(num_ref_frames=5),
        HevcJetsonProps(num_ref_frames=8),
    ],
    ids=repr,
)
def test_hevc_opens_on_both_sides_of_every_limit_of_level_41(size_wh: tuple[int, int], fps: int, props: Props) -> None:
    config = EncoderConfig(Codec.HEVC, *size_wh).fps(fps, 1).properties(EncoderProperties(props))
    open_encoder(config).close()


@pytest.mark.parametrize(("disable", "flag"), [(None, 1), (False, 1), (True, 0)])
def test_cabac_can_be_disabled(disable: bool | None, flag: int, opened: Opened, clip: list[Picture]) -> None:
    props = H264JetsonProps(profile=H264Profile.MAIN, disable_cabac=disable)
    (unit,) = encode_all(opened(Codec.H264, props), clip[:1])
    assert syntax(Codec.H264, unit, "entropy_coding_mode_flag") == {"entropy_coding_mode_flag": flag}


def test_reference_frames_are_counted_in_the_stream(opened: Opened, clip: list[Picture]) -> None:
    (unit,) = encode_all(opened(Codec.H264, H264JetsonProps(num_ref_frames=3)), clip[:1])
    assert syntax(Codec.H264, unit, "max_num_ref_frames") == {"max_num_ref_frames": 3}


def test_tiles_are_those_of_the_stream(opened: Opened) -> None:
    encoder = opened(Codec.AV1, Av1JetsonProps(tiles="1,1"), (256, 256))
    (unit,) = encoder.encode(surface_of(encoder, _flat(256)), 0, None)
    names = ("increment_tile_cols_log2", "increment_tile_rows_log2")
    found = syntax(Codec.AV1, unit, "context_update_tile_id", "tile_size_bytes_minus1", *names)
    assert {"context_update_tile_id", "tile_size_bytes_minus1"} <= found.keys()  # written only where there are tiles


@pytest.mark.parametrize(
    "props",
    [
        H264DgpuProps(tuning_info=TuningPreset.LOSSLESS),
        HevcDgpuProps(tuning_info=TuningPreset.LOSSLESS),
        HevcJetsonProps(enable_lossless=True),
        Av1DgpuProps(tuning_info=TuningPreset.LOSSLESS, control_rate=VBR, cq=40),
    ],
    ids=repr,
)
def test_lossless_is_lossless(props: Props, opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(props.codec, props), clip[:4])
    assert psnr(decode(props.codec, units), clip[:4]) == float("inf")


@pytest.mark.parametrize("size_wh", [(16, 16), (24, 24), (256, 16), (16, 256)], ids=str)
@pytest.mark.parametrize(
    "props",
    [
        HevcDgpuProps(bitrate=60_000_000),
        HevcDgpuProps(bitrate=60_000_000, control_rate=VBR, max_bitrate=120_000_000),
        HevcDgpuProps(tuning_info=TuningPreset.LOSSLESS),
        HevcJetsonProps(bitrate=60_000_000, enable_lossless=True),
        HevcDgpuProps(bitrate=60_000_000, profile=HevcProfile.MAIN10),
    ],
    ids=repr,
)
def test_tiny_pictures_take_any_bit_rate(props: Props, size_wh: tuple[int, int], opened: Opened) -> None:
    """Such rates are of levels that forbid the small blocks which such pictures need: libx265 would not open."""
    width, height = size_wh
    rng = np.random.default_rng(1)
    pictures = list(rng.integers(64, 192, (3, height * 3 // 2, width), np.uint8))
    frames = decode(props.codec, encode_all(opened(props.codec, props, size_wh), pictures))
    assert {(frame.width, frame.height) for frame in frames} == {size_wh}
    assert psnr([frame.reformat(format="yuv420p") for frame in frames], pictures) > 38


@pytest.mark.parametrize("kind", [H264DgpuProps, HevcDgpuProps, Av1DgpuProps], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("mode", [CBR, VBR], ids=["cbr", "vbr"])
def test_a_bit_rate_is_kept(kind: Callable[..., Props], mode: RateControl, opened: Opened, clip: list[Picture]) -> None:
    sizes = {}
    for bitrate in [80_000, 320_000]:
        props = kind(bitrate=bitrate, control_rate=mode, iframeinterval=0)
        sizes[bitrate] = size_of(encode_all(opened(props.codec, props), (clip + clip[::-1]) * 2)) * 8 * 30 / 160
        assert sizes[bitrate] == pytest.approx(bitrate, rel=0.25)
    assert sizes[320_000] > 3 * sizes[80_000]


@pytest.mark.parametrize("kind", [H264DgpuProps, HevcDgpuProps, Av1DgpuProps], ids=lambda kind: kind.__name__)
def test_a_target_quality_decides_the_size_under_variable_rate_only(
    kind: Callable[..., Props], opened: Opened, clip: list[Picture]
) -> None:
    def size(**given: object) -> int:
        props = kind(**given)
        return size_of(encode_all(opened(props.codec, props), clip[:6]))

    assert size(control_rate=VBR, cq=20) > 1.5 * size(control_rate=VBR, cq=35)
    assert size(control_rate=CBR, cq=20) == size(control_rate=CBR, cq=35) == size()
    assert size(control_rate=VBR, cq=0) == size(control_rate=VBR)


@pytest.mark.parametrize(
    ("codec", "best", "middle", "worst"),
    [(Codec.H264, 1, 23.5, 51), (Codec.HEVC, 0, 24.5, 51), (Codec.AV1, 1, 32, 63)],
    ids=["h264", "hevc", "av1"],
)
def test_a_constant_quality_decides_size_and_likeness(
    codec: Codec, best: float, middle: float, worst: float, clip: list[Picture]
) -> None:
    sizes, likeness = [], []
    for crf in (best, middle, worst):
        with closing(open_encoder(EncoderConfig(codec, *SIZE_WH).constant_quality(crf))) as encoder:
            units = encode_all(encoder, clip[:6])
        sizes.append(size_of(units))
        likeness.append(psnr(decode(codec, units), clip[:6]))
    assert sizes[0] > 4 * sizes[1] > 16 * sizes[2]
    assert likeness[0] > 45
    assert likeness[0] > likeness[1] > likeness[2] + 5


def test_a_cap_holds_a_constant_quality_down(clip: list[Picture]) -> None:
    def size(props: Props) -> int:
        config = EncoderConfig(Codec.H264, *SIZE_WH).constant_quality(10).properties(EncoderProperties(props))
        with closing(open_encoder(config)) as encoder:
            return size_of(encode_all(encoder, clip))

    assert size(H264DgpuProps(max_bitrate=100_000)) < 0.5 * size(H264DgpuProps())


def test_a_smaller_and_emptier_buffer_makes_smaller_keyframes(opened: Opened, clip: list[Picture]) -> None:
    for kind in [H264DgpuProps, HevcDgpuProps, Av1DgpuProps]:
        props = [
            kind(bitrate=100_000),
            kind(bitrate=100_000, vbv_buf_size=8_000),
            kind(bitrate=100_000, vbv_buf_size=8_000, vbv_init=2_000),
        ]
        sizes = [len(encode_all(opened(kind.codec, one), clip[:1])[0].data) for one in props]
        assert sizes[0] > sizes[1] >= sizes[2], kind.__name__


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        (H264DgpuProps(100_000), H264DgpuProps(100_000, preset=DgpuPreset.P5)),
        (
            H264JetsonProps(100_000, preset_level=JetsonPresetLevel.ULTRA_FAST),
            H264JetsonProps(100_000, preset_level=JetsonPresetLevel.SLOW),
        ),
        (HevcDgpuProps(100_000), HevcDgpuProps(100_000, preset=DgpuPreset.P5)),
        (Av1DgpuProps(100_000), Av1DgpuProps(100_000, preset=DgpuPreset.P6)),
    ],
    ids=["h264", "h264 jetson", "hevc", "av1"],
)
def test_more_effort_makes_a_better_picture(fast: Props, slow: Props, opened: Opened, clip: list[Picture]) -> None:
    quality = [psnr(decode(p.codec, encode_all(opened(p.codec, p), clip[:16])), clip[:16]) for p in (fast, slow)]
    assert quality[1] > quality[0] + 0.3


@pytest.mark.parametrize("kind", [H264DgpuProps, HevcDgpuProps], ids=lambda kind: kind.__name__)
def test_adaptive_quantisation_moves_bits_about(
    kind: Callable[..., Props], opened: Opened, clip: list[Picture]
) -> None:
    streams = []
    for aq in [None, 0, 8, 15]:
        props = kind(bitrate=100_000, preset=DgpuPreset.P1, aq=aq)
        streams.append([unit.data for unit in encode_all(opened(props.codec, props), clip[:3])])
    assert streams[1] == streams[2]  # 0 is the library's own strength
    assert streams[2] != streams[3]


@pytest.mark.parametrize("rate", [{"control_rate": CQP}, {"control_rate": VBR, "cq": 30}], ids=["cqp", "cq"])
def test_av1_adapts_where_no_bit_rate_is_asked_for(
    rate: dict[str, object], opened: Opened, clip: list[Picture]
) -> None:
    plain, boosted = (Av1DgpuProps(**rate, aq=aq) for aq in (None, 15))
    sizes = [size_of(encode_all(opened(Codec.AV1, props), clip[:3])) for props in (plain, boosted)]
    assert sizes[1] > sizes[0]


@pytest.mark.parametrize(
    ("props", "names"),
    [
        (H264DgpuProps(init_qp="20:20:20", temporal_aq=True), ["init_qp", "temporal_aq"]),
        (H264DgpuProps(bitrate=10_000, aq=3, cq=4, temporal_aq=False, max_bitrate=20_000), []),
        (
            H264JetsonProps(maxperf_enable=True, two_pass_cbr=True, insert_sps_pps=False, insert_vui=False),
            ["maxperf_enable", "two_pass_cbr", "insert_sps_pps", "insert_vui"],
        ),
        (H264JetsonProps(maxperf_enable=False, two_pass_cbr=False, insert_sps_pps=True, insert_vui=True), []),
        (HevcDgpuProps(profile=HevcProfile.FREXT), ["profile"]),
        (HevcDgpuProps(profile=HevcProfile.MAIN10), []),
        (Av1DgpuProps(aq=3), ["aq"]),
        (Av1DgpuProps(aq=3, control_rate=VBR, cq=30), []),
        (Av1DgpuProps(control_rate=VBR, bitrate=10_000, max_bitrate=20_000), ["max_bitrate"]),
        (Av1JetsonProps(control_rate=VBR, bitrate=10_000, peak_bitrate=20_000), ["peak_bitrate"]),
        (
            Av1JetsonProps(quant_b_frames=3, num_ref_frames=2, insert_seq_hdr=False),
            ["insert_seq_hdr", "quant_b_frames", "num_ref_frames"],
        ),
    ],
    ids=repr,
)
def test_a_property_without_effect_is_named_once_an_opening(
    props: Props, names: list[str], opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "picasso.encode"):
        opened(props.codec, props)
    kind = type(props).__name__
    assert [record.getMessage().split(" has no effect: ")[0] for record in caplog.records] == [
        f"{kind}.{name} = {getattr(props, name)!r}" for name in names
    ]


def _flat(side: int) -> Picture:
    return np.full((side * 3 // 2, side), 100, np.uint8)
