"""Files that are not video, or not all of one: one sentence, no traceback of a library."""

from __future__ import annotations

import socket
import struct
import traceback
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picasso.errors import MediaError
from picasso.media import VideoReader, probe

MakeClip = Any
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_all(path: Path) -> tuple[int, str | None]:
    """Return how many frames came, and what was said at the end, in one sentence."""
    count = 0
    try:
        with VideoReader(path) as reader:
            for _ in reader.frames():
                count += 1
    except MediaError as error:
        said = str(error).removeprefix(str(path))
    else:
        return count, None
    assert said.startswith(": ")
    assert said == " ".join(said.split())
    return count, said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        VideoReader(tmp_path / "none.mp4")
    assert str(caught.value) == f"{tmp_path}/none.mp4: No such file or directory"
    assert "av/" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("content", [b"\0", b"\0" * 10, b"hello world\n" * 1000], ids=["a zero", "zeros", "text"])
def test_content_that_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert read_all(path) == (0, ": Invalid data found when processing input")


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    assert read_all(tmp_path / "clip.mp4") == (0, ": the file is empty")


def test_text_is_not_drawn_as_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello world\n" * 100)
    assert read_all(path) == (0, ": holds no video")


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    assert read_all(tmp_path) == (0, ": Is a directory")


@pytest.mark.parametrize(
    ("share", "frames", "message"),
    [
        (0.9, range(30, 40), ": truncated after {} of 40 frames"),
        (0.5, range(8, 30), ": truncated after {} of 40 frames"),
    ],
)
def test_a_truncated_mp4_gives_its_frames_and_then_says_so(
    make_clip: MakeClip, share: float, frames: range, message: str
) -> None:
    path = make_clip(frames=40, size=(320, 240), codec="mjpeg", pix_fmt="yuvj420p", options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    count, said = read_all(path)
    assert count in frames
    assert said == message.format(count)


def test_an_mp4_without_its_index_is_refused(make_clip: MakeClip) -> None:
    path = make_clip()
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov")])
    assert read_all(path) == (0, ": Invalid data found when processing input")


def test_a_packet_that_cannot_be_decoded_is_skipped_and_counted(make_clip: MakeClip) -> None:
    path = make_clip("clip.mov", frames=6, codec="png", pix_fmt="gray")
    head, *images = path.read_bytes().split(PNG_SIGNATURE)
    path.write_bytes(PNG_SIGNATURE.join([head, *images[:2]]) + bytes(8) + PNG_SIGNATURE.join(images[2:]))
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 5
        assert reader.skipped == 1


def png(width: int, height: int) -> bytes:
    """A PNG whose header promises what its body does not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [30_000, 2**31 - 1])
def test_absurd_sizes_are_refused(tmp_path: Path, side: int) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png(side, side))
    count, said = read_all(path)
    assert count == 0
    assert said is not None


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://user:secret@localhost:1/x.mp4", "http://localhost:1/x.mp4: Connection refused"),
        ("rtsp://user:secret@localhost:1/x", "rtsp://localhost:1/x: Connection refused"),
        ("nothing://here", "nothing://here: Protocol not found"),
    ],
)
def test_passwords_stay_out_of_messages(url: str, message: str) -> None:
    with pytest.raises(MediaError) as caught:
        probe(url, timeout_s=5)
    assert str(caught.value) == message


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.mp4"
        with pytest.raises(MediaError, match=r"x\.mp4: no answer in time"):
            probe(url, timeout_s=0.1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_files_end_in_frames_or_in_one_sentence(make_clip: MakeClip, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["clip.mp4", "clip.mkv", "clip.ts"]))
    path = make_clip(name, frames=4)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    read_all(path)
