"""What users derive their code from: pyfuncs, drawers and functions of other kinds."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from picasso.module.meta import Frame


class BasePyFuncImpl:
    """Keeps its keyword arguments as attributes, and has a logger of its own."""

    def __init__(self, **kwargs: Any) -> None:
        """Take the ``kwargs`` of the YAML file."""
        for name, value in kwargs.items():
            setattr(self, name, value)
        module = type(self).__module__.rpartition(".")[2]
        self.logger = logging.getLogger(
            f"insight.savant.{module.split('_', 3)[-1] if module.startswith('_picasso_') else module}"
        )


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


class BasePyFuncPlugin(BasePyFuncImpl):
    """An element of a pipeline. Hooks run on one thread at a time."""

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
