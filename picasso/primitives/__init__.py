"""What a frame is: metadata, no pixels."""

from picasso.primitives.attribute import Attribute
from picasso.primitives.attribute_value import AttributeValue
from picasso.primitives.boxes import BBox, RBBox
from picasso.primitives.content import VideoFrameContent, VideoFrameTranscodingMethod
from picasso.primitives.detections import Detections
from picasso.primitives.end_of_stream import EndOfStream
from picasso.primitives.frame_geometry import FrameGeometry
from picasso.primitives.frame_objects import IdCollisionResolutionPolicy
from picasso.primitives.match_query import MatchQuery
from picasso.primitives.objects_view import VideoObjectsView
from picasso.primitives.orientation import Orientation
from picasso.primitives.shapes import Intersection, IntersectionKind, Point, PolygonalArea
from picasso.primitives.transformation import VideoFrameTransformation
from picasso.primitives.video_frame import VideoFrame
from picasso.primitives.video_object import BorrowedVideoObject, VideoObject, VideoObjectBBoxTransformation

__all__ = [
    "Attribute",
    "AttributeValue",
    "BBox",
    "BorrowedVideoObject",
    "Detections",
    "EndOfStream",
    "FrameGeometry",
    "IdCollisionResolutionPolicy",
    "Intersection",
    "IntersectionKind",
    "MatchQuery",
    "Orientation",
    "Point",
    "PolygonalArea",
    "RBBox",
    "VideoFrame",
    "VideoFrameContent",
    "VideoFrameTranscodingMethod",
    "VideoFrameTransformation",
    "VideoObject",
    "VideoObjectBBoxTransformation",
    "VideoObjectsView",
]
