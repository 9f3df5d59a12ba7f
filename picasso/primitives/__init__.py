"""What a frame is: metadata, no pixels."""

from picasso.primitives.attribute import Attribute
from picasso.primitives.attribute_value import AttributeValue, AttributeValueType
from picasso.primitives.boxes import BBox, RBBox
from picasso.primitives.byte_buffer import (
    ByteBuffer,
    load_message,
    load_message_from_bytebuffer,
    save_message,
    save_message_to_bytebuffer,
)
from picasso.primitives.content import VideoFrameContent, VideoFrameTranscodingMethod
from picasso.primitives.detections import Detection, Detections
from picasso.primitives.end_of_stream import EndOfStream
from picasso.primitives.field_texts import explain_fields as _explain_fields
from picasso.primitives.frame_batch import VideoFrameBatch
from picasso.primitives.frame_geometry import FrameGeometry
from picasso.primitives.frame_objects import IdCollisionResolutionPolicy
from picasso.primitives.frame_update import AttributeUpdatePolicy, ObjectUpdatePolicy, VideoFrameUpdate
from picasso.primitives.masks import Masks
from picasso.primitives.match_expressions import FloatExpression, IntExpression, StringExpression
from picasso.primitives.match_query import BBoxMetricType, MatchQuery
from picasso.primitives.message import (
    Message,
    PropagatedContext,
    load_message_from_bytes,
    save_message_to_bytes,
)
from picasso.primitives.nms import box_iou, nms
from picasso.primitives.object_shapes import (
    keypoints_attribute,
    keypoints_of,
    mask_attribute,
    mask_of,
    polygons_attribute,
    polygons_of,
)
from picasso.primitives.objects_view import VideoObjectsView
from picasso.primitives.orientation import Orientation
from picasso.primitives.protocol import ProtocolCodec, register_codec
from picasso.primitives.query_functions import QueryFunctions
from picasso.primitives.shapes import Intersection, IntersectionKind, Point, PolygonalArea, Segment
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
    "BBoxMetricType",
    "BorrowedVideoObject",
    "ByteBuffer",
    "Detection",
    "Detections",
    "EndOfStream",
    "FloatExpression",
    "FrameGeometry",
    "IdCollisionResolutionPolicy",
    "IntExpression",
    "Intersection",
    "IntersectionKind",
    "Masks",
    "MatchQuery",
    "Message",
    "ObjectUpdatePolicy",
    "Orientation",
    "Point",
    "PolygonalArea",
    "PropagatedContext",
    "ProtocolCodec",
    "QueryFunctions",
    "RBBox",
    "Segment",
    "Shutdown",
    "StringExpression",
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
    "box_iou",
    "keypoints_attribute",
    "keypoints_of",
    "load_message",
    "load_message_from_bytebuffer",
    "load_message_from_bytes",
    "mask_attribute",
    "mask_of",
    "nms",
    "polygons_attribute",
    "polygons_of",
    "register_codec",
    "save_message",
    "save_message_to_bytebuffer",
    "save_message_to_bytes",
]

_explain_fields(globals())
