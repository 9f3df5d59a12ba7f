"""What a query is made of: a form, which JSON shows, and a decision about one object.

A decision is two truth values: whether the object is meant, and whether the walk over the objects ends with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from picasso.errors import require
from picasso.primitives.attribute_text import attribute_shape
from picasso.primitives.boxes import RBBox
from picasso.primitives.checks import text
from picasso.primitives.content import VideoFrameTranscodingMethod
from picasso.primitives.enums import NativeEnum
from picasso.primitives.match_eval import boolean_of
from picasso.primitives.match_expressions import FloatExpression, IntExpression, StringExpression, shortest

if TYPE_CHECKING:
    from picasso.primitives.frame_state import FrameState
    from picasso.primitives.video_object import BorrowedVideoObject

Decision: TypeAlias = tuple[bool, bool]
Decide: TypeAlias = "Callable[[BorrowedVideoObject, FrameState | None], Decision]"
Form: TypeAlias = str | dict[str, Any]


class BBoxMetricType(NativeEnum):
    """What of two boxes is compared: intersection over union, over the own area, over the other's."""

    IoU = 0
    IoSelf = 1
    IoOther = 2


class Node(NamedTuple):
    """A query or a part of one."""

    form: Form | None
    """As JSON has it; ``None`` for a predicate of Python."""
    decide: Decide


MAX_DEPTH: Final = 64
"""Queries within each other."""


def leaf(form: Form | None, test: Callable[[Any, Any], object]) -> Node:
    """Return the node of a plain condition on an object and its frame."""
    return Node(form, lambda found, frame: (bool(test(found, frame)), False))


def all_of(nodes: Sequence[Node]) -> Node:
    """Return the node that is true where all are, asked from left to right until one is false or stops."""
    return Node(_form("and", [node.form for node in nodes]), _walk([node.decide for node in nodes], until=False))


def any_of(nodes: Sequence[Node]) -> Node:
    """Return the node that is true where one is, asked from left to right until one is true or stops."""
    return Node(_form("or", [node.form for node in nodes]), _walk([node.decide for node in nodes], until=True))


def _walk(decides: list[Decide], *, until: bool) -> Decide:
    def decide(found: BorrowedVideoObject, frame: FrameState | None) -> Decision:
        for one in decides:
            value, stops = one(found, frame)
            if stops or value is until:
                return value, stops
        return not until, False

    return decide


def inverted(node: Node) -> Node:
    """Return the node that is true where the other is false; a stop stays one."""

    def decide(found: BorrowedVideoObject, frame: FrameState | None) -> Decision:
        value, stops = node.decide(found, frame)
        return not value, stops

    return Node(_form("not", node.form), decide)


def stopping(node: Node, *, on: bool) -> Node:
    """Return the node that ends the walk where the other is true, or false, as ``on`` says."""

    def decide(found: BorrowedVideoObject, frame: FrameState | None) -> Decision:
        value, stops = node.decide(found, frame)
        return value, stops or value is on

    return Node(_form("stop_if_true" if on else "stop_if_false", node.form), decide)


def with_children(node: Node, count: IntExpression) -> Node:
    """Return the node that is true where as many children as ``count`` says match the other; its stops end there."""

    def test(found: BorrowedVideoObject, frame: FrameState | None) -> bool:
        matched = 0
        for child in found._children():
            value, stops = node.decide(child, frame)
            matched += value
            if stops:
                break
        return count.matches(matched)

    return leaf(None if node.form is None else {"with_children": [node.form, count.form]}, test)


def _form(name: str, inside: Any) -> Form | None:
    is_known = None not in inside if isinstance(inside, list) else inside is not None
    return {name: inside} if is_known else None


def _box_fields(prefix: str, box: str) -> dict[str, Callable[[Any], float | None]]:
    def field(name: str) -> Callable[[Any], float | None]:
        def read(found: Any) -> float | None:
            holder = getattr(found, box)
            return None if holder is None else getattr(holder, name)

        return read

    named = {"xc": "xc", "yc": "yc", "width": "width", "height": "height", "area": "area", "angle": "angle"}
    fields = {f"{prefix}.{key}": field(name) for key, name in named.items()}
    fields[f"{prefix}.width_to_height_ratio"] = field("width_to_height_ratio")
    return fields


def _of_parent(name: str) -> Callable[[Any], Any]:
    def read(found: Any) -> Any:
        parent = found._parent()
        return None if parent is None else getattr(parent, name)

    return read


FLOATS: Final[dict[str, Callable[[Any], float | None]]] = {
    "confidence": lambda found: found.confidence,
    **_box_fields("bbox", "detection_box"),
    **_box_fields("track.bbox", "track_box"),
}
INTEGERS: Final[dict[str, Callable[[Any], int | None]]] = {
    "id": lambda found: found.id,
    "track.id": lambda found: found.track_id,
    "parent.id": lambda found: found.parent_id,
}
STRINGS: Final[dict[str, Callable[[Any], str | None]]] = {
    "namespace": lambda found: found.namespace,
    "label": lambda found: found.label,
    "parent.namespace": _of_parent("namespace"),
    "parent.label": _of_parent("label"),
}
FRAME_INTEGERS: Final[dict[str, Callable[[Any], int]]] = {
    "frame.width": lambda frame: frame.width,
    "frame.height": lambda frame: frame.height,
}
FRAME_STRINGS: Final[dict[str, Callable[[Any], str]]] = {"frame.source_id": lambda frame: frame.source_id}
FLAGS: Final[dict[str, Callable[[Any], bool]]] = {
    "confidence.defined": lambda found: found.confidence is not None,
    "track.defined": lambda found: found.track_id is not None,
    "parent.defined": lambda found: found.parent_id is not None,
    "bbox.angle.defined": lambda found: found.detection_box.angle is not None,
    "track.bbox.angle.defined": lambda found: found.track_box is not None and found.track_box.angle is not None,
    "attributes.empty": lambda found: not found._attribute_table(),
}
FRAME_FLAGS: Final[dict[str, Callable[[Any], bool]]] = {
    "frame.is_key_frame": lambda frame: frame.keyframe is True,
    "frame.no_video": lambda frame: frame.content.is_none(),
    "frame.transcoding.is_copy": lambda frame: frame.transcoding_method == VideoFrameTranscodingMethod.Copy,
    "frame.attributes.empty": lambda frame: not frame.attributes,
}
BOXES: Final = {"bbox": "detection_box", "track.bbox": "track_box"}


def compared(key: str, expression: FloatExpression | IntExpression | StringExpression) -> Node:
    """Return the node that compares a field; one that is not there makes it false."""
    if key in FRAME_INTEGERS or key in FRAME_STRINGS:
        of_frame: Callable[[Any], Any] = FRAME_INTEGERS.get(key) or FRAME_STRINGS[key]
        return leaf(
            {key: expression.form},
            lambda _, frame: frame is not None and expression.matches(of_frame(frame)),
        )
    read: Callable[[Any], Any] = FLOATS.get(key) or INTEGERS.get(key) or STRINGS[key]

    def test(found: Any, _: Any) -> bool:
        subject = read(found)
        return subject is not None and expression.matches(subject)

    return leaf({key: expression.form}, test)


def flag(key: str) -> Node:
    """Return the node of a condition without arguments."""
    if key in FRAME_FLAGS:
        of_frame = FRAME_FLAGS[key]
        return leaf(key, lambda _, frame: frame is not None and of_frame(frame))
    read = FLAGS[key]
    return leaf(key, lambda found, _: read(found))


def metric(prefix: str, other: RBBox, kind: BBoxMetricType, expression: FloatExpression) -> Node:
    """Return the node that compares a metric of the object's box and another; 0 where it is not defined."""
    other = other.copy()
    method = {BBoxMetricType.IoU: "iou", BBoxMetricType.IoSelf: "ios", BBoxMetricType.IoOther: "ioo"}[kind]
    numbers = [*map(shortest, other.as_xcycwh()), None if other.angle is None else shortest(other.angle)]
    form = {"other": numbers, "metric_type": kind._name_, "threshold_expr": expression.form}

    def test(found: Any, _: Any) -> bool:
        box = getattr(found, BOXES[prefix])
        return box is not None and expression.matches(getattr(box, method)(other))

    return leaf({f"{prefix}.metric": form}, test)


def attribute_there(namespace: str, name: str, *, of_frame: bool) -> Node:
    """Return the node that is true where there is such an attribute, hidden or not."""
    key = text("namespace", namespace), text("label", name)
    if of_frame:
        return leaf(
            {"frame.attribute.exists": list(key)}, lambda _, frame: frame is not None and frame.has_attribute(*key)
        )
    return leaf({"attribute.exists": list(key)}, lambda found, _: found.has_attribute(*key))


def attributes_asked(query: str, *, of_frame: bool) -> Node:
    """Return the node of a JMESPath query on attributes: of an object all, of a frame those that are not hidden.

    Raises:
        MissingDependencyError: ``jmespath`` is not installed.
        ValueError: The query does not parse.
    """
    library = require("jmespath", extra="query")
    try:
        compiled = library.compile(text("query", query))
    except library.exceptions.JMESPathError as error:
        raise ValueError(f"Parse error: {error}") from error

    def answers(attributes: Iterable[Any]) -> bool:
        try:
            result = compiled.search([attribute_shape(attribute) for attribute in attributes])
        except library.exceptions.JMESPathError as error:
            raise ValueError(f"{query!r:.200}: {error}") from error
        return not (result is None or result is False or (isinstance(result, list | Mapping) and not result))

    if not of_frame:
        return leaf({"attributes.jmes_query": query}, lambda found, _: answers(found._attribute_table().values()))

    def test(_: Any, frame: Any) -> bool:
        if frame is None:
            return False
        return answers([each for each in frame._attribute_table().values() if not each.is_hidden])

    return leaf({"frame.attributes.jmes_query": query}, test)


def evaluated(source: str) -> Node:
    """Return the node of an expression that has a truth value.

    Raises:
        ExpressionError: It does not parse.
    """
    return leaf({"eval": source}, boolean_of(text("eval", source)))
