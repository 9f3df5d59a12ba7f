"""Which objects of a frame are meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from picasso.primitives import match_nodes as nodes
from picasso.primitives.boxes import RBBox
from picasso.primitives.match_expressions import FloatExpression, IntExpression, StringExpression
from picasso.primitives.match_forms import node_of_form, node_of_json, node_of_yaml, written_json, written_yaml

if TYPE_CHECKING:
    from picasso.primitives.frame_state import FrameState
    from picasso.primitives.video_object import BorrowedVideoObject

BBoxMetricType = nodes.BBoxMetricType


class MatchQuery:
    """A condition on objects: a predicate of yours, or made by a factory, which JSON and YAML can hold.

    Convention: what an object does not have (a confidence, a track, a parent, an angle) makes a comparison false, also
    ``ne``. A query on the frame is false where there is no frame.

    Args:
        predicate: Called with each object; what it returns is read as a truth value.

    Raises:
        TypeError: The predicate cannot be called.

    >>> from picasso.primitives import BBox, StringExpression, VideoFrame
    >>> frame = VideoFrame("cam", "30/1", 640, 480)
    >>> for label in ("car", "bus", "car"):
    ...     _ = frame.create_object("detector", label, detection_box=BBox(10, 10, 4, 4))
    >>> frame.access_objects(MatchQuery(lambda found: found.label == "car")).ids
    [0, 2]
    >>> cars = MatchQuery.label(StringExpression.eq("car"))
    >>> frame.access_objects(cars).ids, cars.json
    ([0, 2], '{"label":{"eq":"car"}}')
    """

    __slots__ = ("_node", "_predicate")
    __hash__: Any = None

    def __init__(self, predicate: Callable[[BorrowedVideoObject], object]) -> None:
        if not callable(predicate):
            raise TypeError(f"predicate: expected a callable, got {type(predicate).__name__}")
        self._predicate: Callable[[BorrowedVideoObject], object] | None = predicate
        self._node = nodes.leaf(None, lambda found, _: predicate(found))

    @staticmethod
    def idle() -> MatchQuery:
        """Match every object."""
        return _IDLE

    @staticmethod
    def and_(*queries: MatchQuery) -> MatchQuery:
        """Match where all ``queries`` do, asked from left to right until one is false; with none, everywhere."""
        return _made(nodes.all_of(_nodes(queries)))

    @staticmethod
    def or_(*queries: MatchQuery) -> MatchQuery:
        """Match where one of ``queries`` does, asked from left to right until one is true; with none, nowhere."""
        return _made(nodes.any_of(_nodes(queries)))

    @staticmethod
    def not_(query: MatchQuery) -> MatchQuery:
        """Match where ``query`` does not; a stop in it stays one."""
        return _made(nodes.inverted(*_nodes([query])))

    @staticmethod
    def stop_if_false(query: MatchQuery) -> MatchQuery:
        """Match where ``query`` does, and look at no further object after the first where it does not."""
        return _made(nodes.stopping(*_nodes([query]), on=False))

    @staticmethod
    def stop_if_true(query: MatchQuery) -> MatchQuery:
        """Match where ``query`` does, and look at no further object after the first such."""
        return _made(nodes.stopping(*_nodes([query]), on=True))

    @staticmethod
    def with_children(a: MatchQuery, n: IntExpression) -> MatchQuery:
        """Match objects of whose direct children as many match ``a`` as ``n`` says."""
        return _made(nodes.with_children(_nodes([a])[0], _an(IntExpression, n)))

    @staticmethod
    def eval(text: str) -> MatchQuery:
        """Match where an expression is true, such as ``bbox.width > 10.0 && label == "car"``.

        Args:
            text: Names: ``id namespace label confidence``, ``parent.{id,namespace,label}``,
                ``bbox.{xc,yc,width,height,angle}``, ``tracking_info.id`` and ``tracking_info.bbox.…``,
                ``frame.{source,rate,width,height,keyframe,pts,dts}``, ``frame.time_base.{nominator,denominator}``.
                What is not there is the empty value ``()``. Boxes are not whole numbers: ``bbox.width == 20`` is false.

        Raises:
            ExpressionError: It does not parse; or, when it is asked, it has no truth value.
        """
        return _made(nodes.evaluated(text))

    @staticmethod
    def id(e: IntExpression) -> MatchQuery:
        """Compare the id of the object with ``e``."""
        return _made(nodes.compared("id", _an(IntExpression, e)))

    @staticmethod
    def namespace(e: StringExpression) -> MatchQuery:
        """Compare who made the object with ``e``."""
        return _made(nodes.compared("namespace", _an(StringExpression, e)))

    @staticmethod
    def label(e: StringExpression) -> MatchQuery:
        """Compare the label of the object, not the one that is drawn, with ``e``."""
        return _made(nodes.compared("label", _an(StringExpression, e)))

    @staticmethod
    def confidence(e: FloatExpression) -> MatchQuery:
        """Compare the confidence of the object with ``e``."""
        return _made(nodes.compared("confidence", _an(FloatExpression, e)))

    @staticmethod
    def confidence_defined() -> MatchQuery:
        """Match objects with a confidence."""
        return _made(nodes.flag("confidence.defined"))

    @staticmethod
    def track_id(e: IntExpression) -> MatchQuery:
        """Compare the track id of the object with ``e``."""
        return _made(nodes.compared("track.id", _an(IntExpression, e)))

    @staticmethod
    def track_id_defined() -> MatchQuery:
        """Match objects that are tracked."""
        return _made(nodes.flag("track.defined"))

    @staticmethod
    def parent_id(e: IntExpression) -> MatchQuery:
        """Compare the id of the object's parent with ``e``."""
        return _made(nodes.compared("parent.id", _an(IntExpression, e)))

    @staticmethod
    def parent_namespace(e: StringExpression) -> MatchQuery:
        """Compare who made the object's parent with ``e``."""
        return _made(nodes.compared("parent.namespace", _an(StringExpression, e)))

    @staticmethod
    def parent_label(e: StringExpression) -> MatchQuery:
        """Compare the label of the object's parent with ``e``."""
        return _made(nodes.compared("parent.label", _an(StringExpression, e)))

    @staticmethod
    def parent_defined() -> MatchQuery:
        """Match objects with a parent."""
        return _made(nodes.flag("parent.defined"))

    @staticmethod
    def box_x_center(e: FloatExpression) -> MatchQuery:
        """Compare the centre x of the detection box, pixels, with ``e``."""
        return _made(nodes.compared("bbox.xc", _an(FloatExpression, e)))

    @staticmethod
    def box_y_center(e: FloatExpression) -> MatchQuery:
        """Compare the centre y of the detection box, pixels, with ``e``."""
        return _made(nodes.compared("bbox.yc", _an(FloatExpression, e)))

    @staticmethod
    def box_width(e: FloatExpression) -> MatchQuery:
        """Compare the width of the detection box, pixels, with ``e``."""
        return _made(nodes.compared("bbox.width", _an(FloatExpression, e)))

    @staticmethod
    def box_height(e: FloatExpression) -> MatchQuery:
        """Compare the height of the detection box, pixels, with ``e``."""
        return _made(nodes.compared("bbox.height", _an(FloatExpression, e)))

    @staticmethod
    def box_area(e: FloatExpression) -> MatchQuery:
        """Compare the area of the detection box, square pixels, with ``e``."""
        return _made(nodes.compared("bbox.area", _an(FloatExpression, e)))

    @staticmethod
    def box_width_to_height_ratio(e: FloatExpression) -> MatchQuery:
        """Compare width by height of the detection box, −1 for no height, with ``e``."""
        return _made(nodes.compared("bbox.width_to_height_ratio", _an(FloatExpression, e)))

    @staticmethod
    def box_angle(e: FloatExpression) -> MatchQuery:
        """Compare the angle of the detection box, degrees, with ``e``."""
        return _made(nodes.compared("bbox.angle", _an(FloatExpression, e)))

    @staticmethod
    def box_angle_defined() -> MatchQuery:
        """Match objects whose detection box has an angle, in degrees."""
        return _made(nodes.flag("bbox.angle.defined"))

    @staticmethod
    def box_metric(box: RBBox, metric_type: BBoxMetricType, e: FloatExpression) -> MatchQuery:
        """Compare how much the detection box overlaps ``box``, by ``metric_type``, with ``e``; 0 for an empty one."""
        kind = _an(BBoxMetricType, metric_type)
        return _made(nodes.metric("bbox", _an(RBBox, box), kind, _an(FloatExpression, e)))

    @staticmethod
    def track_box_x_center(e: FloatExpression) -> MatchQuery:
        """Compare the centre x of the track box, pixels, with ``e``."""
        return _made(nodes.compared("track.bbox.xc", _an(FloatExpression, e)))

    @staticmethod
    def track_box_y_center(e: FloatExpression) -> MatchQuery:
        """Compare the centre y of the track box, pixels, with ``e``."""
        return _made(nodes.compared("track.bbox.yc", _an(FloatExpression, e)))

    @staticmethod
    def track_box_width(e: FloatExpression) -> MatchQuery:
        """Compare the width of the track box, pixels, with ``e``."""
        return _made(nodes.compared("track.bbox.width", _an(FloatExpression, e)))

    @staticmethod
    def track_box_height(e: FloatExpression) -> MatchQuery:
        """Compare the height of the track box, pixels, with ``e``."""
        return _made(nodes.compared("track.bbox.height", _an(FloatExpression, e)))

    @staticmethod
    def track_box_area(e: FloatExpression) -> MatchQuery:
        """Compare the area of the track box, square pixels, with ``e``."""
        return _made(nodes.compared("track.bbox.area", _an(FloatExpression, e)))

    @staticmethod
    def track_box_width_to_height_ratio(e: FloatExpression) -> MatchQuery:
        """Compare width by height of the track box, −1 for no height, with ``e``."""
        return _made(nodes.compared("track.bbox.width_to_height_ratio", _an(FloatExpression, e)))

    @staticmethod
    def track_box_angle(e: FloatExpression) -> MatchQuery:
        """Compare the angle of the track box, degrees, with ``e``."""
        return _made(nodes.compared("track.bbox.angle", _an(FloatExpression, e)))

    @staticmethod
    def track_box_angle_defined() -> MatchQuery:
        """Match objects whose track box has an angle, in degrees."""
        return _made(nodes.flag("track.bbox.angle.defined"))

    @staticmethod
    def track_box_metric(box: RBBox, metric_type: BBoxMetricType, e: FloatExpression) -> MatchQuery:
        """Compare how much the track box overlaps ``box``, by ``metric_type``, with ``e``; 0 for an empty one."""
        kind = _an(BBoxMetricType, metric_type)
        return _made(nodes.metric("track.bbox", _an(RBBox, box), kind, _an(FloatExpression, e)))

    @staticmethod
    def attribute_defined(namespace: str, label: str) -> MatchQuery:
        """Match objects that have the attribute of ``namespace`` and name ``label``, hidden or not."""
        return _made(nodes.attribute_there(namespace, label, of_frame=False))

    @staticmethod
    def attributes_empty() -> MatchQuery:
        """Match objects without attributes; hidden ones count."""
        return _made(nodes.flag("attributes.empty"))

    @staticmethod
    def attributes_jmes_query(query: str) -> MatchQuery:
        """Ask a JMESPath ``query`` of the object's attributes, hidden ones too; null, empty and false do not match.

        Raises:
            ValueError: The query does not parse.
        """
        return _made(nodes.attributes_asked(query, of_frame=False))

    @staticmethod
    def frame_source_id(e: StringExpression) -> MatchQuery:
        """Compare the source of the frame with ``e``."""
        return _made(nodes.compared("frame.source_id", _an(StringExpression, e)))

    @staticmethod
    def frame_width(e: IntExpression) -> MatchQuery:
        """Compare the width of the frame, pixels, with ``e``."""
        return _made(nodes.compared("frame.width", _an(IntExpression, e)))

    @staticmethod
    def frame_height(e: IntExpression) -> MatchQuery:
        """Compare the height of the frame, pixels, with ``e``."""
        return _made(nodes.compared("frame.height", _an(IntExpression, e)))

    @staticmethod
    def frame_is_key_frame() -> MatchQuery:
        """Match in frames that are known to be key frames."""
        return _made(nodes.flag("frame.is_key_frame"))

    @staticmethod
    def frame_no_video() -> MatchQuery:
        """Match in frames without content."""
        return _made(nodes.flag("frame.no_video"))

    @staticmethod
    def frame_transcoding_is_copy() -> MatchQuery:
        """Match in frames whose content is the source's own."""
        return _made(nodes.flag("frame.transcoding.is_copy"))

    @staticmethod
    def frame_attribute_exists(namespace: str, label: str) -> MatchQuery:
        """Match in frames that have the attribute of ``namespace`` and name ``label``, hidden or not."""
        return _made(nodes.attribute_there(namespace, label, of_frame=True))

    @staticmethod
    def frame_attributes_empty() -> MatchQuery:
        """Match in frames without attributes that are not hidden."""
        return _made(nodes.flag("frame.attributes.empty"))

    @staticmethod
    def frame_attributes_jmes_query(query: str) -> MatchQuery:
        """Ask a JMESPath ``query`` of the frame's attributes that are not hidden; null, empty and false do not match.

        Raises:
            ValueError: The query does not parse.
        """
        return _made(nodes.attributes_asked(query, of_frame=True))

    @property
    def json(self) -> str:
        """The query as one line of JSON; ``TypeError`` where a predicate of Python is in it."""
        return written_json(self._node.form)

    @property
    def json_pretty(self) -> str:
        """The same, indented."""
        return written_json(self._node.form, indent=2)

    @property
    def yaml(self) -> str:
        """The query as YAML; errors as ``json``."""
        return written_yaml(self._node.form)

    @staticmethod
    def from_json(text: str) -> MatchQuery:
        """Read a ``text`` that ``json`` wrote; ``ValueError`` for anything else."""
        return _made(node_of_json(text))

    @staticmethod
    def from_yaml(text: str) -> MatchQuery:
        """Read a ``text`` that ``yaml`` wrote; ``ValueError`` for anything else."""
        return _made(node_of_yaml(text))

    def __call__(self, video_object: BorrowedVideoObject) -> bool:
        """Say whether the object is meant; queries on its frame are false."""
        return self._node.decide(video_object, None)[0]

    def select(self, objects: Iterable[BorrowedVideoObject], frame: FrameState | None) -> Iterator[BorrowedVideoObject]:
        """Yield the objects that are meant, in their order, until the query stops.

        Args:
            objects: Of one frame.
            frame: That frame; without one, queries on it are false.
        """
        for found, is_meant in self.decisions(objects, frame):
            if is_meant:
                yield found

    def decisions(
        self, objects: Iterable[BorrowedVideoObject], frame: FrameState | None
    ) -> Iterator[tuple[BorrowedVideoObject, bool]]:
        """Yield each object and whether it is meant, until the query stops.

        Args:
            objects: Of one frame.
            frame: That frame; without one, queries on it are false.
        """
        decide = self._node.decide
        for found in objects:
            is_meant, stops = decide(found, frame)
            yield found, is_meant
            if stops:
                return

    def __repr__(self) -> str:
        if self is _IDLE:
            return "MatchQuery.idle()"
        if self._predicate is not None:
            return f"MatchQuery({self._predicate!r})"
        return "MatchQuery(...)" if self._node.form is None else f"MatchQuery.from_json({self.json!r})"


def _made(node: nodes.Node) -> MatchQuery:
    query = MatchQuery.__new__(MatchQuery)
    query._node, query._predicate = node, None
    return query


def _nodes(queries: Iterable[MatchQuery]) -> list[nodes.Node]:
    listed = list(queries)
    for query in listed:
        if not isinstance(query, MatchQuery):
            raise TypeError(f"Only Query values are allowed, got {query!r}")
    return [query._node for query in listed]


def _an(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, got {value!r}")
    return value


_IDLE = _made(node_of_form("pass"))
