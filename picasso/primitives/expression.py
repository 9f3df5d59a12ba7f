"""Expressions of queries and of ``eval_expr``: text into a tree, and the tree into a value.

The grammar, loosest first: ``a; b`` (the value of the last), ``name = value``, ``a, b`` (a tuple), ``||``, ``&&``,
comparisons, ``+ -``, ``* / %``, ``-a !a``, ``^``, calls ``f(a, b)``. Values are booleans, whole numbers of 64 bits,
floating-point numbers, text in double quotes, tuples and the empty value ``()``.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NoReturn

from picasso.errors import ExpressionError

Value = bool | int | float | str | list[Any] | None
"""A tuple is a list, the empty value is None."""
Function = Callable[[list[Value]], Value]
"""Takes the arguments of a call."""
MAX_DEPTH: Final = 100
"""Operators and parentheses within each other."""
MAX_LENGTH: Final = 100_000
"""Characters of an expression."""

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:(?:::|\.)[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%^!<>=,;()])
    )""",
    re.VERBOSE,
)
_ESCAPES: Final = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r"}
_LOW, _HIGH = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: ``constant``, ``name``, ``call``, ``tuple``, ``chain``, ``assign``, or an operator."""

    kind: str
    at: int
    value: Any = None
    parts: tuple[Node, ...] = ()


_BINARY: Final = {"||": 1, "&&": 2, **dict.fromkeys(("==", "!=", "<", ">", "<=", ">="), 3), "+": 4, "-": 4}
_BINARY.update(dict.fromkeys(("*", "/", "%"), 5))


def parse(text: str) -> Node:
    """Parse an expression.

    Raises:
        ExpressionError: It does not follow the grammar.
    """
    return _Parser(text).whole()


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        if len(text) > MAX_LENGTH:
            self._fail(f"longer than {MAX_LENGTH} characters", 0)
        self._tokens = self._split()
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._chain()
        if self._token.kind != "end":
            self._fail(f"unexpected {self._token.text!r}", self._token.at)
        return node

    def _split(self) -> list[_Token]:
        tokens, at = [], 0
        end = len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                self._fail(f"unexpected {self._text[at]!r}", at)
            kind = str(match.lastgroup)
            tokens.append(_Token(kind, match[kind], match.start(kind)))
            at = match.end()
        return [*tokens, _Token("end", "the end", end)]

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _takes(self, text: str) -> bool:
        token = self._token
        found = token.kind == "operator" and token.text == text
        self._next += found
        return found

    def _chain(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} deep", self._token.at)
        at = self._token.at
        parts = [self._assignment()]
        while self._takes(";"):
            parts.append(self._assignment())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Node("chain", at, parts=tuple(parts))

    def _assignment(self) -> Node:
        if self._ends():
            return Node("constant", self._token.at, None)
        target = self._list()
        if self._takes("="):
            if target.kind != "name":
                self._fail("only a name can be assigned to", target.at)
            return Node("assign", target.at, target.value, (self._assignment(),))
        return target

    def _ends(self) -> bool:
        token = self._token
        return token.kind == "end" or (token.kind == "operator" and token.text in (";", ")"))

    def _list(self) -> Node:
        at = self._token.at
        parts = [self._operation(1)]
        while self._takes(","):
            parts.append(self._operation(1))
        return parts[0] if len(parts) == 1 else Node("tuple", at, parts=tuple(parts))

    def _operation(self, least: int) -> Node:
        left = self._unary()
        while (token := self._token).kind == "operator" and _BINARY.get(token.text, 0) >= least:
            self._next += 1
            right = self._operation(_BINARY[token.text] + 1)
            left = Node(token.text, token.at, parts=(left, right))
        return left

    def _unary(self) -> Node:
        token = self._token
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} deep", token.at)
        if self._takes("-"):
            node = Node("negate", token.at, parts=(self._unary(),))
        elif self._takes("!"):
            node = Node("not", token.at, parts=(self._unary(),))
        else:
            node = self._atom()
            at = self._token.at
            if self._takes("^"):
                node = Node("^", at, parts=(node, self._unary()))
        self._depth -= 1
        return node

    def _atom(self) -> Node:
        token = self._token
        self._next += 1
        if token.kind == "number":
            return Node("constant", token.at, self._number(token))
        if token.kind == "text":
            return Node("constant", token.at, self._unquoted(token))
        if token.kind == "name":
            if token.text in ("true", "false"):
                return Node("constant", token.at, token.text == "true")
            if self._takes("("):
                return Node("call", token.at, token.text, self._arguments(token))
            return Node("name", token.at, token.text)
        if token.text != "(":
            self._fail(f"unexpected {token.text!r}", token.at)
        node = self._chain()
        self._close(token)
        return Node("group", token.at, parts=(node,))

    def _arguments(self, token: _Token) -> tuple[Node, ...]:
        if self._takes(")"):
            return ()
        node = self._chain()
        self._close(token)
        return node.parts if node.kind == "tuple" else (node,)

    def _close(self, opened: _Token) -> None:
        if not self._takes(")"):
            self._fail(f"the parenthesis of {opened.text!r} is not closed", opened.at)

    def _number(self, token: _Token) -> int | float:
        if token.text.startswith("0x"):
            number: int | float = int(token.text, 16)
        elif re.fullmatch(r"\d+", token.text):
            number = int(token.text)
        else:
            return float(token.text)
        if number > _HIGH:
            self._fail(f"{token.text} does not fit 64 bits", token.at)
        return number

    def _unquoted(self, token: _Token) -> str:
        def replaced(match: re.Match[str]) -> str:
            if match[0] not in _ESCAPES:
                self._fail(f"unknown escape {match[0]}", token.at)
            return _ESCAPES[match[0]]

        return re.sub(r"\\.", replaced, token.text[1:-1], flags=re.DOTALL)

    def _fail(self, why: str, at: int) -> NoReturn:
        raise ExpressionError(f"{self._text!r:.200}: {why} at {at}")


def evaluate(
    node: Node, text: str, functions: Mapping[str, Function], names: Callable[[str], Value] | None = None
) -> Value:
    """Return the value of a parsed expression.

    Args:
        node: What ``parse`` returned.
        text: Its text, for messages.
        functions: What can be called, by name.
        names: Returns the value of a name that the expression does not assign, and raises ``LookupError`` for one that
            it does not know.

    Raises:
        ExpressionError: Types do not fit, a name is unknown, a number is divided by 0 or grows beyond 64 bits.
    """
    return _Evaluation(text, functions, names or _no_names).value(node)


class _Evaluation:
    """One run of an expression, with the names that it assigns."""

    def __init__(self, text: str, functions: Mapping[str, Function], names: Callable[[str], Value]) -> None:
        self._text = text
        self._functions = functions
        self._given = names
        self._names: dict[str, Value] = {}

    def value(self, node: Node) -> Value:
        evaluate_kind = self._LAZY.get(node.kind)
        if evaluate_kind is not None:
            return evaluate_kind(self, node)
        return self._operate(node, *[self.value(part) for part in node.parts])

    def _constant(self, node: Node) -> Value:
        value: Value = node.value
        return value

    def _group(self, node: Node) -> Value:
        return self.value(node.parts[0])

    def _name(self, node: Node) -> Value:
        if node.value in self._names:
            return self._names[node.value]
        try:
            return self._given(node.value)
        except LookupError:
            self._fail(f"unknown name {node.value!r}; text stands in double quotes", node)

    def _tuple(self, node: Node) -> Value:
        return [self.value(part) for part in node.parts]

    def _chain(self, node: Node) -> Value:
        return [self.value(part) for part in node.parts][-1]

    def _assign(self, node: Node) -> Value:
        self._names[node.value] = self.value(node.parts[0])
        return None

    def _not(self, node: Node) -> Value:
        return not self._boolean(self.value(node.parts[0]), node)

    def _negate(self, node: Node) -> Value:
        return self._whole(-self._number(self.value(node.parts[0]), node), node)

    def _logical(self, node: Node) -> bool:
        left = self._boolean(self.value(node.parts[0]), node)
        if left is (node.kind == "||"):
            return left
        return self._boolean(self.value(node.parts[1]), node)

    def _call(self, node: Node) -> Value:
        function = self._functions.get(node.value)
        if function is None:
            self._fail(f"unknown function {node.value!r}; one of {', '.join(sorted(self._functions))}", node)
        arguments = [self.value(part) for part in node.parts]
        try:
            return function(arguments)
        except (TypeError, ValueError, LookupError) as error:
            if isinstance(error, ExpressionError):
                raise
            self._fail(f"{node.value}: {error}", node)

    def _operate(self, node: Node, left: Value, right: Value) -> Value:
        kind = node.kind
        if kind in ("==", "!="):
            return _equal(left, right) is (kind == "==")
        if isinstance(left, str) and isinstance(right, str):
            if kind == "+":
                return left + right
            if kind in _ORDER:
                return bool(_ORDER[kind](left, right))
        a, b = self._number(left, node), self._number(right, node)
        if kind in _ORDER:
            return bool(_ORDER[kind](a, b))
        try:
            result = _ARITHMETIC[kind](a, b)
        except ZeroDivisionError:
            self._fail("division by zero", node)
        except OverflowError:
            self._fail("the number is too large", node)
        except ValueError:
            return math.nan  # a root of a negative number
        return self._whole(result, node)

    def _number(self, value: Value, node: Node) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._fail(f"{node.kind!r} takes numbers, got {_shown(value)}", node)
        return value

    def _boolean(self, value: Value, node: Node) -> bool:
        if not isinstance(value, bool):
            self._fail(f"{node.kind!r} takes true or false, got {_shown(value)}", node)
        return value

    def _whole(self, value: int | float, node: Node) -> int | float:
        if isinstance(value, int) and not _LOW <= value <= _HIGH:
            self._fail("the number does not fit 64 bits", node)
        return value

    _LAZY: ClassVar[dict[str, Callable[[_Evaluation, Node], Value]]] = {
        "constant": _constant,
        "group": _group,
        "name": _name,
        "call": _call,
        "tuple": _tuple,
        "chain": _chain,
        "assign": _assign,
        "not": _not,
        "negate": _negate,
        "&&": _logical,
        "||": _logical,
    }
    """What does not simply take the values of its parts."""

    def _fail(self, why: str, node: Node) -> NoReturn:
        raise ExpressionError(f"{self._text!r:.200}: {why} at {node.at}")


def _no_names(name: str) -> Value:
    raise LookupError(name)


def _equal(left: Value, right: Value) -> bool:
    """Compare values, each only with its own kind: a whole number is not a number."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return left == right


def _divided(a: int | float, b: int | float) -> int | float:
    """Divide; whole numbers give the whole part of the quotient, as in C."""
    if isinstance(a, int) and isinstance(b, int):
        quotient = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient
    return a / b if b else math.copysign(math.inf, a) * math.copysign(1, b) if a else math.nan


def _remainder(a: int | float, b: int | float) -> int | float:
    """Return what is left, with the sign of ``a``, as in C."""
    if isinstance(a, int) and isinstance(b, int):
        left = abs(a) % abs(b)
        return left if a >= 0 else -left
    return math.fmod(a, b) if b else math.nan


_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
    "^": math.pow,
}


def _shown(value: Value) -> str:
    names: dict[type, str] = {bool: "boolean", int: "whole number", float: "number", str: "text", list: "tuple"}
    return "the empty value" if value is None else f"the {names[type(value)]} {value!r:.60}"
