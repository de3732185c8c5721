"""Turn exceptions raised by objects of the caller into exceptions of this package."""

from __future__ import annotations

from types import CodeType, TracebackType

from talon_one.exceptions import ApiValueError, OpenApiException


class guarded:
    """Replace an exception of a caller's value, raised in the block, by one of ours.

    Printing, iterating or comparing a value may raise anything: a missing timestamp of pandas
    raises when asked for its time zone. Exceptions of signal handlers pass unchanged.

    Args:
        what: Description of the value, for the message.
        name: Its name.
    """

    __slots__ = ("_name", "_what")

    def __init__(self, what: str, name: str = "") -> None:
        self._what = what
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        cause: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(cause, Exception) and not must_propagate(cause):
            # Neither its message, which may hold a secret, nor its representation, which may fail.
            raise ApiValueError(
                f"{self._what}{self._name} cannot be read: {type(cause).__name__}"
            ) from cause


def safe_repr(value: object) -> str:
    """Return the representation of a value, or its type if that fails."""
    try:
        return repr(value)
    except Exception:  # As above, it may raise anything.
        return object.__repr__(value)


def must_propagate(cause: Exception) -> bool:
    """Return whether an exception raised by a value of the caller must pass unchanged.

    That is one of this package, a `MemoryError`, a warning, or one of a signal handler.
    """
    return isinstance(cause, (OpenApiException, MemoryError, Warning)) or raised_by_signal(cause)


def raised_by_signal(cause: BaseException) -> bool:
    """Return whether a signal handler raised an exception; it may run anywhere."""
    handlers = _codes_of_handlers()
    traceback = cause.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def _codes_of_handlers() -> set[CodeType]:
    import signal

    found = set()
    for number in range(1, signal.NSIG):  # Asking which ones are valid takes twice as long.
        handler = signal.getsignal(number)
        code = getattr(getattr(handler, "__func__", handler), "__code__", None)
        if isinstance(code, CodeType):
            found.add(code)
    return found
