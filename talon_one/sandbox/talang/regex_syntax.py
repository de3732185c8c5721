"""Parse regular expressions in the syntax of RE2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.regex_classes import (
    CATEGORIES,
    LARGEST,
    PERL,
    POSIX,
    CharacterClass,
    Range,
)

MAXIMUM_PATTERN: Final = 1000
MAXIMUM_REPEAT: Final = 1000
MAXIMUM_NESTING: Final = 50

_ESCAPES: Final = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_BOUNDS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_ANCHORS: Final = {"A": "text start", "z": "text end", "b": "word", "B": "no word"}


@dataclass(frozen=True)
class Anchor:
    """A condition on the place: `text start`, `line end`, `word` and so on."""

    condition: str


@dataclass(frozen=True)
class Sequence:
    """One expression after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """One of several expressions."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """An expression several times; `maximum` is `None` if there is no limit."""

    part: Node
    minimum: int
    maximum: int | None


Node = CharacterClass | Anchor | Sequence | Choice | Repeat


@dataclass(frozen=True)
class _Flags:
    fold: bool = False
    lines: bool = False
    dot_all: bool = False


def parse(pattern: str) -> Node:
    """Parse a pattern. Greediness and group names are read and forgotten.

    Raises:
        TalangError: If the pattern is not one of RE2, or is too long or too deep.
    """
    if len(pattern) > MAXIMUM_PATTERN:
        raise TalangError(f"a regular expression has more than {MAXIMUM_PATTERN} characters")
    return _Parser(pattern).parse()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._nesting = 0

    def parse(self) -> Node:
        node, _ = self._choice(_Flags())
        if self._at < len(self._pattern):
            self._fail("has a ) without a (")
        _check_repeats(node, MAXIMUM_REPEAT)
        return node

    def _fail(self, message: str) -> NoReturn:
        raise TalangError(f"the regular expression {message} at character {self._at}")

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if self._pattern.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _choice(self, flags: _Flags) -> tuple[Node, _Flags]:
        choices: list[Node] = []
        while True:
            sequence, flags = self._sequence(flags)
            choices.append(sequence)
            if not self._take("|"):
                break
        return (choices[0] if len(choices) == 1 else Choice(tuple(choices))), flags

    def _sequence(self, flags: _Flags) -> tuple[Node, _Flags]:
        parts: list[Node] = []
        repeated = False
        while (char := self._next()) and char not in "|)":
            bounds = self._repetition()
            if bounds is not None:
                if not parts or repeated:
                    self._fail("stacks repetitions" if repeated else "repeats nothing")
                parts[-1] = Repeat(parts[-1], *bounds)
                repeated = True
                continue
            repeated = False
            if self._take(r"\Q"):
                parts += [_char(ord(letter), flags) for letter in self._quoted()]
            elif self._take("(?"):
                node, flags = self._special_group(flags)
                if node is not None:
                    parts.append(node)
            else:
                parts.append(self._atom(flags))
        return Sequence(tuple(parts)), flags

    def _quoted(self) -> str:
        start, end = self._at, self._pattern.find(r"\E", self._at)
        self._at = end + 2 if end >= 0 else len(self._pattern)
        return self._pattern[start : end if end >= 0 else None]

    def _repetition(self) -> tuple[int, int | None] | None:
        """Read a repetition, lazy or not, and return its bounds."""
        if self._next() and self._next() in _BOUNDS:
            bounds = _BOUNDS[self._next()]
            self._at += 1
        else:
            counted = self._counted_repetition()
            if counted is None:
                return None
            bounds = counted
        self._take("?")
        return bounds

    def _counted_repetition(self) -> tuple[int, int | None] | None:
        if self._next() != "{":
            return None
        end = self._pattern.find("}", self._at)
        low, comma, high = self._pattern[self._at + 1 : max(end, 0)].partition(",")
        if end < 0 or not _is_count(low) or (high and not _is_count(high)):
            return None
        if len(low) > 4 or len(high) > 4 or int(low) > MAXIMUM_REPEAT:
            self._fail(f"repeats more than {MAXIMUM_REPEAT} times")
        minimum = int(low)
        maximum = (int(high) if high else None) if comma else minimum
        if maximum is not None and not minimum <= maximum <= MAXIMUM_REPEAT:
            self._fail("has impossible bounds of a repetition")
        self._at = end + 1
        return minimum, maximum

    def _atom(self, flags: _Flags) -> Node:
        char = self._next()
        if self._take("("):
            return self._group(flags)
        if self._take("["):
            return self._class(flags)
        if self._take("."):
            return CharacterClass((), negated=True) if flags.dot_all else _NOT_NEWLINE
        if self._take("^"):
            return Anchor("line start" if flags.lines else "text start")
        if self._take("$"):
            return Anchor("line end" if flags.lines else "text end")
        if self._take("\\"):
            return self._escape(flags)
        self._at += 1
        return _char(ord(char), flags)

    def _group(self, flags: _Flags) -> Node:
        self._nesting += 1
        if self._nesting > MAXIMUM_NESTING:
            self._fail(f"nests groups more than {MAXIMUM_NESTING} deep")
        node, _ = self._choice(flags)
        if not self._take(")"):
            self._fail("has a ( without a )")
        self._nesting -= 1
        return node

    def _special_group(self, flags: _Flags) -> tuple[Node | None, _Flags]:
        if self._take("P<") or (self._next() == "<" and self._take("<")):
            end = self._pattern.find(">", self._at)
            name = self._pattern[self._at : max(end, 0)]
            if not (name.isascii() and name.replace("_", "a").isalnum()):
                self._fail("has a group that RE2 does not know")
            self._at = end + 1
            return self._group(flags), flags
        values = {"i": flags.fold, "m": flags.lines, "s": flags.dot_all, "U": False}
        on = True
        while (char := self._next()) not in (")", ":"):
            if char == "-" and on:
                on = False
            elif char in values and char:
                values[char] = on
            else:
                self._fail("has a group that RE2 does not know")
            self._at += 1
        if self._pattern[self._at - 1] == "-":
            self._fail("has a group that RE2 does not know")
        changed = _Flags(values["i"], values["m"], values["s"])
        if self._take(":"):
            return self._group(changed), flags
        self._at += 1
        return None, changed

    def _escape(self, flags: _Flags) -> Node:
        char = self._next()
        if char and char in _ANCHORS:
            self._at += 1
            return Anchor(_ANCHORS[char])
        named = self._perl_class(flags) or self._unicode_class(flags)
        return named or _char(self._escaped_code(), flags)

    def _perl_class(self, flags: _Flags) -> CharacterClass | None:
        char = self._next()
        if not char or char.lower() not in PERL:
            return None
        self._at += 1
        return CharacterClass(PERL[char.lower()], negated=char.isupper(), fold=flags.fold)

    def _unicode_class(self, flags: _Flags) -> CharacterClass | None:
        char = self._next()
        if not char or char not in "pP":
            return None
        self._at += 1
        if self._take("{"):
            end = self._pattern.find("}", self._at)
            name = self._pattern[self._at : max(end, 0)]
            self._at = end + 1
        else:
            name = self._next()
            self._at += 1
        negated = (char == "P") is not name.startswith("^")
        name = name.removeprefix("^")
        if name == "Any":
            name = ""
        elif name not in CATEGORIES:
            self._fail(f"names {name[:30]!r}, which is not a general category of Unicode,")
        return CharacterClass(category=name, negated=negated, fold=flags.fold)

    def _escaped_code(self) -> int:
        char = self._next()
        self._at += 1
        if char and char in _ESCAPES:
            return _ESCAPES[char]
        if char == "x":
            return self._hexadecimal()
        if char and char in "01234567" and (char == "0" or self._next() in tuple("01234567")):
            digits = char
            while len(digits) < 3 and self._next() in tuple("01234567"):
                digits += self._next()
                self._at += 1
            return int(digits, 8)
        if not char or not char.isascii() or char.isalnum():
            self._at -= 1
            self._fail("has an escape that RE2 does not know")
        return ord(char)

    def _hexadecimal(self) -> int:
        if self._take("{"):
            end = self._pattern.find("}", self._at)
            digits = self._pattern[self._at : max(end, 0)]
            self._at = end + 1
        else:
            digits = self._pattern[self._at : self._at + 2]
            self._at += 2
            if len(digits) < 2:
                digits = ""
        known = set("0123456789abcdefABCDEF")
        if not 0 < len(digits) <= 8 or not set(digits) <= known or int(digits, 16) > LARGEST:
            self._fail("has an escape that RE2 does not know")
        return int(digits, 16)

    def _class(self, flags: _Flags) -> Node:
        negated = self._take("^")
        ranges: list[Range] = []
        inner: list[CharacterClass] = []
        first = True
        while first or self._next() != "]":
            if not self._next():
                self._fail("has a [ without a ]")
            first = False
            named = self._named_class(flags)
            if named is None:
                ranges.append(self._class_range())
            else:
                inner.append(named)
        self._at += 1
        return CharacterClass(ranges, inner=inner, negated=negated, fold=flags.fold)

    def _named_class(self, flags: _Flags) -> CharacterClass | None:
        if self._take("[:"):
            return self._posix_class(flags)
        if self._take("\\"):
            named = self._perl_class(flags) or self._unicode_class(flags)
            if named is not None:
                return named
            self._at -= 1
        return None

    def _class_range(self) -> Range:
        low = self._class_char()
        rest = self._pattern[self._at : self._at + 2]
        if len(rest) < 2 or rest[0] != "-" or rest[1] == "]":
            return low, low
        self._at += 1
        high = self._class_char()
        if high < low:
            self._fail("has a range that ends before it begins")
        return low, high

    def _class_char(self) -> int:
        if self._take("\\"):
            return self._escaped_code()
        char = self._next()
        if not char:
            self._fail("has a [ without a ]")
        self._at += 1
        return ord(char)

    def _posix_class(self, flags: _Flags) -> CharacterClass:
        end = self._pattern.find(":]", self._at)
        name = self._pattern[self._at : max(end, 0)]
        ranges = POSIX.get(name.removeprefix("^"))
        if end < 0 or ranges is None:
            self._fail("has a class that RE2 does not know")
        self._at = end + 2
        return CharacterClass(ranges, negated=name.startswith("^"), fold=flags.fold)


_NOT_NEWLINE: Final = CharacterClass(((10, 10),), negated=True)


def _char(code: int, flags: _Flags) -> CharacterClass:
    return CharacterClass(((code, code),), fold=flags.fold)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _check_repeats(node: Node, allowed: int) -> None:
    """Refuse repetitions that together repeat more than RE2 allows."""
    if isinstance(node, Repeat):
        count = node.minimum if node.maximum is None else node.maximum
        if count > 1:
            allowed //= count
        if allowed == 0:
            raise TalangError(f"the regular expression repeats more than {MAXIMUM_REPEAT} times")
        _check_repeats(node.part, allowed)
    elif isinstance(node, (Sequence, Choice)):
        for part in node.parts:
            _check_repeats(part, allowed)
