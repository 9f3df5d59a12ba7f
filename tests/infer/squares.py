"""A model that really finds: convolutions over colours, and rows as YOLO v8 writes them; and pictures to show it."""

from __future__ import annotations

import numpy as np
from graphs import graph
from onnx import helper

COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
WINDOW = 41
"""Pixels of the input on each side of the window in which a rectangle is measured; larger ones are not found."""
GREY = 90


def finder(size_wh: tuple[int, int] = (96, 96), *, with_names: bool = True) -> bytes:
    """Return a model for pictures of one size: ``images`` ``(N, 3, H, W)`` in 0 … 1 to ``output0`` ``(N, 7, 3 H W)``.

    How red a pixel is, is the difference to its green; a mixture with grey is as red as its share. In a window around
    each pixel columns and rows are reduced to their maximum, and convolutions measure the width and the place of what
    is there. A pixel near its middle is sure of it.
    """
    width, height = size_wh
    half = WINDOW // 2
    offsets = np.arange(-half, half + 1, dtype=np.float32)
    weights = {
        "colors": np.array([[1, -1, 0], [0, 1, -1], [-1, 0, 1]], np.float32)[:, :, None, None],
        "ones_x": np.ones((3, 1, 1, WINDOW), np.float32),
        "ones_y": np.ones((3, 1, WINDOW, 1), np.float32),
        "places_x": np.tile(offsets, (3, 1, 1, 1)),
        "places_y": np.tile(offsets[:, None], (3, 1, 1, 1)),
        "tiny": np.float32(1e-6),
        "one": np.float32(1),
        "zero": np.float32(0),
        "four": np.float32(4),
        "grid_x": np.broadcast_to(np.arange(width, dtype=np.float32) + 0.5, (1, 1, height, width)).copy(),
        "grid_y": np.broadcast_to(np.arange(height, dtype=np.float32)[:, None] + 0.5, (1, 1, height, width)).copy(),
        "as_row": np.array([0, 1, -1]),
    }
    nodes = [
        helper.make_node("Conv", ["images", "colors"], ["difference"]),
        helper.make_node("Relu", ["difference"], ["share"]),
    ]
    for axis, kernel in (("x", (1, WINDOW)), ("y", (WINDOW, 1))):
        across = (WINDOW, 1) if axis == "x" else (1, WINDOW)
        pads = [side // 2 for side in kernel] * 2
        nodes += [
            helper.make_node(
                "MaxPool", ["share"], [f"line_{axis}"], kernel_shape=across, pads=[side // 2 for side in across] * 2
            ),
            helper.make_node("Conv", [f"line_{axis}", f"ones_{axis}"], [f"size_{axis}"], group=3, pads=pads),
            helper.make_node("Conv", [f"line_{axis}", f"places_{axis}"], [f"moment_{axis}"], group=3, pads=pads),
            helper.make_node("Add", [f"size_{axis}", "tiny"], [f"safe_{axis}"]),
            helper.make_node("Div", [f"moment_{axis}", f"safe_{axis}"], [f"off_{axis}"]),
            helper.make_node("Add", [f"off_{axis}", f"grid_{axis}"], [f"center_{axis}"]),
            helper.make_node("Abs", [f"off_{axis}"], [f"far_{axis}"]),
            helper.make_node("Sub", ["one", f"far_{axis}"], [f"near_{axis}"]),
            helper.make_node("Relu", [f"near_{axis}"], [f"closeness_{axis}"]),
            helper.make_node("Clip", [f"size_{axis}", "zero", "one"], [f"there_{axis}"]),
            helper.make_node("Mul", [f"closeness_{axis}", f"there_{axis}"], [f"sure_{axis}"]),
            helper.make_node("Reshape", [f"center_{axis}", "as_row"], [f"row_center_{axis}"]),
            helper.make_node("Reshape", [f"size_{axis}", "as_row"], [f"row_size_{axis}"]),
        ]
    nodes += [
        helper.make_node("Mul", ["sure_x", "sure_y"], ["both"]),
        helper.make_node("Mul", ["both", "four"], ["raised"]),
        helper.make_node("Clip", ["raised", "zero", "one"], ["sure"]),
        helper.make_node("Split", ["sure"], [f"sure_{name}" for name in COLORS], axis=1),
        helper.make_node("Mul", ["sure_red", "zero"], ["nothing"]),
    ]
    for number, name in enumerate(COLORS):
        parts = ["nothing"] * len(COLORS)
        parts[number] = f"sure_{name}"
        nodes += [
            helper.make_node("Concat", parts, [f"all_{name}"], axis=1),
            helper.make_node("Reshape", [f"all_{name}", "as_row"], [f"scores_{name}"]),
        ]
    rows = ["row_center_x", "row_center_y", "row_size_x", "row_size_y", *(f"scores_{name}" for name in COLORS)]
    nodes.append(helper.make_node("Concat", rows, ["output0"], axis=1))
    metadata = {"task": "detect", "names": str(dict(enumerate(COLORS)))} if with_names else {}
    return graph(
        nodes,
        {"images": ["batch", 3, height, width]},
        {"output0": ["batch", 4 + len(COLORS), len(COLORS) * width * height]},
        weights,
        metadata=metadata,
    )


def picture(size_wh: tuple[int, int], rectangles: dict[str, tuple[int, int, int, int]]) -> np.ndarray:
    """A grey picture ``(H, W, 3)`` with rectangles of these colours, each left, top, right, bottom in whole pixels."""
    pixels = np.full((size_wh[1], size_wh[0], 3), GREY, np.uint8)
    for name, (left, top, right, bottom) in rectangles.items():
        pixels[top:bottom, left:right] = COLORS[name]
    return pixels
