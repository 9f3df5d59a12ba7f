"""Objects beside an input file: one record of JSON for each frame, in the order of the frames."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from picasso.errors import MediaError
from picasso.module.meta.attribute import AttributeMeta, to_attribute
from picasso.primitives import RBBox, VideoFrame

_KEYS: Final = frozenset(("metadata", "objects", "schema"))
"""A record has one of them."""
logger: logging.Logger = logging.getLogger("picasso.module")


class ObjectsBeside:
    """The records of a file, frame by frame: lines of JSON, or one array."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            MediaError: It cannot be read, or a line is not a record.
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

        A file that only happens to lie beside the video, and holds no records, is passed over with a warning.

        Raises:
            MediaError: A file that the pattern names is not there, or cannot be read.
        """
        path = Path(video)
        if pattern is not None:
            return cls(Path(pattern.replace("{stem}", path.stem)))
        beside = path.with_suffix(".json")
        if beside == path or not beside.is_file():
            return None
        try:
            return cls(beside)
        except MediaError as error:
            logger.warning("%s: is beside %s and not read: %s", beside, video, error)
            return None

    def put(self, frame: VideoFrame, number: int) -> None:
        """Put the objects of frame ``number`` into ``frame``; frames behind the last record get none.

        Raises:
            MediaError: The record does not describe objects.
        """
        if number >= len(self._records):
            return
        record = self._records[number]
        try:
            objects = record.get("metadata", record).get("objects") or []
            made = [(one, _put(frame, one)) for one in objects]
            known = {(one["model_name"], one["label"], one.get("object_id")): number for one, number in made}
            for one, child in made:
                if one.get("parent_model_name") is not None:
                    name = one["parent_model_name"], one["parent_label"], one.get("parent_object_id")
                    if name not in known:
                        raise ValueError(f"the parent {name} is not in the same list")
                    frame.set_parent_by_id(child, known[name])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            frame.clear_objects()
            raise MediaError(f"{self._path}: record {number + 1}: {type(error).__name__}: {error}") from None

    def _parsed(self, text: str) -> list[dict[str, Any]]:
        above = 0
        try:
            if text.lstrip().startswith("["):
                records = json.loads(text)
            else:
                records = []
                for line in text.splitlines():
                    if line.strip():
                        records.append(json.loads(line))
                    above += 1
        except json.JSONDecodeError as error:
            raise MediaError(f"{self._path}:{above + error.lineno}: no JSON: {error.msg}") from None
        for number, record in enumerate(records, 1):
            if not isinstance(record, dict) or not record.keys() & _KEYS:
                raise MediaError(f"{self._path}: record {number}: expected a mapping with metadata.objects")
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
