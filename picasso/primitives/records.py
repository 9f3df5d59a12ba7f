"""The shape of a frame in JSON: what each field may hold, and what is refused.

Convention: a number that JSON cannot write is one of the texts ``nan``, ``inf`` and ``-inf``; bytes are base64.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from picasso.primitives.checks import INT64_MAX, INT64_MIN, MAX_DIMENSION

Number: TypeAlias = float | Literal["nan", "inf", "-inf"]
Whole: TypeAlias = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=INT64_MAX)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=INT64_MAX)]
Dimension: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_DIMENSION)]
Side: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_DIMENSION)]
Framerate: TypeAlias = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,17}/[1-9][0-9]{0,17}$")]

PairXY: TypeAlias = tuple[Number, Number]
UprightBox: TypeAlias = tuple[Number, Number, Number, Number]
"""Centre x and y, width, height."""
Box: TypeAlias = tuple[Number, Number, Number, Number, Number | None]
"""Centre x and y, width, height, angle or null."""


class Record(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all records: fields that hold their default are left out, unknown ones are refused."""


class PolygonRecord(Record):
    """A ``PolygonalArea``."""

    vertices: list[PairXY]
    tags: list[str | None] | None = None


class IntersectionRecord(Record):
    """An ``Intersection``."""

    kind: Literal["enter", "inside", "leave", "cross", "outside"]
    edges: list[tuple[Count, str | None]] = []


class BytesRecord(Record):
    """A blob and the dimensions of what is in it."""

    dims: list[Whole]
    blob: bytes


class ValueRecord(Record):
    """An ``AttributeValue``: one field, named after its kind; none for a value that holds nothing."""

    string: str | UnsetType = UNSET
    strings: list[str] | UnsetType = UNSET
    integer: Whole | UnsetType = UNSET
    integers: list[Whole] | UnsetType = UNSET
    float: Number | UnsetType = UNSET
    floats: list[Number] | UnsetType = UNSET
    boolean: bool | UnsetType = UNSET
    booleans: list[bool] | UnsetType = UNSET
    bytes: BytesRecord | UnsetType = UNSET
    bbox: UprightBox | UnsetType = UNSET
    bboxes: list[UprightBox] | UnsetType = UNSET
    rbbox: Box | UnsetType = UNSET
    rbboxes: list[Box] | UnsetType = UNSET
    point: PairXY | UnsetType = UNSET
    points: list[PairXY] | UnsetType = UNSET
    polygon: PolygonRecord | UnsetType = UNSET
    polygons: list[PolygonRecord] | UnsetType = UNSET
    intersection: IntersectionRecord | UnsetType = UNSET
    confidence: Number | None = None


class AttributeRecord(Record):
    """A persistent ``Attribute``."""

    namespace: str
    name: str
    values: list[ValueRecord] = []
    hint: str | None = None
    is_hidden: bool = False


class InternalRecord(Record, tag_field="kind", tag="internal"):
    """Content that is here."""

    data: bytes


class ExternalRecord(Record, tag_field="kind", tag="external"):
    """Content that is elsewhere."""

    method: str
    location: str | None = None


class InitialSizeRecord(Record, tag_field="step", tag="initial_size"):
    """Width and height."""

    values: tuple[Dimension, Dimension]


class LetterBoxRecord(Record, tag_field="step", tag="letter_box"):
    """Outer width and height, then left, top, right, bottom."""

    values: tuple[Dimension, Dimension, Side, Side, Side, Side]


class PaddingRecord(Record, tag_field="step", tag="padding"):
    """Left, top, right, bottom."""

    values: tuple[Side, Side, Side, Side]


class CropRecord(Record, tag_field="step", tag="crop"):
    """Left, top, right, bottom."""

    values: tuple[Side, Side, Side, Side]


class OrientationRecord(Record, tag_field="step", tag="orientation"):
    """Degrees clockwise, then 1 if left and right were swapped before, else 0."""

    values: tuple[Literal[0, 90, 180, 270], Literal[0, 1]]


class ObjectRecord(Record):
    """An object of the frame."""

    id: Whole
    namespace: str
    label: str
    detection_box: Box
    parent_id: Whole | None = None
    draw_label: str | None = None
    confidence: Number | None = None
    track_id: Annotated[int, Meta(ge=INT64_MIN + 1, le=INT64_MAX)] | None = None
    track_box: Box | None = None
    attributes: list[AttributeRecord] = []


class FrameRecord(Record, omit_defaults=False):
    """A frame."""

    source_id: str
    uuid: UUID
    creation_timestamp_ns: Count
    framerate: Framerate
    width: Dimension
    height: Dimension
    time_base: tuple[Positive, Positive]
    pts: Count
    dts: Count | None = None
    duration: Count | None = None
    codec: str | None = None
    keyframe: bool | None = None
    transcoding_method: Literal["copy", "encoded"] = "copy"
    content: InternalRecord | ExternalRecord | None = None
    previous_frame_seq_id: Whole | None = None
    previous_keyframe_uuid: UUID | None = None
    transformations: list[InitialSizeRecord | LetterBoxRecord | PaddingRecord | CropRecord | OrientationRecord] = []
    attributes: list[AttributeRecord] = []
    objects: list[ObjectRecord] = []


def to_number(value: float) -> Number:
    """Return what JSON writes for a number."""
    return value if math.isfinite(value) else str(value)  # type: ignore[return-value]  # one of the three texts
