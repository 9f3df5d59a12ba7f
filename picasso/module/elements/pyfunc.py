"""A pyfunc in a pipeline: the user's class or function, its hooks, and what happens with its errors."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from picasso.engine.source_at_work import work_for
from picasso.errors import MetadataError
from picasso.module.elements.base import BasePyFuncPlugin, Batch, Services, StreamEvent, ties_of
from picasso.module.elements.blame import place_of, words_of
from picasso.module.elements.calling import check_call, parameters_of
from picasso.module.elements.loading import CodePath, ElementError, find
from picasso.module.elements.spans import in_spans, tell_spans
from picasso.module.meta.soundness import take_out_unsound_of

if TYPE_CHECKING:
    from picasso.module.config import ElementConfig
    from picasso.module.meta import Frame

STOP: Final = "stop"
DROP_FRAME: Final = "drop_frame"
PASS: Final = "pass"

logger: logging.Logger = logging.getLogger("picasso.module")


class _Function(BasePyFuncPlugin):
    """A plain function, or any object that can be called with a frame, as a plugin."""

    def __init__(self, function: Callable[..., Any], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self._function = function
        self._kwargs = kwargs

    def process_frame(self, buffer: Batch, frame_meta: Frame) -> None:  # noqa: ARG002 - that of the base class
        self._function(frame_meta, **self._kwargs)


def instantiate(thing: Callable[..., Any], kwargs: dict[str, Any]) -> BasePyFuncPlugin:
    """Make a plugin of a class or function of the user's.

    A class is built with ``kwargs``; one that is not a plugin must give objects that can be called with a frame. A
    function is called with the frame, and with ``kwargs`` as keyword arguments.

    Raises:
        ElementError: The class cannot be built, or its objects do nothing with a frame.
    """
    if not inspect.isclass(thing):
        check_call(thing, "a frame", 1, kwargs)
        return _Function(_not_async(thing, thing), kwargs)
    try:
        made = thing(**kwargs)
    except Exception as error:
        takes = parameters_of(thing) if isinstance(error, TypeError) else ""
        raise ElementError(f"{thing.__name__} cannot be built: {type(error).__name__}: {error}{takes}") from error
    if isinstance(made, BasePyFuncPlugin):
        if type(made).process_buffer is BasePyFuncPlugin.process_buffer:
            check_call(made.process_frame, "a batch and a frame", 2)
        else:
            check_call(made.process_buffer, "a batch", 1)
        return made
    if not callable(made):
        raise ElementError(f"{thing.__name__} is not a pyfunc: derive it from PyFunc, or define __call__(self, frame)")
    check_call(made.__call__, "a frame", 1)
    plugin = _Function(_not_async(made, made.__call__), {})
    for hook in ("on_start", "on_stop", "on_event", "on_source_add", "on_source_eos", "on_source_delete"):
        if callable(own := getattr(made, hook, None)):
            setattr(plugin, hook, own)
    return plugin


def _not_async(thing: Callable[..., Any], called: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``thing``; refuse one whose calls do nothing until they are awaited."""
    if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called) or inspect.isgeneratorfunction(called):
        name = getattr(thing, "__name__", type(thing).__name__)
        raise ElementError(f"{name} is a coroutine or a generator, which is not run; write it without async and yield")
    return thing


def demand_sound(frame: Frame) -> None:
    """Raise ``MetadataError`` for boxes of a frame that cannot leave the module, and take their objects out of it."""
    if said := take_out_unsound_of(frame):
        raise MetadataError(said)


class PyFuncElement:
    """One pyfunc of a pipeline. All methods are called on one thread at a time.

    What it raises for a frame is handled by ``on_error``: ``stop`` raises an ``ElementError``, ``drop_frame`` drops the
    frame, ``pass`` lets it go on. The error names the element, the source, the time of the frame, and the user's line.
    A box that it leaves with a number that is not finite, or with a negative size, counts as such an error; with
    ``pass`` the frame goes on without that object.
    """

    def __init__(self, config: ElementConfig, code: CodePath) -> None:
        """Load and build the user's class.

        Raises:
            ElementError: It is not there, or cannot be built.
        """
        self.config: ElementConfig = config
        self.stage: str = f"pyfunc/{config.module}.{config.class_name}"
        """Its name among the stages."""
        self.name: str = config.name or self.stage
        self._code = code
        self._services: Services | None = None
        self.errors: int = 0
        try:
            self.plugin: BasePyFuncPlugin = self._build()
        except ElementError as error:
            raise ElementError(f"element {self.name}: {error}") from error.__cause__

    def _build(self) -> BasePyFuncPlugin:
        module = self._code.load(self.config.module or "")
        return instantiate(find(module, self.config.class_name or ""), dict(self.config.kwargs))

    def bind(self, services: Services) -> None:
        """Take what the running module does for pyfuncs."""
        self._services = services

    def _tie(self, plugin: BasePyFuncPlugin) -> None:
        """Open the doors of the module to a plugin.

        Raises:
            ElementError: A metric of it has a name that is in use.
        """
        ties = ties_of(plugin)
        ties.services = self._services
        if self._services is not None:
            try:
                ties.metrics.open(self._services.metrics, self)
            except ValueError as error:
                raise ElementError(f"element {self.name}: {error}") from error

    def start(self) -> None:
        """Call ``on_start``.

        Raises:
            ElementError: It raised, or returned nothing true.
        """
        self._tie(self.plugin)
        try:
            answer = self.plugin.on_start()
        except (Exception, SystemExit) as error:
            raise ElementError(f"element {self.name}: on_start raised {words_of(error)}") from error
        if not answer:
            raise ElementError(f"element {self.name}: on_start returned {answer!r}, which refuses to start")

    def stop(self) -> None:
        """Call ``on_stop``; what it raises is logged."""
        try:
            self.plugin.on_stop()
        except BaseException:
            logger.exception("element %s: on_stop raised", self.name)

    def event(self, event: StreamEvent) -> None:
        """Tell of an event; what the hook raises is logged."""
        try:
            self.plugin.on_event(event)
        except BaseException:
            logger.exception("element %s: %s of source %r: the hook raised", self.name, event.kind, event.source_id)
        ties_of(self.plugin).end_batch()

    def process(self, batch: Batch) -> None:
        """Work on the frames of a batch that are not dropped.

        Raises:
            ElementError: The pyfunc raised, and its policy is to stop.
        """
        plugin = self.plugin
        if type(plugin).process_buffer is not BasePyFuncPlugin.process_buffer:
            left = Batch(frame for frame in batch if not frame.is_dropped)
            for frame in left:
                frame.in_batch(left)
            if left:
                with in_spans(left):
                    self._guarded(left, None, plugin.process_buffer, left)
                for frame in left:
                    self._guarded(left, frame, demand_sound, frame)
        else:
            try:
                for frame in batch:
                    if not frame.is_dropped:
                        frame.in_batch(batch)
                        work_for(frame.source_id)
                        with in_spans((frame,)):
                            self._guarded(batch, frame, plugin.process_frame, batch, frame)
                        self._guarded(batch, frame, demand_sound, frame)
            finally:  # what this thread logs next, such as the end of the module, is of no source
                work_for(None)
        ties_of(plugin).end_batch()

    def _guarded(self, batch: Batch, frame: Frame | None, call: Callable[..., None], *arguments: Any) -> None:
        try:
            call(*arguments)
        except BaseException as error:
            self.errors += 1
            tell_spans(batch if frame is None else (frame,), error)
            text = f"element {self.name}: {place_of(batch if frame is None else [frame])}{words_of(error)}"
            is_stop = self.config.on_error == STOP and not self.config.dev_mode
            if is_stop or not isinstance(error, Exception):  # sys.exit() ends the module under every policy
                raise ElementError(text) from error
            if self.errors & (self.errors - 1) == 0:
                logger.error("%s (error no. %d)", text, self.errors, exc_info=error)
            if self.config.on_error == DROP_FRAME:
                for one in batch if frame is None else [frame]:
                    one.drop("policy")
