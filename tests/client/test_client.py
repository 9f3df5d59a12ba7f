"""The client: pictures and videos to a module, and what comes back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from client_kit import SIZE, grey, http_server, module_between, write_picture, write_video

from picasso.client import (
    JaegerLogProvider,
    JpegSource,
    PngSource,
    SinkBuilder,
    SourceBuilder,
    VideoSource,
    wait_for_health,
)
from picasso.errors import HealthError, MediaError, SpecError, TransportTimeoutError
from picasso.primitives import (
    Attribute,
    AttributeValue,
    EndOfStream,
    VideoFrame,
    VideoFrameBatch,
    VideoFrameContent,
    VideoFrameUpdate,
    save_message_to_bytes,
)
from picasso.wire import Reader, Received, Writer

JPEG = {"output_frame": {"codec": "jpeg"}}
H264 = {"output_frame": {"codec": "h264", "encoder": "software"}}


def builders(folder: Path) -> tuple[SourceBuilder, SinkBuilder]:
    source = SourceBuilder().with_socket(f"dealer+connect:ipc://{folder}/in.ipc")
    sink = SinkBuilder().with_socket(f"router+connect:ipc://{folder}/out.ipc").with_idle_timeout(60)
    return source, sink


@pytest.mark.parametrize("kind", [JpegSource, PngSource])
def test_a_picture_goes_to_a_module_and_comes_back_with_its_trace(
    kind: type[JpegSource | PngSource], tmp_path: Path
) -> None:
    path = write_picture(tmp_path / ("a.jpg" if kind is JpegSource else "a.png"))
    sources, sinks = builders(tmp_path)
    with module_between(tmp_path, JPEG), sources.build() as source, sinks.build() as sink:
        sent = source(kind("cam-1", path, pts=7_000))
        frame, end = next(sink), next(sink)
    assert (sent.status, sent.source_ids, sent.pts) == ("ok", {"cam-1"}, 7_000)
    assert sent.trace_id is not None
    assert frame.trace_id == sent.trace_id
    assert len(sent.trace_id) == 32
    assert frame.frame_meta is not None
    assert frame.frame_meta.pts == 7_000
    assert frame.frame_meta.get_attribute("default", "location").values[0].as_string() == str(path)  # type: ignore[union-attr]
    assert abs(frame.pixels().mean() - 90) < 3
    assert frame.pixels().shape == (48, 64, 3)
    assert frame.frame_content is not None
    assert frame.frame_content[:2] == b"\xff\xd8"
    assert (end.eos, end.source_id, end.frame_meta, end.frame_content) == (True, "cam-1", None, None)


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        (".mp4", "libx264", {"bf": "2"}),
        (".mkv", "libx265", {"x265-params": "log-level=error"}),
        (".webm", "libvpx", {}),
    ],
)
def test_a_video_is_sent_as_it_is_and_every_frame_comes_back(
    suffix: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = write_video(tmp_path / f"clip{suffix}", codec=codec, **options)
    sources, sinks = builders(tmp_path)
    with module_between(tmp_path, H264), sources.build() as source, sinks.build() as sink:
        sent = list(source.send_iter(VideoSource("clip", path)))
        results = [next(sink) for _ in range(7)]
    assert len({result.trace_id for result in sent}) == 6
    frames = [result.frame_meta for result in results[:6]]
    assert [frame.pts for frame in frames if frame] == [number * 40_000_000 for number in range(6)]
    for number, result in reversed(list(enumerate(results[:6]))):  # in any order
        assert abs(result.pixels().mean() - grey(number)) < 8, number
    assert results[6].eos


def test_a_pixel_that_was_sent_is_the_pixel_that_arrives(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (48, 64, 4), np.uint8)
    pixels[..., 3] = 255
    frame = VideoFrame(
        "raw",
        "30/1",
        *SIZE,
        VideoFrameContent.external("zeromq"),
        codec="raw-rgba",
        keyframe=True,
        time_base=(1, 10**9),
    )
    sources, sinks = builders(tmp_path)
    with module_between(tmp_path, {"output_frame": {"codec": "raw-rgba"}}), sources.build() as source:
        source((frame, pixels.tobytes()))
        with sinks.build() as sink:
            assert np.array_equal(next(sink).pixels(), pixels[..., :3])
            assert next(sink).eos  # the module cannot end before someone has taken it


def test_streams_are_ended_where_the_caller_says_so(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg")
    with Reader(f"router+bind:ipc://{tmp_path}/in.ipc", receive_timeout_s=5) as reader:
        with builders(tmp_path)[0].with_receive_timeout(0.01).with_retries(0).build() as source:
            a, b = (JpegSource(name, path) for name in ("a", "b"))
            sent = source.send_iter([a, b, a, b], send_eos=False)
            assert isinstance(reader.receive(0), type(reader.receive(0)))  # nothing is sent until it is consumed
            assert reader.stats().received == 0
            assert [next(iter(result.source_ids)) for result in sent] == ["a", "b", "a", "b"]
            received = [reader.receive() for _ in range(4)]
            with pytest.raises(TransportTimeoutError, match="no one acknowledged"):
                list(source.send_iter([EndOfStream("a")]))
    assert [one.sequence for one in received if isinstance(one, Received)] == [1, 1, 2, 2]


def test_a_batch_travels_in_the_name_of_its_topic(tmp_path: Path) -> None:
    data = write_picture(tmp_path / "a.jpg").read_bytes()
    batch = VideoFrameBatch()
    for number, name in enumerate(("a", "b")):
        content = VideoFrameContent.internal(data)
        batch.add(number, VideoFrame(name, "30/1", *SIZE, content, codec="jpeg", keyframe=True, time_base=(1, 10**9)))
    sources, sinks = builders(tmp_path)
    with module_between(tmp_path), sources.build() as source, sinks.build() as sink:
        sent = source((batch, "batch"))
        results = [next(sink) for _ in range(4)]
    assert (sent.source_ids, sent.pts) == ({"a", "b"}, None)
    assert sorted((result.source_id, result.eos) for result in results) == [
        ("a", False),
        ("a", True),
        ("b", False),
        ("b", True),
    ]


def test_a_shutdown_ends_the_module_behind_everything(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4")
    sources, sinks = builders(tmp_path)
    with module_between(tmp_path, {"shutdown_auth": "key"}) as module, sources.build() as source:
        list(source.send_iter(VideoSource("clip", path)))
        assert source.send_shutdown("clip", "key").status == "ok"
        results = []
        with sinks.with_idle_timeout(0.02).build() as sink:
            while module.state != "stopped":
                results += list(sink)
    assert [result.eos for result in results] == [False] * 6 + [True]


def test_an_idle_sink_ends_and_takes_only_what_it_was_told(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg")
    sources, sinks = builders(tmp_path)
    with module_between(tmp_path), sources.build() as source:
        for name in ("cam-1", "cam-2", "dog"):
            source(JpegSource(name, path))
        with sinks.with_source_id_prefix("cam").build() as sink:
            names = [result.source_id for result in (next(sink) for _ in range(5)) if not result.eos]
            sink._idle_timeout_s = 0.05
            assert list(sink) == []
    assert names == ["cam-1", "cam-2"]


def test_nobody_who_takes_a_frame_is_an_error_in_time(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg")
    builder = SourceBuilder().with_socket(f"dealer+connect:ipc://{tmp_path}/no one.ipc")
    with builder.with_send_timeout(0.02).with_retries(1).build() as source:
        with pytest.raises(TransportTimeoutError, match=r"no one took a message within 0\.04 s"):
            source(JpegSource("a", path))


async def _both_ways(folder: Path, path: Path) -> list[str]:
    sources, sinks = builders(folder)
    async with sources.build_async() as source, sinks.build_async() as sink:
        sent = await source(JpegSource("one", path))
        assert sent.status == "ok"
        assert len([result async for result in source.send_iter(JpegSource("two", path, pts=n) for n in (0, 5))]) == 2
        found = []
        async for result in sink:
            found.append("eos" if result.eos else f"{result.source_id} {round(result.pixels().mean(), -1)}")
            if found.count("eos") == 2:
                break
        return found


def test_all_of_it_may_be_awaited(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg", 90)
    with module_between(tmp_path, JPEG):
        found = asyncio.run(_both_ways(tmp_path, path))
    assert sorted(found) == ["eos", "eos", "one 90.0", "two 90.0", "two 90.0"]


def test_an_async_sink_that_waits_can_be_closed(tmp_path: Path) -> None:
    async def wait_and_close() -> bool:
        sink = builders(tmp_path)[1].with_idle_timeout(None).build_async()
        waiting = asyncio.ensure_future(sink.__anext__())
        await asyncio.sleep(0)
        await sink.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
        return True

    assert asyncio.run(wait_and_close())


@pytest.mark.parametrize(
    "answers",
    [[(200, "running")], [(503, "starting"), (503, "initializing"), (200, "running\n")], [(503, ""), (200, "running")]],
)
def test_a_module_is_waited_for_until_it_runs(answers: list[tuple[int, str]]) -> None:
    with http_server(answers) as address:
        assert wait_for_health(f"{address}/healthcheck", timeout_s=10, interval_s=0.001) == "running"


def test_a_module_that_does_not_come_is_an_error_in_time() -> None:
    with http_server([(503, "stopping")]) as address:
        with pytest.raises(TransportTimeoutError, match=r"Module is not ready after 0\.01 seconds\. .*'stopping'"):
            wait_for_health(address, timeout_s=0.01, interval_s=0.001)
        assert wait_for_health(address, timeout_s=10, accept=("running", "stopping")) == "stopping"
    with pytest.raises(TransportTimeoutError, match="no one answers"):
        wait_for_health(address, timeout_s=0.01, interval_s=0.001)
    with http_server([(404, "")]) as address, pytest.raises(HealthError, match="Status code: 404"):
        wait_for_health(address)


def test_a_source_waits_for_its_module_before_the_first_frame(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg")
    with Reader(f"router+bind:ipc://{tmp_path}/in.ipc", receive_timeout_s=5) as reader:
        with http_server([(503, "starting"), (200, "running")]) as address:
            builder = builders(tmp_path)[0].with_module_health_check_url(address)
            with builder.with_module_health_check_interval(0.001).build() as source:
                source(JpegSource("a", path), send_eos=False)
        assert isinstance(reader.receive(), Received)
        with http_server([(503, "stopped")]) as address:
            builder = builders(tmp_path)[0].with_module_health_check_url(address)
            with builder.with_module_health_check_timeout(0.01).build() as source, pytest.raises(TimeoutError):
                source(JpegSource("a", path))
        assert reader.stats().received == 1


TRACE = {
    "data": [
        {
            "spans": [
                {
                    "operationName": "process",
                    "logs": [
                        {"timestamp": 2_000_000, "fields": [
                            {"key": "event.name", "value": "log-record"}, {"key": "log.level", "value": "WARN"},
                            {"key": "log.target", "value": "m"}, {"key": "event", "value": "later"},
                            {"key": "event.domain", "value": "savant"}, {"key": "x", "value": 1}]},
                        {"timestamp": 1_000_000, "fields": [
                            {"key": "event.name", "value": "log-record"}, {"key": "log.level", "value": "INFO"},
                            {"key": "log.target", "value": "m"}, {"key": "event", "value": "{path}"}]},
                        {"timestamp": 1, "fields": [{"key": "event", "value": "no record"}]},
                        {"timestamp": 1, "fields": [{"key": "event.name", "value": "log-record"}]},
                    ],
                }
            ]
        }
    ]
}  # fmt: skip


def test_logs_of_a_trace_come_from_jaeger_in_the_order_of_their_times() -> None:
    with http_server([(200, json.dumps(TRACE))]) as address:
        logs = JaegerLogProvider(address, "me", "secret").logs("abc")
    assert logs.pretty_format().splitlines() == [
        "1970-01-01 00:00:01.000000 | [INFO] [m] /api/traces/abc",
        "1970-01-01 00:00:02.000000 | [WARN] [m] later",
        "                           | x=1",
    ]
    assert "secret" not in repr(JaegerLogProvider("http://x", "me", "secret"))
    with http_server([(404, "")]) as address:
        assert len(JaegerLogProvider(address).logs("abc")) == 0
    with http_server([(200, "no json")]) as address, pytest.raises(OSError, match="/api/traces/abc"):
        JaegerLogProvider(address).logs("abc")


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda p: SourceBuilder().build(), AssertionError, "socket is required"),
        (lambda p: SinkBuilder().build(), AssertionError, "socket is required"),
        (lambda p: SourceBuilder().with_socket("sub+bind:ipc:///x").build(), SpecError, "sub reads"),
        (lambda p: SinkBuilder(socket="pub+bind:ipc:///x").build_async(), SpecError, "pub writes"),
        (lambda p: JpegSource("a", p / "none.jpg"), ValueError, r"none.jpg: does not exist\."),
        (lambda p: JpegSource("a", 5), ValueError, r"5: File path or file handle is expected\."),  # type: ignore[arg-type]
        (lambda p: JpegSource("a", __file__).build_frame(), ValueError, r"Not a JPEG or PNG file\."),
        (lambda p: list(VideoSource("a", p / "none.mp4")), MediaError, "No such file"),
        (lambda p: list(VideoSource("a", __file__)), MediaError, "test_client.py"),
    ],
    ids=[
        *("source-without-socket", "sink-without-socket", "source-of-a-reader", "sink-of-a-writer", "no-file"),
        *("no-path", "no-picture", "no-video-file", "no-video"),
    ],
)
def test_bad_arguments_say_why(make: object, error: type[Exception], says: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=says):
        make(tmp_path)  # type: ignore[operator]


def test_an_update_is_done_to_the_frame_that_is_sent(tmp_path: Path) -> None:
    update = VideoFrameUpdate()
    update.add_frame_attribute(Attribute("my", "note", [AttributeValue.integer(7)]))
    picture = JpegSource("a", write_picture(tmp_path / "a.jpg"))
    frame, _ = picture.with_update(update).build_frame()
    assert frame.get_attribute("my", "note").values[0].as_integer() == 7  # type: ignore[union-attr]
    assert picture.build_frame()[0].get_attribute("my", "note") is None


def test_builders_and_pictures_are_never_changed(tmp_path: Path) -> None:
    first = SourceBuilder(socket="tcp://h:1")
    assert first.with_retries(7).retries == 7
    assert first.retries == 3
    picture = JpegSource("a", write_picture(tmp_path / "a.jpg"), framerate=(30, 1))
    assert (picture.with_pts(5).pts, picture.pts, picture.duration) == (5, 0, 33_333_333)
    assert picture.with_framerate((10, 1)).duration == 100_000_000
    with open(tmp_path / "a.jpg", "rb") as file:
        opened = JpegSource("a", file)
        assert opened.filepath is None
        assert opened.build_frame()[1] == opened.build_frame()[1] == picture.build_frame()[1]


def test_a_message_that_cannot_be_read_is_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = VideoFrame("cam", "30/1", 4, 2).to_message()
    data = save_message_to_bytes(bad).replace(b"30/1", b"30/0")
    sink = SinkBuilder().with_socket(f"router+bind:ipc://{tmp_path}/out.ipc").with_idle_timeout(60).build()
    with sink, Writer(f"dealer+connect:ipc://{tmp_path}/out.ipc") as writer:
        writer.send("cam", data)
        writer.send("cam", VideoFrame("cam", "30/1", 4, 2, pts=7).to_message())
        assert next(sink).frame_meta.pts == 7
        assert sink.malformed == 1
    assert "message no. 1 that is skipped: frame: framerate" in caplog.text
