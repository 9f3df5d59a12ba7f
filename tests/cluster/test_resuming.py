"""Where a source goes on: behind what its files hold, and nothing twice."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray_kit import RATE, write_clip

from picasso.cluster.lease import Lease
from picasso.cluster.ledger import LOST, Seat, merged, without_end
from picasso.cluster.messages import Order, Position, Resumption
from picasso.cluster.resumed import Fenced, Resumed
from picasso.cluster.scrapes import joined
from picasso.cluster.shares import entries_of, share_of
from picasso.cluster.worker import minus, resumption
from picasso.cluster.written import EMPTY_BYTES, LAST_BYTES, Written, clear_empty, files_of, pattern_of, written
from picasso.engine import OutputMessage
from picasso.engine.stats import Histogram
from picasso.flow import LeftOut
from picasso.module.config import load_config
from picasso.module.config.model import SinkConfig
from picasso.module.sources.uri import UriSource
from picasso.observe.account import SourceAccount
from picasso.primitives import EndOfStream, VideoFrame

NS = 1_000_000_000


def frame(number: int) -> VideoFrame:
    return VideoFrame("cam", f"{RATE}/1", 16, 16, time_base=(1, NS), pts=number * NS // RATE)


def output_of(content: VideoFrame | EndOfStream) -> OutputMessage:
    return OutputMessage(content, is_eos=isinstance(content, EndOfStream))


class Parts:
    """Yields parts of frames, an end behind each but the last."""

    source_id = "cam"

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths

    def __iter__(self):
        for part, length in enumerate(self.lengths):
            if part:
                yield EndOfStream("cam")
            yield from ((frame(number), None) for number in range(length))

    def stop(self) -> None:
        pass


def told(items) -> list[tuple[int, int] | str]:
    return ["end" if isinstance(item, EndOfStream) else item[0].pts for item in items]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_what_lies_before_and_what_lies_behind_a_position_are_all_of_it_in_order(lengths, data) -> None:
    part = data.draw(st.integers(0, len(lengths) - 1))
    number = data.draw(st.integers(0, lengths[part] - 1))
    everything = told(Parts(lengths))
    rest = told(Resumed(Parts(lengths), Position(part, frame(number).pts)))
    done = sum(lengths[:part]) + part + number + 1
    assert rest == everything[done:]
    assert told(Resumed(Parts(lengths), None)) == everything


@pytest.mark.parametrize("number", [0, 1, 7, 8, 9, 30, 38, 39])
def test_a_file_goes_on_behind_a_frame_from_the_keyframe_before_it(tmp_path: Path, number: int) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 40)
    times = [item[0].pts for item in UriSource(str(clip), "cam")]
    assert len(times) == 40
    after = Position(0, times[number] + 600_000)  # as a file of Matroska may say it
    assert [item[0].pts for item in Resumed(UriSource(str(clip), "cam"), after)] == times[number + 1 :]


class Kept:
    """Keeps what it is given."""

    name = "kept"

    def __init__(self) -> None:
        self.times: list[int | str] = []
        self.is_closed = False

    def write(self, output: OutputMessage) -> None:
        self.times.append("end" if output.is_eos else output.as_video_frame().pts)

    def close(self) -> None:
        self.is_closed = True


def test_a_sink_takes_nothing_once_the_lease_is_over_and_leaves_its_files_as_they_are() -> None:
    now = [0.0]
    lease, kept = Lease(8, lambda: now[0]), Kept()
    sink = Fenced(kept, lease)
    lease.renew(0.0)
    sink.begin("cam", 0, Position(0, frame(1).pts))
    results = [sink.write(output_of(frame(number))) for number in range(4)]
    assert results[:2] == [LeftOut("already_written")] * 2
    assert kept.times == [frame(2).pts, frame(3).pts]
    assert sink.position("cam") == Position(0, frame(3).pts)
    assert not sink.end("cam", 0.0)
    now[0] = 8.0
    assert sink.write(output_of(frame(4))) == LeftOut("fenced")
    sink.write(output_of(EndOfStream("cam")))
    sink.close()
    assert kept.times == [frame(2).pts, frame(3).pts]
    assert not kept.is_closed


def test_frames_that_come_before_the_first_lease_wait_for_it() -> None:
    lease, kept = Lease(8, lambda: 0.0), Kept()
    sink = Fenced(kept, lease)
    writing = threading.Thread(target=lambda: [sink.write(output_of(frame(number))) for number in range(3)])
    writing.start()
    lease.renew(0.0)
    writing.join()
    assert kept.times == [frame(number).pts for number in range(3)]


def test_the_end_of_a_stream_begins_the_next_part() -> None:
    lease, kept = Lease(8, lambda: 0.0), Kept()
    lease.renew(0.0)
    sink = Fenced(kept, lease)
    sink.begin("cam", 3, None)
    for output in (output_of(frame(5)), output_of(EndOfStream("cam"))):
        sink.write(output)
    assert sink.position("cam") == Position(3, frame(5).pts)
    assert sink.end("cam", 0.0)
    sink.write(output_of(frame(0)))
    assert sink.position("cam") == Position(4, 0)
    sink.close()
    assert kept.is_closed


def sink_of(kind: str, location: Path, **properties: object) -> SinkConfig:
    return SinkConfig(kind, None, {"location": str(location), **properties}, None, ())


def test_files_of_a_source_are_found_by_its_pattern_and_no_others(tmp_path: Path) -> None:
    names = ["cam.mp4", "cam-2.mp4", "cam-2.part.mp4", "cam.part-3.mp4", "cam2.mp4", "cam-x.mp4", "xcam.mp4", "cam.mkv"]
    for name in names:
        (tmp_path / name).touch()
    pattern = pattern_of(sink_of("video_file_sink", tmp_path / "{source}.mp4"))
    assert pattern is not None
    found = {Path(file).name for file in files_of(pattern, "cam")}
    assert found == {"cam.mp4", "cam-2.mp4", "cam-2.part.mp4", "cam.part-3.mp4"}
    assert {Path(file).name for file in files_of(pattern, "cam", ["cam-2"])} == {"cam.mp4", "cam.part-3.mp4"}


@pytest.mark.parametrize(
    "pattern", ["{source}/{time:%Y/%m}/{index:03d}.mp4", "{source}-{time}.mp4", "[a]/{source}.mp4"]
)
def test_fields_and_folders_of_a_pattern_stand_for_any_name(tmp_path: Path, pattern: str) -> None:
    path = tmp_path / pattern.format(source="cam", time=datetime(2026, 1, 2, tzinfo=UTC), index=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    full = pattern_of(sink_of("video_file_sink", tmp_path / pattern))
    assert full is not None
    assert files_of(full, "cam") == [str(path)]
    assert files_of(full, "other") == []


def test_files_tell_the_newest_frame_and_how_many_there_are(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "cam.mp4", 20)
    sink = sink_of("video_file_sink", tmp_path / "{source}.mp4")
    held = written(sink, [str(clip)])
    assert held is not None
    assert held.frames == 20
    assert 0 <= held.last_ns - 19 * NS // RATE < NS // RATE // 2
    assert written(sink, [str(tmp_path / "gone.mp4")]) is None
    empty = tmp_path / "cam.part.mp4"
    empty.touch()
    assert clear_empty(sink, [str(clip), str(empty)]) == [str(clip)]
    assert not empty.exists()


def test_lines_tell_the_newest_frame_and_half_a_line_counts_for_nothing(tmp_path: Path) -> None:
    file = tmp_path / "cam-0000.part.ndjson"
    lines = [json.dumps({"schema": "VideoFrame", "pts": n * 1000}, separators=(",", ":")) for n in range(5)]
    file.write_text("\n".join(lines) + '\n{"schema":"EndOfStream"}\n' + lines[4][:-3])
    held = written(sink_of("metadata_json_sink", tmp_path / "{source}.ndjson"), [str(file)])
    assert held is not None
    assert (held.last_ns, held.frames) == (4000, 5)
    assert clear_empty(sink_of("metadata_json_sink", tmp_path / "{source}.ndjson"), [str(file)]) == [str(file)]


def test_a_part_file_of_some_size_stays_although_no_frame_of_it_can_be_read(tmp_path: Path) -> None:
    for kind, suffix in (("video_file_sink", "mp4"), ("metadata_json_sink", "ndjson")):
        sink, part = sink_of(kind, tmp_path / f"{{source}}.{suffix}"), tmp_path / f"cam.part.{suffix}"
        part.write_bytes(b"\1" * (EMPTY_BYTES + 1))
        assert written(sink, [str(part)]) is None
        assert clear_empty(sink, [str(part)]) == [str(part)]
        assert part.exists()


def test_a_line_of_any_length_tells_the_newest_frame(tmp_path: Path) -> None:
    file = tmp_path / "cam-0000.part.ndjson"
    lines = [
        json.dumps({"schema": "VideoFrame", "pts": pts, "objects": "x" * length}, separators=(",", ":"))
        for pts, length in ((5, 10), (6, 3 * LAST_BYTES))
    ]
    file.write_text("\n".join(lines) + "\n" + lines[1][:-3])
    assert written(sink_of("metadata_json_sink", tmp_path / "{source}.ndjson"), [str(file)]) == Written(6, 2)


def test_a_source_that_is_refused_for_days_is_tried_again_every_half_minute() -> None:
    seat = Seat("cam", {"element": "uridecodebin"})
    pauses_s = []
    for number in range(3_000):
        seat.begin("actor-0", "one")
        seat.refuse("no room", 100.0 * number)
        pauses_s.append(seat.free_s - 100.0 * number)
    assert pauses_s[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert set(pauses_s[7:]) == {30}
    assert seat.home is None


ACCOUNTS = st.builds(
    SourceAccount,
    st.integers(0, 99),
    st.integers(0, 99),
    st.dictionaries(st.sampled_from(["element", "overflow"]), st.integers(1, 9)),
    st.integers(0, 9),
).map(lambda one: SourceAccount(one.left + sum(one.dropped.values()) + one.under_way, *_rest(one)))


def _rest(one: SourceAccount) -> tuple[int, dict[str, int], int]:
    return one.left, dict(one.dropped), one.under_way


def is_balanced(one: SourceAccount) -> bool:
    return one.came == one.left + sum(one.dropped.values()) + one.under_way


@given(st.lists(ACCOUNTS, min_size=1, max_size=5))
def test_the_account_of_a_source_balances_over_all_its_runs(accounts: list[SourceAccount]) -> None:
    seat = Seat("cam", {"element": "videotestsrc"})
    for account in accounts:
        seat.begin("actor-0", "one")
        seat.close(without_end(account))
        assert is_balanced(seat.account)
        assert seat.account.under_way == 0
    assert seat.account.came == sum(one.came for one in accounts)
    assert seat.account.dropped.get(LOST, 0) == sum(one.under_way for one in accounts)


@given(ACCOUNTS, st.integers(0, 99))
def test_files_correct_what_was_thought_lost(account: SourceAccount, safe: int) -> None:
    seat = Seat("cam", {"element": "uridecodebin"})
    seat.begin("actor-0", "one")
    seat.now = None
    seat.close(without_end(account))
    seat.begin("actor-1", "two")
    seat.resume(Resumption("cam", seat.epoch, "files", Position(0, 5), safe, ()))
    assert is_balanced(seat.account)
    assert seat.account.left == safe
    assert LOST not in seat.account.dropped


@given(ACCOUNTS, ACCOUNTS)
def test_an_epoch_counts_what_came_since_the_one_before(first: SourceAccount, second: SourceAccount) -> None:
    assert minus(first + second, first) == second


@given(st.lists(st.lists(st.integers(1_000, 10**10), max_size=30), max_size=4))
def test_durations_of_many_actors_are_those_of_one(times: list[list[int]]) -> None:
    every = [Histogram() for _ in [*times, None]]
    for histogram, durations in zip(every, times, strict=False):
        for duration_ns in durations:
            histogram.add(duration_ns)
            every[-1].add(duration_ns)
    one, whole = merged([histogram.summary() for histogram in every[:-1]]), every[-1].summary()
    assert (one.count, one.sum_ns, one.max_ns, one.within) == (whole.count, whole.sum_ns, whole.max_ns, whole.within)
    for name in ("p50_ns", "p90_ns", "p99_ns"):
        assert getattr(one, name) == pytest.approx(getattr(whole, name), rel=0.14)


def test_metrics_of_many_actors_have_each_family_once() -> None:
    first = '# HELP a_total A.\n# TYPE a_total counter\na_total{actor="0"} 1\n# TYPE b gauge\nb{actor="0"} 2\n'
    second = first.replace('"0"', '"1"')
    text = joined([first, second])
    assert text.splitlines() == [
        "# HELP a_total A.", "# TYPE a_total counter", 'a_total{actor="0"} 1', 'a_total{actor="1"} 1',
        "# TYPE b gauge", 'b{actor="0"} 2', 'b{actor="1"} 2',
    ]  # fmt: skip
    assert joined([]) == ""


def test_an_actor_has_free_ports_its_labels_and_no_page() -> None:
    config = load_config(
        {
            "name": "many",
            "parameters": {
                "frame": {"width": 64, "height": 48},
                "healthcheck_port": 8888,
                "web": {"port": 8080},
                "telemetry": {
                    "metrics": {
                        "provider": "prometheus",
                        "provider_params": {"port": 9400, "labels": {"site": "north"}},
                    }
                },
            },
            "pipeline": {
                "source": [{"element": "videotestsrc", "properties": {"source_id": name}} for name in ("a", "b")],
                "sink": [
                    {"element": "zeromq_sink", "properties": {"socket": "pub+bind:tcp://127.0.0.1:5555"}},
                    {"element": "zeromq_sink", "properties": {"socket": "dealer+connect:tcp://127.0.0.1:5556"}},
                    {"element": "zeromq_sink", "properties": {"socket": "pub+bind:ipc:///tmp/many.ipc"}},
                ],
            },
        }
    )
    assert [entry["properties"]["source_id"] for entry in entries_of(config)] == ["a", "b"]
    share = share_of(config, [], {"node": "n", "actor": "actor-0"})
    assert share.sources == ()
    assert share.parameters["healthcheck_port"] == 0
    assert share.parameters["web"] is None
    params = share.parameters["telemetry"]["metrics"]["provider_params"]
    assert params == {"port": 0, "labels": {"site": "north", "node": "n", "actor": "actor-0"}}
    assert [sink.properties["socket"] for sink in share.sinks] == [
        "pub+bind:tcp://127.0.0.1:*",
        "dealer+connect:tcp://127.0.0.1:5556",
        "pub+bind:ipc:///tmp/many.ipc-actor-0",
    ]
    assert config.parameters["healthcheck_port"] == 8888
    assert config.parameters["telemetry"]["metrics"]["provider_params"]["port"] == 9400


KNOWN = Position(0, 500)
VIDEO, LINES = Written(400, 4), Written(700, 7)


@pytest.mark.parametrize(
    ("tells", "are_seen", "held", "known", "basis", "after", "frames", "skips"),
    [
        ([True], [True], [VIDEO], KNOWN, "files", 400, 4, [400]),
        ([True], [True], [None], KNOWN, "files", None, 0, [None]),  # gone before its first fragment: all is read again
        ([True], [True], [VIDEO], None, "files", 400, 4, [400]),  # gone before its first word
        ([True], [False], [None], KNOWN, "report", 500, None, [500]),  # on a disk of another node
        ([False], [False], [None], KNOWN, "report", 500, None, [500]),
        ([True], [False], [None], None, "start", None, None, [None]),
        ([True, True], [True, True], [VIDEO, LINES], KNOWN, "files", 400, 4, [400, 700]),
        ([True, True], [True, True], [None, LINES], KNOWN, "files", None, 0, [None, 700]),
        ([True, True], [False, True], [None, LINES], KNOWN, "files", None, 0, [None, 700]),
        ([True, False], [True, False], [VIDEO, None], KNOWN, "files", 400, 4, [400, 500]),
    ],
)
def test_a_source_goes_on_where_the_sink_that_is_least_far_needs_it(
    tells, are_seen, held, known, basis, after, frames, skips
) -> None:
    found, left_out = resumption(Order("cam", {}, 2, known, ()), tells, are_seen, held)
    assert (found.basis, found.safe_frames) == (basis, frames)
    assert found.after == (None if after is None else Position(0, after))
    assert left_out == [None if one is None else Position(0, one) for one in skips]


def test_folders_and_loops_go_on_from_what_was_reported() -> None:
    known = Position(2, 500)
    found, left_out = resumption(Order("cam", {}, 2, known, ()), [True], [True], [VIDEO])
    assert (found.basis, found.after, left_out) == ("report", known, [known])
