"""What the commands read: pipes once, standard input, odd names, and nothing that is not asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import av
import pytest
from running import picasso

from picasso.media import MetadataReader, VideoReader
from picasso.primitives import VideoFrame


@pytest.fixture(scope="session")
def transport_stream(small_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The small clip's 120 frames as MPEG-TS."""
    path = tmp_path_factory.mktemp("ts") / "clip.ts"
    with av.open(small_clip) as source, av.open(path, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path.read_bytes()


def frames(path: Path) -> int:
    with VideoReader(path) as reader:
        return len(list(reader.frames()))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["encode", "{pipe}", "-o", "{out}", "-q"], ""),
        (["probe", "{pipe}", "--decode", "--json"], '"decoded_frames": 120'),
    ],
    ids=["encode", "probe"],
)
def test_a_named_pipe_is_opened_once(command: list[str], says: str, transport_stream: bytes, tmp_path: Path) -> None:
    """A second opening would find nothing and wait for it."""
    pipe, out = tmp_path / "pipe.ts", tmp_path / "out.mp4"
    os.mkfifo(pipe)
    writing = threading.Thread(target=lambda: pipe.write_bytes(transport_stream))
    writing.start()
    done = picasso(*(word.format(pipe=pipe, out=out) for word in command))
    writing.join(20)
    assert (done.code, done.err) == (0, "")
    assert says in done.out
    assert not out.exists() or frames(out) == 120


@pytest.mark.parametrize("name", ["-", "pipe:", "pipe:0"])
def test_standard_input_is_encoded(name: str, transport_stream: bytes, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "picasso", "encode", name, "-o", "out.mp4", "-q"]
    done = subprocess.run(line, input=transport_stream, capture_output=True, cwd=tmp_path, timeout=250, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert frames(tmp_path / "out.mp4") == 120


@pytest.mark.parametrize("name", ["12:30:05.ts", "file:x.ts", "concat:a.ts", "-x.ts", "%d.ts"])
def test_a_name_like_a_protocol_is_a_file(
    name: str, transport_stream: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(transport_stream)
    done = picasso("probe", "--json", "--", name)
    assert (done.code, json.loads(done.out)["file"]) == (0, name)


def test_what_a_list_may_open_is_an_option(transport_stream: bytes, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "clip.ts").write_bytes(transport_stream)
    listing = tmp_path / "folder" / "list.ffconcat"
    listing.write_text("ffconcat version 1.0\nfile ../clip.ts\n")
    refused = picasso("probe", listing)
    assert refused.code == 1
    assert refused.sentence.endswith('trust="any" (on the command line --trust any) allows it')
    assert picasso("probe", listing, "--trust", "any", "--json").code == 0
    assert picasso("probe", listing, "--trust", "all").sentence.endswith("unknown trust 'all'; one of origin, any")


def test_detections_come_from_standard_input(small_clip: Path, tmp_path: Path) -> None:
    first = VideoFrame("encode", "30000/1001", 176, 144, pts=0)
    first.add_detections("detector", [[10, 10, 90, 90]], ["face"])
    line = [sys.executable, "-m", "picasso", "encode", str(small_clip), "-o", "out.mp4", "-q", "--seconds", "0.2"]
    line += ["--draw", "-", "--metadata", "out.ndjson"]
    done = subprocess.run(line, input=first.json_line(), capture_output=True, cwd=tmp_path, timeout=250, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    with MetadataReader(tmp_path / "out.ndjson") as reader:
        assert [len(frame.get_all_objects()) for frame in reader.frames()] == [1, 0, 0, 0, 0, 0]


def test_one_stream_does_not_hold_both_frames_and_detections(tmp_path: Path) -> None:
    done = picasso("encode", "-", "-o", tmp_path / "out.mp4", "--draw", "-")
    assert done.code == 2
    assert done.sentence.endswith("'-' cannot hold both the frames and what is drawn on them")
