"""A detector to measure with: convolutions of random weights, outputs in the form of YOLO v8, as large as its own."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

CLASSES, STRIDES = 80, (8, 16, 32)


def detector(side: int = 640, width: int = 16, batch: int | str = "batch", seed: int = 0) -> bytes:
    """Return the model; a picture costs about as much as one of YOLO's smallest."""
    random = np.random.default_rng(seed)
    nodes, weights, at, channels = [], {}, "images", 3

    def conv(source: str, target: str, into: int, kernel: int, stride: int, active: bool = True) -> None:
        nonlocal channels
        scale = np.sqrt(2 / (channels * kernel * kernel))
        weights[f"w_{target}"] = random.normal(0, scale, (into, channels, kernel, kernel)).astype(np.float32)
        bias = np.zeros(into, np.float32)
        if not active:
            bias[4:] = -6  # few classes are likely
        weights[f"b_{target}"] = bias
        made = f"{target}_sum" if active else target
        inputs = [source, f"w_{target}", f"b_{target}"]
        pads = [kernel // 2] * 4
        nodes.append(
            helper.make_node("Conv", inputs, [made], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
        )
        if active:
            nodes.append(helper.make_node("Relu", [made], [target]))
            channels = into

    parts = []
    weights["form"] = np.array([0, 4 + CLASSES, -1], np.int64)
    weights["pixels"] = np.array([side, side, side / 8, side / 8], np.float32).reshape(1, 4, 1)
    for level in range(5):
        conv(at, f"down{level}", width << level, 3, 2)
        conv(f"down{level}", f"mix{level}", width << level, 3, 1)
        at = f"mix{level}"
        if 2 << level in STRIDES:
            conv(at, f"head{level}", 4 + CLASSES, 1, 1, active=False)
            nodes.append(helper.make_node("Reshape", [f"head{level}", "form"], [f"rows{level}"]))
            parts.append(f"rows{level}")
    weights |= {"split": np.array([4, CLASSES], np.int64)}
    nodes += [
        helper.make_node("Concat", parts, ["all"], axis=2),
        helper.make_node("Sigmoid", ["all"], ["shares"]),
        helper.make_node("Split", ["shares", "split"], ["boxes", "scores"], axis=1),
        helper.make_node("Mul", ["boxes", "pixels"], ["places"]),
        helper.make_node("Concat", ["places", "scores"], ["output0"], axis=1),
    ]
    cells = sum((side // stride) ** 2 for stride in STRIDES)
    made = helper.make_model(
        helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, side, side])],
            [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [batch, 4 + CLASSES, cells])],
            [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    helper.set_model_props(made, {"task": "detect", "names": repr({n: f"class {n}" for n in range(CLASSES)})})
    return bytes(made.SerializeToString())
