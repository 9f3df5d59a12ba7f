"""Objects beside an input file: one record of JSON for each frame, in the order of the frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from picasso.errors import MediaError
from picasso.module.meta.attribute import AttributeMeta, to_attribute
from picasso.primitives import RBBox, VideoFrame


class ObjectsBeside:
    """The records of a file, frame by frame: lines of JSON, or one array."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            MediaError: It cannot be read, or a line is no record.
        """
        self._path = path
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MediaError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
        self._records = [record for record in self._parsed(text) if record.get("schema", "VideoFrame") == "VideoFrame"]

    @classmethod
    def of(cls, video: str, pattern: str | None) -> Self | None:
        """Find the records of a video: by a pattern with ``{stem}``, else ``NAME.json`` beside it; None for none.

        Raises:
            MediaError: A file that the pattern names is not there, or cannot be read.
        """
        path = Path(video)
        if pattern is not None:
            return cls(Path(pattern.replace("{stem}", path.stem)))
        beside = path.with_suffix(".json")
        return cls(beside) if beside.is_file() and beside != path else None

    def put(self, frame: VideoFrame, number: int) -> None:
        """Put the objects of frame ``number`` into ``frame``; frames behind the last record get none.

        Raises:
            MediaError: The record does not describe objects.
        """
        if number >= len(self._records):
            return
        record = self._records[number]
        try:
            objects = record.get("metadata", record).get("objects", [])
            made: dict[tuple[Any, Any, Any], int] = {}
            for one in objects:
                made[one["model_name"], one["label"], one.get("object_id")] = _put(frame, one)
            for one in objects:
                if one.get("parent_model_name") is not None:
                    parent = made[one["parent_model_name"], one["parent_label"], one.get("parent_object_id")]
                    frame.set_parent_by_id(made[one["model_name"], one["label"], one.get("object_id")], parent)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MediaError(f"{self._path}: record {number + 1}: {type(error).__name__}: {error}") from None

    def _parsed(self, text: str) -> list[dict[str, Any]]:
        try:
            if text.lstrip().startswith("["):
                records = json.loads(text)
            else:
                records = [json.loads(line) for line in text.splitlines() if line.strip()]
        except json.JSONDecodeError as error:
            raise MediaError(f"{self._path}:{error.lineno}: no JSON: {error.msg}") from None
        if not all(isinstance(record, dict) for record in records):
            raise MediaError(f"{self._path}: expected a record of JSON for each frame")
        return list(records)


def _put(frame: VideoFrame, one: Mapping[str, Any]) -> int:
    box = one["bbox"]
    rotated = RBBox(box["xc"], box["yc"], box["width"], box["height"], box.get("angle") or None)
    attributes = [
        to_attribute(
            [AttributeMeta(entry["element_name"], entry["name"], entry["value"], entry.get("confidence", 1.0))]
        )
        for entry in one.get("attributes") or ()
    ]
    made = frame.create_object(
        one["model_name"], one["label"], None, one.get("confidence"), rotated, attributes=attributes
    )
    return made.id
