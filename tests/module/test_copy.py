"""``codec: copy``: frames leave with the bytes that they came with, in the order in which they arrived."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from rtsp_kit import Seen
from test_module_run import Boxed, frames_of, no_thread_is_left, pyfunc, run, tree, uri
from wire_module_kit import STEP_NS, config_of, encode, running, send

from picasso.media import VideoReader
from picasso.media.packets import unit_of
from picasso.module import ConfigError, Module, load_config
from picasso.module.run.arrival import PATIENCE, ArrivalOrder
from picasso.primitives import VideoFrame, VideoFrameTranscodingMethod

__all__ = ["no_thread_is_left"]
COPY: dict[str, Any] = {"output_frame": {"codec": "copy"}}
SETS = {"h264": (7, 8, 9), "hevc": (32, 33, 34, 35, 39)}


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str = "in.mp4", frames: int = 20, codec: str = "libx264", **options: str) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25, options=options)
            stream.width, stream.height = 64, 48
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for index in range(frames):
                pixels = np.full((48, 64, 3), 10 * index % 250, np.uint8)
                pixels[:, index % 64] = 255
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return make


Packet = tuple[Fraction | None, Fraction | None, bool, bytes]


def packets_of(path: Path) -> list[Packet]:
    """Time shown, time decoded, keyframe and bytes of each packet, without what stands in headers, too."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        name, extradata = stream.codec_context.name, stream.codec_context.extradata
        has_lengths = name in SETS and bool(extradata) and extradata[0] == 1
        return [
            (
                None if packet.pts is None else packet.pts * packet.time_base,
                None if packet.dts is None else packet.dts * packet.time_base,
                packet.is_keyframe,
                units_of(name, bytes(packet), has_lengths),
            )
            for packet in container.demux(stream)
            if packet.size
        ]


def units_of(codec: str, data: bytes, has_lengths: bool) -> bytes:
    if codec not in SETS:
        return data
    units = []
    if has_lengths:
        while data:
            size = int.from_bytes(data[:4], "big")
            units.append(data[4 : 4 + size])
            data = data[4 + size :]
    else:
        units = [unit.rstrip(b"\0") for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
    kinds = [unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63 for unit in units]
    return b"\0\0\1".join(unit for unit, kind in zip(units, kinds, strict=True) if kind not in SETS[codec])


INPUTS = {
    "H.264 with B-frames": ("in.mp4", "libx264", {"bf": "3", "g": "10"}),
    "H.264 with a pyramid": (
        "in.mkv",
        "libx264",
        {"bf": "7", "g": "20", "b_strategy": "0", "x264-params": "b-pyramid=strict"},
    ),
    "H.264 without": ("in.mp4", "libx264", {"tune": "zerolatency", "g": "5"}),
    "a transport stream": ("in.ts", "libx264", {"bf": "2", "g": "10"}),
    "HEVC": ("in.mp4", "libx265", {"x265-params": "log-level=none:keyint=10:bframes=3"}),
    "Motion JPEG": ("in.mkv", "mjpeg", {}),
}


@pytest.mark.parametrize(("name", "codec", "options"), INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_is_written_has_the_packets_of_the_input_and_plays(
    clip: Callable[..., Path], tmp_path: Path, name: str, codec: str, options: dict[str, str], suffix: str
) -> None:
    path = clip(name, codec=codec, **options)
    out = tmp_path / "out"
    sinks = [{"element": "video_file_sink", "properties": {"location": f"{out}/{{source}}{suffix}"}}]
    module = Module(tree(parameters=COPY, source=uri(path), sink=sinks))
    module.run()
    (status,) = module.statuses()
    assert (status.read, status.delivered) == (20, 20)
    before, after = packets_of(path), packets_of(out / f"in{suffix}")
    assert [packet[3] for packet in after] == [packet[3] for packet in before]
    assert [packet[2] for packet in after] == [packet[2] for packet in before]
    times = [packet[0] for packet in after]
    first, own = before[0][0], times[0]
    assert first is not None
    assert own is not None
    for (shown, _, _, _), time in zip(before, times, strict=True):
        assert shown is not None
        assert time is not None
        assert abs((time - own) - (shown - first)) <= Fraction(1, 500)
    with VideoReader(path) as reader, VideoReader(out / f"in{suffix}") as again:
        for (_, one), (_, other) in itertools.zip_longest(reader.frames(), again.frames(), fillvalue=(None, None)):
            assert one is not None
            assert other is not None
            assert all((a == b).all() for a, b in zip(one.planes, other.planes, strict=True))


def raw_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("options", [{"bf": "3", "g": "5"}, {"tune": "zerolatency", "g": "5"}], ids=str)
def test_packets_of_mp4_files_are_the_same_byte_for_byte(
    clip: Callable[..., Path], tmp_path: Path, options: dict[str, str]
) -> None:
    path = clip(**options)
    sinks = [{"element": "video_file_sink", "properties": {"location": f"{tmp_path}/out/{{source}}.mp4"}}]
    Module(tree(parameters=COPY, source=uri(path), sink=sinks)).run()
    assert raw_packets(tmp_path / "out" / "in.mp4") == raw_packets(path)


def test_bytes_size_codec_key_and_times_are_those_of_the_input_and_no_step_is_added(clip: Callable[..., Path]) -> None:
    path = clip(bf="3", g="10")
    parameters = {**COPY, "frame": {"width": 128, "height": 96, "padding": {"left": 16, "keep": True}}}
    _module, sink = run(tree(parameters=parameters, source=uri(path)))
    frames = frames_of(sink)
    expected = packets_of(path)
    assert [frame.pts for frame in frames] == [round(packet[0] * 10**9) for packet in expected if packet[0] is not None]
    assert [frame.keyframe for frame in frames] == [packet[2] for packet in expected]
    times = [frame.dts for frame in frames if frame.dts is not None]
    assert len(times) == 20
    assert times == sorted(set(times))
    assert all(frame.dts is not None and frame.dts <= frame.pts for frame in frames)
    assert {(frame.width, frame.height, frame.codec, frame.transcoding_method) for frame in frames} == {
        (64, 48, "h264", VideoFrameTranscodingMethod.Copy)
    }
    assert all(len(frame.transformations) == 1 for frame in frames)
    assert frames[0].transformations[0].values == (64, 48)
    assert all(unit_of(frame).data.startswith((b"\0\0\1", b"\0\0\0\1")) for frame in frames)


def test_boxes_are_brought_back_to_source_pixels(clip: Callable[..., Path], tmp_path: Path) -> None:
    text = """
from picasso.module import ObjectMeta
from picasso.primitives import BBox
def It(frame):
    assert (frame.width, frame.height) == (144, 104)
    frame.add_obj_meta(ObjectMeta("m", "car", BBox(16 + 2 * 20, 8 + 2 * 10, 16, 12)))
"""
    block = {"width": 128, "height": 96, "padding": {"left": 16, "top": 8}}
    config = tree(parameters={**COPY, "frame": block}, source=uri(clip()), elements=[pyfunc("adds", tmp_path, text)])
    frames = frames_of(run(config)[1])
    boxes = [one.detection_box.as_xcycwh() for frame in frames for one in frame.get_all_objects()]
    assert len(boxes) == 20
    assert boxes[7] == pytest.approx((20, 10, 8, 6), abs=1e-3)


def test_frames_without_the_tag_leave_in_their_place_without_their_bytes(
    clip: Callable[..., Path], tmp_path: Path
) -> None:
    text = "def It(frame):\n    if frame.frame_num % 2 == 0: frame.set_tag('send')"
    parameters = {"output_frame": {"codec": "copy", "condition": {"tag": "send"}}}
    path = clip(bf="3", g="10")
    config = tree(parameters=parameters, source=uri(path), elements=[pyfunc("tags", tmp_path, text)])
    frames = frames_of(run(config)[1])
    assert [frame.pts for frame in frames] == [round(p[0] * 10**9) for p in packets_of(path) if p[0] is not None]
    for frame in frames:
        is_sent = frame.has_attribute("default", "send")
        assert frame.content.is_internal() is is_sent
        assert is_sent or (frame.dts, frame.keyframe, frame.codec) == (None, False, "h264")


def test_frames_that_are_dropped_leave_a_gap_and_the_others_keep_their_order(
    clip: Callable[..., Path], tmp_path: Path
) -> None:
    text = "def It(frame):\n    if frame.frame_num in (2, 5, 6, 7, 19): frame.drop()"
    path = clip(bf="3", g="10")
    module, sink = run(tree(parameters=COPY, source=uri(path), elements=[pyfunc("drops", tmp_path, text)]))
    gone = {number * 40_000_000 for number in (2, 5, 6, 7, 19)}
    times = [round(packet[0] * 10**9) for packet in packets_of(path) if packet[0] is not None]
    assert [frame.pts for frame in frames_of(sink)] == [pts for pts in times if pts not in gone]
    (status,) = module.statuses()
    assert (status.read, status.delivered, status.dropped) == (20, 15, 5)


def test_a_stream_that_begins_between_keyframes_leaves_from_its_first_keyframe_on(
    clip: Callable[..., Path],
) -> None:
    path = clip(frames=30, tune="zerolatency", g="10")
    module, sink = run(tree(parameters=COPY, source=uri(path, start_s=0.2)))
    frames = frames_of(sink)
    assert (frames[0].pts, frames[0].keyframe, len(frames)) == (400_000_000, True, 20)
    assert module.statistics().sources["in"].account.dropped == {"no_keyframe": 5}


def test_frames_that_an_edit_list_hides_are_sent_since_others_need_them(
    clip: Callable[..., Path], tmp_path: Path
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    path, cut = clip(frames=30, tune="zerolatency", g="30"), tmp_path / "cut.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-ss", "0.4", "-i", path, "-c", "copy", cut], check=True, timeout=60)
    frames = frames_of(run(tree(parameters=COPY, source=uri(cut)))[1])
    assert (len(frames), frames[0].keyframe) == (30, True)


def test_a_loop_goes_on_with_rising_times_in_the_order_of_arrival(clip: Callable[..., Path]) -> None:
    path = clip(frames=10, bf="3", g="10")
    source = uri(path, loop=True, eos_on_loop_end=False)
    seen = Seen()
    module = Module(tree(parameters=COPY, source=source), sinks=[seen])
    with module:
        seen.wait_for(lambda: seen.count("in") >= 45)
    frames = [output.as_video_frame() for output in seen.outputs["in"] if output.is_video_frame]
    one = [round(packet[0] * 10**9) for packet in packets_of(path) if packet[0] is not None]
    expected = [pts + 400_000_000 * turn for turn in range(4) for pts in one]
    assert [frame.pts for frame in frames][:40] == expected
    times = [frame.dts for frame in frames]
    assert all(after > before for before, after in itertools.pairwise(times))  # type: ignore[operator]


def test_a_frame_without_bytes_is_reported_and_the_others_go_on() -> None:
    module, sink = run(tree(parameters=COPY), sources=[Boxed()])
    (status,) = module.statuses()
    assert (len(frames_of(sink)), status.read, status.dropped) == (0, 3, 3)


def test_a_source_of_pictures_that_nobody_coded_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"pipeline.source.element: videotestsrc brings no coded frames"):
        Module(tree(parameters=COPY))


def test_padding_that_is_to_be_kept_is_warned_about() -> None:
    parameters = {**COPY, "frame": {"width": 64, "height": 48, "padding": {"left": 8, "keep": True}}}
    config = load_config(tree(parameters=parameters, source=uri("in.mp4")))
    assert [warning.path for warning in config.warnings] == [("parameters", "frame", "padding", "keep")]
    assert config.frame.padding is not None
    assert config.frame.padding.keep is False


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_gpu_keeps_no_packets(device: str, clip: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match=f"payload with device '{device}': NVDEC keeps no packets"):
        VideoReader(clip(), payload=True, device=device)


@pytest.mark.parametrize("codec", ["h264", "hevc", "jpeg"])
def test_what_comes_through_a_socket_leaves_in_its_order_with_its_bytes(codec: str, tmp_path: Path) -> None:
    units = encode(codec, 10)
    with running(config_of(tmp_path, COPY)) as one:
        send(one.writer, units, codec)
        one.writer.send_eos("cam")
    assert one.story() == "f" * 10 + "E"
    frames = one.frames()
    assert [frame.content.get_data() for frame in frames] == [data for _, _, data in units]
    assert [frame.pts for frame in frames] == [(number + 4) * STEP_NS for number, _, _ in units]
    assert [frame.dts for frame in frames] == [number * STEP_NS for number in range(10)]
    assert [frame.keyframe for frame in frames] == [is_key for _, is_key, _ in units]
    for (number, _, _), frame in zip(units, frames, strict=True):
        (thing,) = frame.get_all_objects()
        assert thing.detection_box.as_xcycwh() == pytest.approx((10 + number, 20, 8, 4), abs=1e-3)


@st.composite
def reorderings(draw: st.DrawFn) -> tuple[list[int], set[int]]:
    """Numbers as a decoder shows them, which holds back few frames, and those that are dropped on the way."""
    count, delay = draw(st.integers(0, 60)), draw(st.integers(0, PATIENCE - 1))
    chance = random.Random(draw(st.integers()))
    held: list[int] = []
    shown = []
    for number in range(count):
        held.append(number)
        if len(held) > delay:
            shown.append(held.pop(chance.randrange(len(held)) if number - min(held) < PATIENCE - 1 else 0))
    chance.shuffle(held)
    return [*shown, *held], draw(st.sets(st.integers(0, max(count - 1, 0)), max_size=3))


@given(reorderings())
def test_frames_come_back_in_the_order_of_their_arrival_and_none_is_lost(case: tuple[list[int], set[int]]) -> None:
    shown, dropped = case
    order, out = ArrivalOrder(), []
    first = shown[0] if shown else 0
    for number in shown:
        frame = None
        if number not in dropped:
            frame = VideoFrame("s", "25/1", 64, 48, time_base=(1, 10**9), pts=number, dts=0)
        out += order.add(number, frame)
        assert order.waiting < PATIENCE
    out += order.flush()
    kept = [number for number in shown if number not in dropped]
    assert sorted(frame.pts for frame in out) == sorted(kept)
    if first == 0:
        assert [frame.pts for frame in out] == sorted(kept)
    assert [frame.dts for frame in out] == sorted({frame.dts for frame in out if frame.dts is not None})
