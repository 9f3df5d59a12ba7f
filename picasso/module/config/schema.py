"""The JSON Schema of a module, assembled from its data files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import yaml

Schema = dict[str, Any]
_INGRESS: Final = "ingress"


def read_data(name: str) -> dict[str, Any]:
    """Read a YAML file of this package."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    tree: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return tree


@functools.cache
def kinds(group: str) -> Mapping[str, Schema]:
    """Return the schemas of the properties of each kind: of ``sources``, ``sinks`` or ``elements``."""
    data = read_data("kinds.yml")
    return {kind: _object(entry, data[_INGRESS]) for kind, entry in data[group].items()}


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


def _object(entry: Mapping[str, Any], ingress: Schema) -> Schema:
    properties = dict(entry["properties"])
    if properties.pop("$ref", None) == _INGRESS:
        properties |= ingress
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
