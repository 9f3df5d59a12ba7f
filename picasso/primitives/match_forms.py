"""Queries as JSON and YAML.

A query without argument is its name; one with an argument ``{name: argument}``, with two ``{name: [first, second]}``;
a metric holds a map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from picasso.errors import require
from picasso.primitives import match_nodes as nodes
from picasso.primitives.boxes import RBBox
from picasso.primitives.match_expressions import FloatExpression, IntExpression, StringExpression


def written_json(form: nodes.Form | None, indent: int = 0) -> str:
    """Return a form as JSON; ``TypeError`` where a predicate of Python is in it."""
    compact = msgspec.json.encode(_known(form))
    return (msgspec.json.format(compact, indent=indent) if indent else compact).decode()


def written_yaml(form: nodes.Form | None) -> str:
    """Return a form as YAML; ``TypeError`` where a predicate of Python is in it."""
    if form == "pass":
        return "pass\n"
    library = require("yaml", extra="query")
    document: str = library.safe_dump(_known(form), allow_unicode=True)
    return document.removesuffix("...\n")


def _known(form: nodes.Form | None) -> nodes.Form:
    if form is None:
        raise TypeError("a predicate of Python has no JSON; make the query by factories")
    return form


def node_of_json(text: str) -> nodes.Node:
    """Read a query; ``ValueError`` when the text holds none."""
    try:
        form = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"Invalid JSON: {error}") from error
    return _read(form, "Invalid JSON")


def node_of_yaml(text: str) -> nodes.Node:
    """Read a query; ``ValueError`` when the text holds none."""
    library = require("yaml", extra="query")
    try:
        form = library.safe_load(text)
    except (library.YAMLError, RecursionError) as error:
        raise ValueError(f"Invalid YAML: {error}") from error
    return _read(form, "Invalid YAML")


def _read(form: Any, start: str) -> nodes.Node:
    try:
        return node_of_form(form)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{start}: {error}") from error


def node_of_form(form: Any, depth: int = 0) -> nodes.Node:
    """Return the node of a form.

    Raises:
        TypeError: An argument is of another type.
        ValueError: There is no such query, or it is nested too deep.
    """
    if depth > nodes.MAX_DEPTH:
        raise ValueError(f"queries are nested more than {nodes.MAX_DEPTH} deep")
    if isinstance(form, str):
        if form == "pass":
            return nodes.leaf("pass", lambda *_: True)
        if form in nodes.FLAGS or form in nodes.FRAME_FLAGS:
            return nodes.flag(form)
        raise ValueError(_unknown(form))
    if not isinstance(form, dict) or len(form) != 1:
        raise ValueError(f"expected a name, or one name with its argument, got {form!r:.80}")
    ((name, argument),) = form.items()
    if name in _OF_QUERIES:
        return _OF_QUERIES[name](argument, depth + 1)
    if name in _OF_ARGUMENTS:
        return _OF_ARGUMENTS[name](argument)
    for table, expression in _COMPARED:
        if name in table:
            return nodes.compared(name, _expression(expression, argument))
    raise ValueError(_unknown(name))


def _unknown(name: Any) -> str:
    names = ["pass", *_OF_QUERIES, *_OF_ARGUMENTS, *nodes.FLAGS, *nodes.FRAME_FLAGS]
    names += [key for table, _ in _COMPARED for key in table]
    return f"unknown variant `{name}`, expected one of {', '.join(f'`{known}`' for known in names)}"


def _expression(kind: Any, form: Any) -> Any:
    if not isinstance(form, dict) or len(form) != 1:
        raise ValueError(f"expected one comparison, got {form!r:.80}; one of {kind.names()}")
    ((name, argument),) = form.items()
    return kind.of(name, argument)


def _several(form: Any, depth: int) -> list[nodes.Node]:
    if not isinstance(form, list):
        raise TypeError(f"expected a list of queries, got {form!r:.80}")
    return [node_of_form(one, depth) for one in form]


def _pair(form: Any) -> tuple[Any, Any]:
    if not isinstance(form, list) or len(form) != 2:
        raise TypeError(f"expected a list of two, got {form!r:.80}")
    return form[0], form[1]


def _children(form: Any, depth: int) -> nodes.Node:
    query, count = _pair(form)
    return nodes.with_children(node_of_form(query, depth), _expression(IntExpression, count))


def _metric(prefix: str) -> Callable[[Any], nodes.Node]:
    def read(form: Any) -> nodes.Node:
        if not isinstance(form, dict) or set(form) != {"other", "metric_type", "threshold_expr"}:
            raise ValueError(f"expected other, metric_type and threshold_expr, got {form!r:.80}")
        if not isinstance(form["other"], list) or len(form["other"]) != 5:
            raise TypeError(f"other: expected xc, yc, width, height and angle, got {form['other']!r:.80}")
        kind = nodes.BBoxMetricType.from_name(form["metric_type"])
        return nodes.metric(prefix, RBBox(*form["other"]), kind, _expression(FloatExpression, form["threshold_expr"]))

    return read


_OF_QUERIES: Final[dict[str, Callable[[Any, int], nodes.Node]]] = {
    "and": lambda form, depth: nodes.all_of(_several(form, depth)),
    "or": lambda form, depth: nodes.any_of(_several(form, depth)),
    "not": lambda form, depth: nodes.inverted(node_of_form(form, depth)),
    "stop_if_false": lambda form, depth: nodes.stopping(node_of_form(form, depth), on=False),
    "stop_if_true": lambda form, depth: nodes.stopping(node_of_form(form, depth), on=True),
    "with_children": _children,
}
_OF_ARGUMENTS: Final[dict[str, Callable[[Any], nodes.Node]]] = {
    "eval": nodes.evaluated,
    "bbox.metric": _metric("bbox"),
    "bbox.metrics": _metric("bbox"),  # of newer peers
    "track.bbox.metric": _metric("track.bbox"),
    "track.bbox.metrics": _metric("track.bbox"),
    "attribute.exists": lambda form: nodes.attribute_there(*_pair(form), of_frame=False),
    "attributes.jmes_query": lambda form: nodes.attributes_asked(form, of_frame=False),
    "frame.attribute.exists": lambda form: nodes.attribute_there(*_pair(form), of_frame=True),
    "frame.attributes.jmes_query": lambda form: nodes.attributes_asked(form, of_frame=True),
}
_COMPARED: Final[tuple[tuple[Any, Any], ...]] = (
    (nodes.FLOATS, FloatExpression),
    (nodes.INTEGERS, IntExpression),
    (nodes.STRINGS, StringExpression),
    (nodes.FRAME_INTEGERS, IntExpression),
    (nodes.FRAME_STRINGS, StringExpression),
)
