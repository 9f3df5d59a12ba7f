"""What users derive their code from: pyfuncs, drawers and functions of other kinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from picasso.module.elements.streams import new_stream
from picasso.module.logs import get_logger
from picasso.observe.custom import Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from picasso.module.elements.auxiliary import AuxiliaryStream
    from picasso.module.logs import TraceLogger
    from picasso.module.meta import Frame
    from picasso.observe.custom import AllMetrics


class BasePyFuncImpl:
    """Keeps its keyword arguments as attributes, and has a logger of its own."""

    def __init__(self, **kwargs: Any) -> None:
        """Take the ``kwargs`` of the YAML file."""
        for name, value in kwargs.items():
            setattr(self, name, value)
        module = type(self).__module__.rpartition(".")[2]
        self.logger: TraceLogger = get_logger(module.split("_", 3)[-1] if module.startswith("_picasso_") else module)


class BasePyFuncCallableImpl(BasePyFuncImpl):
    """A function with settings: a filter, a converter, a selector."""

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        """Do the work; subclasses say what."""
        raise TypeError(f"{type(self).__name__} does not define __call__")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """Something that happened to a source, at its place between the frames."""

    kind: str
    """``source-add``, ``source-eos`` or ``source-delete``."""
    source_id: str


class Batch(list["Frame"]):
    """The frames that an element gets at once; what the reference calls a buffer."""

    def __init__(self, frames: Iterable[Frame] = ()) -> None:
        """Hold the frames."""
        super().__init__(frames)


class ElementQueue(Protocol):
    """A queue between elements, for a look at it. It counts batches; a limit of 0 is none."""

    def qsize(self) -> int:
        """Batches that wait."""

    def empty(self) -> bool:
        """Whether no batch waits."""

    def full(self) -> bool:
        """Whether the next batch would have to wait for room."""

    @property
    def current_level_buffers(self) -> int:
        """Batches that wait."""

    @property
    def current_level_bytes(self) -> int:
        """Bytes of their frames."""

    @property
    def current_level_time(self) -> int:
        """Nanoseconds from the oldest to the newest frame of a source."""

    @property
    def max_size_buffers(self) -> int:
        """Batches that may wait."""

    @property
    def max_size_bytes(self) -> int:
        """Bytes that may wait."""

    @property
    def max_size_time(self) -> int:
        """Nanoseconds that may wait."""


class Services(Protocol):
    """What a running module does for its pyfuncs."""

    def open_stream(
        self, source_id: str, size_wh: tuple[int, int], codec_params: Mapping[str, Any], framerate: str
    ) -> AuxiliaryStream:
        """Open an auxiliary stream."""

    def queues(self) -> Mapping[str, ElementQueue]:
        """Return the queues between elements by name."""

    def upstream_queue(self) -> ElementQueue | None:
        """Return the nearest queue before the pyfunc."""

    def records(self, count: int) -> Sequence[Any]:
        """Return up to ``count`` records, newest first."""

    @property
    def metrics(self) -> AllMetrics:
        """The counters and gauges of all pyfuncs."""


class Ties:
    """What ties a pyfunc to the module that runs it; kept apart from the names of the user's class."""

    __slots__ = ("auxiliary", "metrics", "services", "streams")

    def __init__(self) -> None:
        """Begin without a module."""
        self.services: Services | None = None
        self.auxiliary: list[AuxiliaryStream] = []
        self.streams: dict[int, Any] = {}
        """Streams of work by place in a batch."""
        self.metrics: Shelf = Shelf()

    def serving(self, name: str) -> Services:
        """Return what the module does for the pyfunc, which asks for ``name``.

        Raises:
            RuntimeError: No module runs it.
        """
        if self.services is None:
            raise RuntimeError(f"{name} works in a running module, from on_start on")
        return self.services

    def end_batch(self) -> None:
        """Wait for the streams of work, then send the frames of auxiliary streams on."""
        for stream in self.streams.values():
            stream.waitForCompletion()
        for made in self.auxiliary:
            made.flush()


def ties_of(plugin: BasePyFuncPlugin) -> Ties:
    """Return what ties a ``plugin`` to its module; made when it is asked for, as users may not call ``super()``."""
    found = plugin.__dict__.get("_picasso_ties")
    if not isinstance(found, Ties):
        found = plugin.__dict__["_picasso_ties"] = Ties()
    return found


class _ShelfOfPlugin:
    """Gives a plugin its metrics; an argument of that name in the YAML file takes its place."""

    def __get__(self, plugin: BasePyFuncPlugin | None, _kind: type) -> Any:
        return self if plugin is None else ties_of(plugin).metrics


class BasePyFuncPlugin(BasePyFuncImpl):
    """An element of a pipeline. Hooks run on one thread at a time."""

    metrics: _ShelfOfPlugin = _ShelfOfPlugin()
    """Its counters and gauges, by keys of its own: ``self.metrics["people"] = Counter("people", "…", ("source_id",))``.
    They are exported where ``telemetry.metrics`` names a provider."""

    def auxiliary_stream(
        self, source_id: str, width: int, height: int, codec_params: Mapping[str, Any], framerate: str = "30/1"
    ) -> AuxiliaryStream:
        """Open a stream of frames that this pyfunc makes; from ``on_start`` on.

        Args:
            source_id: Its name, under which its frames reach the sinks.
            width: Of its frames in pixels, even.
            height: Of its frames in pixels, even.
            codec_params: ``codec`` (h264, hevc, av1, jpeg, png), and as in ``output_frame``: ``encoder``,
                ``encoder_params``, ``profile``. What is missing is taken from ``parameters.auxiliary_encoders``.
            framerate: Frames per second as a fraction.

        Raises:
            ValueError: The source id is in use, or an argument has no meaning.
            RuntimeError: No module runs this pyfunc.
        """
        ties = ties_of(self)
        stream = ties.serving("auxiliary_stream").open_stream(source_id, (width, height), codec_params, framerate)
        ties.auxiliary = [*(one for one in ties.auxiliary if one.is_open), stream]
        return stream

    def get_queues(self) -> list[ElementQueue]:
        """Return the queues between the elements of the module, in order; ``buffer_queues`` and ``queue`` make them.

        Raises:
            RuntimeError: No module runs this pyfunc.
        """
        return list(ties_of(self).serving("get_queues").queues().values())

    def get_upstream_queue(self) -> ElementQueue | None:
        """Return the nearest queue before this pyfunc, or None.

        Raises:
            RuntimeError: No module runs this pyfunc.
        """
        return ties_of(self).serving("get_upstream_queue").upstream_queue()

    def get_queue(self, name: str) -> ElementQueue:
        """Return a queue by ``name``: that of an element ``queue``, or ``before/`` and the stage behind it.

        Raises:
            KeyError: There is none of that name; the message says which there are.
            RuntimeError: No module runs this pyfunc.
        """
        queues = ties_of(self).serving("get_queue").queues()
        if name not in queues:
            raise KeyError(f"no queue {name!r}; there are: {', '.join(queues) or 'none'}")
        return queues[name]

    def get_runtime_metrics(self, n: int) -> list[Any]:
        """Return up to ``n`` records of what the module has done, newest first; ``telemetry.metrics`` says when.

        Each has ``id``, ``record_type``, ``ts`` (milliseconds), ``frame_no``, ``object_counter`` and ``stage_stats``.

        Raises:
            RuntimeError: No module runs this pyfunc.
        """
        return list(ties_of(self).serving("get_runtime_metrics").records(n))

    def get_cuda_stream(self, frame_meta: Frame) -> Any:
        """Return the stream of the place of ``frame_meta`` in its batch; all are waited for after the batch.

        A ``cv2.cuda.Stream`` where OpenCV has CUDA. Else work is done when a call returns, and so is the stream's.
        """
        streams = ties_of(self).streams
        place = frame_meta.batch_id
        if place not in streams:
            streams[place] = new_stream()
        return streams[place]

    def on_start(self) -> bool:
        """Get ready; called before the first frame. Anything but a true value refuses to start."""
        return True

    def on_stop(self) -> bool:
        """Let go of what ``on_start`` took; called once, also when starting failed."""
        return True

    def on_event(self, event: StreamEvent) -> None:
        """Take notice of an ``event`` of a source; calls the hook of its kind."""
        if event.kind == "source-add":
            self.on_source_add(event.source_id)
        elif event.kind == "source-eos":
            self.on_source_eos(event.source_id)
        elif event.kind == "source-delete":
            self.on_source_delete(event.source_id)

    def on_source_add(self, source_id: str) -> None:
        """Take notice of a source, ``source_id``, whose frames will come."""

    def on_source_eos(self, source_id: str) -> None:
        """Forget what is known of the stream of ``source_id``: it has ended, another may begin."""

    def on_source_delete(self, source_id: str) -> None:
        """Forget ``source_id``: it is gone."""

    def process_buffer(self, buffer: Batch) -> None:
        """Work on a batch, ``buffer``; by default on one frame after the other."""
        for frame in buffer:
            self.process_frame(buffer, frame)

    def process_frame(self, buffer: Batch, frame_meta: Frame) -> None:
        """Work on one frame, ``frame_meta``, of the batch ``buffer``."""


class PyFunc(BasePyFuncPlugin):
    """The same with one argument: define ``__call__(self, frame)``."""

    def __call__(self, frame: Frame) -> None:
        """Work on one ``frame``."""

    def process_frame(self, buffer: Batch, frame_meta: Frame) -> None:  # noqa: ARG002 - that of the base class
        """Call the object with ``frame_meta``, a frame of ``buffer``."""
        self(frame_meta)
