"""The sources of a command through one runner: a source that fails leaves its files as they were."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, final

from picasso.cli.progress import Progress
from picasso.engine import Callbacks, GeneralSpec, OutputMessage, PtsResetPolicy, SourceSpec
from picasso.flow import Runner, SourceStatus
from picasso.signals import hold_stop
from picasso_kernels.processes.pool import cancelled_by_an_error

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView
    from picasso.transform import Rect

WAITING_FRAMES = 2
"""Frames of a source that wait for its worker: enough to keep it busy, few enough to keep latency and memory low."""

Frames = Iterable[tuple["VideoFrame", "SurfaceView"]]
Annotate = Callable[["VideoFrame", "SurfaceView"], None]
OnRender = Callable[[str, int, int, int, "VideoFrame"], None]


class Written(Protocol):
    """A file that a command writes: it comes to its place when it is closed."""

    def write(self, output: OutputMessage) -> object:
        """Take one encoded frame, or the end of a part of the stream."""
        ...

    def close(self) -> object:
        """Finish the file and put it in its place. May be called again."""
        ...

    def abandon(self) -> Path | None:
        """Leave what was there; returns where the frames so far are, None if there are none. May be called again."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One source of a command, from its reader to its files."""

    source_id: str
    spec: SourceSpec
    open_frames: Callable[[], AbstractContextManager[Frames]]
    """Opens the reader, on the thread that will read it."""
    files: Sequence[Written]
    annotate: Annotate | None = None
    """Adds objects to a frame before it is sent; called in frame order on the thread that reads."""
    src_rect: Rect | None = None
    """What to take of each frame; None for all."""
    total: int | None = None
    """Frames to come, if known."""
    rehearse: Callable[[], AbstractContextManager[Frames]] | None = None
    """Gives copies of the first frames without taking them; None where ``open_frames`` can be called twice."""
    stop: Callable[[], object] | None = None
    """Ends the reader from another thread, also while it waits."""
    verify: Callable[[], object] | None = None
    """Called after the last frame, before the files are put in their place; what it raises fails the job."""


def run(
    jobs: Sequence[Job],
    progress: Progress,
    *,
    on_render: OnRender | None = None,
    on_restart: PtsResetPolicy = PtsResetPolicy.CONTINUE,
) -> list[SourceStatus]:
    """Run all jobs to their ends through one runner, at once, and say how each fared.

    A job that fails ends early and says why in its status; the others go on. Its files are not put in their place;
    those of the others are, also when the run is stopped by Ctrl-C or another signal.

    Args:
        jobs: Each with a source id of its own.
        progress: Told about ten times a second how far they are.
        on_render: The engine's callback of that name, for sources whose spec asks for it.
        on_restart: What happens to times that start again.
    """
    general = GeneralSpec("picasso-cli", inflight_queue_size=WAITING_FRAMES, pts_reset_policy=on_restart)
    runner = Runner(general=general, callbacks=Callbacks(on_render=on_render))
    running = [_Running(job) for job in jobs]
    is_good = False
    try:
        with runner, progress, cancelled_by_an_error():
            for each in running:
                each.join(runner)
            runner.run(progress.show)
        is_good = True
    except BaseException as error:
        is_good = _is_stop(error)
        raise
    finally:
        with hold_stop():
            statuses = {status.source_id: status for status in runner.statuses()}
            settled = [each.settle(statuses[each.source_id], is_good=is_good) for each in running]
    return settled


def _is_stop(error: BaseException | None) -> bool:
    """Whether Ctrl-C or another signal is behind an error: a terminal that is closed cannot be written to either."""
    seen: set[int] = set()
    while error is not None and not isinstance(error, KeyboardInterrupt) and id(error) not in seen:
        seen.add(id(error))  # contexts may go round in a circle
        error = error.__context__
    return isinstance(error, KeyboardInterrupt)


@final
class _Running:
    """A job while it runs: the source that the runner reads, and the sinks before its files."""

    def __init__(self, job: Job) -> None:
        self.source_id = job.source_id
        self.frame_count = job.total
        self._job = job
        self._is_stopped = False
        self._is_read = False
        self._sinks = [_Sink(file, self.stop) for file in job.files]

    def join(self, runner: Runner) -> None:
        """Have a runner read it."""
        job = self._job
        runner.add(
            self, sinks=self._sinks, spec=job.spec, annotate=job.annotate, src_rect=job.src_rect, stop_on_error=True
        )

    def __iter__(self) -> Iterator[tuple[VideoFrame, SurfaceView]]:
        """Open the reader and give its frames."""
        with self._job.open_frames() as frames:
            for item in frames:
                if self._is_stopped:
                    return
                yield item
                del item  # the surface goes back while the next one is read
            self._is_read = not self._is_stopped

    def stop(self) -> None:
        """Read no further frame. Any thread."""
        self._is_stopped = True
        if self._job.stop is not None:
            self._job.stop()

    def settle(self, status: SourceStatus, *, is_good: bool) -> SourceStatus:
        """Put the files in their place, or leave what was there; return how the job fared. The runner is closed."""
        failure = next((sink.failure for sink in self._sinks if sink.failure is not None), status.failure)
        is_whole = is_good and failure is None
        if is_whole and self._job.verify is not None and self._is_read:
            failure = _failure_of(self._job.verify)
        for file in self._job.files:
            if is_good and failure is None:
                failure = _failure_of(file.close)
        if not is_good or failure is not None:
            left = [path for file in self._job.files if (path := file.abandon()) is not None]
            if left and failure is not None:
                failure.add_note(f"what was written is in {' and '.join(map(str, left))}")
        delivered = min((sink.written for sink in self._sinks), default=status.delivered)
        return dataclasses.replace(status, delivered=delivered, failure=failure)


@final
class _Sink:
    """What the runner writes to: a file that is finished by the command, when it is known how the job fared."""

    def __init__(self, file: Written, stop: Callable[[], object]) -> None:
        self.written = 0
        self.failure: BaseException | None = None
        self._file = file
        self._stop = stop
        self._end: OutputMessage | None = None
        """The end of what may be a part of the stream; the end of the last part is said by closing the file."""

    def write(self, output: OutputMessage) -> None:
        """Write a frame; a file that fails ends its job."""
        if output.is_eos:
            self._end = output
            return
        try:
            if self._end is not None:
                self._file.write(self._end)
                self._end = None
            self._file.write(output)
        except BaseException as error:
            self.failure = error
            self._stop()
            raise
        self.written += 1

    def close(self) -> None:
        """Leave that to the command."""


def _failure_of(step: Callable[[], object]) -> BaseException | None:
    """Return what a step raises, which fails one job alone."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - any error
        return error
    return None
