"""Secrets in memory: strings with a masked representation, and tracebacks without locals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar, overload

from talon_one._core.address import without_credentials

T = TypeVar("T")

MASK = "***"


class Secret(str):
    """Text whose representation is `MASK`; in every other way it is the text.

    Tools that report the local variables of a failed call show representations.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Secret:
        # Not `str(text)`, which a subclass may override.
        return str.__new__(cls, str.__str__(text))

    def __repr__(self) -> str:
        return repr(MASK)


class SecretUrl(Secret):
    """A URL whose representation leaves out user and password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(without_credentials(self))


class Secrets(dict[str, Any]):
    """A dict whose texts become secrets, except under harmless names.

    Args:
        given: Initial items.
        harmless: Names, in lower case, whose texts may be shown.
    """

    __slots__ = ("_harmless",)

    def __init__(self, given: Any = (), harmless: frozenset[str] = frozenset()) -> None:
        self._harmless = harmless
        super().__init__()
        self.update(given)

    def __setitem__(self, name: str, value: Any) -> None:
        harmless = isinstance(name, str) and name.lower() in self._harmless
        super().__setitem__(name, value if harmless else hidden(value))

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a value, after setting it if there was none."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *given: Any, **named: Any) -> None:
        """Set several values."""
        for name, value in dict(*given, **named).items():
            self[name] = value

    def __ior__(self, given: Any) -> Secrets:  # type: ignore[override,misc]  # as dict does
        self.update(given)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self._harmless)

    def __deepcopy__(self, memo: dict[int, Any]) -> Secrets:
        return type(self)(self, self._harmless)


@overload
def hidden(value: str) -> Secret: ...


@overload
def hidden(value: T) -> T: ...


def hidden(value: Any) -> Any:
    """Return text as a `Secret`, and anything else as it is."""
    kind = type(value)  # An object that only pretends to be text cannot be converted.
    return Secret(value) if issubclass(kind, str) and not issubclass(kind, Secret) else value


@overload
def hidden_url(value: str) -> str: ...


@overload
def hidden_url(value: T) -> T: ...


def hidden_url(value: Any) -> Any:
    """Return a URL with user or password as a `SecretUrl`, anything else as it is."""
    return SecretUrl(value) if issubclass(type(value), str) and "@" in value else value


def hidden_values(given: Any, harmless: frozenset[str] = frozenset()) -> Any:
    """Return a copy of a mapping with its texts as secrets; anything else as it is."""
    return Secrets(given, harmless) if isinstance(given, Mapping) else given


def plain_str(text: str) -> str:
    """Return text of a subclass of `str` as plain `str`, whatever the subclass overrides."""
    return text if isinstance(text, Secret) else str.__str__(text)


# They concatenate headers, so that their locals hold secrets in clear text.
_LIBRARIES = frozenset(
    {"aiohappyeyeballs", "aiohttp", "asyncio", "http", "socket", "socks", "ssl", "urllib3", "yarl"}
)
_TRANSPORTS = ("talon_one._http.", "talon_one._vendor.rest", "talon_one.aio.")


def clear_locals(failure: BaseException) -> None:
    """Clear the locals of finished transport frames in the traceback of a failure.

    Line numbers stay. Frames of the caller's code, such as the file of an upload, keep theirs.
    """
    for each in _chain(failure):
        step: TracebackType | None = each.__traceback__
        while step is not None:
            frame, step = step.tb_frame, step.tb_next
            module = str(frame.f_globals.get("__name__", ""))
            if module.partition(".")[0] in _LIBRARIES or module.startswith(_TRANSPORTS):
                try:
                    frame.clear()
                except RuntimeError:
                    continue  # The frame is still running.


def _chain(failure: BaseException) -> Iterable[BaseException]:
    seen: set[int] = set()
    left: list[BaseException | None] = [failure]
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += (each.__cause__, each.__context__)
