"""Character classes of regular expressions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

Range = tuple[int, int]

LARGEST: Final = 0x10FFFF


def _ranges(spelling: str) -> tuple[Range, ...]:
    """Read pairs of characters: `09az` is 0 to 9 and a to z."""
    return tuple(
        (ord(spelling[index]), ord(spelling[index + 1])) for index in range(0, len(spelling), 2)
    )


PERL: Final = {
    "d": _ranges("09"),
    "s": _ranges("\t\n\f\r  "),
    "w": _ranges("09AZ__az"),
}

POSIX: Final = {
    "alnum": _ranges("09AZaz"),
    "alpha": _ranges("AZaz"),
    "ascii": _ranges("\x00\x7f"),
    "blank": _ranges("\t\t  "),
    "cntrl": _ranges("\x00\x1f\x7f\x7f"),
    "digit": _ranges("09"),
    "graph": _ranges("!~"),
    "lower": _ranges("az"),
    "print": _ranges(" ~"),
    "punct": _ranges("!/:@[`{~"),
    "space": _ranges("\t\r  "),
    "upper": _ranges("AZ"),
    "word": _ranges("09AZaz__"),
    "xdigit": _ranges("09AFaf"),
}

# One letter is a group of categories, two are a single one.
CATEGORIES: Final = frozenset(
    {*"CLMNPSZ"}
    | {"Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No"}
    | {"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs"}
)


def is_word(char: str) -> bool:
    """Return whether a character is an ASCII letter, an ASCII digit or an underscore."""
    return char.isascii() and (char.isalnum() or char == "_")


class CharacterClass:
    """A set of characters.

    Args:
        ranges: Ranges of code points.
        category: A general category of Unicode, or a group of them; empty for all.
        inner: Classes inside this one, whose own negation comes first.
        negated: Whether the set is the complement of these.
        fold: Whether case is ignored, which comes before the negation.
    """

    __slots__ = ("_category", "_fold", "_inner", "_negated", "_ranges")

    def __init__(
        self,
        ranges: Sequence[Range] = (),
        *,
        category: str | None = None,
        inner: Sequence[CharacterClass] = (),
        negated: bool = False,
        fold: bool = False,
    ) -> None:
        self._ranges = tuple(ranges)
        self._category = category
        self._inner = tuple(inner)
        self._negated = negated
        self._fold = fold

    def has(self, char: str) -> bool:
        """Return whether the set has a character."""
        found = self._has(char)
        if not found and self._fold:
            found = any(map(self._has, variants(char)))
        return found is not self._negated

    def _has(self, char: str) -> bool:
        code = ord(char)
        for low, high in self._ranges:
            if low <= code <= high:
                return True
        if self._category is not None and unicodedata.category(char).startswith(self._category):
            return True
        return any(part.has(char) for part in self._inner)


# Characters that no single step of lower() or upper() reaches from their lower-case form.
# Escaped, since many look like other letters.
_RARE: Final = {
    "k": "\u212a",
    "s": "\u017f",
    "\u00e5": "\u212b",
    "\u03bc": "\u00b5",
    "\u00df": "\u1e9e",
    "\u03b9": "\u0345\u1fbe",
    "\u03b2": "\u03d0",
    "\u03b5": "\u03f5",
    "\u03b8": "\u03d1\u03f4",
    "\u03ba": "\u03f0",
    "\u03c0": "\u03d6",
    "\u03c1": "\u03f1",
    "\u03c3": "\u03c2",
    "\u03c6": "\u03d5",
    "\u03c9": "\u2126",
    "\u0432": "\u1c80",
    "\u0434": "\u1c81",
    "\u043e": "\u1c82",
    "\u0441": "\u1c83",
    "\u0442": "\u1c84\u1c85",
    "\u044a": "\u1c86",
    "\u0463": "\u1c87",
    "\ua64b": "\u1c88",
    "\u1e61": "\u1e9b",
}
_DOTLESS_I: Final = "\u0131"


def variants(char: str) -> set[str]:
    """Return the single characters that differ from one by their case alone."""
    if char == _DOTLESS_I:
        return {char}
    found = {char.lower(), char.upper(), char.title()}
    found |= {form.lower() for form in found} | {form.upper() for form in found}
    found |= {rare for form in found for rare in _RARE.get(form, "")}
    return {form for form in found if len(form) == 1}
