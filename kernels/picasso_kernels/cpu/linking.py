"""A kernel with what it calls replaced: by compiled functions, or by other plain ones."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

Plain = Callable[..., Any]
PACKAGE: Final = "picasso_kernels."


def linked(kernel: Plain, replace: Callable[[Plain], Any]) -> FunctionType:
    """Return a copy of a kernel in which each plain function of this package that it names is replaced."""
    scope = dict(kernel.__globals__)
    for name in _callees(kernel):
        scope[name] = replace(scope[name])
    made = FunctionType(kernel.__code__, scope, kernel.__name__, kernel.__defaults__, kernel.__closure__)
    made.__qualname__, made.__module__ = kernel.__qualname__, kernel.__module__
    return made


def _callees(kernel: Plain) -> list[str]:
    """Return the names by which a kernel calls plain functions of this package."""
    scope = kernel.__globals__
    names = [name for name in kernel.__code__.co_names if isinstance(scope.get(name), FunctionType)]
    return [name for name in names if is_ours(scope[name])]


def is_ours(function: Plain) -> bool:
    """Whether a function belongs to this package."""
    return function.__module__.startswith(PACKAGE)
