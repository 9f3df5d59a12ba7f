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
