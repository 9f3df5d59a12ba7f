"""Programs that end without a word: Ctrl-C, exit, garbage, fork. Each in a process of its own."""

from __future__ import annotations

import pytest
from faults_kit import run_script

STALLED = """
gate = Gate()
recorder = RecordingCallbacks()
recorder.on["on_bypass_frame"] = gate.wait
engine = PicassoEngine(GeneralSpec(inflight_queue_size=1), recorder.callbacks())
engine.set_source_spec("a", bypass_spec())
sent = [send(engine, 0)]
assert gate.entered.wait(20)
sent.append(send(engine, 1))

def interrupt_when_blocked(function):
    # Press Ctrl-C until it is noticed: a signal just before a thread goes to sleep does not wake it.
    noticed = threading.Event()
    def notice(*_):
        if not noticed.is_set():
            noticed.set()
            raise KeyboardInterrupt
    signal.signal(signal.SIGINT, notice)
    def look():
        while not noticed.wait(0.01):
            frame = sys._current_frames()[threading.main_thread().ident]
            while frame and frame.f_code.co_name != function:
                frame = frame.f_back
            if frame:
                os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=look, daemon=True).start()
"""


@pytest.mark.parametrize(
    ("call", "blocked"),
    [
        ("send(engine, 2)", "_wait_for_room"),
        ("send(engine, 2, timeout=40)", "_wait_for_room"),
        ("engine.remove_source_spec('a')", "remove_source_spec"),
        ("engine.shutdown()", "shutdown"),
        ("engine.shutdown(timeout=40)", "shutdown"),
    ],
)
def test_ctrl_c_ends_a_call_that_waits_and_the_engine_can_still_be_shut_down(call: str, blocked: str) -> None:
    script = f"""
interrupt_when_blocked({blocked!r})
try:
    {call}
except KeyboardInterrupt:
    print("interrupted")
gate.open()
engine.shutdown(timeout=20)
assert_accounted(recorder, sent)
join_engine_threads()
"""
    assert run_script(STALLED + script) == ["interrupted"]


def test_ctrl_c_that_nobody_catches_ends_the_program_after_what_was_sent_is_delivered() -> None:
    script = """
import atexit
sys.excepthook = lambda *_: gate.open()
atexit.register(lambda: (assert_accounted(recorder, sent), print("delivered", len(recorder.outputs()))))
from picasso.engine import lifetime
atexit.unregister(lifetime._close_all)
atexit.register(lifetime._close_all)  # after the registration above, so that it runs before it
interrupt_when_blocked("_wait_for_room")
send(engine, 2)
"""
    assert run_script(STALLED + script, returncode=-2) == ["delivered", "2"]


def test_ctrl_c_again_and_again_while_frames_are_sent_leaves_nothing_behind() -> None:
    """Every frame whose send returned is delivered; those interrupted are delivered whole, or not at all.

    Threads change places every 20 µs instead of every 5 ms, so that the signals come anywhere, and soon.
    """
    script = """
import itertools, random
from queue import SimpleQueue
sys.setswitchinterval(20e-6)
recorder = RecordingCallbacks()
engine = PicassoEngine(GeneralSpec(inflight_queue_size=2), recorder.callbacks())
engine.set_source_spec("a", bypass_spec())
accepted, interrupted = [send(engine, 0)], []
turns, over = SimpleQueue(), threading.Event()
def shoot():
    for number in range(1000):
        turns.get()
        for _ in range(random.randrange(300)):
            pass
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    over.set()
armed = False
def on_signal(*_):
    if armed:
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, on_signal)
shooter = threading.Thread(target=shoot)
shooter.start()
pixels = make_pixels()
for number in itertools.count(1):
    if over.is_set():
        break
    frame = make_frame(number)
    turns.put(None)
    try:
        armed = True
        engine.send_frame("a", frame, pixels)
        armed = False  # with no call between, no interrupt comes between either
        accepted.append(frame)
    except KeyboardInterrupt:
        armed = False
        interrupted.append(frame)
shooter.join()
engine.shutdown(timeout=20)
came = [output.as_video_frame() for output in recorder.outputs()]
times = [frame.pts for frame in came]
assert times == sorted(set(times)), "once, in order"
known = set(map(id, came))
assert all(id(frame) in known for frame in accepted)
assert known <= {id(frame) for frame in accepted + interrupted}
assert not recorder.errors()
assert interrupted
print("done")
"""
    assert run_script(script) == ["done"]


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "del engine", "gc.collect()"])
def test_a_program_that_ends_while_a_callback_hangs_ends_at_the_deadline(ending: str) -> None:
    """The deadline of the interpreter's end is 30 s; here it is made half a second."""
    script = f"""
from picasso.engine import lifetime
lifetime.EXIT_TIMEOUT_NS = 500_000_000
import logging
logging.getLogger("picasso").setLevel(logging.CRITICAL)
print("end")
{ending}
"""
    assert run_script(STALLED + script) == ["end"]


def test_an_engine_that_its_own_callbacks_hold_is_closed_at_the_interpreters_end() -> None:
    """Its threads hold the callbacks, which hold the engine: it is never garbage."""
    script = """
import weakref
class App:
    def __init__(self):
        self.engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=self.on_frame))
        self.engine.set_source_spec("a", bypass_spec())
        for number in range(5):
            send(self.engine, number)
    def on_frame(self, output):
        print(output.as_video_frame().pts // STEP_NS, flush=True)
App()
gc.collect()
"""
    assert run_script(script) == list("01234")


def test_a_child_of_a_fork_never_waits_for_a_lock_that_another_thread_held() -> None:
    script = """
import warnings
warnings.simplefilter("ignore")
recorder = RecordingCallbacks()
engine = PicassoEngine(GeneralSpec(), recorder.callbacks())
engine.set_source_spec("a", bypass_spec())
locks = [engine._core._lock, engine._core._live["a"].worker.inbox._lock]
for lock in locks:
    lock.acquire()
child = os.fork()
if child == 0:
    signal.alarm(20)
    for call in (lambda: send(engine), lambda: engine.send_eos("a"), lambda: engine.stats(),
                 lambda: engine.set_source_spec("a", bypass_spec()), lambda: engine.remove_source_spec("a")):
        try:
            call()
        except RuntimeError:
            continue
        os._exit(1)
    engine.shutdown()
    del engine
    gc.collect()
    sys.exit(0)
for lock in locks:
    lock.release()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
send(engine)
engine.shutdown()
print(len(recorder.outputs()))
"""
    assert run_script(script) == ["1"]


def test_a_pool_of_forked_processes_may_make_engines_of_their_own() -> None:
    script = """
import multiprocessing, warnings
warnings.simplefilter("ignore")
engine = PicassoEngine(GeneralSpec(), Callbacks())
engine.set_source_spec("a", bypass_spec())
def work(number):
    out = []
    with PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=out.append)) as own:
        own.set_source_spec("a", bypass_spec())
        send(own, number)
    return len(out)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sum(pool.map(work, range(6))))
engine.shutdown()
"""
    assert run_script(script) == ["6"]
