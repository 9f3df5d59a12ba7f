"""From a model's block to a model that runs: files, graph, input, head, labels, and that they fit each other."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from picasso.errors import ModelError, PicassoError
from picasso.infer import HeadSettings, Inference, InputSpec, Session
from picasso.infer.customs import CustomaryInput, customary_input
from picasso.infer.files import read_labels
from picasso.infer.files.labels import labels_of_metadata
from picasso.infer.heads import AttributeRule, ClassifierHead, find_head
from picasso.module.config import ConfigError
from picasso.module.config.models import finds_objects, gives_attributes
from picasso.module.elements.loading import ElementError
from picasso.module.elements.models.block import AttributeOutput, Model
from picasso.module.elements.models.code import UserCode, image_hook, is_own_code
from picasso.module.elements.models.converting import UserConverter
from picasso.module.elements.models.finding import ModelFiles
from picasso.module.elements.models.selecting import selector_of
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Normalization, Padding

if TYPE_CHECKING:
    from picasso.infer import AttributeHead, ObjectHead, TensorInfo
    from picasso.infer.inputs import ImageHook
    from picasso.module.config import ElementConfig, ModuleConfig
    from picasso.module.elements.loading import CodePath
    from picasso.module.elements.models.choosing import MetaHook

Outputs = Mapping[str, Any]
DEFAULT_ATTRIBUTE: Final = "class"
"""Attribute of a classifier whose block names none."""
_PLAIN: Final = CustomaryInput(Normalization((1.0, 1.0, 1.0)))
"""What holds for a converter, of whose model nothing is known: channels as they are, stretched."""
logger: logging.Logger = logging.getLogger("picasso.module")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that runs, and what is done with its outputs."""

    model: Model
    """As configured, with ``input.shape``."""
    inference: Inference
    settings: HeadSettings
    object_head: ObjectHead | None
    attribute_head: AttributeHead | None
    converter: UserConverter | None
    prepare_meta: MetaHook | None
    prepare_image: ImageHook | None
    internal: frozenset[str]
    """Names of attributes that do not leave the module."""

    def outputs_of(self, outputs: Outputs) -> Outputs:
        """Return the outputs that ``layer_names`` names, or all."""
        names = self.model.output.layer_names
        return {name: outputs[name] for name in names} if names else outputs

    def readable(self, surface: SurfaceView) -> SurfaceView:
        """Return a picture where the model can read it: in host memory, or on its GPU."""
        if not surface.is_cuda or self.inference.session.on_gpu:
            return surface
        from picasso.surface.cuda_memory import download

        return download(surface)


class _Heads(NamedTuple):
    """What reads the outputs; no head where a converter does."""

    name: str
    objects: ObjectHead | None = None
    attributes: AttributeHead | None = None


class Preparation:
    """Loads one model; every error names the key of the block that is at fault."""

    def __init__(self, one: ElementConfig, config: ModuleConfig, code: CodePath, sources: int) -> None:
        """Remember what it is about.

        Args:
            one: The element.
            config: The module.
            code: Where code of users is looked for.
            sources: How many sources run beside the model.
        """
        self._one, self._config, self._sources = one, config, sources
        self._model = Model.of(one.element, str(one.name), one.model or {})
        self._code = UserCode(str(one.name), code, follows_files=one.dev_mode)
        self._has_converter = is_own_code(self._model.output.converter)

    def load(self) -> Prepared:
        """Fetch, load and check the model.

        Raises:
            ConfigError: Its files, its graph and its block do not fit; the error names the key.
            ElementError: Code of a user's cannot be loaded.
        """
        model = self._model
        with self._blamed("remote" if model.remote is not None else "local_path"):
            files = ModelFiles(model, self._config)
        with self._blamed("model_file"):
            path = files.find(str(model.model_file))
            session = Session(
                path, provider=model.provider, gpu_id=model.gpu_id, threads=model.threads, sources=self._sources
            )
        tensor = session.image_input
        labels = self._labels(files, session)
        self._check_layers(session)
        size_wh = self._size_wh(tensor)
        heads = self._heads(session, labels, size_wh or _size_of(tensor))
        with self._blamed("input", "shape"):
            spec = self._spec(tensor, size_wh, heads.name, session.metadata)
        shape = (spec.normalization.channels, spec.size_wh[1], spec.size_wh[0])
        model = replace(model, input=replace(model.input, shape=shape), metadata=session.metadata)
        with self._blamed("output"):
            names = labels or list(getattr(heads.objects, "class_names", ())) or None
            selector = selector_of(model.output, names, self._code, self._wrong)
        prepared = Prepared(
            model=model,
            inference=Inference(session, spec, batch_size=model.batch_size),
            settings=HeadSettings(spec.size_wh, selector),
            object_head=heads.objects,
            attribute_head=heads.attributes,
            converter=self._converter(model, selector),
            prepare_meta=self._code.build(model.input.preprocess_object_meta, "preprocess_object_meta"),
            prepare_image=image_hook(self._code.build(model.input.preprocess_object_image, "preprocess_object_image")),
            internal=frozenset(one.name for one in model.output.attributes if one.internal),
        )
        self._try(prepared)
        if model.input.is_whole_frame and not session.on_gpu:
            frames = self._config.batch_size
            prepared.inference.maker.reserve(min(frames, model.batch_size or frames))
        size = "x".join(map(str, spec.size_wh))
        by = f"{session.provider}, {session.threads} threads"
        logger.info("model %s: %s, %s pixels, on %s, read by %s", model.name, path, size, by, heads.name)
        return prepared

    @contextmanager
    def _blamed(self, *key: str) -> Iterator[None]:
        """Turn what goes wrong into an error that names a key of the block."""
        try:
            yield
        except (ConfigError, ElementError):
            raise
        except PicassoError as error:
            raise self._wrong(str(error), *key) from error

    def _wrong(self, text: str, *key: str | int) -> ConfigError:
        return ConfigError([self._config.problem((*self._one.path, "model", *key), text)])

    def _labels(self, files: ModelFiles, session: Session) -> list[str] | None:
        """Return what the classes are called: by the file of labels, else by the model itself."""
        model, count = self._model, self._model.output.num_detected_classes
        with self._blamed("label_file"):
            labels = None if model.label_file is None else read_labels(files.find(model.label_file))
        source = model.label_file or "the model's own list"
        labels = labels or labels_of_metadata(session.metadata)
        if labels is not None and count is not None and len(labels) != count:
            text = f"{count} classes, {source} has {len(labels)} labels"
            raise self._wrong(text, "output", "num_detected_classes")
        return labels

    def _check_layers(self, session: Session) -> None:
        """Hold the names of inputs and outputs against the graph."""
        layer, tensor = self._model.input.layer_name, session.image_input
        if layer is not None and layer != tensor.name:
            raise self._wrong(f"the model has no input {layer!r}; it has {tensor.name}", "input", "layer_name")
        there = [info.name for info in session.outputs]
        missing = [name for name in self._model.output.layer_names if name not in there]
        if missing:
            text = f"the model has no output {missing[0]!r}; it has {', '.join(there)}"
            raise self._wrong(text, "output", "layer_names")

    def _size_wh(self, tensor: TensorInfo) -> tuple[int, int] | None:
        """Return width and height that are configured, and hold them against the graph."""
        shape = self._model.input.shape
        if shape is None:
            return None
        has_channels_last = len(tensor.shape) == 4 and tensor.shape[3] in (1, 3) and tensor.shape[1] not in (1, 3)
        given = (*shape[1:], shape[0]) if has_channels_last else shape
        for want, got in zip(tensor.shape[1:], given, strict=False):
            if want not in (None, got):
                raise self._wrong(f"the model takes {tensor}, got {list(shape)}", "input", "shape")
        return shape[2], shape[1]

    def _heads(self, session: Session, labels: list[str] | None, input_wh: tuple[int, int] | None) -> _Heads:
        """Return what reads the outputs."""
        model, kind = self._model, self._one.element
        if self._has_converter:
            return _Heads("a converter")
        if not finds_objects(kind):
            with self._blamed("output", "attributes"):
                return _Heads("classifier", None, ClassifierHead(self._rules(labels)))
        names = model.output.layer_names or [info.name for info in session.outputs]
        has_file = model.label_file is not None and labels is not None
        with self._blamed("label_file" if has_file else "output"), _counted(model.label_file, labels):
            head = find_head(
                [info for info in session.outputs if info.name in names],
                name=model.output.head,
                metadata=session.metadata,
                input_wh=input_wh,
                classes=model.output.num_detected_classes if labels is None else len(labels),
                inputs=session.inputs,
            )
        if gives_attributes(kind) and model.output.attributes:
            text = f"{head.name} gives no attributes; name a converter"
            raise self._wrong(text, "output", "attributes")
        return _Heads(head.name, head)

    def _rules(self, labels: list[str] | None) -> list[AttributeRule]:
        """Return what each output of a classifier says; one attribute where nothing is said."""
        given = self._model.output.attributes or (AttributeOutput(DEFAULT_ATTRIBUTE),)
        own = None if labels is None or len(given) > 1 else tuple(labels)
        return [
            AttributeRule(one.name, one.labels or own, one.threshold, one.multi_label, internal=one.internal)
            for one in given
        ]

    def _spec(
        self, tensor: TensorInfo, size_wh: tuple[int, int] | None, head: str, metadata: Mapping[str, str]
    ) -> InputSpec:
        """Return what the input wants: what is configured, else what models of the head learned from."""
        block = self._model.input
        custom = _PLAIN if self._has_converter else customary_input(head, metadata)
        scale, bias = custom.normalization.scale, custom.normalization.bias
        if {"scale_factor", "offsets"} & block.given:
            factor, (first, second, third) = block.scale_factor, block.offsets
            scale, bias = (factor, factor, factor), (-factor * first, -factor * second, -factor * third)
        order = block.color_format if "color_format" in block.given else custom.normalization.order
        if block.shape is not None and block.shape[0] == 1:
            order = "gray"
        padding = custom.padding
        if {"maintain_aspect_ratio", "symmetric_padding"} & block.given:
            kept = Padding.SYMMETRIC if block.symmetric_padding else Padding.RIGHT_BOTTOM
            padding = kept if block.maintain_aspect_ratio else Padding.NONE
        return InputSpec.of_graph(
            tensor,
            size_wh,
            normalization=Normalization(scale, bias, order),
            padding=padding,
            pad=custom.pad if block.pad is None else block.pad,
        )

    def _converter(self, model: Model, selector: Any) -> UserConverter | None:
        if not self._has_converter:
            return None
        made = self._code.build(model.output.converter, "output.converter")
        return UserConverter(made, model, selector if finds_objects(self._one.element) else None)

    def _try(self, prepared: Prepared) -> None:
        """Run the model once on black, so that what does not fit shows before a source is opened."""
        black = SurfaceView.allocate(VideoFormat.RGBA, prepared.settings.input_wh)
        with self._blamed("model_file"):
            parts = list(prepared.inference.of_pictures([black]))
        with self._blamed("output"):
            for part in parts:
                outputs = prepared.outputs_of(part.outputs)
                if prepared.object_head is not None:
                    prepared.object_head.decode(outputs, prepared.settings, part.scales_xy)
                if prepared.attribute_head is not None:
                    prepared.attribute_head.decode(outputs)


@contextmanager
def _counted(label_file: str | None, labels: list[str] | None) -> Iterator[None]:
    """Say how many labels there are, in what goes wrong with them."""
    try:
        yield
    except ModelError as error:
        if label_file is None or labels is None:
            raise
        raise ModelError(f"{label_file} has {len(labels)} labels; {error}") from error


def _size_of(tensor: TensorInfo) -> tuple[int, int] | None:
    """Return width and height of an input, where the graph fixes them."""
    if len(tensor.shape) != 4:
        return None
    height, width = tensor.shape[2:] if tensor.shape[1] in (1, 3, None) else tensor.shape[1:3]
    return None if height is None or width is None else (width, height)
