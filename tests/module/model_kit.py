"""Small models that really compute, and modules that run them on pictures of coloured squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 160
"""Pixels of the detector's input."""
SQUARE = 16
"""Pixels of the squares that it looks for, in its input."""
WIDTH, HEIGHT = 320, 240
"""Of the pictures: twice the detector's input, letterboxed."""
SIZE = SQUARE * WIDTH // SIDE
"""Pixels of the squares in the pictures."""
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
FRAME_NS = 40_000_000


def graph(
    nodes: Sequence[Any],
    inputs: Mapping[str, Sequence[Any]],
    outputs: Mapping[str, Sequence[Any]],
    weights: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    import onnx
    from onnx import TensorProto, helper

    def infos(named: Mapping[str, Sequence[Any]]) -> list[Any]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in named.items()]

    kept = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
    made = helper.make_model(
        helper.make_graph(list(nodes), "small", infos(inputs), infos(outputs), kept),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    helper.set_model_props(made, dict(metadata or {}))
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


def squares(batch: int | str = "batch", metadata: Mapping[str, str] | None = None, side: int = SIDE) -> bytes:
    """Return a detector of red, green and blue squares of ``SQUARE`` pixels, in the form of YOLO v8.

    A convolution says how much of each colour a pixel has, a second one how full of it the square behind the pixel is;
    where that is largest of all neighbours, an object lies.
    """
    from onnx import helper

    places = side - SQUARE + 1
    rows, columns = np.indices((places, places), np.float32)
    half = np.full_like(rows, SQUARE / 2)
    weights = {
        "colors": (2 * np.eye(3, dtype=np.float32) - 1).reshape(3, 3, 1, 1),
        "full": np.full((3, 1, SQUARE, SQUARE), 1 / SQUARE**2, np.float32),
        "zero": np.zeros((), np.float32),
        "one": np.ones((), np.float32),
        "grid": np.stack([columns + half, rows + half, 2 * half, 2 * half])[None],
        "rows": np.array([0, 7, -1], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["images", "colors"], ["raw"]),
        helper.make_node("Clip", ["raw", "zero", "one"], ["amount"]),
        helper.make_node("Conv", ["amount", "full"], ["fullness"], group=3),
        helper.make_node("MaxPool", ["fullness"], ["best"], kernel_shape=[5, 5], pads=[2, 2, 2, 2], strides=[1, 1]),
        helper.make_node("Equal", ["fullness", "best"], ["is_peak"]),
        helper.make_node("Cast", ["is_peak"], ["peak"], to=1),
        helper.make_node("Mul", ["fullness", "peak"], ["scores"]),
        helper.make_node("ReduceMax", ["scores"], ["any"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["any", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "grid"], ["boxes"]),
        helper.make_node("Concat", ["boxes", "scores"], ["both"], axis=1),
        helper.make_node("Reshape", ["both", "rows"], ["output0"]),
    ]
    said = {"task": "detect", "names": str(dict(enumerate(COLORS)))} if metadata is None else metadata
    return graph(nodes, {"images": [batch, 3, side, side]}, {"output0": [batch, 7, places**2]}, weights, said)


def shades(metadata: Mapping[str, str] | None = None) -> bytes:
    """Return a classifier of pictures of 8x8 pixels: how red, green and blue they are, as probabilities."""
    from onnx import helper

    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Mul", ["flat", "sharp"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["shade"], axis=1),
    ]
    sharp = {"sharp": np.array(8, np.float32)}
    return graph(nodes, {"images": ["batch", 3, 8, 8]}, {"shade": ["batch", 3]}, sharp, metadata or {})


def picture(*placed: tuple[str, int, int], size_wh: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Return a black picture with squares, each of a colour, by left and top."""
    width, height = size_wh
    made = np.zeros((height, width, 3), np.uint8)
    for color, left, top in placed:
        made[top : top + SIZE, left : left + SIZE] = COLORS[color]
    return made


def detector(folder: Path, model: bytes | None = None, **block: Any) -> dict[str, Any]:
    """Return an element that finds squares; its file lies in ``folder``."""
    (folder / "squares.onnx").write_bytes(squares() if model is None else model)
    return {
        "element": "nvinfer@detector",
        "name": "squares",
        "model": {"local_path": str(folder), "model_file": "squares.onnx", **block},
    }


def tree(folder: Path, *elements: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """Return a module of frames that are as large as the pictures."""
    given = {"frame": {"width": WIDTH, "height": HEIGHT}, "code_root": str(folder), "batch_size": 2, **parameters}
    return {"name": "squares", "parameters": given, "pipeline": {"elements": list(elements)}}


def boxes(frame: Any) -> dict[str, tuple[float, ...]]:
    """Return the corners of the objects of a frame by label, in whole pixels."""
    return {one.label: tuple(round(side) for side in one.bbox.as_ltrb()) for one in frame.objects}


def masked_squares() -> bytes:
    """Return the detector of squares with masks, in the form of YOLO v8-seg: the prototype is where any colour is."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(squares())
    nodes = model.graph.node
    nodes[-1].input[0] = "with_coefficients"
    tail = nodes.pop()
    nodes[-1].output[0] = "both"
    more = [
        helper.make_node("Add", ["nothing", "one"], ["coefficients"]),
        helper.make_node("Concat", ["both", "coefficients"], ["with_coefficients"], axis=1),
        tail,
        helper.make_node("ReduceMax", ["amount"], ["colored"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["colored"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Sub", ["small", "half"], ["centered"]),
        helper.make_node("Mul", ["centered", "twenty"], ["output1"]),
    ]
    nodes.extend(more)
    for weight in model.graph.initializer:
        if weight.name == "rows":
            weight.CopyFrom(numpy_helper.from_array(np.array([0, 8, -1], np.int64), "rows"))
    for name, value in (("half", 0.5), ("twenty", 20.0)):
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 8
    model.graph.output.append(
        helper.make_tensor_value_info("output1", onnx.TensorProto.FLOAT, ["batch", 1, SIDE // 4, SIDE // 4])
    )
    helper.set_model_props(model, {"task": "segment", "names": str(dict(enumerate(COLORS)))})
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
