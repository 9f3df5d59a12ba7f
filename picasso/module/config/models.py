"""What the blocks of models and trackers say that the schema cannot judge: formats, inputs, outputs that must fit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from picasso.module.config.notation import MODELS, entries
from picasso.module.config.problem import Path
from picasso.module.config.validate import Fault

Tree = dict[str, Any]
TRACKER: Final = "nvtracker"
FRAME: Final = "frame"
WHOLE_FRAME: Final = "auto.frame"
_NVIDIA: Final = "/opt/nvidia"
_OBJECTS: Final = ("detector", "complex_model", "instance_segmentation")
"""Types of models that find objects."""
_ATTRIBUTES: Final = ("classifier", "attribute_model", "complex_model")
"""Types of models that give attributes."""
_OF_TENSORRT: Final = {
    "engine_file": "has no effect: ONNX Runtime loads model_file",
    "int8_calib_file": "has no effect: the model runs in the precision that its file has",
    "precision": "has no effect: the model runs in the precision that its file has",
    "workspace_size": "has no effect: ONNX Runtime takes the memory that it needs",
    "custom_lib_path": "has no effect: its outputs are read by model.output.head or a converter",
    "config_file": "has no effect: it is read by NVIDIA's nvinfer only; say what it says below model",
}
_OF_DEEPSTREAM: Final = "has no effect: it is for NVIDIA's tracker; properties.tracker and .options say which one runs"
_TRACKER_KEYS: Final = ("tracker", "options", "disable-obj-init")


def type_of(element: str) -> str:
    """Return the type of a model, ``detector`` of ``nvinfer@detector``."""
    return element.partition("@")[2]


def finds_objects(element: str) -> bool:
    """Whether a model makes objects."""
    return type_of(element) in _OBJECTS


def gives_attributes(element: str) -> bool:
    """Whether a model makes attributes."""
    return type_of(element) in _ATTRIBUTES


def split_object(name: str) -> tuple[str, str]:
    """Return element and label of ``input.object``; ``frame`` stands for ``auto.frame``."""
    unit, _dot, label = (WHOLE_FRAME if name == FRAME else name).partition(".")
    return unit, label


def model_faults(tree: Tree) -> list[Fault]:
    """Return what does not fit in the blocks of models and trackers that are enabled.

    Args:
        tree: The resolved tree, without the values in which the schema found faults.
    """
    found: list[Fault] = []
    for element, path in _enabled(tree):
        kind = str(element.get("element"))
        if kind.startswith(MODELS):
            if isinstance(block := element.get("model"), dict):
                found += _faults_of_model(kind, block, (*path, "model"))
        elif kind == TRACKER:
            found += _faults_of_tracker(element.get("properties") or {}, (*path, "properties"))
    return found


def model_warnings(tree: Tree) -> list[Fault]:
    """Return what models and trackers are told and does not change what they do, of a valid tree."""
    found: list[Fault] = []
    for element, path in _enabled(tree):
        kind = str(element.get("element"))
        if kind.startswith(MODELS):
            block = element["model"]
            found += [((*path, "model", key), text) for key, text in _OF_TENSORRT.items() if block.get(key) is not None]
        elif kind == TRACKER:
            given = element.get("properties") or {}
            found += [((*path, "properties", key), _OF_DEEPSTREAM) for key in given if key not in _TRACKER_KEYS]
    return found


def _enabled(tree: Tree) -> Iterator[tuple[Tree, Path]]:
    pipeline = tree.get("pipeline")
    elements = pipeline.get("elements") if isinstance(pipeline, dict) else None
    if isinstance(elements, list):
        for element, path, enabled in entries(elements, ("pipeline", "elements")):
            if enabled:
                yield element, path


def _faults_of_model(kind: str, block: Tree, path: Path) -> Iterator[Fault]:
    from picasso.infer.files import check_format

    model_format = block.get("format")
    if block.get("engine_create_func_name"):
        model_format = "custom"
    refused = check_format(block.get("model_file"), model_format)
    if refused is not None:
        yield (*path, refused[0]), refused[1]
    elif not block.get("model_file") and block.get("engine_file"):
        _key, text = check_format(str(block["engine_file"])) or check_format(None, "engine") or ("", "")
        yield (*path, "engine_file"), text
    elif not block.get("model_file"):
        yield (*path, "model_file"), f"a {kind} needs it: the name of an ONNX file"
    remote = block.get("remote") or {}
    if remote.get("url") and "://" not in str(remote["url"]):
        yield (*path, "remote", "url"), f"expected an address such as https://… or s3://…, got {remote['url']!r}"
    yield from _faults_of_input(block.get("input") or {}, (*path, "input"))
    yield from _faults_of_output(kind, block, (*path, "output"))


def _faults_of_input(block: Tree, path: Path) -> Iterator[Fault]:
    name = block.get("object", FRAME)
    if name != FRAME and (name.count(".") != 1 or not all(split_object(name))):
        yield (*path, "object"), f"expected frame, or ELEMENT.LABEL, got {name!r}"
    shape, colors = block.get("shape"), block.get("color_format")
    if shape and shape[0] not in (1, 3):
        yield (*path, "shape"), f"expected [channels, height, width] with 1 or 3 channels, got {shape}"
    elif shape and colors and (colors == "gray") != (shape[0] == 1):
        yield (*path, "color_format"), f"{colors} does not fit {shape[0]} channels of input.shape"
    for side in ("width", "height"):
        least, most = block.get(f"object_min_{side}"), block.get(f"object_max_{side}")
        if least is not None and most is not None and least > most:
            yield (*path, f"object_max_{side}"), f"{most} pixels is less than object_min_{side}, {least}"
    for hook in ("preprocess_object_meta", "preprocess_object_image"):
        yield from _faults_of_code(block.get(hook), (*path, hook))


def _faults_of_output(kind: str, block: Tree, path: Path) -> Iterator[Fault]:
    output = block.get("output") or {}
    converter = output.get("converter")
    if converter is not None:
        yield from _faults_of_code(converter, (*path, "converter"))
        if not (block.get("input") or {}).get("shape"):
            yield (*path[:-1], "input", "shape"), "a converter needs it: [channels, height, width]"
        if not output.get("layer_names"):
            yield (*path, "layer_names"), "a converter needs it: which outputs it gets, in which order"
        if output.get("head"):
            yield (*path, "head"), "given beside a converter; use one of the two"
    objects = output.get("objects") or []
    if objects and not finds_objects(kind):
        yield (*path, "objects"), f"a {kind} finds no objects"
    if output.get("attributes") and not gives_attributes(kind):
        yield (*path, "attributes"), f"a {kind} gives no attributes; nvinfer@complex_model does"
    seen: set[int] = set()
    for index, one in _entries(objects):
        number = one.get("class_id")
        if number in seen:
            yield (*path, "objects", index, "class_id"), f"class {number} is given twice"
        seen |= set() if number is None else {number}
        selector = one.get("selector") or {}
        if bool(selector.get("module")) != bool(selector.get("class_name")):
            yield from _faults_of_code(selector, (*path, "objects", index, "selector"))
    names: set[str] = set()
    for index, one in _entries(output.get("attributes") or []):
        name = one.get("name")
        if name in names:
            yield (*path, "attributes", index, "name"), f"attribute {name!r} is given twice"
        names |= set() if name is None else {name}


def _entries(listed: list[Tree | None]) -> Iterator[tuple[int, Tree]]:
    """Yield what is left of a list from which faults were taken."""
    yield from ((index, one) for index, one in enumerate(listed) if one is not None)


def _faults_of_code(block: Mapping[str, Any] | None, path: Path) -> Iterator[Fault]:
    if block is not None:
        for key in ("module", "class_name"):
            if not block.get(key):
                yield (*path, key), "a value is required"


def _faults_of_tracker(properties: Tree, path: Path) -> Iterator[Fault]:
    config = properties.get("ll-config-file")
    for name in str(config).split(";") if config else ():
        if not name.startswith(_NVIDIA) and not os.path.isfile(name):
            yield (*path, "ll-config-file"), f"no such file: {name}"
    library = properties.get("ll-lib-file")
    if library and not library.startswith(_NVIDIA) and not FilePath(library).is_file():
        yield (*path, "ll-lib-file"), f"no such file: {library}; it may be left out: nothing is loaded from it"
