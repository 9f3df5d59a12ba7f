"""Which formats of models can be loaded, and what to do about the others."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

ONNX: Final = "onnx"
_BY_SUFFIX: Final = {
    ".onnx": ONNX,
    ".etlt": "etlt",
    ".uff": "uff",
    ".caffemodel": "caffe",
    ".prototxt": "caffe",
    ".engine": "engine",
    ".plan": "engine",
    ".trt": "engine",
    ".pt": "torch",
    ".pth": "torch",
    ".tflite": "tflite",
    ".pb": "tensorflow",
    ".h5": "keras",
    ".keras": "keras",
    ".wts": "custom",
}
_WHY_NOT: Final = {
    "etlt": "is NVIDIA's own; export the model to ONNX",
    "uff": "is an old format of TensorRT; export the model to ONNX",
    "caffe": "is not loaded; convert the model to ONNX",
    "custom": "is built by a library of TensorRT; export the model to ONNX",
    "engine": "is compiled by TensorRT for one GPU; name the ONNX file that it was made of as model_file",
    "torch": "is a file of PyTorch; export it: torch.onnx.export, or `yolo export format=onnx` for Ultralytics' models",
    "tflite": "is a format of TensorFlow; convert the model to ONNX: tf2onnx",
    "tensorflow": "is a format of TensorFlow; convert the model to ONNX: tf2onnx",
    "keras": "is a format of Keras; convert the model to ONNX: tf2onnx",
}


def format_of(model_file: str) -> str | None:
    """Return the format that the name of a file stands for; None for a name without a known suffix."""
    return _BY_SUFFIX.get(PurePath(model_file).suffix.lower())


def check_format(model_file: str | None, model_format: str | None = None) -> tuple[str, str] | None:
    """Say why a model cannot be loaded.

    Args:
        model_file: Name of its file.
        model_format: What its configuration says it is; None where the name says it.

    Returns:
        The key that is wrong, ``format`` or ``model_file``, and what to do about it; None where it can be loaded.
    """
    if model_format not in (None, ONNX):
        return "format", f"{model_format} {_WHY_NOT.get(str(model_format), 'is not known; one of onnx')}"
    by_name = None if model_file is None else format_of(model_file)
    if by_name in (None, ONNX):
        return None
    suffix = PurePath(str(model_file)).suffix
    return "model_file", f"{model_file}: {suffix} {_WHY_NOT[str(by_name)]}"
