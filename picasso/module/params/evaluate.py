"""``eval_expr``: expressions over environment, configuration and etcd, with their values kept for a while."""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Protocol

from picasso.module.params.storage import flat, param_storage
from picasso.primitives.expression import Node, Value, evaluate, parse
from picasso.primitives.expression_functions import functions, provide_functions

MAX_KEPT: Final = 1024
"""Expressions whose values are kept."""
logger: logging.Logger = logging.getLogger("picasso.module")


class Dynamic(Protocol):
    """Where ``etcd()`` reads: a mirror of a key-value store."""

    def get(self, key: str) -> str | None:
        """Return the value of ``key``, relative to the watched path; None where there is none."""


class _State:
    """What expressions are evaluated over in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: OrderedDict[str, tuple[int, Value]] = OrderedDict()
        self.forgotten = 0
        """How often all values were dropped: one that was evaluated before that is not kept after it."""
        self.dynamic: Dynamic | None = None
        self.symbols: dict[str, str] = {}
        """What ``config()`` knows beside the parameters of the module."""
        self.has_warned = False


_state = _State()


def eval_expr(expr: str, ttl: int = 100, no_gil: bool = True) -> tuple[Value, bool]:  # noqa: ARG001 - the reference's
    """Evaluate an expression, such as ``etcd("sources/gate", true) && env("MODE", "day") == "day"``.

    Functions: ``env(key, default)``, ``config(key, default)`` and ``etcd(key, default)``, whose results have the type
    of the default; ``is_boolean``, ``is_float``, ``is_int``, ``is_string``, ``is_tuple``, ``is_empty``;
    ``starts_with(text, start)``, ``ends_with(text, end)``.

    Args:
        expr: The expression.
        ttl: Milliseconds for which a value is kept and returned again, ≥ 0; 0 evaluates every time.
        no_gil: Has no effect; existing code gives it.

    Returns:
        The value, a tuple as a list, and whether it is a kept one.

    Raises:
        ExpressionError: It does not parse, or has no value.
    """
    now_ns = time.monotonic_ns()
    forgotten = _state.forgotten
    if ttl > 0:
        with _state.lock:
            kept = _state.kept.get(expr)
        if kept is not None and now_ns - kept[0] < ttl * 1_000_000:
            return kept[1], True
    value = evaluate(_parsed(expr), expr, functions())
    if ttl > 0:
        with _state.lock:
            if forgotten == _state.forgotten:
                _state.kept[expr] = now_ns, value
                _state.kept.move_to_end(expr)
            if len(_state.kept) > MAX_KEPT:
                _state.kept.popitem(last=False)
    return value, False


def use_symbols(symbols: Mapping[str, str]) -> None:
    """Set what ``config()`` knows beside the parameters of the module: texts by key."""
    _state.symbols = dict(symbols)
    forget()


def symbols() -> dict[str, str]:
    """Return a copy of what was set by ``use_symbols``."""
    return dict(_state.symbols)


def use_dynamic(store: Dynamic | None) -> None:
    """Set where ``etcd()`` reads; None means that no etcd is configured."""
    _state.dynamic = store
    _state.has_warned = False
    forget()


def forget() -> None:
    """Drop every kept value."""
    with _state.lock:
        _state.kept.clear()
        _state.forgotten += 1


@functools.lru_cache(maxsize=MAX_KEPT)
def _parsed(expr: str) -> Node:
    return parse(expr)


def _env(arguments: list[Value]) -> Value:
    key, default = _key_and_default(arguments)
    return _cast(os.environ.get(key), default, f"the environment variable {key}")


def _config(arguments: list[Value]) -> Value:
    key, default = _key_and_default(arguments)
    if key in _state.symbols:
        return _cast(_state.symbols[key], default, f"the symbol {key}")
    path, mark, question = key.partition("#")
    found = dict(flat(param_storage()))
    if path not in found and not (mark and _below(found, path)):
        return default
    value = found.get(path)
    if question == "type":
        return "dict" if path not in found else _type_name(value)
    if question == "len":
        return len(_below(found, path)) if not isinstance(value, str | list) else len(value)
    if isinstance(value, list | None) or not isinstance(value, bool | int | float | str):
        return default if value is None else value
    return _cast(str(value).lower() if isinstance(value, bool) else str(value), default, f"the parameter {key}")


def _below(found: Mapping[str, Any], path: str) -> set[str]:
    """Return the names of what a path holds."""
    start = f"{path}."
    return {name[len(start) :].partition(".")[0].partition("[")[0] for name in found if name.startswith(start)}


def _type_name(value: Any) -> str:
    names = {bool: "bool", int: "int", float: "float", str: "str", list: "list", type(None): "NoneType"}
    return names.get(type(value), type(value).__name__)


def _etcd(arguments: list[Value]) -> Value:
    key, default = _key_and_default(arguments)
    if key.startswith("/"):
        raise ValueError(f"the key {key!r} is absolute; keys are relative to etcd.watch_path")
    if _state.dynamic is None:
        with _state.lock:
            has_warned, _state.has_warned = _state.has_warned, True
        if not has_warned:
            logger.warning("etcd(%r): no etcd is configured; defaults are used", key)
        return default
    return _cast(_state.dynamic.get(key), default, f"the etcd key {key}")


def _key_and_default(arguments: list[Value]) -> tuple[str, Value]:
    if len(arguments) != 2 or not isinstance(arguments[0], str):
        raise TypeError("takes a key as text and a default")
    return arguments[0], arguments[1]


def _cast(text: str | None, default: Value, what: str) -> Value:
    """Return a text in the type of the default."""
    if text is None:
        return default
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]
        if isinstance(default, int):
            return int(text)
        if isinstance(default, float):
            return float(text)
    except (KeyError, ValueError):
        kind = type(default).__name__
        raise ValueError(f"{what} is {text!r}, which is not of type {kind}, as its default {default!r}") from None
    return text


provide_functions({"env": _env, "config": _config, "etcd": _etcd})
