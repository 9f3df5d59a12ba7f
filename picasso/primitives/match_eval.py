"""Expressions on an object and its frame that have a truth value, such as ``bbox.width > 10 && label == "car"``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from picasso.errors import ExpressionError
from picasso.primitives.expression import Value, evaluate, parse
from picasso.primitives.expression_functions import functions


def boolean_of(source: str) -> Callable[[Any, Any], bool]:
    """Return what evaluates an expression on an object and its frame.

    Raises:
        ExpressionError: It does not parse; or, when it is evaluated, it has no truth value.
    """
    tree = parse(source)

    def evaluated(found: Any, frame: Any) -> bool:
        def name(wanted: str) -> Value:
            if wanted in _NAMES:
                return _NAMES[wanted](found)
            if wanted in _FRAME_NAMES:
                return None if frame is None else _FRAME_NAMES[wanted](frame)
            raise LookupError(wanted)

        value = evaluate(tree, source, functions(), name)
        if not isinstance(value, bool):
            raise ExpressionError(f"{source!r:.200}: ExpectedBoolean: the value is {value!r:.60}")
        return value

    return evaluated


def _box(box: str, name: str) -> Callable[[Any], Value]:
    def read(found: Any) -> Value:
        holder = getattr(found, box)
        value: Value = None if holder is None else getattr(holder, name)
        return value

    return read


def _parent(name: str) -> Callable[[Any], Value]:
    def read(found: Any) -> Value:
        parent = found._parent()
        value: Value = None if parent is None else getattr(parent, name)
        return value

    return read


_NAMES: Final[dict[str, Callable[[Any], Value]]] = {
    "id": lambda found: found.id,
    "namespace": lambda found: found.namespace,
    "label": lambda found: found.label,
    "confidence": lambda found: found.confidence,
    "parent.id": lambda found: found.parent_id,
    "parent.namespace": _parent("namespace"),
    "parent.label": _parent("label"),
    "tracking_info.id": lambda found: found.track_id,
    **{f"bbox.{name}": _box("detection_box", name) for name in ("xc", "yc", "width", "height", "angle")},
    **{f"tracking_info.bbox.{name}": _box("track_box", name) for name in ("xc", "yc", "width", "height", "angle")},
}
_FRAME_NAMES: Final[dict[str, Callable[[Any], Value]]] = {
    "frame.source": lambda frame: frame.source_id,
    "frame.rate": lambda frame: frame.framerate,
    "frame.width": lambda frame: frame.width,
    "frame.height": lambda frame: frame.height,
    "frame.keyframe": lambda frame: frame.keyframe,
    "frame.pts": lambda frame: frame.pts,
    "frame.dts": lambda frame: frame.dts,
    "frame.time_base.nominator": lambda frame: frame.time_base[0],
    "frame.time_base.denominator": lambda frame: frame.time_base[1],
}
