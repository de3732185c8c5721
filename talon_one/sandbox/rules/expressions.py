"""Paths and `{{...}}` placeholders: read once, evaluated as closures.

    expression = sum of products, with `+ - * /`, parentheses and unary minus
    atom       = number | "text" | $path

Numbers are decimals of 16 significant digits, as in Talang. A text that is one placeholder gives
the value of its expression, any other text has its placeholders replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple, NoReturn

from talon_one.sandbox.rules.compiled import EvaluationError, Value, WrongType
from talon_one.sandbox.rules.entities import ROOTS, compile_path
from talon_one.sandbox.rules.scope import Scope
from talon_one.sandbox.values import format_time

# Digits and exponents are those of Talang. What is beyond them raises.
ARITHMETIC: Final = Context(prec=16, Emax=384, Emin=-383)
MAXIMUM_DEPTH: Final = 100
OPEN: Final = "{{"
CLOSE: Final = "}}"

_PATH = r"\$[A-Za-z]\w*(?:\.\w+)*"
_PATH_ALONE = re.compile(_PATH, re.ASCII)
_TOKEN = re.compile(
    rf"""\s*(?:(?P<number>\d+(?:\.\d+)?)
    |(?P<path>{_PATH})
    |"(?P<text>(?:[^"\\]|\\["\\])*)"
    |(?P<sign>[-+*/()])
    |(?P<close>\}}\}}))""",
    re.ASCII | re.VERBOSE,
)


class ExpressionError(ValueError):
    """A path or a placeholder that cannot be read.

    Attributes:
        place: Index of the character in the text.
    """

    def __init__(self, message: str, place: int) -> None:
        super().__init__(f"{message} at character {place + 1}")
        self.place = place


@dataclass(frozen=True, slots=True)
class Names:
    """Names in reach of expressions, besides those of entities.

    Attributes:
        known: Names that paths may begin with.
        functions: Functions of Talang programs, besides those of the language.
        used: Names that expressions have read, to find names that need each other.
        called: Functions that programs have called, in lower case.
    """

    known: Collection[str] = ()
    functions: Mapping[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)


class Template(NamedTuple):
    """A compiled text.

    Attributes:
        value: Its value.
        computed: Whether it has placeholders.
        whole: Whether it is one placeholder, whose value need not be a text.
    """

    value: Value
    computed: bool
    whole: bool


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def read_path(text: str, names: Names) -> Value:
    """Compile a bare path such as `$Session.Total`.

    Raises:
        ExpressionError: If it is not a path, or begins with an unknown name.
    """
    if _PATH_ALONE.fullmatch(text) is None:
        raise ExpressionError(f"{_short(text)} is not a path such as $Session.Total", 0)
    return _path(text, 0, names)


def read_text(text: str, names: Names) -> Template:
    """Compile a text with any number of placeholders.

    Raises:
        ExpressionError: If a placeholder cannot be read, or is not closed.
    """
    parts: list[str | Value] = []
    end = 0
    while (start := text.find(OPEN, end)) >= 0:
        if start > end:
            parts.append(text[end:start])
        value, end = _Parser(text, start + len(OPEN), names).read()
        parts.append(value)
    if not parts:
        return Template(lambda scope: text, computed=False, whole=False)
    if end < len(text):
        parts.append(text[end:])
    if len(parts) == 1 and not isinstance(parts[0], str):
        return Template(parts[0], computed=True, whole=True)

    def interpolate(scope: Scope) -> str:
        return "".join(part if isinstance(part, str) else text_of(part(scope)) for part in parts)

    return Template(interpolate, computed=True, whole=False)


def text_of(value: Any) -> str:
    """Return a value as a text: decimals without exponent, times in canonical form.

    Raises:
        WrongType: If the value is a list or an object.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, datetime):
        return format_time(value)
    raise WrongType("a list or an object has no text")


def _plain(number: Decimal) -> str:
    if not number.is_finite() or abs(number.adjusted()) > 40:
        return str(number)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Parser:
    """Recursive descent over the tokens of one placeholder."""

    def __init__(self, text: str, start: int, names: Names) -> None:
        self._text = text
        self._end = start
        self._names = names
        self._depth = 0
        self._token = self._next()

    def read(self) -> tuple[Value, int]:
        """Return the compiled expression, and the index behind the closing braces."""
        value = self._sum()
        if self._token.kind != "close":
            self._refuse()
        return value, self._token.place + len(CLOSE)

    def _sum(self) -> Value:
        value = self._product()
        while self._token.text in {"+", "-"} and self._token.kind == "sign":
            sign = self._take().text
            value = (
                _add(value, self._product())
                if sign == "+"
                else _calculate(ARITHMETIC.subtract, "-", value, self._product())
            )
        return value

    def _product(self) -> Value:
        value = self._factor()
        while self._token.text in {"*", "/"} and self._token.kind == "sign":
            if self._take().text == "*":
                value = _calculate(ARITHMETIC.multiply, "*", value, self._factor())
            else:
                value = _calculate(_divide, "/", value, self._factor())
        return value

    def _factor(self) -> Value:
        negative = False
        while self._token.kind == "sign" and self._token.text == "-":
            self._take()
            negative = not negative
        value = self._atom()
        return (
            _calculate(ARITHMETIC.subtract, "-", lambda scope: _ZERO, value) if negative else value
        )

    def _atom(self) -> Value:
        kind, text, place = self._token
        if kind == "number":
            self._take()
            number = ARITHMETIC.create_decimal(text)
            return lambda scope: number
        if kind == "text":
            self._take()
            unescaped = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
            return lambda scope: unescaped
        if kind == "path":
            self._take()
            return _path(text, place, self._names)
        if text != "(":
            self._refuse()
        return self._parentheses()

    def _parentheses(self) -> Value:
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise ExpressionError(
                f"parentheses nest deeper than {MAXIMUM_DEPTH}", self._token.place
            )
        self._take()
        value = self._sum()
        if self._token.text != ")":
            self._refuse()
        self._take()
        self._depth -= 1
        return value

    def _take(self) -> _Token:
        token = self._token
        self._token = self._next()
        return token

    def _next(self) -> _Token:
        match = _TOKEN.match(self._text, self._end)
        if match is None:
            place = self._end
            while place < len(self._text) and self._text[place].isspace():
                place += 1
            return _Token("unknown", self._text[place : place + 1], place)
        kind = match.lastgroup or ""
        self._end = match.end()
        return _Token(kind, match.group(kind), match.start(kind))

    def _refuse(self) -> NoReturn:
        kind, text, place = self._token
        if not text and kind == "unknown":
            raise ExpressionError("the placeholder has no closing }}", place)
        raise ExpressionError(f"unexpected {_short(text)}", place)


_ZERO: Final = Decimal(0)


def _path(text: str, place: int, names: Names) -> Value:
    root, *steps = text[1:].split(".")
    if root not in ROOTS:
        if root not in names.known:
            raise ExpressionError(f"nothing is named ${root}", place)
        names.used.add(root)
    return compile_path(root, steps)


def _divide(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise EvaluationError("division by zero", "divisionByZero")
    return ARITHMETIC.divide(left, right)


def _calculate(
    operation: Callable[[Decimal, Decimal], Decimal], sign: str, left: Value, right: Value
) -> Value:
    def evaluate(scope: Scope) -> Any:
        first, second = left(scope), right(scope)
        if first.__class__ is not Decimal or second.__class__ is not Decimal:
            raise WrongType(f"{sign} takes numbers")
        try:
            return operation(first, second)
        except ArithmeticError as cause:
            raise EvaluationError(f"{sign} has no result: the numbers are too large") from cause

    return evaluate


def _add(left: Value, right: Value) -> Value:
    def evaluate(scope: Scope) -> Any:
        first, second = left(scope), right(scope)
        if first.__class__ is Decimal and second.__class__ is Decimal:
            try:
                return ARITHMETIC.add(first, second)
            except ArithmeticError as cause:
                raise EvaluationError("+ has no result: the numbers are too large") from cause
        if isinstance(first, str) and isinstance(second, str):
            return first + second
        raise WrongType("+ takes two numbers or two texts")

    return evaluate


def _short(text: str) -> str:
    return repr(text if len(text) <= 50 else f"{text[:50]}...")
