"""Files of labels: what the classes of a model are called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from picasso.errors import ModelError
from picasso.infer.metadata import literal

_LARGEST: Final = 1 << 24
"""Bytes of a file of labels."""


def read_labels(path: str | os.PathLike[str]) -> list[str]:
    """Read a file with one label a line, in the order of the classes; UTF-8, with or without a byte order mark.

    A file of one line with semicolons holds the labels between them, as files for classifiers do.

    Raises:
        ModelError: It cannot be read, has no label, or an empty line between others.
    """
    try:
        if os.path.getsize(path) > _LARGEST:
            raise ModelError(f"{path}: expected a file of labels, got {os.path.getsize(path)} bytes")
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: the labels cannot be read: {error}") from error
    lines = [line.strip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) == 1 and ";" in lines[0]:
        lines = [label.strip() for label in lines[0].rstrip(";").split(";")]
    if not lines:
        raise ModelError(f"{path}: expected a label a line, the file has none")
    if "" in lines:
        raise ModelError(f"{path}:{lines.index('') + 1}: expected a label, the line is empty")
    return lines


def labels_of_metadata(metadata: Mapping[str, str]) -> list[str] | None:
    """Return the names of classes that a model's maker wrote into it, as Ultralytics does; None where there are none.

    Args:
        metadata: Of the ONNX file; ``names`` is the text of a Python dictionary or list.
    """
    names = literal(metadata.get("names", ""))
    if isinstance(names, list | tuple):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return None
    by_number = {int(key) if isinstance(key, str) and key.isdecimal() else key: name for key, name in names.items()}
    if not by_number or set(by_number) != set(range(len(names))):
        return None
    return [str(by_number[index]) for index in range(len(by_number))]
