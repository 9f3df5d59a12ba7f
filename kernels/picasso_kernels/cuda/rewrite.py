"""Plain functions made into others: with some of what they call replaced, and computing in 32 bits.

A kernel is built from parts: a writer names ``pixels``, and is bound to the reader that takes its place.

Numba types every sum of two int32 as int64, which a GPU adds and multiplies in several instructions each. Here each
operation and each constant of a function's source is wrapped in a cast to int32; LLVM then folds the widening away.
Nothing is lost: what kernels compute fits 32 bits by design, and the tests run them with an integer that refuses to
overflow.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, TypeAlias

Plain: TypeAlias = Callable[..., Any]

_CAST = "__int32"
"""Name of the cast in the rewritten functions' globals."""
_PACKAGE = "picasso_kernels."


class _CastNumbers(ast.NodeTransformer):
    """Wrap every arithmetic operation and every whole number in a cast; ``named`` are global names of whole numbers."""

    def __init__(self, named: frozenset[str]) -> None:
        self.named = named

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """``HALF`` becomes ``int32(HALF)``: a sum that starts from it, and grows in a loop, has 32 bits too."""
        return _cast(node) if node.id in self.named and isinstance(node.ctx, ast.Load) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """``a + b`` becomes ``int32(a + b)``."""
        self.generic_visit(node)
        return _cast(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """``-a`` becomes ``int32(-a)``; ``not a`` stays."""
        self.generic_visit(node)
        return node if isinstance(node.op, ast.Not) else _cast(node)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """``3`` becomes ``int32(3)``."""
        return _cast(node) if type(node.value) is int else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """``pair[0]`` keeps its index, which has to be a constant."""
        node.value = self.visit(node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        """``a += b`` becomes ``a = int32(a + b)``."""
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            raise TypeError(f"line {node.lineno}: only plain names may be assigned in place")
        sum_ = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return ast.copy_location(ast.Assign([node.target], _cast(ast.copy_location(sum_, node))), node)


def _cast(node: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(_CAST, ast.Load()), [node], []), node)


def narrow(function: Plain, names: Mapping[str, Any], cast: Any) -> FunctionType:
    """Return ``function`` with every operation and constant cast to 32 bits.

    Args:
        function: A plain function, whose source can be read.
        names: What its globals are to mean instead, e.g. compiled forms of the functions it calls.
        cast: The cast.
    """
    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is not a plain function")
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.returns = None
    for argument in definition.args.args:
        argument.annotation = None
    scope = {**function.__globals__, **names, _CAST: cast}
    known = set(function.__code__.co_names) - set(function.__code__.co_varnames)
    numbers = frozenset(name for name in known if type(scope.get(name)) is int)
    tree = ast.fix_missing_locations(_CastNumbers(numbers).visit(tree))
    exec(compile(tree, function.__code__.co_filename, "exec"), scope)  # the source is this package's own
    rewritten: FunctionType = scope[function.__name__]
    return rewritten


def bind(function: Plain, parts: Mapping[Plain, Plain]) -> Plain:
    """Return a plain function in which, and in all that it calls, some functions are replaced by others."""
    bound: Plain = rebuild(function, parts, {}, _with_globals)
    return bound


def rebuild(
    function: Plain, parts: Mapping[Plain, Plain], done: dict[Plain, Any], make: Callable[[Any, Mapping[str, Any]], Any]
) -> Any:
    """Make ``function`` again, after all the plain functions of this package that it calls.

    Args:
        function: A plain function.
        parts: Which function takes the place of which.
        done: What has been made of functions already; grows.
        make: Makes something of a function, given what its globals are to mean.
    """
    function = parts.get(function, function)
    if function not in done:
        scope = function.__globals__
        named = {name: scope.get(name) for name in function.__code__.co_names}
        called = {name: value for name, value in named.items() if isinstance(value, FunctionType) and _is_ours(value)}
        done[function] = make(function, {name: rebuild(value, parts, done, make) for name, value in called.items()})
    return done[function]


def _is_ours(function: FunctionType) -> bool:
    return function.__module__.startswith(_PACKAGE)


def _with_globals(function: FunctionType, names: Mapping[str, Any]) -> FunctionType:
    return FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)
