"""Pictures on their way to viewers: who gets what, and what those cost who take nothing."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

sys.path.insert(0, str(Path(__file__).parent))
from socket_kit import Raw
from web_kit import H264, PATIENCE_S, Blinking, Running, pattern, running, tree, until

from picasso.web import server
from picasso.web.live import KEYFRAME_S, Live, codec_string
from picasso.web.queue import MOST_BYTES, MOST_FRAMES, ViewerQueue
from picasso.web.viewer import VIEWERS

pytestmark = pytest.mark.usefixtures("compiled_kernels")
STREAM = ("gate", "stream")
Head = dict[str, Any]


def url(one: Running) -> str:
    assert one.module.web.page is not None
    return f"{one.module.web.page.replace('http', 'ws')}/watch"


def pictures(socket: ClientConnection) -> Iterator[tuple[Head, bytes]]:
    """What comes of pictures, without end."""
    while True:
        message = socket.recv(PATIENCE_S)
        if isinstance(message, bytes):
            size = int.from_bytes(message[:4], "big")
            yield json.loads(message[4 : 4 + size]), message[4 + size :]


def say(socket: ClientConnection, **wish: Any) -> None:
    socket.send(json.dumps({"decodes": ["h264", "av1"], **wish}))


def test_a_viewer_gets_the_stream_from_a_keyframe_on_with_boxes_in_its_pixels() -> None:
    config = tree(pattern("unused"), output_frame=H264, frame={"width": 320, "height": 240})
    with running(config, Blinking("gate")) as one:
        one.wait_for_more("gate", 12)  # in the middle of a group of 250 frames
        with connect(url(one)) as socket:
            say(socket, watch={"gate": "tile"})
            heads = [head for head, _data in (next(pictures(socket)) for _ in range(8))]
        assert [head["key"] for head in heads] == [True] + [False] * 7
        assert heads[0]["decoder"].startswith("avc1.")
        times = [head["pts_us"] for head in heads]
        assert times == sorted(set(times))
        head = heads[0]
        assert (head["width"], head["height"], head["view"], head["codec"]) == (320, 240, "stream", "h264")
        namespace, label, _id, track, confidence, *box = head["objects"][0]
        assert (namespace, label, track, confidence, box) == ("yolo", "car", None, None, [160, 120, 80, 60, 0])


def test_a_viewer_that_decodes_nothing_gets_pictures_as_small_as_it_shows_them() -> None:
    config = tree(pattern("gate", width=1920, height=1080), output_frame=None)
    with running(config) as one, connect(url(one)) as socket:
        for view, size_wh in (("tile", (640, 360)), ("large", (1280, 720))):
            say(socket, watch={"gate": view}, decodes=[])
            head, data = next(one for one in pictures(socket) if one[0]["view"] == view)
            assert (head["codec"], head["key"], (head["width"], head["height"])) == ("jpeg", True, size_wh)
            assert data.startswith(b"\xff\xd8")


def test_metadata_comes_to_those_who_look_at_it() -> None:
    with running(tree(pattern("unused"), output_frame=H264), Blinking("gate")) as one, connect(url(one)) as socket:
        say(socket, detail="gate")
        while "metadata" not in (said := json.loads(socket.recv(PATIENCE_S))):
            pass
        assert said["metadata"]["source_id"] == "gate"
        (found,) = said["metadata"]["frame"]["metadata"]["objects"]
        assert (found["model_name"], found["label"]) == ("yolo", "car")


def test_a_gate_that_closes_turns_a_stream_into_pictures_and_back() -> None:
    with running(tree(pattern("gate"), output_frame=H264)) as one, connect(url(one)) as socket:
        say(socket, watch={"gate": "tile"})
        found = pictures(socket)
        assert next(found)[0]["view"] == "stream"
        one.http.post("/sources/gate/gate", json={"tag": "never"})
        assert next(head for head, _data in found if head["view"] == "tile")["codec"] == "jpeg"
        one.http.post("/sources/gate/gate", json={})
        again = next(head for head, _data in found if head["view"] == "stream")
        assert again["key"]


def test_two_hundred_pages_of_which_four_watch_slow_no_source_and_keep_no_memory() -> None:
    """The others ask for everything and take nothing."""
    names = ("gate", "yard")
    sources = [pattern(name, width=320, height=240) for name in names]
    with running(tree(*sources, output_frame=H264)) as one:
        wish = {"watch": dict.fromkeys(names, "large"), "decodes": ["h264"], "detail": "gate"}
        deaf = [Raw(str(one.module.web.page), receive_bytes=2048) for _ in range(196)]
        for client in deaf:
            client.watch(wish)
        process = psutil.Process()
        taken = [0] * 4
        sizes: list[int] = []
        enough = threading.Event()

        def look(number: int) -> None:
            with connect(url(one)) as socket:
                socket.send(json.dumps(wish))
                expected: dict[str, int] = {}
                for head, _data in pictures(socket):
                    step = 33_333
                    before = expected.get(head["source_id"])
                    assert before is None or head["key"] or head["pts_us"] - before <= step + 1, "a stream has a gap"
                    expected[head["source_id"]] = head["pts_us"]
                    taken[number] += 1
                    if enough.is_set():
                        return

        viewers = [threading.Thread(target=look, args=(number,)) for number in range(4)]
        for viewer in viewers:
            viewer.start()
        for mark in (60, 160, 260, 360):
            until(lambda mark=mark: min(taken) >= mark, f"{mark} pictures for each viewer")  # type: ignore[misc]
            sizes.append(process.memory_info().rss)
        enough.set()
        for viewer in viewers:
            viewer.join(PATIENCE_S)
        counts = [one.source(name)["counts"] for name in names]
        assert [count["dropped"] for count in counts] == [0, 0]
        assert sizes[-1] - sizes[0] < 16 << 20, sizes
        assert one.source("gate")["state"] == "live"
        for client in deaf:
            client.socket.close()
    account = one.module.statistics().total
    assert account.came == account.left + sum(account.dropped.values())


def test_pages_that_do_not_answer_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PING_S", 0.3)
    with running(tree(pattern("gate", width=320, height=240), output_frame=H264)) as one:
        views = one.module.web.views
        assert views is not None
        deaf = [Raw(str(one.module.web.page), receive_bytes=2048) for _ in range(8)]
        for client in deaf:
            client.watch({"watch": {"gate": "large"}, "decodes": []})
        with connect(url(one)) as socket:  # the library answers pings
            for _message in range(20):
                socket.recv(PATIENCE_S)
            until(lambda: views.live.viewers == 1, "eight deaf pages to be left")
            assert isinstance(socket.recv(PATIENCE_S), str)
        for client in deaf:
            client.socket.close()


def test_pages_that_take_nothing_do_not_hold_up_the_end() -> None:
    with running(tree(pattern("gate", width=320, height=240), output_frame=H264)) as one:
        deaf = [Raw(str(one.module.web.page), receive_bytes=2048) for _ in range(20)]
        for client in deaf:
            client.watch({"watch": {"gate": "large"}, "decodes": []})
        one.wait_for_more("gate", 30)
    assert one.module.web.page is None
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("picasso-web")]
    for client in deaf:
        client.socket.close()


def was_let_in(one: Running) -> bool:
    try:
        with connect(url(one)) as socket:
            return "statistics" in str(socket.recv(PATIENCE_S))
    except InvalidStatus:
        return False


def test_one_page_too_many_is_told_so() -> None:
    with running(tree(pattern("gate"), output_frame=H264)) as one:
        pages = [Raw(str(one.module.web.page)) for _ in range(VIEWERS)]
        for page in pages:
            page.watch({})
        with pytest.raises(InvalidStatus, match="503"):
            connect(url(one))
        for page in pages:
            page.socket.close()
        until(lambda: one.http.get("/live").status_code == 200)
        until(lambda: was_let_in(one))


def test_a_page_that_watches_what_is_not_there_gets_statistics_and_nothing_else() -> None:
    with running(tree(pattern("gate"), output_frame=H264)) as one, connect(url(one)) as socket:
        say(socket, watch={"nix": "large", "": "tile", "../gate": "tile"}, detail="nix")
        assert all(isinstance(socket.recv(PATIENCE_S), str) for _message in range(3))


# The queue of a viewer

steps = st.lists(
    st.one_of(
        st.tuples(st.just("frame"), st.booleans(), st.integers(1, MOST_BYTES // 3)),
        st.tuples(st.just("take"), st.integers(1, 40), st.none()),
    ),
    max_size=120,
)


def taken_of(queue: ViewerQueue, most: int) -> list[bytes]:
    """What is there to be taken now."""
    found = []
    while len(found) < most and queue.waiting_bytes:
        coroutine = queue.next()
        try:
            coroutine.send(None)
        except StopIteration as done:
            found.append(done.value)
    return found


@given(steps)
def test_what_a_viewer_gets_of_a_stream_can_be_decoded_and_never_waits_without_a_bound(steps: list[Any]) -> None:
    queue = ViewerQueue()
    queue.watch(frozenset({STREAM}))
    offered: list[bool] = []
    got: list[int] = []
    for kind, first, second in steps:
        if kind == "frame":
            number = len(offered)
            offered.append(first)
            queue.offer(STREAM, number.to_bytes(4, "big").ljust(max(second, 4), b"\0"), is_key=first)
        else:
            got += [int.from_bytes(message[:4], "big") for message in taken_of(queue, first)]
        assert queue.waiting_bytes <= MOST_BYTES
    got += [int.from_bytes(message[:4], "big") for message in taken_of(queue, 1 << 20)]
    assert got == sorted(set(got))
    for number, before in zip(got, [None, *got], strict=False):
        assert offered[number] or before == number - 1, "a frame came without those that it depends on"
    assert queue.dropped == len(offered) - len(got)


@given(st.integers(1, 200))
def test_of_pictures_only_the_newest_waits(count: int) -> None:
    queue = ViewerQueue()
    queue.watch(frozenset({("gate", "tile")}))
    for number in range(count):
        queue.offer(("gate", "tile"), number.to_bytes(4, "big"), is_key=True)
    assert [int.from_bytes(message, "big") for message in taken_of(queue, 1000)] == [count - 1]


def test_a_viewer_that_takes_nothing_keeps_the_newest_text_of_each_kind() -> None:
    queue = ViewerQueue()
    for number in range(1000):
        queue.tell("statistics", f"s{number}")
        queue.tell("metadata", f"m{number}")
    texts = []
    for _ in range(2):
        try:
            queue.next().send(None)
        except StopIteration as done:
            texts.append(done.value)
    assert sorted(texts) == ["m999", "s999"]


def test_a_stream_that_overflows_goes_on_at_a_keyframe_and_says_that_it_needs_one() -> None:
    queue = ViewerQueue()
    queue.watch(frozenset({STREAM}))
    assert queue.take_broken() == ["gate"]  # it begins at a keyframe
    queue.offer(STREAM, b"key", is_key=True)
    for _ in range(MOST_FRAMES):
        queue.offer(STREAM, b"delta", is_key=False)
    assert (queue.waiting_bytes, queue.take_broken()) == (0, ["gate"])
    queue.offer(STREAM, b"key", is_key=True)
    assert queue.take_broken() == []


class Asked:
    """A source of pictures that keeps what it is asked for."""

    def __init__(self) -> None:
        self.keyframes: list[str] = []

    def has(self, source_id: str) -> bool:
        return source_id != "nix"

    def stream_codec(self, source_id: str) -> str | None:
        return "h264"

    def request_keyframe(self, source_id: str) -> None:
        self.keyframes.append(source_id)


def test_many_viewers_that_come_at_once_cost_one_keyframe() -> None:
    asked = Asked()
    live = Live(asked)
    for _ in range(50):
        viewer = ViewerQueue()
        live.join(viewer)
        live.choose(viewer, {"gate": "tile", "yard": "tile"}, frozenset({"h264"}))
    assert sorted(asked.keyframes) == ["gate", "yard"]
    assert KEYFRAME_S > 0
    assert live.is_watched("gate", "stream")


def test_names_that_are_no_source_are_kept_nowhere() -> None:
    live = Live(Asked())
    viewer = ViewerQueue()
    live.join(viewer)
    live.choose(viewer, {"nix": "large"}, frozenset({"h264"}))
    assert (viewer.channels, live.is_watched("nix", "stream"), live.is_watched("nix", "large")) == (set(), False, False)


def test_those_who_leave_are_not_kept() -> None:
    live = Live(Asked())
    viewers = [ViewerQueue() for _ in range(20)]
    for viewer in viewers:
        live.join(viewer)
        live.choose(viewer, {"gate": "tile"}, frozenset())
        live.look_at(viewer, "gate")
    assert (live.is_watched("gate", "tile"), live.wants_metadata("gate")) == (True, True)
    for viewer in viewers:
        live.leave(viewer)
    assert (live.viewers, live.is_watched("gate", "tile"), live.wants_metadata("gate")) == (0, False, False)


def test_codecs_are_named_as_browsers_name_them() -> None:
    sps = b"\0\0\0\1\x67\x42\xc0\x1f\xd9\0\0\0\1\x68\xce"
    assert codec_string("h264", sps) == "avc1.42c01f"
    assert codec_string("h264", b"\0\0\0\1\x41\x9a") is None
    assert codec_string("av1", b"") == "av01.0.08M.08"
    assert codec_string("jpeg", b"") is None
