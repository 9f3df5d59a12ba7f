"""The system gives few threads: encoders that need some say so in time, and nothing hangs."""

from __future__ import annotations

import os
import threading

import pytest
from faults_kit import run_script

from picasso.encode.thread_reserve import NEEDED, RESERVE, count_threads, enough_threads
from picasso.errors import EncoderError

LIMITED = """
import resource, time
import picasso.encode.av, picasso.draw.cpu, picasso.encode.jpeg, picasso.encode.png
from picasso_kernels.cpu.compile import prepare
from picasso_kernels.cpu.entries import ENTRIES
prepare(*ENTRIES)  # another user may not read what is kept of them
codec = Codec.{codec}
def engine_threads():
    return [thread.native_id for thread in threading.enumerate() if thread.name.startswith("picasso-")]
def settle(idents):
    while any(os.path.exists(f"/proc/self/task/{{ident}}") for ident in idents):
        time.sleep(0.001)  # the system counts a thread a little longer than it runs
with PicassoEngine(GeneralSpec(), Callbacks()) as engine:
    engine.set_source_spec("a", encode_spec(64, 64, codec))  # loads everything there is to load
    send(engine, 0)
    idents = engine_threads()
settle(idents)
threads = len(os.listdir("/proc/self/task"))
os.setuid(50_000 + os.getpid())  # root has no limit, and this user no other threads
def limit(room):
    resource.setrlimit(resource.RLIMIT_NPROC, (threads + room, 10_000))
def start(room, sources):
    limit(room)
    recorder = RecordingCallbacks()
    engine = PicassoEngine(GeneralSpec(), recorder.callbacks("on_encoded_frame", "on_error"))
    for source_id in sources:
        try:
            engine.set_source_spec(source_id, encode_spec(64, 64, codec))
            send(engine, 1, source_id)
        except RuntimeError as error:  # no thread for the source itself
            assert "gets no thread: can't start new thread" in str(error), error
    return engine, recorder
def run(room, sources="a"):
    engine, recorder = start(room, sources)
    idents = engine_threads()
    engine.shutdown(timeout=20)
    settle(idents)
    for source_id, stats in engine.stats().sources.items():
        assert stats.frames_in == stats.frames_out + stats.dropped["error"], (source_id, stats)
    for stage, error in recorder.errors():
        assert stage == "open" and "threads, with 2 in reserve" in str(error), (stage, error)
    return f"{{len(recorder.outputs())}}:{{len(recorder.errors())}}"
"""
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes a user")
NO_SOURCE, COMES_OUT, REPORTED = "0:0", "1:0", "0:1"


@needs_root
@pytest.mark.parametrize("codec", ["H264", "HEVC", "AV1", "JPEG", "PNG"])
def test_with_few_threads_each_frame_comes_out_or_is_reported_and_nothing_hangs(codec: str) -> None:
    """The engine takes one thread, the source another."""
    rooms = [1, 2, 3, 4, 5, 12, 19, 20]
    needed = {"HEVC": NEEDED["libx265"] + RESERVE, "AV1": NEEDED["libsvtav1"] + RESERVE}.get(codec, 0)
    found = run_script(LIMITED.format(codec=codec) + f"print(*map(run, {rooms}))")
    assert found == [NO_SOURCE if room < 2 else COMES_OUT if room >= 2 + needed else REPORTED for room in rooms]


@needs_root
def test_several_sources_that_open_at_once_do_not_take_each_others_threads() -> None:
    script = LIMITED.format(codec="HEVC") + "for room in (4, 5, 7, 8, 10, 13):\n    run(room, 'abcdef')\nprint('end')"
    assert run_script(script) == ["end"]


@needs_root
def test_a_source_that_found_no_threads_goes_on_when_there_are_some() -> None:
    """As after every failure to open: a new spec tries at once."""
    script = """
engine, recorder = start(3, "a")
recorder.wait_for("on_error")
limit(100)
engine.set_source_spec("a", encode_spec(96, 64, codec))
send(engine, 2)
engine.shutdown(timeout=20)
print(*recorder.pts_ns())
"""
    assert run_script(LIMITED.format(codec="HEVC") + script) == ["2000000"]


def test_the_threads_of_the_look_are_alive_together_and_gone_afterwards() -> None:
    before = threading.active_count()
    assert count_threads(40) == 40
    assert threading.active_count() == before


def test_libraries_without_threads_open_without_a_look() -> None:
    with enough_threads("libx264"), enough_threads("libx264"):
        pass


def test_an_encoder_that_opens_takes_the_threads_that_are_counted_for_it() -> None:
    """So that a library that starts to need more is noticed."""
    script = """
from picasso.encode import open_encoder
from picasso.encode.thread_reserve import NEEDED
for codec, library in ((Codec.H264, "libx264"), (Codec.HEVC, "libx265"), (Codec.AV1, "libsvtav1")):
    open_encoder(EncoderConfig(codec, 64, 64)).close()
    before = len(os.listdir("/proc/self/task"))
    encoder = open_encoder(EncoderConfig(codec, 1280, 720))
    print(len(os.listdir("/proc/self/task")) - before - NEEDED.get(library, 0))
    encoder.close()
"""
    assert run_script(script) == ["0", "0", "0"]


def test_too_few_threads_are_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NEEDED, "libx265", 10**7)  # more than any system gives
    monkeypatch.setattr("picasso.encode.thread_reserve.count_threads", lambda _: 7)
    with (
        pytest.raises(EncoderError, match=r"needs 10000000 threads, .* gives 7: raise the limit of processes"),
        enough_threads("libx265"),
    ):
        pass
