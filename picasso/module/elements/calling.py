"""Whether a user's function can be called as it will be: found out when it is loaded, not at its first frame."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from picasso.module.elements.loading import ElementError


def check_call(function: Callable[..., Any], what: str, count: int, kwargs: Mapping[str, Any] | None = None) -> None:
    """Refuse a function that cannot be called.

    Args:
        function: A function, or anything else that can be called.
        what: What it is called with, in words: ``a frame``.
        count: Positional arguments of that.
        kwargs: Keyword arguments beside them, from the YAML file.

    Raises:
        ElementError: Arguments are missing or unknown; the message names those that the function takes.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # one written in C, which does not say
    try:
        signature.bind(*[None] * count, **(kwargs or {}))
    except TypeError as error:
        given = f" and kwargs {', '.join(map(str, kwargs))}" if kwargs else ""
        raise ElementError(
            f"{name_of(function)} cannot be called with {what}{given}: {error}; its parameters are "
            f"{_listed(signature) or 'none'}"
        ) from None


def parameters_of(function: Callable[..., Any]) -> str:
    """Return a sentence part that names the parameters of a class or function; empty where it does not say."""
    try:
        listed = _listed(inspect.signature(function))
    except (TypeError, ValueError):
        return ""
    return f"; its parameters are {listed or 'none'}"


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function, a method or an object that can be called."""
    name: str = getattr(function, "__qualname__", None) or type(function).__name__
    return name.rpartition("<locals>.")[2]


def _listed(signature: inspect.Signature) -> str:
    return ", ".join(str(one.replace(annotation=inspect.Parameter.empty)) for one in signature.parameters.values())
