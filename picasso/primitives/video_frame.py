"""The frame: metadata of one picture of one stream, without its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.primitives.detection_columns import add_boxes, add_shaped, read_detections, set_tracks
from picasso.primitives.detections import Detections
from picasso.primitives.frame_geometry import MovableFrame
from picasso.primitives.frame_json import build_frame, convert_record, decode_record, frame_record
from picasso.primitives.frame_update import VideoFrameUpdate
from picasso.primitives.frame_updating import carry_out
from picasso.primitives.protocol import as_message, registered_codec

if TYPE_CHECKING:
    from picasso.primitives.message import Message


class VideoFrame(MovableFrame):
    """Metadata of one picture: which it is, its size and time, what was done to it, what was found in it.

    Convention: assigning a frame shares it; ``copy()`` makes an independent one. The engine works on the frame that it
    was given, and hands back that same one. A frame is not locked: one thread at a time may use it.

    Args:
        source_id: Name of the stream.
        framerate: Frames per second, ``"30/1"`` or ``(30, 1)``; either this or ``fps``.
        width: Width in pixels, 1 … 2³¹ − 1; required.
        height: Height in pixels, 1 … 2³¹ − 1; required.
        content: Where the encoded bytes are; nowhere unless given.
        transcoding_method: Whether the content is the source's own.
        codec: Codec of the content: a name, or a member of ``Codec``.
        keyframe: Whether the content decodes on its own.
        time_base: Seconds in one tick of the three times below, as numerator and denominator, both > 0.
        pts: When the frame is shown, ≥ 0.
        dts: When it is decoded, ≥ 0.
        duration: How long it is shown, ≥ 0.
        fps: The same as ``framerate``.

    Raises:
        TypeError: An argument is of another type.
        ValueError: A number is below its range.
        OverflowError: A number is above its range.
    """

    __slots__ = ()

    def add_detections(
        self,
        namespace: str | Detections,
        xyxy: ArrayLike | Detections | None = None,
        labels: str | Iterable[str] | None = None,
        *,
        angles: ArrayLike | None = None,
        confidences: ArrayLike | None = None,
        track_ids: ArrayLike | None = None,
        track_xyxy: ArrayLike | None = None,
    ) -> NDArray[np.int64]:
        """Add N objects at once; all or none.

        Args:
            namespace: Who found them, such as the name of a detector. Or ``Detections``, with their own namespaces.
            xyxy: ``(N, 4)`` corners x0 y0 x1 y1 in pixels of the frame, at most 1,000,000; they may lie outside it. Or
                ``Detections``: their masks, keypoints and polygons become attributes of the objects. Nothing else is
                given then.
            labels: One text for all, or N.
            angles: ``(N,)`` degrees by which the boxes are then turned about their centres; NaN for upright.
            confidences: ``(N,)``; NaN for unknown.
            track_ids: ``(N,)`` integers; −1 or ``None`` for untracked.
            track_xyxy: ``(N, 4)`` corners that the tracker says.

        Returns:
            The new ids, ``(N,)`` int64.

        Raises:
            ShapeError: An array has another shape, or not N rows.
            TypeError: A label is not text, or a track id no integer; or an argument is missing, or one too many.
            ValueError: A corner is NaN or infinite, or x1 < x0, or y1 < y0, or there are too many.

        >>> frame = VideoFrame("cam", "30/1", 640, 480)
        >>> frame.add_detections("detector", [[10, 20, 50, 40], [0, 0, 8, 8]], ["car", "bus"], confidences=[0.9, 0.5])
        array([0, 1])
        >>> frame.get_detections(label="car").xyxy
        array([[10., 20., 50., 40.]], dtype=float32)
        >>> frame.add_detections("again", frame.get_detections(label="bus"))
        array([2])
        """
        if isinstance(namespace, Detections):
            found, own, beside = namespace, None, xyxy
        elif isinstance(xyxy, Detections):
            own = namespace if isinstance(namespace, str) else None  # type: ignore[redundant-expr]  # untyped code gives None
            found, beside = xyxy, None
        elif xyxy is None or labels is None:
            raise TypeError("add_detections: expected a namespace, boxes and labels, or Detections")
        else:
            return add_boxes(self._objects, namespace, xyxy, labels, angles, confidences, track_ids, track_xyxy)
        for other in (beside, labels, angles, confidences, track_ids, track_xyxy):
            if other is not None:
                raise TypeError("add_detections: Detections say all themselves: expected nothing beside them")
        return add_shaped(self._objects, found, own)

    def set_tracks(self, ids: ArrayLike, track_ids: ArrayLike, track_xyxy: ArrayLike | None = None) -> None:
        """Say for N objects at once which tracks they belong to; all or none.

        Args:
            ids: ``(N,)`` of objects of this frame.
            track_ids: ``(N,)`` integers; −1 or ``None`` for untracked, which also removes the track box.
            track_xyxy: ``(N, 4)`` corners that the tracker says; by default the objects' own boxes.

        Raises:
            ShapeError: An array has another shape, or not N rows.
            TypeError: A track id is no integer.
            ValueError: A corner is NaN or infinite, or x1 < x0, or y1 < y0.
            DetachedObjectError: There is no such object.

        >>> frame = VideoFrame("cam", "30/1", 640, 480)
        >>> ids = frame.add_detections("detector", [[10, 20, 50, 40], [0, 0, 8, 8]], "car")
        >>> frame.set_tracks(ids, [7, -1])
        >>> [one.track_id for one in frame.get_all_objects()]
        [7, None]
        """
        set_tracks(self._objects, ids, track_ids, track_xyxy)

    def get_detections(
        self, namespace: str | None = None, label: str | None = None, *, shapes: bool = False
    ) -> Detections:
        """Return the objects of a namespace and a label as arrays; ``None`` means any.

        Args:
            namespace: Who found them.
            label: What they are.
            shapes: Whether masks, keypoints and polygons come, too: they are decoded for each object that has them.

        Raises:
            MetadataError: An attribute that says what an object looks like cannot be read.
        """
        return read_detections(self._objects, namespace, label, (self.width, self.height) if shapes else None)

    def update(self, update: VideoFrameUpdate, no_gil: bool = True) -> None:  # noqa: ARG002 - the reference's
        """Put the attributes and objects of an update into the frame, by its policies; all or nothing.

        Args:
            update: What to put in; its objects get new ids, and the ids of their parents are those of this frame.
            no_gil: Has no effect; existing code gives it.

        Raises:
            ValueError: A policy says so, or an object or a parent is not there.
        """
        carry_out(update, self)

    @property
    def json(self) -> str:
        """The frame as one line of JSON, without temporary attributes."""
        return self.json_line().decode()

    @property
    def json_pretty(self) -> str:
        """The frame as indented JSON."""
        return msgspec.json.format(self.json, indent=2)

    def json_line(self) -> bytes:
        """Return ``json`` in UTF-8, for a file or a queue."""
        return msgspec.json.encode(frame_record(self))

    def to_message(self) -> Message:
        """Return a message that holds the frame itself: later changes of the frame change the message."""
        return as_message(self)

    def to_protobuf(self) -> bytes:
        """Return the frame in the protocol of the Savant peers, without temporary attributes.

        Raises:
            ProtocolError: A field does not fit the protocol.
            MissingDependencyError: The protocol's library is not installed.
        """
        return registered_codec().encode_part(self)

    @classmethod
    def from_protobuf(cls, data: bytes) -> Self:
        """Read the data that ``to_protobuf`` wrote, here or in another program that speaks the protocol.

        Raises:
            ProtocolError: The bytes hold no frame, or one that is out of range; the message names the field.
        """
        made: Self = registered_codec().decode_part(cls, data)
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return what ``json`` holds, as dicts, lists, texts and numbers."""
        return msgspec.json.decode(self.json_line(), type=dict[str, Any])

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read the text that ``json`` or ``json_line`` wrote.

        Raises:
            MetadataError: It is not JSON, or not of a frame; the message names the place.
        """
        return build_frame(cls, decode_record(text))

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read the fields that ``to_dict`` wrote; errors as ``from_json``."""
        return build_frame(cls, convert_record(fields))

    def __repr__(self) -> str:
        return (
            f"VideoFrame({self._source_id!r}, {self._width}x{self._height}, pts={self._pts}, "
            f"objects={self._objects.count}, attributes={len(self._attributes)})"
        )

    def _repr_html_(self) -> str:
        from picasso.primitives.html import of_frame

        return of_frame(self)
