"""A module's configuration as objects: what the running module reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from picasso.module.config.merge import Origin
from picasso.module.config.problem import Path, Problem

if TYPE_CHECKING:
    from picasso.module.config.watch import ConfigWatch

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Padding:
    """Pixels around the processing frame."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0
    keep: bool = True
    """Whether the output frame keeps them."""


@dataclass(frozen=True, slots=True)
class FrameConfig:
    """Sizes of the frames that elements see."""

    width: int | None
    """Of the processing frame in pixels; None keeps each source's own size."""
    height: int | None
    padding: Padding | None
    """None where all four sides are 0."""
    geometry_base: int


@dataclass(frozen=True, slots=True)
class OutputFrame:
    """What the pixels of outgoing frames become."""

    codec: str
    encoder: str | None = None
    """``nvenc``, ``software``, or None: the first where it is there, else the second."""
    encoder_params: Tree = field(default_factory=dict)
    profile: str | None = None
    tag: str | None = None
    """The frame tag without which a frame leaves as metadata; None encodes every frame."""


@dataclass(frozen=True, slots=True)
class DrawFunc:
    """What is drawn, and by whom."""

    module: str | None = None
    """None takes the stock drawer."""
    class_name: str | None = None
    kwargs: Tree = field(default_factory=dict)
    rendered_objects: Mapping[str, Mapping[str, Tree]] | None = None
    """By element name and label; None draws everything."""
    tag: str | None = None
    """The frame tag without which a frame is not drawn on."""


@dataclass(frozen=True, slots=True)
class BufferQueues:
    """Queues around each pyfunc, which then runs in a thread of its own."""

    length: int = 10
    """Batches, 0 for no limit."""
    byte_size: int = 0
    """Bytes, 0 for no limit."""


@dataclass(frozen=True, slots=True)
class FilterConfig:
    """A function that decides which frames pass."""

    module: str
    class_name: str
    kwargs: Tree


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One entry of ``pipeline.source``."""

    element: str
    name: str | None
    properties: Tree
    frame_filter: FilterConfig | None
    path: Path


@dataclass(frozen=True, slots=True)
class SinkConfig:
    """One entry of ``pipeline.sink``."""

    element: str
    name: str | None
    properties: Tree
    frame_filter: FilterConfig | None
    path: Path


@dataclass(frozen=True, slots=True)
class ElementConfig:
    """One enabled entry of ``pipeline.elements``, its group opened."""

    element: str
    """The kind: ``pyfunc``, ``nvinfer@detector``, ``nvtracker``, ``queue``."""
    name: str | None
    module: str | None
    class_name: str | None
    kwargs: Tree
    dev_mode: bool
    on_error: str
    """``stop``, ``drop_frame`` or ``pass``."""
    model: Tree | None
    properties: Tree
    path: Path


@dataclass(frozen=True, slots=True)
class ModuleConfig:
    """A whole configuration, valid and resolved."""

    name: str
    file: str
    """The file, ``<stdin>`` for standard input, ``<config>`` for a mapping."""
    folder: str | None
    """The folder of the file, where modules of pyfuncs are looked for."""
    parameters: Tree
    """As resolved, the user's own keys too: what ``param_storage()`` gives."""
    frame: FrameConfig
    output_frame: OutputFrame | None
    draw_func: DrawFunc | None
    buffer_queues: BufferQueues | None
    batch_size: int
    sources: tuple[SourceConfig, ...]
    elements: tuple[ElementConfig, ...]
    sinks: tuple[SinkConfig, ...]
    tree: Tree
    """The resolved tree, for printing."""
    origins: Mapping[Path, Origin]
    """Where each value came from."""
    warnings: tuple[Problem, ...] = ()
    watch: ConfigWatch | None = field(default=None, compare=False, repr=False)
    """Looks at the file while the module runs; None without ``dev_mode``, and where there is no file."""

    def origin(self, path: Path) -> Origin:
        """Return where a value came from; a value without an origin of its own has that of what holds it."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, Origin(None))

    def problem(self, path: Path, text: str) -> Problem:
        """Make a problem of a value, with the line that it came from."""
        origin = self.origin(path)
        return Problem(text, path, "defaults.yml" if origin.file is None else origin.file, origin.line)
