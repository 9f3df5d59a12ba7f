"""Pipes, devices and standard input: read once and in order, and never waited for longer than asked."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from picasso.errors import MediaError, OpeningStoppedError, ReadTimeoutError
from picasso.media import MetadataReader, MetadataWriter, StopSignal, StreamWriter, VideoReader, probe
from picasso.media.location import Location
from picasso.primitives import EndOfStream, VideoFrame

MakeClip = Callable[..., Path]
LONG_S = 60.0
"""A time-out that no test waits for."""
PATIENCE_S = 20.0


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe."""
    path = tmp_path / "pipe.ts"
    os.mkfifo(path)
    return path


@contextmanager
def written(path: Path, data: bytes, *, stalls: threading.Event | None = None) -> Iterator[None]:
    """Write to a named pipe from another thread, and then wait, with the pipe open, for an event."""

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            file.write(data)
            if stalls is not None:
                stalls.wait(LONG_S)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        yield
    finally:
        if stalls is not None:
            stalls.set()
        writing.join(PATIENCE_S)
        assert not writing.is_alive()


def test_a_named_pipe_is_read_to_its_end(pipe: Path, make_clip: MakeClip) -> None:
    with written(pipe, make_clip("clip.ts", 30).read_bytes()), VideoReader(pipe, timeout_s=LONG_S) as reader:
        assert len(list(reader.frames())) == 30


def test_a_pipe_without_a_writer_is_given_up(pipe: Path) -> None:
    with pytest.raises(ReadTimeoutError, match=r"pipe\.ts: no answer in time, within 0.2 s"):
        probe(pipe, timeout_s=0.2)


def test_a_writer_that_stalls_is_given_up_after_what_it_wrote(pipe: Path, make_clip: MakeClip) -> None:
    data, pictures = make_clip("clip.ts", 60).read_bytes(), []
    with (
        written(pipe, data, stalls=threading.Event()),
        VideoReader(pipe, timeout_s=2.0) as reader,
        pytest.raises(ReadTimeoutError),
    ):
        pictures.extend(reader.frames())
    assert len(pictures) == 60


def test_a_writer_that_stalls_before_a_picture_is_given_up(pipe: Path, make_clip: MakeClip) -> None:
    data = make_clip("clip.ts", 60).read_bytes()[:400]
    with written(pipe, data, stalls=threading.Event()), pytest.raises(ReadTimeoutError):
        probe(pipe, timeout_s=0.2)


def test_a_writer_that_trickles_does_not_hold_an_opening_for_ever(pipe: Path) -> None:
    """Bytes that are not video, each within the time-out of the one before."""
    enough = threading.Event()

    def trickle() -> None:
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as file:
            while not enough.wait(0.02):
                file.write(b"x")

    writing = threading.Thread(target=trickle)
    writing.start()
    with pytest.raises(ReadTimeoutError):
        probe(pipe, timeout_s=0.3)
    enough.set()
    writing.join(PATIENCE_S)


def test_stop_ends_an_opening_that_waits_for_a_writer(pipe: Path) -> None:
    stop, raised = StopSignal(), []

    def open_it() -> None:
        with pytest.raises(OpeningStoppedError) as caught:
            VideoReader(pipe, timeout_s=None, stop=stop)
        raised.append(caught.value)

    opening = threading.Thread(target=open_it)
    opening.start()
    stop.set()
    opening.join(PATIENCE_S)
    assert len(raised) == 1


def test_stop_ends_a_read_that_waits_for_a_writer(pipe: Path, make_clip: MakeClip) -> None:
    data, items = make_clip("clip.ts", 60).read_bytes(), []
    with written(pipe, data, stalls=threading.Event()), VideoReader(pipe, timeout_s=LONG_S) as reader:
        reading = threading.Thread(target=lambda: items.extend(reader))
        reading.start()
        reader.stop()
        reading.join(PATIENCE_S)
        assert not reading.is_alive()
    assert isinstance(items[-1], EndOfStream)


@pytest.mark.parametrize("size", [2_000, 1_000_000], ids=["while opening", "while reading"])
def test_ctrl_c_ends_a_wait_inside_of_ffmpeg(size: int, pipe: Path, make_clip: MakeClip) -> None:
    """PyAV would lose it, and the wait would go on."""
    data, main = make_clip("clip.ts", 60).read_bytes()[:size], threading.get_ident()
    ended = threading.Event()

    def write_and_interrupt() -> None:
        with pipe.open("wb", buffering=0) as file:
            file.write(data)
            while struct.unpack("i", fcntl.ioctl(file, termios.FIONREAD, b"\0" * 4))[0]:
                ended.wait(0.001)
            ended.wait(0.05)  # the reader is on its way to its wait; should it not be there yet, the test holds too
            signal.pthread_kill(main, signal.SIGINT)
            ended.wait(LONG_S)

    writing = threading.Thread(target=write_and_interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    writing.start()
    try:
        with pytest.raises(KeyboardInterrupt), VideoReader(pipe, timeout_s=LONG_S) as reader:
            list(reader)
    finally:
        ended.set()
        writing.join(PATIENCE_S)
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("flags", ["frag_keyframe+empty_moov", "faststart"])
def test_an_mp4_is_read_from_a_pipe_where_its_index_comes_first(flags: str, pipe: Path, make_clip: MakeClip) -> None:
    clip = make_clip("clip.mp4", 60, size=(320, 240), options={"movflags": flags})
    with written(pipe, clip.read_bytes()), VideoReader(pipe, timeout_s=LONG_S) as reader:
        assert len(list(reader.frames())) == 60


def test_an_mp4_whose_index_comes_last_is_refused_with_the_way_out(pipe: Path, tmp_path: Path) -> None:
    import av
    import numpy as np

    clip, noise = tmp_path / "noise.mp4", np.random.default_rng(1)
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        for index in range(20):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (360, 320), np.uint8), "yuvj420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = clip.read_bytes()
    assert data.index(b"moov") > 1 << 19
    with (
        written(pipe, data),
        pytest.raises(MediaError, match=r"index \(moov\) of this MP4 or MOV stands at its end.*faststart"),
    ):
        probe(pipe, timeout_s=LONG_S)


def test_a_name_of_any_bytes_is_read(make_clip: MakeClip, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff: \n.mp4"
    os.rename(make_clip("clip.mp4", 5), name)
    with VideoReader(name) as reader:
        assert len(list(reader.frames())) == 5
        assert reader.info.location.encode()
        assert reader.source_id.encode()


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom", "/dev/null", "/proc/self/status", "/dev/tty"])
def test_devices_and_files_of_the_system_are_refused_in_time(name: str) -> None:
    with pytest.raises(MediaError) as caught:
        probe(name, timeout_s=LONG_S)
    assert not isinstance(caught.value, ReadTimeoutError)


def test_a_socket_is_no_file(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        with pytest.raises(MediaError, match="No such device or address"):
            probe(tmp_path / "s")


def test_a_pipe_is_not_played_again(pipe: Path) -> None:
    with pytest.raises(MediaError, match="a pipe cannot be played again, got loops = 2"):
        VideoReader(pipe, loops=2)


@pytest.mark.parametrize("name", ["-", "pipe:", "pipe:0", "/dev/stdin"])
def test_standard_input_is_read_from_a_pipe(name: str, make_clip: MakeClip) -> None:
    assert frames_of_input(name, data=make_clip("clip.ts", 30).read_bytes()) == "stdin 30"


def test_a_file_behind_standard_input_is_read_at_any_place(make_clip: MakeClip) -> None:
    with make_clip("clip.mp4", 30).open("rb") as file:
        assert frames_of_input("-", stdin=file) == "stdin 30"


def frames_of_input(name: str, *, stdin: object = None, data: bytes | None = None) -> str:
    """Read standard input in another process; return the source and how many frames it has."""
    code = (
        "import sys; from picasso.media import VideoReader; reader = VideoReader(sys.argv[1]);"
        "print(reader.source_id, len(list(reader.frames())))"
    )
    given: dict[str, object] = {"stdin": stdin} if data is None else {"input": data}
    line = [sys.executable, "-c", code, name]
    done = subprocess.run(line, capture_output=True, check=True, timeout=100, **given)  # type: ignore[call-overload]
    return str(done.stdout.decode()).strip()


def test_a_descriptor_is_read_by_its_number(make_clip: MakeClip) -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as file:
        file.write(make_clip("clip.ts", 5).read_bytes())
    with VideoReader(f"pipe:{read_end}", timeout_s=LONG_S) as reader:
        assert len(list(reader.frames())) == 5
    with pytest.raises(MediaError, match=rf"pipe:{read_end}: Bad file descriptor"):
        probe(f"pipe:{read_end}")


class TestMetadata:
    """Lines from a pipe."""

    def test_they_are_read_to_the_end(self, pipe: Path, tmp_path: Path) -> None:
        with MetadataWriter(tmp_path / "lines.ndjson") as writer:
            for index in range(3):
                writer.write(VideoFrame("a", "30/1", 64, 48, pts=index))
        with written(pipe, (tmp_path / "lines.ndjson").read_bytes()), MetadataReader(pipe, timeout_s=LONG_S) as reader:
            assert [frame.pts for frame in reader.frames()] == [0, 1, 2]

    def test_a_line_that_does_not_come_is_given_up(self, pipe: Path) -> None:
        with MetadataReader(pipe, timeout_s=0.2) as reader, pytest.raises(ReadTimeoutError, match=r"within 0\.2 s"):
            next(reader)

    def test_stop_ends_the_wait_for_a_line(self, pipe: Path) -> None:
        stop, items = StopSignal(), ["not yet"]
        with MetadataReader(pipe, timeout_s=None, stop=stop) as reader:
            reading = threading.Thread(target=lambda: items.__setitem__(slice(None), reader))
            reading.start()
            stop.set()
            reading.join(PATIENCE_S)
        assert items == []

    @pytest.mark.parametrize("location", ["http://127.0.0.1:1/x", "rtsp://host/x"])
    def test_they_do_not_come_from_servers(self, location: Location) -> None:
        with pytest.raises(MediaError, match="metadata is read from files and pipes"):
            MetadataReader(location)


@pytest.mark.parametrize("make", [StreamWriter, MetadataWriter], ids=lambda make: make.__name__)
def test_a_pipe_that_nobody_reads_is_not_written_to(
    make: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("picasso.media.outputs.READER_WAIT_S", 0.1)
    os.mkfifo(tmp_path / "out.mkv")
    with pytest.raises(MediaError, match=r"no one reads the pipe, within 0\.1 s"):
        make(tmp_path / "out.mkv")
