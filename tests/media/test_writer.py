"""Stream copy: what goes in comes out, in order, at its time, and plays."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picasso.encode import Codec, EncodedUnit, EncoderConfig, open_encoder
from picasso.engine import OutputMessage
from picasso.errors import MediaError
from picasso.media import StreamKind, StreamWriter, VideoReader
from picasso.primitives import EndOfStream, VideoFrame, VideoFrameContent, VideoFrameTranscodingMethod
from picasso.surface import SurfaceView

SIZE = (64, 64)
LIVE = {"movflags": "frag_keyframe+empty_moov", "flush_packets": "1"}
JPEG_KIND = StreamKind(Codec.JPEG, SIZE, Fraction(25))


def jpeg(luma: int = 100) -> bytes:
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = *SIZE, "yuvj420p", Fraction(1, 25)
    codec.options = {"huffman": "default"}  # by default it depends on how many processors there are
    frame = av.VideoFrame.from_ndarray(np.full((SIZE[1] * 3 // 2, SIZE[0]), luma, np.uint8), "yuvj420p")
    return b"".join(bytes(packet) for packet in codec.encode(frame))


JPEG = jpeg()


def unit(pts_ns: int, *, dts_ns: int | None = None, keyframe: bool = True, data: bytes = JPEG) -> EncodedUnit:
    return EncodedUnit(data, pts_ns, dts_ns, None, keyframe)


def output(unit: EncodedUnit, codec: str = "jpeg", **fields: Any) -> OutputMessage:
    """The message that the engine makes of a unit."""
    frame = VideoFrame(
        fields.pop("source_id", "camera"),
        "25/1",
        *fields.pop("size", SIZE),
        fields.pop("content", VideoFrameContent.internal(unit.data)),
        VideoFrameTranscodingMethod.Encoded,
        codec,
        unit.keyframe,
        (1, 10**9),
        unit.pts_ns,
        unit.dts_ns,
        unit.duration_ns,
        **fields,
    )
    return OutputMessage(frame, is_eos=False)


def encode_clip(codec: Codec, rate: Fraction, count: int) -> Iterator[tuple[int, EncodedUnit]]:
    """Encode pictures whose luma rises; yields the luma with each unit."""
    config = EncoderConfig(codec, *SIZE).fps(rate.numerator, rate.denominator)
    encoder = open_encoder(config)
    surface = SurfaceView.allocate(encoder.input_format, SIZE, encoder.color if encoder.input_format.is_yuv else None)
    units: list[EncodedUnit] = []
    lumas = [40 + 15 * index for index in range(count)]
    for index, luma in enumerate(lumas):
        surface.memset(128)
        surface.planes[0][...] = luma
        duration_ns = round(10**9 / rate)
        units += encoder.encode(surface, round(index * 10**9 / rate), duration_ns)
    units += encoder.flush()
    encoder.close()
    yield from zip(lumas, units, strict=True)


CODECS = [Codec.H264, Codec.HEVC, Codec.AV1, Codec.JPEG]
PAIRS = [pair for pair in itertools.product(CODECS, [".mp4", ".mov", ".mkv"]) if pair != (Codec.AV1, ".mov")]
"""What is written where; QuickTime has no AV1."""


def test_a_frame_that_does_not_say_so_is_taken_for_a_keyframe(tmp_path: Path) -> None:
    message = output(unit(0))
    message.as_video_frame().keyframe = None
    with StreamWriter(tmp_path / "out.mp4") as writer:
        writer.write(message)
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert [frame.keyframe for frame, _ in reader.frames()] == [True]


@pytest.mark.parametrize(
    ("codec", "suffix"), PAIRS, ids=lambda value: value if isinstance(value, str) else value.name()
)
def test_every_codec_plays_from_every_container(tmp_path: Path, codec: Codec, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    rate = Fraction(30000, 1001)
    encoded = list(encode_clip(codec, rate, 8))
    with StreamWriter(path) as writer:
        for _, each in encoded:
            writer.write(output(each, codec.name()))
    assert writer.frames == 8
    with VideoReader(path) as reader:
        pictures = list(reader.frames())
        assert reader.info.size_wh == SIZE
        assert reader.info.codec == {"jpeg": "mjpeg"}.get(codec.name(), codec.name())
    tolerance_ns = 500_000 if suffix == ".mkv" else 500
    assert [f.pts for f, _ in pictures] == pytest.approx([each.pts_ns for _, each in encoded], abs=tolerance_ns)
    assert [bool(f.keyframe) for f, _ in pictures] == [each.keyframe for _, each in encoded]
    shown = [float(surface.planes[0].mean()) for _, surface in pictures]
    assert shown == pytest.approx([luma for luma, _ in encoded], abs=6)


@pytest.mark.parametrize(
    "rate", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(7), Fraction(1, 3)]
)
def test_times_at_the_nominal_rate_are_exact_in_mp4(tmp_path: Path, rate: Fraction) -> None:
    times = [round(index * 10**9 / rate) for index in range(20)]
    with StreamWriter(tmp_path / "out.mp4", kind=StreamKind(Codec.JPEG, SIZE, rate)) as writer:
        for pts_ns in times:
            writer.write(unit(pts_ns))
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert [frame.pts for frame, _ in reader.frames()] == times


rising = st.lists(st.integers(1, 3 * 10**9), min_size=1, max_size=12).map(lambda gaps: list(itertools.accumulate(gaps)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(rising, st.sampled_from([(".mp4", 501), (".mkv", 500_001)]))
def test_any_rising_times_stay_in_order_and_close(tmp_path: Path, times: list[int], kind: tuple[str, int]) -> None:
    suffix, half_tick_ns = kind
    path = tmp_path / f"out{suffix}"
    with StreamWriter(path, kind=JPEG_KIND) as writer:
        for pts_ns in times:
            writer.write(unit(pts_ns))
    with VideoReader(path) as reader:
        got = [frame.pts for frame, _ in reader.frames()]
    assert len(got) == len(times)
    assert all(before < after for before, after in itertools.pairwise(got))
    crowd = max(sum(1 for other in times if abs(other - pts) < 2 * half_tick_ns * len(times)) for pts in times)
    assert got == pytest.approx(times, abs=half_tick_ns * 2 * crowd)


def test_frames_of_foreign_encoders_keep_their_reordering(tmp_path: Path, make_clip: Any) -> None:
    """B-frames: decoding order differs from the order in which frames are shown."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "2", "b-adapt": "0"})
        stream.width, stream.height = SIZE
        packets = []
        for index in range(9):
            planes = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
            planes[: SIZE[1]] = 20 + 20 * index
            packets += stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p"))
        packets += stream.encode(None)
    delay = -min(packet.dts for packet in packets)
    with StreamWriter(tmp_path / "out.mp4", kind=StreamKind(Codec.H264, SIZE, Fraction(25))) as writer:
        for packet in packets:
            pts_ns, dts_ns = ((time + delay) * 40_000_000 for time in (packet.pts, packet.dts))
            writer.write(EncodedUnit(bytes(packet), pts_ns, dts_ns, 40_000_000, packet.is_keyframe))
    with VideoReader(tmp_path / "out.mp4") as reader:
        lumas = [float(surface.planes[0].mean()) for _, surface in reader.frames()]
    assert lumas == pytest.approx([20 + 20 * index for index in range(9)], abs=4)


def test_a_source_that_comes_back_after_its_end_goes_on_in_the_same_file(tmp_path: Path) -> None:
    writer = StreamWriter(tmp_path / "out.mp4")
    writer.write(output(unit(0)))
    writer.write(OutputMessage(EndOfStream("camera"), is_eos=True))
    assert times_of(tmp_path / "out.part.mp4") == [0]
    writer.write(output(unit(0)))
    writer.write(output(unit(100_000_000)))
    writer.close()
    assert times_of(tmp_path / "out.mp4") == [0, 40_000_000, 140_000_000]
    with pytest.raises(MediaError, match="the file is closed"):
        writer.write(output(unit(1)))


def test_a_writer_without_frames_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"before")
    with StreamWriter(tmp_path / "out.mp4"):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "out.part.mp4"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"before"


def test_what_was_written_before_a_failure_plays_beside_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"before")
    with pytest.raises(MediaError, match="the stream changed"):
        write_all(tmp_path / "out.mp4", output(unit(0)), output(unit(1), size=(32, 32)))
    assert (tmp_path / "out.mp4").read_bytes() == b"before"
    assert times_of(tmp_path / "out.part.mp4") == [0]


@pytest.mark.parametrize("options", [None, LIVE])
def test_a_file_plays_while_it_is_written(tmp_path: Path, options: dict[str, str] | None) -> None:
    writer = StreamWriter(tmp_path / "out.mp4", kind=JPEG_KIND, options=options)
    for index in range(50):
        writer.write(unit(index * 40_000_000, data=jpeg(index)))
    assert writer.part_path == tmp_path / "out.part.mp4"
    assert len(times_of(writer.part_path)) == writer.safe_frames >= 50 - 13
    writer.close()
    assert times_of(tmp_path / "out.mp4") == [index * 40_000_000 for index in range(50)]
    assert (writer.paths, writer.safe_frames) == ((tmp_path / "out.mp4",), 50)


@pytest.mark.parametrize(
    "flags", ["faststart", "hybrid_fragmented", "frag_keyframe+empty_moov", "empty_moov+frag_every_frame"]
)
def test_options_of_ffmpegs_muxer_do_what_they_do(tmp_path: Path, flags: str) -> None:
    with StreamWriter(tmp_path / "out.mp4", kind=JPEG_KIND, options={"movflags": flags}) as writer:
        for index in range(50):
            writer.write(unit(index * 40_000_000))
    assert times_of(tmp_path / "out.mp4") == [index * 40_000_000 for index in range(50)]
    data = (tmp_path / "out.mp4").read_bytes()
    assert (data.index(b"moov") < data.index(b"mdat")) is (flags != "hybrid_fragmented")


def times_of(path: Path) -> list[int]:
    with VideoReader(path) as reader:
        return [frame.pts for frame, _ in reader.frames()]


def write_all(path: Path, *outputs: Any, kind: StreamKind | None = None) -> None:
    with StreamWriter(path, kind=kind) as writer:
        for each in outputs:
            writer.write(each)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: write_all(path, unit(0)), "an EncodedUnit needs the writer to know its kind"),
        (lambda path: write_all(path, output(unit(0), "vp9")), "vp9 cannot be written to a container; one of"),
        (lambda path: write_all(path, output(unit(0), "png")), "png cannot be written to a container; one of"),
        (lambda path: write_all(path, output(unit(0), "theora")), "frame of source 'camera': Unknown codec: theora"),
        (lambda path: write_all(path, output(unit(0)), output(unit(1), "h264")), "the stream changed from jpeg"),
        (
            lambda path: write_all(path, output(unit(0)), output(unit(1), size=(32, 32))),
            "the stream changed from jpeg 64x64 to jpeg 32x32",
        ),
        (lambda path: write_all(path, output(unit(0, keyframe=False))), "the first frame must be a keyframe"),
        (
            lambda path: write_all(path, output(unit(0), content=VideoFrameContent.none())),
            "frame of source 'camera' at pts 0 holds no encoded bytes",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_written(tmp_path: Path, write: Any, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        write(tmp_path / "out.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("codec", "data"),
    [
        (Codec.H264, b"\0\0\0\1\x65" + bytes(range(1, 50))),
        (Codec.HEVC, b"\0\0\0\1\x26\x01" + bytes(range(1, 50))),
        (Codec.H264, b"\0\0\0\x20\x65" + bytes(range(1, 33))),
        (Codec.H264, b""),
        (Codec.AV1, b""),
        (Codec.JPEG, b""),
    ],
    ids=["no SPS", "no HEVC SPS", "lengths instead of start codes", "empty", "empty AV1", "empty JPEG"],
)
def test_a_first_frame_that_no_player_could_read_is_refused(
    tmp_path: Path, codec: Codec, data: bytes, suffix: str
) -> None:
    if codec is Codec.AV1 and suffix == ".mov":
        pytest.skip("QuickTime has no AV1")
    (tmp_path / f"out{suffix}").write_bytes(b"before")
    with pytest.raises(MediaError, match=rf"out\{suffix}: "):
        write_all(tmp_path / f"out{suffix}", unit(0, data=data), kind=StreamKind(codec, SIZE, Fraction(25)))
    assert [path.name for path in tmp_path.iterdir()] == [f"out{suffix}"]
    assert (tmp_path / f"out{suffix}").read_bytes() == b"before"


@pytest.mark.parametrize("length", [251, 255, 256, 300])
def test_names_up_to_the_file_systems_length(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("x" * (length - 4) + ".mp4")
    if length <= 255:
        write_all(path, unit(0), kind=JPEG_KIND)
        assert [one.name for one in tmp_path.iterdir()] == [path.name]
    else:
        with pytest.raises(MediaError, match="File name too long"):
            StreamWriter(path)


@pytest.mark.parametrize("name", ["out.avi", "out", "out.mp4.txt"])
def test_containers_that_we_do_not_write(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError, match=r"unknown container '.*'; one of \.mp4, \.mov, \.mkv"):
        StreamWriter(tmp_path / name)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "missing" / "out.mp4", "No such file or directory"),
        (lambda folder: (folder / "out.mp4").mkdir() or folder / "out.mp4", "Is a directory"),
        (lambda folder: Path("/proc/out.mp4"), ""),
    ],
    ids=["no folder", "a folder", "not writable"],
)
def test_places_that_cannot_be_written_are_found_out_at_once(tmp_path: Path, make: Any, message: str) -> None:
    path = make(tmp_path)
    with pytest.raises(MediaError) as caught:
        StreamWriter(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    path.symlink_to("/dev/full")
    with pytest.raises(MediaError, match=r"out\.mkv: No space left on device"):
        write_all(path, *(unit(index * 40_000_000) for index in range(2000)), kind=JPEG_KIND)
