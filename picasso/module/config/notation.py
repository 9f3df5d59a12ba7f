"""What an entry of ``pipeline.elements`` says: its kind, taken from the short or the long notation, and its group."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from picasso.module.config.problem import Path, nearest
from picasso.module.config.schema import kinds
from picasso.module.config.sound import has_broken
from picasso.module.config.validate import Fault

MODELS: Final = "nvinfer"
_ALLOWED: Final = {
    "pyfunc": {"module", "class_name", "kwargs", "dev_mode", "on_error"},
    "nvinfer": {"model"},
}
_OWN: Final = {key for keys in _ALLOWED.values() for key in keys}
"""Keys that belong to some kinds only."""


def entries(elements: list[Any], path: Path) -> Iterator[tuple[dict[str, Any], Path, bool]]:
    """Yield every element with its path, and whether its group is enabled; groups are opened."""
    for index, entry in enumerate(elements):
        here: Path = (*path, index)
        if not isinstance(entry, dict):
            continue
        group = entry.get("group")
        if not isinstance(group, dict):
            yield entry, here, True
            continue
        enabled = is_enabled(group)
        for inner, element in enumerate(group.get("elements") or []):
            if isinstance(element, dict):
                yield element, (*here, "group", "elements", inner), enabled


def is_enabled(group: dict[str, Any]) -> bool:
    """Whether a group's condition holds: both sides are compared as text; a group without one is enabled."""
    condition = group.get("init_condition")
    return condition is None or str(condition.get("expr")) == str(condition.get("value"))


def expand(element: dict[str, Any], path: Path) -> list[Fault]:
    """Take ``element@type:version`` apart, in place: ``element`` becomes the kind, such as ``nvinfer@detector``."""
    faults: list[Fault] = []
    text = str(element.get("element", "")).strip().lower()
    factory, at, rest = text.partition("@")
    kind, colon, version = (rest if at else factory).partition(":")
    if not at:
        factory, kind = kind, ""
    for key, short in (("element_type", at), ("version", colon)):
        long = element.pop(key, None)
        if long is not None and short:
            faults.append(((*path, key), f"given by element {text!r}, too; use one notation"))
        elif long is not None and key == "element_type":
            kind = str(long).strip().lower()
        elif long is not None:
            version = str(long).strip().lower()
    if version not in ("", "v1"):
        faults.append(((*path, "element"), f"unknown version {version!r} of {factory!r}; only v1 exists"))
    element["element"] = f"{factory}@{kind}" if kind else factory
    return faults


def find_faults_of_kinds(elements: list[Any], path: Path, broken: Collection[Path] = ()) -> list[Fault]:
    """Return what is wrong with kinds and names: unknown ones, keys of other kinds, names that are missing or twice.

    Args:
        elements: The entries, without the values at which the schema found faults.
        path: Of the list.
        broken: Where those were: what holds one is not missing.
    """
    faults: list[Fault] = []
    names: dict[str, Path] = {}
    for index, entry in enumerate(elements):
        group = entry.get("group") if isinstance(entry, dict) else None
        if isinstance(group, dict) and isinstance(group.get("name"), str):
            faults += _taken(names, group["name"], (*path, index, "group"))
    for element, here, _enabled in entries(elements, path):
        kind = element.get("element", "")
        factory = kind.partition("@")[0]
        name = element.get("name")
        if isinstance(name, str):
            faults += _taken(names, name, here)
        if kind not in kinds("elements"):
            faults.append(((*here, "element"), _unknown_kind(kind)))
            continue
        foreign = _OWN & set(element) - _ALLOWED.get(factory, set())
        faults += [((*here, key), f"{key!r} does not belong to a {kind}") for key in sorted(foreign)]
        if kind == "pyfunc":
            faults += _missing(element, here, ("module", "class_name"), broken)
        if factory == MODELS:
            faults += _missing(element, here, ("name", "model"), broken)
    return faults


def _missing(element: dict[str, Any], here: Path, keys: Sequence[str], broken: Collection[Path]) -> list[Fault]:
    absent = [(*here, key) for key in keys if not element.get(key)]
    kind = element["element"]
    return [(place, f"a {kind} needs it") for place in absent if not has_broken(place, broken)]


def _taken(names: dict[str, Path], name: str, here: Path) -> list[Fault]:
    """Say that another element or group has a name, or remember who has it."""
    if names.setdefault(name, here) == here:
        return []
    return [((*here, "name"), f"the name {name!r} is in use by another element")]


def _unknown_kind(kind: str) -> str:
    choices = list(kinds("elements"))
    factory = kind.partition("@")[0]
    if factory == MODELS:
        types = [choice.partition("@")[2] for choice in choices if choice.startswith(f"{MODELS}@")]
        return f"nvinfer needs a type: nvinfer@TYPE with one of {', '.join(types)}; got {kind!r}"
    near = nearest(kind, choices)
    hint = f" (did you mean {near}?)" if near else ""
    return f"unknown element {kind!r}; one of {', '.join(choices)}{hint}. Native GStreamer elements cannot be run"
