"""Errors of every shape that user code can raise: each is reported once, counted once, and the source goes on."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from faults_kit import bypass_spec, encode_spec, make_frame, send

from picasso.engine import Callbacks, DropReason, GeneralSpec, PicassoEngine
from picasso.testing import MemoryEncoders, RecordingCallbacks

FRAMES = 3


def its_own_cause() -> BaseException:
    error = ValueError("its own cause")
    error.__cause__ = error
    return error


def circle_of_contexts() -> BaseException:
    errors = [ValueError(str(number)) for number in range(3)]
    for number, error in enumerate(errors):
        error.__context__ = errors[number - 1]
        error.__cause__ = errors[number - 2]
    return errors[0]


def nested_group() -> BaseException:
    group: BaseException = ValueError("innermost")
    for number in range(200):
        group = BaseExceptionGroup(str(number), [group, KeyError(number)])
    return group


def group_of_its_own_context() -> BaseException:
    member = ValueError("member")
    group = ExceptionGroup("group", [member])
    member.__context__ = group
    return group


def deep_traceback() -> BaseException:
    def descend(depth: int) -> None:
        if depth:
            descend(depth - 1)
        raise ValueError("deep")

    try:
        descend(sys.getrecursionlimit() // 2)
    except ValueError as error:
        return error
    raise AssertionError


class Slotted(Exception):
    __slots__ = ()


class Untold(Exception):
    """It raises when it is asked for anything."""

    def _refuse(self, *_: object) -> Any:
        raise RuntimeError("do not ask")

    __str__ = __repr__ = __eq__ = __bool__ = __len__ = __iter__ = _refuse
    __hash__ = None  # type: ignore[assignment]  # the point of it
    __traceback__ = __cause__ = __context__ = __suppress_context__ = __notes__ = property(_refuse)  # type: ignore[assignment]


class Opaque(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Group(ExceptionGroup):
    """A group that hides its members."""

    exceptions = property(lambda self: 1 / 0)  # type: ignore[assignment]  # the point of it


ERRORS: dict[str, Callable[[], BaseException]] = {
    "its own cause": its_own_cause,
    "circle of causes and contexts": circle_of_contexts,
    "nested groups": nested_group,
    "group that is its member's context": group_of_its_own_context,
    "huge group": lambda: ExceptionGroup("huge", [ValueError()] * 20_000),
    "group that hides its members": lambda: Group("hides", [ValueError()]),
    "deep traceback": deep_traceback,
    "slots": Slotted,
    "answers nothing": Untold,
    "has no attributes": Opaque,
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "GeneratorExit": GeneratorExit,
    "StopIteration": lambda: StopIteration(5),
    "StopAsyncIteration": StopAsyncIteration,
    "CancelledError": asyncio.CancelledError,
    "RecursionError": RecursionError,
    "MemoryError": MemoryError,
}


def raiser(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("make_error", ERRORS.values(), ids=ERRORS.keys())
@pytest.mark.parametrize("on_error", ["records", "raises it, too", "absent"])
def test_whatever_a_callback_raises_is_reported_once_and_the_frames_came_out(
    make_error: Callable[[], BaseException], on_error: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # pytest's handler is less patient with such errors than the engine
    error, reported = make_error(), []
    callbacks = Callbacks(on_bypass_frame=raiser(error))
    if on_error != "absent":

        def report(_source_id: str, stage: str, raised: BaseException, frame: object) -> None:
            reported.append((str(stage), raised, frame))
            if on_error != "records":
                raise error

        callbacks.on_error = report
    with PicassoEngine(GeneralSpec(), callbacks) as engine:
        engine.set_source_spec("a", bypass_spec())
        sent = [send(engine, number) for number in range(FRAMES)]
    stats = engine.stats().sources["a"]
    assert (stats.frames_in, stats.frames_out, sum(stats.dropped.values())) == (FRAMES, FRAMES, 0)
    assert stats.errors == {"on_bypass_frame": FRAMES}
    if on_error != "absent":
        assert [(stage, raised is error, frame) for stage, raised, frame in reported] == [
            ("on_bypass_frame", True, frame) for frame in sent
        ]


@pytest.mark.parametrize("make_error", ERRORS.values(), ids=ERRORS.keys())
def test_whatever_an_encoder_raises_on_opening_costs_its_frames_and_is_reported_for_each(
    make_error: Callable[[], BaseException], recorder: RecordingCallbacks
) -> None:
    """The first attempt raises; before the next is due, the frames are told so."""
    error = make_error()
    with PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=raiser(error)) as engine:
        engine.set_source_spec("a", encode_spec())
        for number in range(FRAMES):
            send(engine, number)
    stats = engine.stats().sources["a"]
    assert (stats.frames_in, stats.frames_out, stats.dropped[DropReason.ERROR]) == (FRAMES, 0, FRAMES)
    (_, first), *others = recorder.errors()
    assert first is error
    assert all("could not be opened, next attempt in" in str(other) for _, other in others)
    assert len(others) == FRAMES - 1


def test_handlers_of_the_log_that_raise_end_nothing() -> None:
    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise SystemExit(record.getMessage())

    handler, logger = Raising(), logging.getLogger("picasso.engine")
    logger.addHandler(handler)
    try:
        with PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=raiser(ValueError()))) as engine:
            engine.set_source_spec("a", bypass_spec())
            for number in range(FRAMES):
                send(engine, number)
    finally:
        logger.removeHandler(handler)
    assert engine.stats().sources["a"].frames_out == FRAMES


def failing_generator(errors: list[BaseException]) -> Iterator[int]:
    try:
        raise ZeroDivisionError("in the generator")
    except ZeroDivisionError as error:
        errors.append(error)
    try:
        yield 1
        yield 2
    finally:
        errors.append(GeneratorExit())


async def failing_coroutine(errors: list[BaseException]) -> str:
    try:
        raise ZeroDivisionError("in the coroutine")
    except ZeroDivisionError as error:
        errors.append(error)

    class Pause:
        def __await__(self) -> Iterator[None]:
            yield

    await Pause()
    return "went on"


@pytest.mark.parametrize("stage", ["on_bypass_frame", "open"])
def test_suspended_generators_and_coroutines_on_a_traceback_go_on(recorder: RecordingCallbacks, stage: str) -> None:
    errors: list[BaseException] = []
    generator, coroutine = failing_generator(errors), failing_coroutine(errors)
    assert next(generator) == 1
    coroutine.send(None)
    fail = raiser(ExceptionGroup("both", errors.copy()))  # type: ignore[type-var]  # they are not bare BaseExceptions
    recorder.on["on_bypass_frame"] = fail
    with PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=fail) as engine:
        engine.set_source_spec("a", bypass_spec() if stage == "on_bypass_frame" else encode_spec())
        send(engine)
    assert [name for name, _ in recorder.errors()] == [stage]
    assert next(generator) == 2
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    assert done.value.value == "went on"
    assert len(errors) == 2, "no one closed the generator"


@pytest.mark.parametrize("stage", ["on_bypass_frame", "open"])
def test_an_error_tracker_reads_the_users_locals_later(recorder: RecordingCallbacks, stage: str) -> None:
    def inner(*_: object) -> None:
        secret = "kept"  # noqa: F841  # it is looked for
        raise ValueError

    recorder.on["on_bypass_frame"] = inner
    with PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=inner) as engine:
        engine.set_source_spec("a", bypass_spec() if stage == "on_bypass_frame" else encode_spec())
        send(engine)
    ((_, error),) = recorder.errors()
    traceback = error.__traceback__
    while traceback.tb_next is not None:  # type: ignore[union-attr]  # it has one
        traceback = traceback.tb_next  # type: ignore[union-attr]
    assert traceback.tb_frame.f_locals["secret"] == "kept"  # type: ignore[union-attr]


class Pixels:
    """Pixels whose end can be noticed."""

    def __init__(self) -> None:
        self._array = np.zeros((48, 64, 4), np.uint8)
        self.__array_interface__ = self._array.__array_interface__


@pytest.mark.parametrize("fault", ["callback", "open", "encode", "size"])
def test_who_keeps_an_error_does_not_keep_pixels(recorder: RecordingCallbacks, fault: str) -> None:
    """While the source lives: the next frame comes out, and the pixels of the one before are gone."""

    def fail(output: Any) -> None:
        is_first = output.is_video_frame and output.as_video_frame().pts == 0
        del output
        if is_first:
            raise ValueError

    opening = iter([fault == "open"])

    def open_encoder(config: Any) -> Any:
        if next(opening, False):
            raise ValueError
        return encoders(config)

    encoders = MemoryEncoders(fails_on={0} if fault == "encode" else ())
    if fault == "callback":
        recorder.on["on_bypass_frame"] = fail
    engine = PicassoEngine(GeneralSpec(), recorder.callbacks("on_error"), encoder_factory=open_encoder)
    if fault == "callback":
        engine.shutdown()
        engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=fail, on_error=recorder.callbacks().on_error))
    engine.set_source_spec("a", bypass_spec() if fault == "callback" else encode_spec())
    pixels = Pixels()
    watched = weakref.ref(pixels)
    frame = make_frame(0)
    if fault == "size":
        frame.width = 32
    engine.send_frame("a", frame, pixels)
    del pixels, frame
    recorder.wait_for("on_error")
    engine.remove_source_spec("a")
    (call,) = recorder.calls("on_error")
    assert call.arguments[2].__traceback__ is not None
    assert watched() is None
    engine.shutdown()


@pytest.mark.parametrize("stage", ["on_bypass_frame", "open"])
def test_an_error_object_that_is_raised_over_and_over_does_not_collect_frames(stage: str) -> None:
    """Python adds a traceback to the last one each time; with it everything that those functions held would stay."""
    error, seen = ValueError("the same every time"), weakref.WeakSet[Any]()

    def fail(*_: object) -> None:
        raise error

    def remember(*arguments: Any) -> None:
        seen.add(arguments[-1])

    clockless = encode_spec() if stage == "open" else bypass_spec()
    engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=fail, on_error=remember), encoder_factory=fail)
    for number in range(50):
        engine.set_source_spec("a", clockless)
        send(engine, number)
        if stage == "open":
            engine.remove_source_spec("a")  # the next attempt comes at once
    engine.shutdown()
    length, traceback = 0, error.__traceback__
    while traceback is not None:
        length, traceback = length + 1, traceback.tb_next
    gc.collect()
    assert length <= 10
    assert len(seen) <= 1, "the last one, in the locals of the user's own function"
