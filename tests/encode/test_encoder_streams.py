"""What holds for every H.264, HEVC and AV1 stream."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
import pytest
from encoded_streams import (
    FRAME_NS,
    SIZE_WH,
    Picture,
    decode,
    encode_all,
    nal_types,
    obu_types,
    psnr,
    surface_of,
    syntax,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.encode import (
    Av1DgpuProps,
    Codec,
    Encoder,
    EncoderConfig,
    H264DgpuProps,
    H264JetsonProps,
    HevcDgpuProps,
    HevcProfile,
    open_encoder,
)
from picasso.encode.bitstream import parameter_sets
from picasso.errors import EncoderError, SurfaceError
from picasso.surface.formats import ColorSpace, Matrix, VideoFormat
from picasso.surface.view import SurfaceView

VIDEO = [Codec.H264, Codec.HEVC, Codec.AV1]
PROPS = {Codec.H264: H264DgpuProps, Codec.HEVC: HevcDgpuProps, Codec.AV1: Av1DgpuProps}
Opened = Callable[..., Encoder]

every_codec = pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.name())


@every_codec
def test_a_stream_decodes_to_what_was_encoded(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(codec), clip)
    frames = decode(codec, units)
    assert len(frames) == len(clip)
    assert {(frame.width, frame.height) for frame in frames} == {SIZE_WH}
    assert psnr(frames, clip) > 38


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system has no scheduling classes")
@every_codec
def test_an_encoder_leaves_every_thread_its_priority(codec: Codec, opened: Opened) -> None:
    def policies() -> set[int]:
        return {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}

    assert policies() == {os.SCHED_OTHER}
    opened(codec)
    assert policies() == {os.SCHED_OTHER}


@every_codec
def test_timestamps_and_durations_come_out_as_they_went_in(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    encoder = opened(codec)
    times = [-5, 0, 1, 33_333_333, 33_333_334, 2**62, 2**62 + 10**15, 2**63 - 1]
    for pts_ns, picture in zip(times, clip, strict=False):
        (unit,) = encoder.encode(surface_of(encoder, picture), pts_ns, duration := pts_ns % 7 or None)
        assert (unit.pts_ns, unit.dts_ns, unit.duration_ns) == (pts_ns, pts_ns, duration)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8, unique=True).map(sorted))
def test_any_rising_timestamps_are_kept(times: list[int]) -> None:
    encoder = open_encoder(EncoderConfig(Codec.H264, 32, 32))
    surface = SurfaceView.allocate(VideoFormat.I420, (32, 32), encoder.color)
    assert [unit.pts_ns for pts_ns in times for unit in encoder.encode(surface, pts_ns, None)] == times
    encoder.close()


@every_codec
@pytest.mark.parametrize("interval", [1, 7, 30])
def test_keyframes_stand_at_the_interval(codec: Codec, interval: int, opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(codec, PROPS[codec](iframeinterval=interval)), clip)
    assert [i for i, unit in enumerate(units) if unit.keyframe] == list(range(0, len(clip), interval))


@every_codec
def test_the_default_interval_is_30_and_0_means_never_again(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    for props, expected in [(None, [0, 30]), (PROPS[codec](iframeinterval=0), [0])]:
        units = encode_all(opened(codec, props), clip)
        assert [i for i, unit in enumerate(units) if unit.keyframe] == expected


@every_codec
def test_a_forced_keyframe_starts_the_interval_anew(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(codec, PROPS[codec](iframeinterval=10)), clip[:20], forced=frozenset({4}))
    assert [i for i, unit in enumerate(units) if unit.keyframe] == [0, 4, 14]


@every_codec
def test_decoding_can_begin_at_every_keyframe(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(codec, PROPS[codec](iframeinterval=10)), clip[:30], forced=frozenset({15}))
    for start in [10, 15, 25]:
        assert units[start].keyframe
        assert psnr(decode(codec, units[start:]), clip[start:30]) > 35


def test_h264_keyframes_carry_sps_and_pps_and_are_idr(opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(Codec.H264, H264DgpuProps(iframeinterval=5)), clip[:11])
    kinds = [[t for t in nal_types(Codec.H264, unit.data) if t != 6] for unit in units]  # 6: SEI
    assert kinds == [[7, 8, 5] if i % 5 == 0 else [1] for i in range(11)]


def test_hevc_keyframes_carry_vps_sps_and_pps_and_are_idr(opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(Codec.HEVC, HevcDgpuProps(iframeinterval=5)), clip[:11])
    kinds = [nal_types(Codec.HEVC, unit.data) for unit in units]
    assert kinds == [[32, 33, 34, 20] if i % 5 == 0 else [1] for i in range(11)]


def test_av1_units_are_temporal_units_and_keyframes_carry_the_sequence_header(
    opened: Opened, clip: list[Picture]
) -> None:
    units = encode_all(opened(Codec.AV1, Av1DgpuProps(iframeinterval=5)), clip[:11])
    kinds = [obu_types(unit.data) for unit in units]
    assert kinds == [[2, 1, 6] if i % 5 == 0 else [2, 6] for i in range(11)]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC], ids=lambda codec: codec.name())
def test_there_are_no_b_frames(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    frames = decode(codec, encode_all(opened(codec, PROPS[codec](preset=None)), clip))
    assert {av.video.frame.PictureType(frame.pict_type).name for frame in frames} == {"I", "P"}


@every_codec
@pytest.mark.parametrize("height", [96, 720])
def test_colour_tags_say_what_the_encoder_asked_for(codec: Codec, height: int, opened: Opened) -> None:
    encoder = opened(codec, None, (128, height))
    assert encoder.color == ColorSpace.for_height(height)
    surface = SurfaceView.allocate(VideoFormat.I420, (128, height), encoder.color)
    (frame,) = decode(codec, encoder.encode(surface, 0, None))
    number = 1 if height >= 720 else 6  # ITU-T H.273: BT.709, SMPTE 170M
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (number, number, number)
    assert frame.color_range == 1


@every_codec
def test_a_stream_is_tagged_with_the_matrix_asked_for(codec: Codec) -> None:
    encoder = open_encoder(EncoderConfig(codec, 128, 96).matrix(Matrix.BT709))
    surface = SurfaceView.allocate(VideoFormat.I420, (128, 96), encoder.color)
    units = encoder.encode(surface, 0, None)
    assert encoder.reconfigure(EncoderConfig(codec, 128, 96)) is False
    assert encoder.reconfigure(EncoderConfig(codec, 128, 96).matrix(Matrix.BT709)) is True
    (frame,) = decode(codec, units + encoder.flush())
    assert encoder.color.matrix is Matrix.BT709
    assert frame.colorspace == 1


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC], ids=lambda codec: codec.name())
def test_full_range_is_asked_for_and_tagged(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    encoder = opened(codec, PROPS[codec](extended_colorformat=True))
    assert encoder.color == ColorSpace(Matrix.BT601, full_range=True)
    frames = decode(codec, encode_all(encoder, clip[:3]))
    assert {frame.color_range for frame in frames} == {2}
    assert psnr(frames, clip[:3]) > 36


@pytest.mark.parametrize("full_range", [False, True])
def test_ten_bits_hold_the_same_picture(full_range: bool, opened: Opened, clip: list[Picture]) -> None:
    props = HevcDgpuProps(profile=HevcProfile.MAIN10, extended_colorformat=full_range)
    frames = decode(Codec.HEVC, encode_all(opened(Codec.HEVC, props), clip[:6]))
    assert {frame.format.name for frame in frames} == {"yuv420p10le"}
    assert psnr([frame.reformat(format="yuv420p") for frame in frames], clip[:6]) > 36


@every_codec
def test_a_surface_may_be_written_to_as_soon_as_encode_returns(
    codec: Codec, opened: Opened, clip: list[Picture]
) -> None:
    expected = [unit.data for unit in encode_all(opened(codec), clip[:12])]
    encoder = opened(codec)
    surface = SurfaceView.allocate(VideoFormat.I420, SIZE_WH, encoder.color)
    units = []
    for index, picture in enumerate(clip[:12]):
        for plane, source in zip(surface.planes, SurfaceView.wrap(picture, VideoFormat.I420).planes, strict=True):
            plane[...] = source
        units += encoder.encode(surface, index, None)
        surface.memset(255 * (index % 2))
    assert [unit.data for unit in units] == expected


@every_codec
def test_planes_may_lie_anywhere(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    expected = [unit.data for unit in encode_all(opened(codec), clip[:4])]
    encoder, units = opened(codec), []
    for index, picture in enumerate(clip[:4]):
        planes = []
        for plane in SurfaceView.wrap(picture, VideoFormat.I420).planes:
            wide = np.zeros((plane.shape[0], plane.shape[1] + 32), np.uint8)
            wide[::-1, :-32] = plane
            planes.append(wide[::-1, :-32])
        surface = SurfaceView.from_planes(planes, VideoFormat.I420, SIZE_WH, encoder.color)
        units += encoder.encode(surface, index, None)
    assert [unit.data for unit in units] == expected


@every_codec
def test_closing_and_flushing_may_be_repeated_and_end_the_stream(
    codec: Codec, opened: Opened, clip: list[Picture]
) -> None:
    flushed, closed = opened(codec), opened(codec)
    for encoder in [flushed, closed]:
        encoder.encode(surface_of(encoder, clip[0]), 0, None)
    assert flushed.flush() == flushed.flush() == []
    closed.close()
    closed.close()
    assert closed.flush() == []
    for encoder in [flushed, closed]:
        with pytest.raises(EncoderError, match="the encoder is closed"):
            encoder.encode(surface_of(encoder, clip[1]), 1, None)
        with pytest.raises(EncoderError, match="the encoder is closed"):
            encoder.reconfigure(EncoderConfig(codec, *SIZE_WH))


@every_codec
@pytest.mark.parametrize("pts_ns", [7, 6, -(2**63)])
def test_a_timestamp_that_does_not_rise_is_refused_and_the_stream_goes_on(
    codec: Codec, pts_ns: int, opened: Opened, clip: list[Picture]
) -> None:
    encoder = opened(codec)
    encoder.encode(surface_of(encoder, clip[0]), 7, None)
    with pytest.raises(EncoderError, match=rf"Input PTS reordering detected: {pts_ns} ns after 7 ns"):
        encoder.encode(surface_of(encoder, clip[1]), pts_ns, None)
    assert len(encoder.encode(surface_of(encoder, clip[1]), 8, None)) == 1


@pytest.mark.parametrize(
    ("surface", "text"),
    [
        (SurfaceView.allocate(VideoFormat.NV12, SIZE_WH), "got NV12 128x96 bt601 limited range"),
        (SurfaceView.allocate(VideoFormat.RGBA, SIZE_WH), "got RGBA 128x96"),
        (SurfaceView.allocate(VideoFormat.I420, (128, 98)), "got I420 128x98"),
        (SurfaceView.allocate(VideoFormat.I420, SIZE_WH, ColorSpace(Matrix.BT709)), "got I420 128x96 bt709"),
        (SurfaceView.allocate(VideoFormat.I420, SIZE_WH, ColorSpace(Matrix.BT601, True)), "bt601 full range"),
    ],
    ids=["NV12", "RGBA", "other size", "other matrix", "other range"],
)
def test_another_surface_is_refused_and_the_stream_goes_on(
    surface: SurfaceView, text: str, opened: Opened, clip: list[Picture]
) -> None:
    encoder = opened(Codec.H264)
    with pytest.raises(SurfaceError, match="libx264: expected I420 128x96 bt601 limited range, got") as caught:
        encoder.encode(surface, 0, None)
    assert text in str(caught.value)
    assert len(encoder.encode(surface_of(encoder, clip[0]), 0, None)) == 1


@every_codec
def test_extradata_holds_the_parameter_sets_of_the_stream(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    encoder = opened(codec)
    assert encoder.extradata == b""
    (unit,) = encoder.encode(surface_of(encoder, clip[0]), 0, None)
    kinds = obu_types(encoder.extradata) if codec is Codec.AV1 else nal_types(codec, encoder.extradata)
    assert kinds == {Codec.H264: [7, 8], Codec.HEVC: [32, 33, 34], Codec.AV1: [1]}[codec]
    assert encoder.extradata == parameter_sets(codec, unit.data)
    (later,) = encoder.encode(surface_of(encoder, clip[1]), 1, None)
    assert parameter_sets(codec, later.data) == b""


def test_an_access_unit_delimiter_comes_first(opened: Opened, clip: list[Picture]) -> None:
    units = encode_all(opened(Codec.H264, H264JetsonProps(insert_aud=True)), clip[:2])
    assert [nal_types(Codec.H264, unit.data)[0] for unit in units] == [9, 9]


@every_codec
def test_encoders_write_nothing_to_the_terminal(
    codec: Codec, clip: list[Picture], capfd: pytest.CaptureFixture[str]
) -> None:
    for ending in ["flush", "close", "nothing"]:
        encoder = open_encoder(EncoderConfig(codec, *SIZE_WH))
        encoder.encode(surface_of(encoder, clip[0]), 0, None)
        if ending != "nothing":
            getattr(encoder, ending)()
        del encoder
    assert capfd.readouterr() == ("", "")


@every_codec
def test_threads_are_few_and_end_with_the_encoder(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/task"))

    before = count()
    encoder = opened(codec)
    encoder.encode(surface_of(encoder, clip[0]), 0, None)
    assert count() - before <= {Codec.H264: 0, Codec.HEVC: 1, Codec.AV1: 17}[codec]
    encoder.close()
    assert count() == before


@pytest.mark.parametrize(
    ("codec", "prefix", "ticks"), [(Codec.H264, "", 2), (Codec.HEVC, "vui_", 1)], ids=["h264", "hevc"]
)
def test_the_frame_rate_is_written_into_the_stream(codec: Codec, prefix: str, ticks: int, clip: list[Picture]) -> None:
    encoder = open_encoder(EncoderConfig(codec, *SIZE_WH).fps(30000, 1001))
    (unit,) = encoder.encode(surface_of(encoder, clip[0]), 0, FRAME_NS)
    found = syntax(codec, unit, f"{prefix}num_units_in_tick", f"{prefix}time_scale")
    rate = Fraction(found[f"{prefix}time_scale"], found[f"{prefix}num_units_in_tick"])
    assert rate == ticks * Fraction(30000, 1001)  # H.264 counts fields
    encoder.close()


@every_codec
def test_streams_made_at_the_same_time_are_those_made_alone(codec: Codec, clip: list[Picture]) -> None:
    def stream() -> list[bytes]:
        encoder = open_encoder(EncoderConfig(codec, *SIZE_WH))
        units = encode_all(encoder, clip[:6])
        encoder.close()
        return [unit.data for unit in units]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda _: stream(), range(16)))
    assert together == [stream()] * 16


@every_codec
def test_a_surface_that_is_written_again_is_read_again(codec: Codec, opened: Opened, clip: list[Picture]) -> None:
    """As an engine encodes: one surface for all frames. A keyframe that was forced forces no other."""
    expected = encode_all(opened(codec), clip, forced=frozenset({2}))
    encoder = opened(codec)
    surface = SurfaceView.allocate(VideoFormat.I420, SIZE_WH, encoder.color)
    units = []
    for index, picture in enumerate(clip):
        for plane, written in zip(surface.planes, surface_of(encoder, picture).planes, strict=True):
            plane[...] = written
        units += encoder.encode(surface, index * FRAME_NS, FRAME_NS, force_keyframe=index == 2)
    assert [(unit.data, unit.keyframe) for unit in units] == [(unit.data, unit.keyframe) for unit in expected]
