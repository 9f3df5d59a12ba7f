"""Reading on a GPU: over doubles where there is none, and back to the CPU with the reason."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from picasso.errors import DeviceError, MediaError
from picasso.media import VideoReader, notices, nvdec_frames, reader
from picasso.media.nvdec import NvdecSource, gpu_of
from picasso.media.nvdec_frames import HeldFrames, view_of_frame
from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat


class Demuxer:
    """PyAV's demuxer with the names of PyNvVideoCodec's; the last packet is empty."""

    def __init__(self, path: str) -> None:
        self.container = av.open(path)
        self.base = self.container.streams.video[0].time_base

    def GetTimebaseNum(self) -> int:  # noqa: N802  # the library's name
        return int(self.base.numerator) if self.base else 0

    def GetTimebaseDen(self) -> int:  # noqa: N802  # the library's name
        return int(self.base.denominator) if self.base else 1

    def __iter__(self) -> Iterator[Any]:
        for packet in self.container.demux(video=0):
            told = {name: getattr(packet, name) for name in ("pts", "dts", "duration")}
            yield SimpleNamespace(**told, key=packet.is_keyframe, packet=packet)


class Decoded:
    """Frames of PyAV's decoder, in host memory; it fails after some packets if it is told to."""

    def __init__(self, fails_after: int = 10**9) -> None:
        self.left = fails_after
        self.made: list[weakref.ref[Any]] = []

    def decode(self, packet: Any) -> Iterator[tuple[int, SurfaceView]]:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("device lost")
        for frame in packet.packet.decode():
            array = frame.reformat(format="nv12").to_ndarray().copy()  # what surfaces keep alive
            color = ColorSpace(Matrix.BT601)
            self.made.append(weakref.ref(array))
            yield frame.pts, SurfaceView.wrap(array, VideoFormat.NV12, color=color)


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Decoded:
    """Let readers decode with the double."""
    decoded = Decoded()
    monkeypatch.setattr(
        reader,
        "open_nvdec",
        lambda place, info, _gpu, *, rgba: NvdecSource(place.for_ffmpeg, info, Demuxer(place.for_ffmpeg), decoded),
    )
    return decoded


def written(path: Path, frames: int = 12) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frames):
            picture = np.full((72, 64), 10 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("loops", [1, 2])
def test_frames_are_those_of_the_cpu(loops: int, on_gpu: Decoded, tmp_path: Path) -> None:
    path = written(tmp_path / "clip.mp4")
    with VideoReader(path, loops=loops) as host, VideoReader(path, device="cuda:1", loops=loops) as gpu:
        assert (host.device, gpu.device) == ("cpu", "cuda:1")
        count = 0
        for (there, surface), (here, expected) in zip(gpu.frames(), host.frames(), strict=True):
            assert (there.pts, there.duration, there.keyframe) == (here.pts, here.duration, here.keyframe)
            np.testing.assert_array_equal(surface.planes[0], expected.planes[0])
            assert surface.color == expected.color
            count += 1
    assert count == 12 * loops


@pytest.mark.parametrize("policy", ["continue", "segment", "reset"])
def test_times_that_start_again_are_those_of_the_cpu(policy: str, on_gpu: Decoded, tmp_path: Path) -> None:
    path = written(tmp_path / "clip.ts")
    path.write_bytes(path.read_bytes() * 2)
    with VideoReader(path, on_restart=policy) as host, VideoReader(path, device="cuda", on_restart=policy) as gpu:
        there, here = (
            [(item[0].pts, item[0].keyframe) if isinstance(item, tuple) else item for item in each]
            for each in (gpu, host)
        )
        assert there == here
        assert len(there) == 25 + (policy == "segment")
        assert gpu.times == host.times
        assert gpu.times.restarts == 1


def test_a_container_that_does_not_tell_when_pictures_are_shown_is_decoded_on_the_cpu(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notices.say_once.forget()
    with VideoReader(written(tmp_path / "clip.avi"), device="cuda") as used:
        assert used.device == "cpu"
        assert [frame.pts for frame, _ in used.frames()] == [40_000_000 * index for index in range(12)]
    assert "NVDEC needs to know when pictures are shown, and avi does not tell" in caplog.records[0].getMessage()


def test_pictures_that_no_one_holds_are_gone(on_gpu: Decoded, tmp_path: Path) -> None:
    """Also the first one, which is decoded when the file is opened."""
    with VideoReader(written(tmp_path / "clip.mp4"), device="cuda") as gpu:
        for _ in islice(gpu.frames(), 8):
            pass
        assert [made() is None for made in on_gpu.made[:6]] == [True] * 6


def test_a_decoder_that_fails_is_told(on_gpu: Decoded, tmp_path: Path) -> None:
    with VideoReader(written(tmp_path / "clip.mp4"), device="cuda") as gpu:
        on_gpu.left = 3
        with pytest.raises(MediaError, match=r"clip\.mp4: NVDEC failed after \d+ frames: device lost"):
            list(gpu)


def test_a_file_that_ends_early_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "clip.mp4")
    with VideoReader(path) as host:
        info = host.info
    source = NvdecSource(
        str(path), replace(info, frame_count=20, duration_ns=800_000_000), Demuxer(str(path)), Decoded()
    )
    with pytest.raises(MediaError, match="truncated after 12 of 20 frames"):
        list(source.frames())


@pytest.mark.parametrize("read", [0, 5, 24], ids=["before it begins", "in its midst", "at its end"])
def test_a_reader_that_is_closed_lets_file_and_decoder_go(
    read: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and not when the reader or the garbage goes: a card has few decoders."""
    held: list[weakref.ref[Any]] = []

    def open_double(place: Any, info: Any, _gpu_id: int, *, rgba: bool) -> NvdecSource:
        assert not [found for found in held if found()]  # those of the pass before
        demuxer, frames = Demuxer(place.for_ffmpeg), Decoded()
        held.extend(map(weakref.ref, (demuxer, frames)))
        return NvdecSource(place.for_ffmpeg, info, demuxer, frames)

    monkeypatch.setattr(reader, "open_nvdec", open_double)
    gc.disable()
    try:
        used = VideoReader(written(tmp_path / "clip.mp4"), device="cuda", loops=2)
        assert len(list(islice(used.frames(), read))) == read
        used.close()
        assert not [found for found in held if found()]
    finally:
        gc.enable()
    assert used.device == "cuda"
    assert len(held) == (4 if read > 12 else 2)


def test_without_a_gpu_the_cpu_decodes_and_the_reason_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: object, rgba: bool) -> NvdecSource:
        raise DeviceError("no CUDA driver on this machine")

    monkeypatch.setattr(reader, "open_nvdec", refuse)
    notices.say_once.forget()
    path = written(tmp_path / "clip.mp4")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with VideoReader(path, device="cuda") as used:
                assert used.device == "cpu"
                assert len(list(used.frames())) == 12
    assert [record.getMessage() for record in caplog.records] == ["decoded on the CPU: no CUDA driver on this machine"]


@pytest.mark.parametrize(("text", "gpu"), [("cpu", None), ("cuda", 0), ("cuda:3", 3)])
def test_a_device_has_a_name(text: str, gpu: int | None) -> None:
    assert gpu_of(text) == gpu


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:x", "CUDA", ""])
def test_another_name_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected cpu, cuda or cuda:N"):
        VideoReader(written(tmp_path / "clip.mp4"), device=text)


# Frames that a decoder lends.


class LendingDecoder:
    """Lends frames as ``PyNvDecoder`` does: numbers are addresses, a frame's time is not told when it is lent.

    Args:
        times: For each packet the times of the frames that become ready.
    """

    def __init__(self, times: list[list[int]]) -> None:
        self.script = iter(times)
        self.ready: list[int] = []
        self.free: list[int] = []
        self.lent: dict[int, int] = {}
        """By address, the time of the frame there."""
        self.copied: list[int] = []

    def GetNumDecodedFrame(self, packet: Any) -> int:  # noqa: N802  # the library's name
        self.ready = next(self.script)
        return len(self.ready)

    def GetLockedFrame(self) -> int:  # noqa: N802  # the library's name
        address = self.free.pop() if self.free else 0x1000 * (len(self.lent) + 1)
        self.lent[address] = self.ready.pop(0)
        return address

    def UnlockFrame(self, address: int) -> None:  # noqa: N802  # the library's name
        del self.lent[address]
        self.free.append(address)

    def GetFrame(self) -> Any:  # noqa: N802  # the library's name
        pts = self.ready.pop(0)
        self.copied.append(pts)
        return SimpleNamespace(getPTS=lambda: pts, cuda=decoded().cuda)


class IdleStream:
    """A stream whose work is always done."""

    address = 7
    device = SimpleNamespace(index=0, wait_for=lambda _stream: None)

    def wait(self) -> None:
        """Return at once."""


def lending(times: list[list[int]], monkeypatch: pytest.MonkeyPatch) -> tuple[LendingDecoder, HeldFrames]:
    """Give a decoder and what reads it; what is copied is a surface in host memory."""
    monkeypatch.setattr(
        nvdec_frames, "copy_on_device", lambda _decoded, _stream: SurfaceView.allocate(VideoFormat.NV12, (64, 48))
    )
    decoder = LendingDecoder(times)
    stream: Any = IdleStream()
    return decoder, HeldFrames(decoder, nvdec_frames.StreamPicture((64, 48), None, stream))


def sent(frames: HeldFrames, packets: list[int], keys: tuple[int, ...] = ()) -> Iterator[tuple[int, SurfaceView]]:
    for pts in packets:
        yield from frames.decode(SimpleNamespace(pts=pts, bsl=10, key=pts in keys))


def test_frames_are_lent_as_long_as_they_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, frames = lending([[], [0], [1], [2, 3], [4], [5]], monkeypatch)
    held = list(sent(frames, [0, 3, 1, 2, 4]))
    assert [pts for pts, _ in held] == [0, 1, 2, 3, 4]
    assert decoder.copied == [0]
    assert {surface.data_ptr: pts for pts, surface in held[1:]} == decoder.lent
    _, first = held[1]
    assert (first.cuda_stream, first.device_planes[1].ptr) == (7, first.data_ptr + 0x100000)
    address = first.data_ptr
    del held[1], first
    list(sent(frames, [5]))
    assert decoder.lent[address] == 5  # used again, as no one held it
    assert len(decoder.lent) == 4


def test_more_than_the_most_are_copied_until_some_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    count = nvdec_frames.MOST_HELD + 4
    decoder, frames = lending([[number] for number in range(count + 1)], monkeypatch)
    held = list(sent(frames, list(range(count))))
    assert decoder.copied == [0, count - 3, count - 2, count - 1]
    held.clear()
    assert [pts for pts, _ in sent(frames, [count])] == [count]
    assert len(decoder.copied) == 4


@pytest.mark.parametrize(
    ("packets", "times"),
    [([4, 0, 1, 5], [[], [4], [5], []]), ([0, 9, 3, 4], [[3], [4], [], [9]])],
    ids=["pictures before the first are left out", "the first"],
)
def test_where_times_are_not_in_order_frames_are_copied(
    packets: list[int], times: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder, frames = lending(times, monkeypatch)
    told = [pts for group in times for pts in group]
    assert [pts for pts, _ in sent(frames, packets)] == told
    assert decoder.copied == told


def test_a_picture_left_out_later_shifts_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame is copied now and then; the first whose time is not the expected one ends the lending."""
    every = nvdec_frames.CHECKED_EVERY
    times = [[number] for number in range(3 * every)]
    times[5] = []  # the decoder leaves it out
    decoder, frames = lending(times, monkeypatch)
    told = [pts for pts, _ in sent(frames, list(range(3 * every)))]
    assert told[:5] == list(range(5))
    assert told[every + 1 :] == list(range(every + 2, 3 * every))
    assert decoder.copied == [0, *told[every + 1 :]]


def test_frames_up_to_a_keyframe_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and layout may change there: nothing is lent by the old ones."""
    decoder, frames = lending([[0], [1], [], [2, 3], [4], [5]], monkeypatch)
    assert [pts for pts, _ in sent(frames, [0, 1, 3, 2, 4, 5], keys=(0, 3))] == list(range(6))
    assert decoder.copied == [0, 2, 3]


def test_frames_outlive_their_reader_and_come_back_on_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, frames = lending([[0], [1], [2]], monkeypatch)
    held = list(sent(frames, [0, 1, 2]))
    del frames
    assert len(decoder.lent) == 2
    dropper = threading.Thread(target=held.clear)
    dropper.start()
    dropper.join()
    assert not decoder.lent


class DecoderPlane:
    """A plane as PyNvVideoCodec gives it: with a pitch, in memory that no one looks at."""

    def __init__(self, ptr: int, shape: tuple[int, ...], pitch: int) -> None:
        self.__cuda_array_interface__ = {
            "version": 3, "shape": shape, "strides": (pitch, shape[2], 1), "typestr": "|u1", "data": (ptr, False)
        }  # fmt: skip


def decoded(luma_rows: int = 48) -> Any:
    planes = [DecoderPlane(0x7F0000000000, (luma_rows, 64, 1), 256), DecoderPlane(0x7F0000100000, (24, 32, 2), 256)]
    return SimpleNamespace(cuda=lambda: planes)


def test_a_decoders_frame_is_viewed_as_it_lies() -> None:
    frame = decoded()
    view = view_of_frame(frame, (64, 48), ColorSpace(Matrix.BT709), 3)
    assert (view.format, view.size_wh, view.gpu_id, view.cuda_stream) == (VideoFormat.NV12, (64, 48), 3, 0)
    assert (view.readonly, view.color) == (True, ColorSpace(Matrix.BT709))
    assert [(plane.ptr, plane.shape, plane.strides) for plane in view.device_planes] == [
        (0x7F0000000000, (48, 64), (256, 1)),
        (0x7F0000100000, (24, 32, 2), (256, 2, 1)),
    ]
    assert all(plane.owner is frame for plane in view.device_planes)


def test_a_decoders_frame_of_other_rows_is_an_error() -> None:
    with pytest.raises(MediaError, match="NVDEC gives 50 rows where 48 are expected"):
        view_of_frame(decoded(50), (64, 48), None, 0)


@pytest.mark.parametrize(("form", "rgba"), [("native", False), ("rgba", True)])
def test_the_decoder_is_told_what_to_make(
    form: Any, rgba: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def open_double(place: Any, info: Any, gpu_id: int, *, rgba: bool) -> NvdecSource:
        asked.append((gpu_id, rgba))
        return NvdecSource(place.for_ffmpeg, info, Demuxer(place.for_ffmpeg), Decoded())

    monkeypatch.setattr(reader, "open_nvdec", open_double)
    with VideoReader(written(tmp_path / "clip.mp4"), device="cuda:2", pixel_format=form, loops=2) as used:
        assert used.device == "cuda:2"
        assert len(list(used.frames())) == 24
    assert asked == [(2, rgba)] * 2
