"""Options of the data source: what their text means, and which are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.bulk.folders import without_password
from talon_one.exceptions import ApiTypeError

# Beginnings, ends or middles of the names of keys, in small letters.
_SECRETS = ("key", "secret", "token", "pass", "pwd", "auth", "bearer", "sig", "cookie", "private")
# Python refuses to convert texts of thousands of digits.
_MAX_DIGITS = 18
_MIN_RATE = 1e-6
# Python reads digits of all scripts, and underscores between them.
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]{1,3})?")


class OptionReader:
    """Takes options one by one, and refuses what is left.

    Args:
        options: Options of a reader or writer, by name in any case.
        purpose: What they are for, for messages.

    Raises:
        ApiTypeError: There are none, or two are the same.
    """

    def __init__(self, options: Mapping[str, str], purpose: str) -> None:
        # Spark gives tables of a catalog none, or those of the table instead.
        if not options or "provider" in options:
            raise ApiTypeError(
                f"{purpose} needs options, and Spark does not hand on those of tables in a catalog:"
                " use spark.read and frame.write, or CREATE TEMPORARY VIEW ... USING talon_one"
                " OPTIONS (...) to read"
            )
        self._left: dict[str, tuple[str, str]] = {}
        self._purpose = purpose
        self._known: list[str] = []
        for name, value in options.items():
            if bare(name) in self._left:
                twice = self._left[bare(name)][0]
                raise ApiTypeError(f"{twice} and {name} are the same option: give one of them")
            self._left[bare(name)] = name, value

    def text(self, name: str, default: str | None = None) -> str | None:
        """Take an option as text; return the default if it is missing or empty."""
        self._known.append(name)
        _, value = self._left.pop(bare(name), (name, ""))
        return value.strip() or default

    def folder(self, name: str) -> str | None:
        """Take an option that is a path or a URL; return ``None`` if it is missing.

        Raises:
            ApiTypeError: The URL has a key in it.
        """
        text = self.text(name)
        if text is not None:
            query = text.partition("?")[2]
            if without_password(text) != text or ("://" in text and _is_secret(query)):
                raise ApiTypeError(
                    f"the option {name} is a URL with a key or a password, and Spark shows options"
                    " in plans and logs: set up the store on driver and executors, such as by the"
                    " settings of fsspec, and replace the one that was given here"
                )
        return text

    def word(self, name: str, words: Iterable[str], default: str | None = None) -> str:
        """Take an option that is one of some words.

        Raises:
            ApiTypeError: It is another one, or missing without a default.
        """
        known = list(words)
        text = self.text(name, default)
        if text in known:
            return str(text)
        hint = did_you_mean(text, known) if text else ""
        given = f", not {quoted(text)}.{hint}" if text else ", and is missing"
        raise ApiTypeError(f"the option {name} is one of {', '.join(known)}{given}")

    def number(self, name: str, *, minimum: int = 1) -> int | None:
        """Take an option that is a whole number; return ``None`` if it is missing.

        Raises:
            ApiTypeError: It is none, or too small.
        """
        text = self.text(name)
        return None if text is None else whole_number(name, text, minimum)

    def rate(self, name: str) -> float | None:
        """Take an option that is a number above 0; return ``None`` if it is missing.

        Raises:
            ApiTypeError: It is none.
        """
        text = self.text(name)
        if text is None:
            return None
        number = float(text) if _NUMBER.fullmatch(text) else 0.0
        if not _MIN_RATE <= number < float("inf"):
            raise ApiTypeError(
                f"the option {name} is a number above 0, at least {_MIN_RATE:f}, not {quoted(text)}"
            )
        return number

    def end(self, more: Collection[str] = ()) -> None:
        """Refuse options that were not taken.

        Args:
            more: Names of options that other cases have, for a better suggestion.

        Raises:
            ApiTypeError: There is one.
        """
        for name, _ in self._left.values():
            # Spark adds the path of `save(path)` and `load(path)`.
            if name in ("path", "paths"):
                raise ApiTypeError("talon_one has no path: call save() or load() without one")
            if _is_secret(name):
                # Without its value, which Spark has shown too often already.
                raise ApiTypeError(
                    f"{name} must not be an option, because Spark shows options in plans and"
                    ' logs: keys come from .option("credentials", ...), and the one that was'
                    " given here should be replaced"
                )
            if name.lower() == "host":
                raise ApiTypeError(
                    "host is no option: it comes from the same place as the keys, see"
                    ' .option("credentials", ...)'
                )
            if bare(name) in map(bare, more):
                raise ApiTypeError(f"{self._purpose} takes no option {name!r}")
            hint = did_you_mean(name, [*self._known, *more])
            raise ApiTypeError(f"{self._purpose} has no option {name!r}.{hint}")


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRETS)


def whole_number(name: str, text: str, minimum: int) -> int:
    """Return the whole number that is the text of an option.

    Raises:
        ApiTypeError: It is none, or too small.
    """
    digits = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    if digits and int(text) >= minimum:
        return int(text)
    raise ApiTypeError(f"the option {name} is a whole number from {minimum}, not {quoted(text)}")


def truth(name: str, text: str) -> bool:
    """Return the boolean that is the text of an option.

    Raises:
        ApiTypeError: It is none.
    """
    found = {"true": True, "false": False}.get(text.lower())
    if found is None:
        raise ApiTypeError(f"the option {name} is true or false, not {quoted(text)}")
    return found


def several(name: str, text: str, convert: Callable[[str, str], Any]) -> list[Any]:
    """Return the values of an option that are separated by commas, each once."""
    return list(dict.fromkeys(convert(name, part.strip()) for part in text.split(",")))


def bare(name: str) -> str:
    """Return a name as it is compared: Spark ignores the case, and Python writes underscores."""
    return name.replace("_", "").lower()
