"""Small ONNX graphs that really compute, as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

OPSET = 17
IR = 9
"""Read by ONNX Runtime from 1.16 on."""
TYPES = {
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
    "uint8": TensorProto.UINT8,
}
Side = int | str | None


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[Side]],
    outputs: Mapping[str, Sequence[Side]],
    weights: Mapping[str, np.ndarray] | None = None,
    *,
    dtype: str = "float32",
    out_dtype: str = "float32",
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Return a model of these nodes."""
    made = helper.make_model(
        helper.make_graph(
            list(nodes),
            "small",
            [helper.make_tensor_value_info(name, TYPES[dtype], shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, TYPES[out_dtype], shape) for name, shape in outputs.items()],
            [onnx.numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    helper.set_model_props(made, dict(metadata or {}))
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


def means(batch: Side = "batch", size_wh: tuple[Side, Side] = ("width", "height"), dtype: str = "float32") -> bytes:
    """Return a model that says the mean of each plane, ``(N, C)``: ``images`` to ``means``, always float32."""
    width, height = size_wh
    nodes = [
        helper.make_node("Cast", ["images"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["means"], axes=[2, 3], keepdims=0),
    ]
    return graph(nodes, {"images": [batch, 3, height, width]}, {"means": [batch, 3]}, dtype=dtype)


def red_squares(side: int, batch: Side = "batch", *, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return a detector of red things on blue, each at most 24 pixels wide and high, in the form of YOLO v8.

    A convolution says for each pixel how red it is. Then each red pixel learns the farthest corners of its region from
    its neighbours, a pixel a turn; all pixels of a region propose the same box, and suppression leaves one.
    """
    rows, columns = np.indices((side, side), np.float32)
    far = np.stack([side - columns, side - rows, columns + 1, rows + 1])[None]
    weights = {
        "red": np.array([1, 0, -1], np.float32).reshape(1, 3, 1, 1),
        "zero": np.zeros((), np.float32),
        "one": np.ones((), np.float32),
        "far": far,
        "to_center": corners_to_center(),
        "offset": np.array([side, side, 0, 0], np.float32).reshape(1, 4, 1, 1),
        "sign": np.array([-1, -1, 1, 1], np.float32).reshape(1, 4, 1, 1),
        "shape": np.array([0, 5, -1], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["images", "red"], ["redness"]),
        helper.make_node("Clip", ["redness", "zero", "one"], ["score"]),
        helper.make_node("Greater", ["redness", "zero"], ["is_red"]),
        helper.make_node("Cast", ["is_red"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["mask", "far"], ["reach0"]),
    ]
    for turn in range(24):
        pool = helper.make_node(
            "MaxPool", [f"reach{turn}"], [f"grown{turn}"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]
        )
        nodes += [pool, helper.make_node("Mul", [f"grown{turn}", "mask"], [f"reach{turn + 1}"])]
    nodes += [
        helper.make_node("Mul", ["reach24", "sign"], ["signed"]),
        helper.make_node("Add", ["signed", "offset"], ["corners"]),
        helper.make_node("Conv", ["corners", "to_center"], ["boxes"]),
        helper.make_node("Concat", ["boxes", "score"], ["rows"], axis=1),
        helper.make_node("Reshape", ["rows", "shape"], ["output0"]),
    ]
    said = {"task": "detect", "names": "{0: 'red'}"} if metadata is None else metadata
    outputs = {"output0": [batch, 5, side * side]}
    return graph(nodes, {"images": [batch, 3, side, side]}, outputs, weights, metadata=said)


def corners_to_center() -> np.ndarray:
    """Return the weights of a convolution from x0, y0, x1, y1 to the centre and the size."""
    return np.array(
        [[0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [-1, 0, 1, 0], [0, -1, 0, 1]],
        np.float32,
    ).reshape(4, 4, 1, 1)


def colours(
    batch: Side = "batch", size_wh: tuple[Side, Side] = (8, 8), metadata: Mapping[str, str] | None = None
) -> bytes:
    """Return a classifier whose scores are how red, green and blue a picture is: logits, ``(N, 3)``."""
    width, height = size_wh
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["means"]),
        helper.make_node("Conv", ["means", "weights"], ["wide"]),
        helper.make_node("Flatten", ["wide"], ["color"]),
    ]
    weights = {"weights": 8 * np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)}
    return graph(nodes, {"images": [batch, 3, height, width]}, {"color": [batch, 3]}, weights, metadata=metadata)
