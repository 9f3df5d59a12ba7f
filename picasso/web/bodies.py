"""The bodies of requests: JSON, as the call says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from picasso.errors import OperationError

_KINDS: Final[Mapping[str, Any]] = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "number": (int, float),
    "null": type(None),
}
_WORDS: Final = {
    "string": "text",
    "boolean": "true or false",
    "object": "an object",
    "number": "a number",
    "null": "null",
}


def checked(body: bytes, content_type: str, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a body says.

    Args:
        body: The bytes.
        content_type: As the client names it. Only JSON is read: a form of another page cannot send that.
        schema: What may be said, of the parts of JSON Schema that calls use; None takes no body.

    Raises:
        OperationError: With status 415 where it is not JSON by name, 400 where it is not by content, 422 where it says
            what the call does not take.
    """
    if schema is None or not body:
        if body:
            raise OperationError("this call takes no body", 400)
        found: dict[str, Any] = {}
    else:
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise OperationError(f"expected Content-Type: application/json, got {content_type!r}", 415)
        try:
            said = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise OperationError(f"the body is not JSON: {error}", 400) from None
        if not isinstance(said, dict):
            raise OperationError("the body: expected an object", 422)
        found = said
    if schema is not None and (faults := list(_faults(found, schema))):
        raise OperationError("; ".join(faults), 422)
    return found


def _faults(found: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    known: Mapping[str, Any] = schema["properties"]
    yield from (f"{name}: is missing" for name in schema["required"] if name not in found)
    for name, value in found.items():
        if name not in known:
            yield f"unknown {name!r}; there are {', '.join(known)}" if known else f"unknown {name!r}; there is none"
        elif (text := _misfit(value, known[name])) is not None:
            yield f"{name}: {text}"


def _misfit(value: Any, schema: Mapping[str, Any]) -> str | None:
    if "enum" in schema:
        return None if value in schema["enum"] else f"unknown value {value!r}; one of {', '.join(schema['enum'])}"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is(value, kind) for kind in kinds):
        return f"expected {' or '.join(_WORDS[kind] for kind in kinds)}, got {value!r:.80}"
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return "expected a text that is not empty"
    if "exclusiveMinimum" in schema and not schema["exclusiveMinimum"] < value <= schema["maximum"]:
        return f"expected a number above {schema['exclusiveMinimum']}, at most {schema['maximum']}, got {value}"
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, _KINDS[kind])
