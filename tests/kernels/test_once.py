"""What is done once in a process is done once, also where several threads come to it at the same time."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from picasso_kernels.cache.once import MadeOnce, SayOnce

CROWD = 8


def test_a_thread_that_comes_while_another_one_writes_a_line_does_not_write_it_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("picasso.test.once")
    say = SayOnce(log)
    written: list[str] = []

    def look(record: logging.LogRecord) -> bool:
        written.append(record.getMessage())
        if len(written) == 1:
            other = threading.Thread(target=say, args=("100 % of it",))
            other.start()
            other.join()
        return True

    log.addFilter(look)
    try:
        say("100 % of it")
        say("100 % of it")
        say("something else")
    finally:
        log.removeFilter(look)
    assert written == caplog.messages == ["100 % of it", "something else"]
    say.forget()
    say("something else")
    assert caplog.messages[2:] == ["something else"]


@pytest.mark.usefixtures("hasty")
def test_of_many_who_want_a_thing_one_makes_it_and_all_have_the_same() -> None:
    together = threading.Barrier(CROWD)
    made: list[object] = []

    def ask(_number: int, thing: MadeOnce[object]) -> object:
        together.wait()
        return thing()

    def make() -> object:
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(CROWD) as threads:
        for _ in range(200):
            made.clear()
            found = list(threads.map(ask, range(CROWD), [MadeOnce(make)] * CROWD))
            assert len(made) == 1
            assert all(one is made[0] for one in found)


def test_what_cannot_be_made_is_tried_again_by_the_next_who_asks() -> None:
    answers = iter([OSError("no room"), 7, 8])

    def make() -> int:
        if isinstance(answer := next(answers), OSError):
            raise answer
        return answer

    thing = MadeOnce(make)
    with pytest.raises(OSError, match="no room"):
        thing()
    assert (thing(), thing()) == (7, 7)
    thing.cache_clear()
    assert thing() == 8


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # what 3.12 says of forks with threads
def test_a_child_process_that_is_forked_while_a_thing_is_made_makes_it_for_itself() -> None:
    entered, goes_on = threading.Event(), threading.Event()
    parent = os.getpid()

    def make() -> int:
        if os.getpid() == parent:
            entered.set()
            goes_on.wait()
        return os.getpid()

    thing = MadeOnce(make)
    maker = threading.Thread(target=thing)
    maker.start()
    entered.wait()
    child = os.fork()
    if not child:
        os._exit(0 if thing() == os.getpid() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    goes_on.set()
    maker.join()
    assert thing() == parent
