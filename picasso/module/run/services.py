"""What a running module does for its pyfuncs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from picasso.module.elements import PyFuncElement

if TYPE_CHECKING:
    from picasso.module.elements import AuxiliaryStream
    from picasso.module.run.auxiliary import AuxiliaryStreams
    from picasso.module.run.books import Books
    from picasso.module.run.pipeline import Pipeline
    from picasso.module.run.work_queue import WorkQueue
    from picasso.observe.custom import AllMetrics
    from picasso.observe.records import Record, Recorder


@final
class ModuleServices:
    """The doors of a module that one of its pyfuncs goes through."""

    def __init__(
        self,
        upstream: WorkQueue | None,
        pipeline: Pipeline,
        auxiliary: AuxiliaryStreams,
        recorder: Recorder,
        metrics: AllMetrics,
    ) -> None:
        """Open them.

        Args:
            upstream: The nearest queue before the pyfunc.
            pipeline: What it is in.
            auxiliary: The streams of the module.
            recorder: What the module has done.
            metrics: The counters and gauges of all pyfuncs.
        """
        self._upstream = upstream
        self._pipeline = pipeline
        self._auxiliary = auxiliary
        self._recorder = recorder
        self.metrics = metrics

    def open_stream(
        self, source_id: str, size_wh: tuple[int, int], codec_params: Mapping[str, Any], framerate: str
    ) -> AuxiliaryStream:
        """Open an auxiliary stream."""
        return self._auxiliary.open(source_id, size_wh, codec_params, framerate)

    def queues(self) -> dict[str, WorkQueue]:
        """Return the queues of the pipeline by name."""
        return self._pipeline.named_queues()

    def upstream_queue(self) -> WorkQueue | None:
        """Return the nearest queue before the pyfunc."""
        return self._upstream

    def records(self, count: int) -> list[Record]:
        """Return up to ``count`` records, newest first."""
        return self._recorder.latest(count)


def serve(pipeline: Pipeline, auxiliary: AuxiliaryStreams, books: Books) -> None:
    """Open the doors of a module to the pyfuncs of its pipeline; what they make is written into its ``books``."""
    books.follow(auxiliary)
    for queue, elements in pipeline.groups():
        for element in elements:
            if isinstance(element, PyFuncElement):
                element.bind(ModuleServices(queue, pipeline, auxiliary, books.recorder, books.metrics))
