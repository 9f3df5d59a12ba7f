"""What a location may make FFmpeg open: its own folder, or its own host and port; the rest is refused by name."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from media_servers import Caller, Server, camera, http, pages

from picasso.errors import ConnectionLostError, MediaError
from picasso.media import VideoReader, probe
from picasso.media.location import Trust

MakeClip = Callable[..., Path]
ADVICE = r"trust=\"any\" \(on the command line --trust any\) allows it"
SDP = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 49152 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
)
MPD = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file:///etc/passwd</BaseURL></MPD>'


def playlist(*names: str, end: bool = True) -> str:
    """An HLS playlist."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1"]
    for name in names:
        lines += ["#EXTINF:0.4,", name]
    return "\n".join([*lines, "#EXT-X-ENDLIST" if end else "", ""])


def frames(location: str | Path, trust: Trust = "origin") -> int:
    with VideoReader(location, trust=trust, timeout_s=10) as reader:
        return len(list(reader.frames()))


@pytest.fixture
def folder(tmp_path: Path, make_clip: MakeClip) -> Path:
    """A folder with a clip in it and in a folder below; another clip lies beside it."""
    clip = make_clip("outside.ts", 10)
    inside = tmp_path / "folder"
    (inside / "below").mkdir(parents=True)
    for name in ("clip.ts", "with space.ts", "below/clip.ts"):
        (inside / name).write_bytes(clip.read_bytes())
    (inside / "link.ts").symlink_to(clip)
    os.mkfifo(inside / "pipe.ts")
    return inside


LOCAL = {
    "loc.m3u8": playlist("file://{outside}"),
    "abs.m3u8": playlist("{outside}"),
    "up.m3u8": playlist("../outside.ts"),
    "link.m3u8": playlist("link.ts"),
    "net.m3u8": playlist("http://127.0.0.1:1/x.ts"),
    "second.m3u8": playlist("clip.ts", "../outside.ts"),
    "key.m3u8": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="../outside.ts"\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n',
    "map.m3u8": '#EXTM3U\n#EXT-X-MAP:URI="file:{outside}"\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n',
    "concat.m3u8": playlist("concat:{outside}"),
    "sub.m3u8": playlist("subfile,,start,0,end,0,,:{outside}"),
    "crypto.m3u8": playlist("crypto+file://{outside}"),
    "data.m3u8": playlist("data:video/mp2t;base64,AAAA"),
    "disguised.mp4": playlist("clip.ts"),
    "abs.ffconcat": "ffconcat version 1.0\nfile {outside}\n",
    "up.txt": "ffconcat version 1.0\nfile ../outside.ts\n",
    "quoted.txt": "ffconcat version 1.0\nfile '../outside.ts'\n",
    "tab.txt": "ffconcat version 1.0\n file\t../outside.ts\n",
    "link.mp4": "ffconcat version 1.0\nfile link.ts\n",
    "net.mp4": "ffconcat version 1.0\nfile http://127.0.0.1:1/x.ts\n",
    "self.txt": "ffconcat version 1.0\nfile self.txt\n",
    "pipe.txt": "ffconcat version 1.0\nfile pipe.ts\n",
    "nested.txt": "ffconcat version 1.0\nfile loc.m3u8\n",
    "option.txt": "ffconcat version 1.0\nfile clip.ts\noption protocol_whitelist file,http,tcp\n",
    "x.sdp": SDP,
    "sdp.mp4": SDP,
    "x.mpd": MPD,
    "mpd.mp4": MPD,
}


@pytest.mark.parametrize("name", LOCAL)
def test_a_local_list_opens_nothing_outside_of_its_folder(name: str, folder: Path) -> None:
    for each, text in LOCAL.items():
        (folder / each).write_text(text.format(outside=folder.parent / "outside.ts"))
    with pytest.raises(MediaError, match=f"{name}: .*{ADVICE}"):
        frames(folder / name)


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("list.m3u8", playlist("clip.ts", "below/clip.ts"), 20),
        ("spaces.m3u8", playlist("with space.ts"), 10),
        ("absolute.m3u8", playlist("{folder}/clip.ts"), 10),
        ("url.m3u8", playlist("file://{folder}/clip.ts"), 10),
        ("master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n", 20),
        ("list.ffconcat", "ffconcat version 1.0\nfile clip.ts\n# again\nfile 'below/clip.ts'\nduration 0.4\n", 20),
        ("list.mp4", "ffconcat version 1.0\nfile clip.ts\n", 10),
        ("spaces.txt", "ffconcat version 1.0\nfile 'with space.ts'\n", 10),
        ("absolute.txt", "ffconcat version 1.0\nfile {folder}/clip.ts\n", 10),
    ],
)
def test_a_local_list_opens_files_of_its_folder(name: str, text: str, count: int, folder: Path) -> None:
    (folder / "list.m3u8").write_text(playlist("clip.ts", "below/clip.ts"))
    (folder / name).write_text(text.format(folder=folder))
    assert frames(folder / name) == count


@pytest.mark.parametrize(
    "name", ["loc.m3u8", "abs.m3u8", "up.m3u8", "link.m3u8", "abs.ffconcat", "up.txt", "quoted.txt"]
)
def test_who_trusts_a_local_list_gets_what_it_names(name: str, folder: Path) -> None:
    (folder / name).write_text(LOCAL[name].format(outside=folder.parent / "outside.ts"))
    assert frames(folder / name, trust="any") == 10


REMOTE = {
    "/file.m3u8": playlist("file://{outside}"),
    "/port.m3u8": playlist("http://127.0.0.1:{other}/clip.ts"),
    "/host.m3u8": playlist("http://localhost:{port}/clip.ts"),
    "/up.m3u8": playlist("//localhost/clip.ts"),
    "/concat.m3u8": playlist("concat:{outside}"),
    "/sub.m3u8": playlist("subfile,,start,0,end,0,,:{outside}"),
    "/data.m3u8": playlist("data:video/mp2t;base64,AAAA"),
    "/cache.m3u8": playlist("cache:file:{outside}"),
    "/crypto.m3u8": playlist("crypto+file://{outside}"),
    "/rtp.m3u8": playlist("rtp://127.0.0.1:9999"),
    "/master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile.m3u8\n",
    "/segment.m3u8": playlist("moved.ts"),
    "/key.m3u8": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:{other}/k"\n#EXTINF:1,\nclip.ts\n',
    "/list.txt": "ffconcat version 1.0\nfile clip.ts\n",
    "/list.mp4": "ffconcat version 1.0\nfile file:{outside}\n",
    "/x.sdp": SDP,
    "/x.mpd": MPD,
}
MOVED = {
    "/moved.ts": "http://127.0.0.1:{other}/clip.ts",
    "/gone.ts": "file://{outside}",
    "/away.ts": "ftp://127.0.0.1/",
}


@pytest.mark.parametrize("name", [*REMOTE, *MOVED])
def test_a_server_opens_nothing_outside_of_itself(name: str, folder: Path) -> None:
    clip = (folder / "clip.ts").read_bytes()
    bodies: dict[str, bytes | str] = {"/clip.ts": clip}
    with Server(pages({"/clip.ts": clip})) as other, Server(pages(bodies)) as server:
        words = {"outside": folder.parent / "outside.ts", "other": other.port, "port": server.port}
        bodies |= {path: text.format(**words).encode() for path, text in REMOTE.items()}
        bodies |= {path: text.format(**words) for path, text in MOVED.items()}
        with pytest.raises(MediaError, match=ADVICE):
            frames(server.url(name))
        assert other.paths == []
        assert set(server.paths) <= {name, "/file.m3u8", "/moved.ts"}


def test_who_trusts_a_server_gets_what_it_names(folder: Path) -> None:
    clip = (folder / "clip.ts").read_bytes()
    bodies: dict[str, bytes | str] = {}
    with Server(pages({"/clip.ts": clip})) as other, Server(pages(bodies)) as server:
        bodies["/list.m3u8"] = playlist(other.url("/clip.ts"), f"file://{folder.parent / 'outside.ts'}").encode()
        bodies["/moved.ts"] = other.url("/clip.ts")
        assert frames(server.url("/list.m3u8"), trust="any") == 20
        assert frames(server.url("/moved.ts"), trust="any") == 10
        assert set(other.paths) == {"/clip.ts"}


def test_a_server_opens_what_is_its_own(folder: Path) -> None:
    clip = (folder / "clip.ts").read_bytes()
    bodies: dict[str, bytes | str] = {
        "/a/list.m3u8": playlist("clip.ts", "/b/clip.ts").encode(),
        "/master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na/list.m3u8\n",
        "/a/clip.ts": clip,
        "/b/clip.ts": "/a/clip.ts",
        "/moved.m3u8": "/a/list.m3u8",
        "/parts.m3u8": f"#EXTM3U\n#EXT-X-VERSION:4\n#EXTINF:1,\n#EXT-X-BYTERANGE:{len(clip)}@0\ntwice.ts\n"
        f"#EXTINF:1,\n#EXT-X-BYTERANGE:{len(clip)}@{len(clip)}\ntwice.ts\n#EXT-X-ENDLIST\n".encode(),
        "/twice.ts": clip * 2,
    }
    with Server(pages(bodies)) as server:
        bodies["/whole.m3u8"] = playlist(server.url("/a/clip.ts")).encode()
        found = {path: frames(server.url(path)) for path in bodies if path.endswith((".m3u8", "/clip.ts"))}
    assert found == {
        "/a/list.m3u8": 20, "/master.m3u8": 20, "/a/clip.ts": 10, "/b/clip.ts": 10, "/moved.m3u8": 20,
        "/parts.m3u8": 20, "/whole.m3u8": 10,
    }  # fmt: skip


def test_a_live_playlist_is_followed_to_its_end(folder: Path) -> None:
    """It grows by one segment, and then ends."""
    clip, asked = (folder / "clip.ts").read_bytes(), []

    def answer(caller: Caller) -> None:
        body = clip
        if caller.path == "/live.m3u8":
            asked.append(1)
            names = ["a.ts", "b.ts", "c.ts", "d.ts"][: 2 + len(asked)]
            body = playlist(*names, end=len(asked) > 1).encode()
        caller.say("200 OK", body, {"Content-Length": len(body)})

    with Server(http(answer)) as server:
        assert frames(server.url("/live.m3u8")) == 40
        assert server.paths == ["/live.m3u8", "/a.ts", "/b.ts", "/c.ts", "/live.m3u8", "/d.ts"]


@pytest.mark.parametrize(
    ("status", "error"), [("200 OK", ConnectionLostError), ("404 Not Found", MediaError)], ids=["cut", "gone"]
)
def test_a_segment_that_does_not_come_is_no_end(status: str, error: type, folder: Path) -> None:
    """FFmpeg would go on with the next one and say nothing."""
    clip = (folder / "clip.ts").read_bytes()
    bodies = {"/list.m3u8": playlist("a.ts", "b.ts", "c.ts").encode(), "/a.ts": clip, "/c.ts": clip}

    def answer(caller: Caller) -> None:
        body = bodies.get(caller.path)
        if body is not None:
            caller.say("200 OK", body, {"Content-Length": len(body)})
        else:
            caller.say(status, clip[: len(clip) // 2], {"Content-Length": len(clip)})

    with Server(http(answer)) as server, pytest.raises(error) as caught:
        frames(server.url("/list.m3u8"))
    assert type(caught.value) is error


def test_a_live_playlist_is_left_at_once_when_stopped(folder: Path) -> None:
    body = playlist("clip.ts", "clip.ts", "clip.ts", end=False).replace("DURATION:1", "DURATION:30")
    served = pages({"/clip.ts": (folder / "clip.ts").read_bytes(), "/live.m3u8": body.encode()})
    with Server(served) as server, VideoReader(server.url("/live.m3u8"), timeout_s=60) as reader:
        seen, items = threading.Event(), []

        def read() -> None:
            for item in reader:
                items.append(item)
                seen.set()

        reading = threading.Thread(target=read)
        reading.start()
        assert seen.wait(20)
        reader.stop()
        reading.join(20)
        assert not reading.is_alive()


@pytest.mark.parametrize(
    "location",
    [
        "concat:{clip}|{clip}",
        "subfile,,start,0,end,1000000,,:{clip}",
        "cache:file:{clip}",
        "file:{clip}",
        "lavfi:testsrc=duration=0.4",
    ],
)
def test_ffmpegs_protocols_are_files_unless_trusted(location: str, folder: Path) -> None:
    location = location.format(clip=folder / "clip.ts")
    with pytest.raises(MediaError, match=f"No such file or directory; .*{ADVICE}"):
        probe(location)
    assert frames(location, trust="any") == (20 if location.startswith("concat") else 10)


@pytest.mark.parametrize("location", ["cache:http://127.0.0.1:1/x", "crypto+http://h/x", "gopher://h/x", "unix://x"])
def test_protocols_that_reach_further_are_refused_by_name(location: str) -> None:
    with pytest.raises(MediaError, match=f"(protocol '.*' is refused|Protocol not found).*({ADVICE}|)"):
        probe(location)


def test_what_comes_by_other_protocols_opens_nothing_either(folder: Path) -> None:
    """A playlist, sent by TCP or RTSP."""
    text = playlist(f"file://{folder.parent / 'outside.ts'}").encode()
    with Server(lambda caller: caller.link.sendall(text)) as server, pytest.raises(MediaError, match=ADVICE):
        probe(server.url("", "tcp"), timeout_s=5)
    with Server(camera(text.ljust(188 * 7, b"\n"), lambda _caller: None)) as server, pytest.raises(MediaError):
        probe(server.url("/x", "rtsp"), timeout_s=5)


def test_a_file_is_that_file_though_its_name_is_a_pattern(folder: Path, make_clip: MakeClip) -> None:
    clip = make_clip("clip%03d.png", 1, codec="png", pix_fmt="rgb24", muxer="image2", options={"update": "1"})
    for index in range(3):
        (folder / f"clip{index:03d}.png").write_bytes(clip.read_bytes())
    assert frames(folder / "clip%03d.png") == 3
    (folder / "clip%03d.png").write_bytes(clip.read_bytes())
    assert frames(folder / "clip%03d.png") == 1


@pytest.mark.parametrize("option", ["enable_drefs", "use_absolute_path"])
def test_options_that_let_a_file_open_others_are_refused_unless_trusted(option: str, folder: Path) -> None:
    with pytest.raises(MediaError, match=f"the option {option} lets a file open others; {ADVICE}"):
        probe(folder / "clip.ts", options={option: "1"})
    assert probe(folder / "clip.ts", options={option: "1"}, trust="any").codec == "h264"


def test_nvdec_is_given_no_list(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its own demuxer would open everything the list names."""
    (folder / "list.ffconcat").write_text("ffconcat version 1.0\nfile clip.ts\n")
    with VideoReader(folder / "list.ffconcat", device="cuda") as reader:
        assert reader.device == "cpu"
        assert len(list(reader.frames())) == 10
    assert "NVDEC reads files" in caplog.text
