"""A resolved tree against the schema: texts become numbers where numbers belong, and every fault becomes a problem."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import jsonschema

from picasso.module.config import output
from picasso.module.config.problem import Path, nearest
from picasso.module.config.schema import Schema, module_schema
from picasso.module.config.secrets import masked

Fault = tuple[Path, str]
"""Where, and what."""

_TYPES: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_TEXTS: Final = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_PATTERNS: Final = {
    "^[0-9A-Fa-f]{8}$": "8 hexadecimal digits, RRGGBBAA",
    "^[1-9][0-9]{0,6}(/[1-9][0-9]{0,6})?$": "a rate such as 30 or 30000/1001",
    "^mqtts?://[^/]": "mqtt://host or mqtts://host",
    "^https?://[^/]": "http://host… or https://host…",
}


def find_faults(tree: dict[str, Any]) -> list[Fault]:
    """Return everything that the schema finds wrong, without what the rules of ``rules`` know better."""
    faults = [fault for error in _validator().iter_errors(tree) for fault in _faults(error)]
    return list(dict.fromkeys(faults))


@functools.cache
def _validator() -> Any:
    """Build a validator to which NaN and infinity are not numbers."""
    extend: Callable[..., Any] = jsonschema.validators.extend
    kind = extend(
        jsonschema.Draft202012Validator,
        type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number),
    )
    return kind(module_schema())


def _is_number(_checker: object, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def coerce(tree: dict[str, Any]) -> dict[str, Any]:
    """Turn texts into numbers and booleans where the schema wants those; in place.

    What comes from an environment variable is text: ``batch_size: ${oc.env:BATCH}``.
    """
    _coerced(tree, module_schema())
    if isinstance(parameters := tree.get("parameters"), dict):
        output.coerce(parameters)
    return tree


def _coerced(value: Any, schema: Schema) -> Any:
    for part in _parts(value, schema):
        value = _scalar(value, part)
        if isinstance(value, dict):
            free = part.get("additionalProperties")
            for key, entry in value.items():
                below = part.get("properties", {}).get(key) or (free if isinstance(free, dict) else None)
                if below:
                    value[key] = _coerced(entry, below)
        elif isinstance(value, list) and "items" in part:
            value[:] = [_coerced(entry, part["items"]) for entry in value]
    return value


def _parts(value: Any, schema: Schema) -> Iterator[Schema]:
    """Yield the schemas that a value is held against: the schema itself, and those it refers to."""
    if "$ref" in schema:
        yield from _parts(value, module_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
        return
    yield schema
    for choice in schema.get("anyOf", ()):
        yield from _parts(value, choice)
    for rule in schema.get("allOf", ()):
        if isinstance(value, dict) and value.get("element") == rule["if"]["properties"]["element"]["const"]:
            yield from _parts(value, rule["then"])
    if "if" in schema and isinstance(value, dict):
        yield from _parts(value, schema["then" if "group" in value else "else"])


def _scalar(value: Any, schema: Schema) -> Any:
    kinds_ = schema.get("type", ())
    kinds_ = (kinds_,) if isinstance(kinds_, str) else kinds_
    if isinstance(value, str) and "string" not in kinds_:
        text = value.strip()
        if "integer" in kinds_ and re.fullmatch(r"[-+]?\d{1,18}", text):
            return int(text)
        if "number" in kinds_ and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
            return float(text)
        if "boolean" in kinds_ and text.lower() in _TEXTS:
            return _TEXTS[text.lower()]
    if "boolean" in kinds_ and type(value) is int and value in (0, 1) and "integer" not in kinds_:
        return bool(value)
    if "integer" in kinds_ and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _faults(error: Any) -> Iterator[Fault]:
    path: Path = tuple(error.absolute_path)
    keyword = str(error.validator)
    if keyword == "anyOf":
        yield from _faults_of_choice(error, path)
    elif keyword == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        yield from (((*path, key), text) for key, text in _unknown(error.instance, known))
    elif keyword == "required":
        for key in (key for key in error.validator_value if key not in error.instance):
            below = error.schema["properties"][key]["required"] if key == "properties" else ()
            places = [(*path, key, name) for name in below] or [(*path, key)]
            yield from ((place, "a value is required") for place in places)
    else:
        say = _SAID.get(keyword)
        yield path, say(error) if say else error.message


def _faults_of_choice(error: Any, path: Path) -> Iterator[Fault]:
    """Of several forms, take the one whose type the value has."""
    for group in _grouped(error.context or ()):
        if not any(part.validator == "type" and not part.path for part in group):
            for part in group:
                yield from _faults(part)
            return
    types = [
        choice for part in error.context or () if part.validator == "type" for choice in _listed(part.validator_value)
    ]
    yield path, f"expected {_or([_TYPES[kind] for kind in dict.fromkeys(types)])}, got {_shown(error)}"


def _grouped(errors: Any) -> list[list[Any]]:
    groups: dict[int, list[Any]] = {}
    for part in errors:
        groups.setdefault(part.schema_path[0], []).append(part)
    return list(groups.values())


def _unknown(tree: dict[str, Any], known: list[str]) -> Iterator[tuple[str, str]]:
    for key in tree:
        if key not in known:
            near = nearest(key, known)
            hint = f"; did you mean {near!r}?" if near else f"; one of {', '.join(sorted(known))}" if known else ""
            yield key, f"unknown key {key!r}{hint}"


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _shown(error: Any) -> str:
    value = masked(error.instance, tuple(error.absolute_path))
    text = "null" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _said_of_type(error: Any) -> str:
    return f"expected {_or([_TYPES[kind] for kind in _listed(error.validator_value)])}, got {_shown(error)}"


def _said_of_enum(error: Any) -> str:
    choices = ["null" if choice is None else str(choice) for choice in error.validator_value]
    what = str(error.absolute_path[-1]) if error.absolute_path else "value"
    near = nearest(str(error.instance), choices)
    return f"unknown {what} {_shown(error)}; one of {', '.join(choices)}" + (f" (did you mean {near}?)" if near else "")


_SAID: Final[dict[str, Callable[[Any], str]]] = {
    "type": _said_of_type,
    "enum": _said_of_enum,
    "const": lambda error: f"expected {error.validator_value!r}, got {_shown(error)}",
    "minimum": lambda error: f"expected at least {error.validator_value}, got {_shown(error)}",
    "maximum": lambda error: f"expected at most {error.validator_value}, got {_shown(error)}",
    "exclusiveMinimum": lambda error: f"expected more than {error.validator_value}, got {_shown(error)}",
    "minLength": lambda error: f"expected text that is not empty, got {_shown(error)}",
    "minItems": lambda error: f"expected at least {error.validator_value} entries, got {len(error.instance)}",
    "maxItems": lambda error: f"expected at most {error.validator_value} entries, got {len(error.instance)}",
    "pattern": lambda error: f"expected {_PATTERNS.get(error.validator_value, 'host:port')}, got {_shown(error)}",
}
