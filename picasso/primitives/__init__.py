"""What a frame is: metadata, no pixels."""

from picasso.primitives.attribute import Attribute
from picasso.primitives.attribute_value import AttributeValue, AttributeValueType
from picasso.primitives.boxes import BBox, RBBox
from picasso.primitives.content import VideoFrameContent, VideoFrameTranscodingMethod
from picasso.primitives.detections import Detections
from picasso.primitives.end_of_stream import EndOfStream
from picasso.primitives.frame_batch import VideoFrameBatch
from picasso.primitives.frame_geometry import FrameGeometry
from picasso.primitives.frame_objects import IdCollisionResolutionPolicy
from picasso.primitives.frame_update import AttributeUpdatePolicy, ObjectUpdatePolicy, VideoFrameUpdate
from picasso.primitives.match_query import MatchQuery
from picasso.primitives.message import (
    Message,
    PropagatedContext,
    load_message_from_bytes,
    save_message_to_bytes,
)
from picasso.primitives.objects_view import VideoObjectsView
from picasso.primitives.orientation import Orientation
from picasso.primitives.protocol import ProtocolCodec, register_codec
from picasso.primitives.shapes import Intersection, IntersectionKind, Point, PolygonalArea
from picasso.primitives.shutdown import Shutdown
from picasso.primitives.transformation import VideoFrameTransformation
from picasso.primitives.user_data import UserData
from picasso.primitives.video_frame import VideoFrame
from picasso.primitives.video_object import BorrowedVideoObject, VideoObject, VideoObjectBBoxTransformation

__all__ = [
    "Attribute",
    "AttributeUpdatePolicy",
    "AttributeValue",
    "AttributeValueType",
    "BBox",
    "BorrowedVideoObject",
    "Detections",
    "EndOfStream",
    "FrameGeometry",
    "IdCollisionResolutionPolicy",
    "Intersection",
    "IntersectionKind",
    "MatchQuery",
    "Message",
    "ObjectUpdatePolicy",
    "Orientation",
    "Point",
    "PolygonalArea",
    "PropagatedContext",
    "ProtocolCodec",
    "RBBox",
    "Shutdown",
    "UserData",
    "VideoFrame",
    "VideoFrameBatch",
    "VideoFrameContent",
    "VideoFrameTranscodingMethod",
    "VideoFrameTransformation",
    "VideoFrameUpdate",
    "VideoObject",
    "VideoObjectBBoxTransformation",
    "VideoObjectsView",
    "load_message_from_bytes",
    "register_codec",
    "save_message_to_bytes",
]
