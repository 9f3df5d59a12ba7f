"""The JSON Schema of a module, assembled from its data files."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import yaml

Schema = dict[str, Any]
_SHARED: Final = ("ingress", "far")
"""Properties that several kinds have."""
_VALUES: Final = frozenset({"properties", "items", "additionalProperties"})
"""Keywords below which values of the file are described."""


def read_data(name: str) -> dict[str, Any]:
    """Read a YAML file of this package."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    tree: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return tree


@functools.cache
def kinds(group: str) -> Mapping[str, Schema]:
    """Return the schemas of the properties of each kind: of ``sources``, ``sinks`` or ``elements``."""
    data = read_data("kinds.yml")
    return {kind: _object(entry, {name: data[name] for name in _SHARED}) for kind, entry in data[group].items()}


@functools.cache
def module_schema() -> Schema:
    """Return the whole schema; it must not be changed."""
    schema = read_data("schema.yml")
    for name, group in (("source", "sources"), ("sink", "sinks"), ("element", "elements")):
        definition = schema["$defs"][name]
        known = kinds(group)
        if name != "element":  # the notation element@type:version is taken apart by code
            definition["properties"]["element"]["enum"] = list(known)
        definition["allOf"] = [
            {"if": {"properties": {"element": {"const": kind}}, "required": ["element"]}, "then": _rule(properties)}
            for kind, properties in known.items()
        ]
    return schema


@functools.cache
def editor_schema() -> Schema:
    """Return the schema of the file as users write it: defaults may be left out, and ``${…}`` may stand for any value.

    It must not be changed.
    """
    schema = json.loads(json.dumps(module_schema()))
    del schema["required"]
    blocks, parts = schema["properties"], schema["properties"]["pipeline"]["properties"]
    del blocks["pipeline"]["required"]
    for holder, name in ((blocks, "parameters"), (parts, "source"), (parts, "sink")):
        said = holder[name].pop("description", "")
        holder[name] = {"anyOf": [holder[name], {"type": "null"}], "description": said}
    known = "|".join(map(_any_case, dict.fromkeys(kind.partition("@")[0] for kind in kinds("elements"))))
    spelt = {"type": "string", "pattern": f"^({known})([@:].*)?$"}
    schema["$defs"]["element"]["properties"]["element"] = {"anyOf": [{"enum": list(kinds("elements"))}, spelt]}
    schema = _interpolated(schema)
    schema["$defs"]["interpolation"] = {"type": "string", "pattern": r"\$\{", "description": "A value by another name."}
    made: Schema = schema
    return made


def _any_case(word: str) -> str:
    """Return a pattern of a word in small or capital letters, without the flags that JavaScript does not know."""
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


def _interpolated(schema: Any) -> Any:
    """Let every value of a schema be a text with ``${``."""
    if isinstance(schema, list):
        return [_interpolated(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _interpolated(entry) for key, entry in schema.items() if key not in _VALUES}
    for group in _VALUES & schema.keys():
        entries = schema[group]
        if group in ("items", "additionalProperties"):
            made[group] = _or_interpolation(entries) if isinstance(entries, dict) else entries
        else:
            made[group] = {name: _or_interpolation(entry) for name, entry in entries.items()}
    return made


def _or_interpolation(schema: Schema) -> Schema:
    if not schema or "const" in schema or set(schema) == {"properties"}:
        return schema
    inner = _interpolated(schema)
    said = inner.pop("description", None)
    wrapped: Schema = {"anyOf": [inner, {"$ref": "#/$defs/interpolation"}]}
    return wrapped if said is None else {"description": said, **wrapped}


def _object(entry: Mapping[str, Any], shared: Mapping[str, Schema]) -> Schema:
    properties = dict(entry["properties"])
    properties |= shared.get(properties.pop("$ref", ""), {})
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
        "required": entry["required"],
    }


def _rule(properties: Schema) -> Schema:
    rule: Schema = {"properties": {"properties": properties}}
    if properties["required"]:
        rule["required"] = ["properties"]
    return rule
