"""A model as its block of the configuration says: what converters and hooks are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from picasso.module.config.models import WHOLE_FRAME, finds_objects, gives_attributes, split_object

Tree = Mapping[str, Any]
_DEFAULT_OFFSETS: Final = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What a model reads, as configured; ``given`` says which keys were."""

    object: str = WHOLE_FRAME
    """Element and label of the objects that are looked at, with a dot between."""
    layer_name: str | None = None
    shape: tuple[int, int, int] | None = None
    """Channels, height and width; in a running module always there."""
    maintain_aspect_ratio: bool = False
    symmetric_padding: bool = False
    pad: int | None = None
    """Value of the bars, 0..255, before the scaling."""
    scale_factor: float = 1.0
    """What ``channel - offset`` is multiplied by."""
    offsets: tuple[float, float, float] = _DEFAULT_OFFSETS
    """What is subtracted of each plane."""
    color_format: str = "rgb"
    """``rgb``, ``bgr`` or ``gray``."""
    preprocess_object_meta: Tree | None = None
    preprocess_object_image: Tree | None = None
    object_min_width: int | None = None
    """Pixels of the frame, as the other limits."""
    object_min_height: int | None = None
    object_max_width: int | None = None
    object_max_height: int | None = None
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tree: Tree) -> ModelInput:
        """Read a block ``model.input``."""
        known = {key: value for key, value in tree.items() if value is not None}
        name = known.pop("object", WHOLE_FRAME)
        for key in ("shape", "offsets"):
            if key in known:
                known[key] = tuple(known[key])
        return cls(object=".".join(split_object(name)), **known, given=frozenset(known))

    @property
    def element_and_label(self) -> tuple[str, str]:
        """Whose objects are looked at, and what they are called."""
        return split_object(self.object)

    @property
    def is_whole_frame(self) -> bool:
        """Whether the model looks at frames."""
        return self.object == WHOLE_FRAME

    @property
    def height(self) -> int:
        """Of the tensor, in pixels."""
        return 0 if self.shape is None else self.shape[1]

    @property
    def width(self) -> int:
        """Of the tensor, in pixels."""
        return 0 if self.shape is None else self.shape[2]


@dataclass(frozen=True, slots=True)
class ObjectOutput:
    """One class of objects that a model finds."""

    class_id: int
    label: str | None = None
    selector: Tree | None = None


@dataclass(frozen=True, slots=True)
class AttributeOutput:
    """One attribute that a model gives."""

    name: str
    labels: tuple[str, ...] | None = None
    threshold: float | None = None
    """A value is taken if the model is more certain."""
    multi_label: bool = False
    internal: bool = False
    """Whether later elements see it and it does not leave the module."""


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """What a model says, as configured."""

    layer_names: tuple[str, ...] = ()
    converter: Tree | None = None
    head: str | None = None
    confidence: float | None = None
    iou: float | None = None
    top_k: int | None = None
    max_objects: int | None = None
    agnostic: bool = False
    num_detected_classes: int | None = None
    objects: tuple[ObjectOutput, ...] = ()
    attributes: tuple[AttributeOutput, ...] = ()

    @classmethod
    def of(cls, tree: Tree) -> ModelOutput:
        """Read a block ``model.output``."""
        known = {key: value for key, value in tree.items() if value is not None}
        attributes = []
        for one in known.pop("attributes", ()):
            said = {key: value for key, value in one.items() if value is not None}
            if "labels" in said:
                said["labels"] = tuple(said["labels"])
            attributes.append(AttributeOutput(**said))
        return cls(
            layer_names=tuple(known.pop("layer_names", ())),
            objects=tuple(ObjectOutput(**one) for one in known.pop("objects", ())),
            attributes=tuple(attributes),
            **known,
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its block of the configuration says."""

    name: str
    """Of its element."""
    local_path: str | None = None
    """Folder of its files."""
    model_file: str | None = None
    label_file: str | None = None
    remote: Tree | None = None
    batch_size: int | None = None
    """Most pictures of a call; None for as many as there are."""
    interval: int = 0
    """Frames of each source that are skipped between two that are looked at."""
    gpu_id: int = 0
    provider: str = "auto"
    threads: int | None = None
    input: ModelInput = field(default_factory=ModelInput)
    output: ModelOutput = field(default_factory=ModelOutput)
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the model's maker wrote into its file."""

    @staticmethod
    def of(element: str, name: str, tree: Tree) -> Model:
        """Read a block ``model`` of an element such as ``nvinfer@detector``."""
        kind = ObjectModel if finds_objects(element) else AttributeModel
        if finds_objects(element) and gives_attributes(element):
            kind = ComplexModel
        plain = ("local_path", "model_file", "label_file", "remote", "batch_size", "interval", "gpu_id", "provider")
        known = {key: tree[key] for key in (*plain, "threads") if tree.get(key) is not None}
        return kind(
            name=name,
            input=ModelInput.of(tree.get("input") or {}),
            output=ModelOutput.of(tree.get("output") or {}),
            **known,
        )


class ObjectModel(Model):
    """A model that finds objects."""

    __slots__ = ()


class AttributeModel(Model):
    """A model that gives attributes."""

    __slots__ = ()


class ComplexModel(ObjectModel, AttributeModel):
    """A model that finds objects and gives their attributes."""

    __slots__ = ()
