"""The requests of a sandbox as a test sees them: a sequence with assertions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, overload

from talon_one._utils.quoting import quoted
from talon_one.sandbox.contract.operations import method_name, named
from talon_one.sandbox.exchanges import Exchange, Exchanges
from talon_one.sandbox.matching import differences, distance

# pytest shows the line of the test, not the lines in here.
__tracebackhide__ = True

# Lines of a list in a message.
_SHOWN: Final = 20


class Requests(Sequence[Exchange]):
    """What was sent to a sandbox since it started or was last reset, oldest first.

    It always shows the present state. The sandbox keeps the last 10,000 requests, and up to 64 MB
    of bodies. Requests at its own door, `/_sandbox`, are not among them.

    An operation is given by the name of the SDK's method, such as `update_customer_session_v2`, or
    by its name in the API. A name that does not exist is a `ValueError`.

    Args:
        exchanges: The log.
        operation: Name of the method that all requests are for, None for any.
    """

    def __init__(self, exchanges: Exchanges, operation: str | None = None) -> None:
        self._exchanges = exchanges
        self._operation = operation

    def __len__(self) -> int:
        return len(self._exchanges) if self._operation is None else len(self._now())

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._now())

    @overload
    def __getitem__(self, index: int) -> Exchange: ...

    @overload
    def __getitem__(self, index: slice) -> list[Exchange]: ...

    def __getitem__(self, index: int | slice) -> Exchange | list[Exchange]:
        return self._now()[index]

    def __repr__(self) -> str:
        return f"<Requests {self._now()}>"

    @property
    def last(self) -> Exchange:
        """The latest request.

        Raises:
            LookupError: If there is none, with what was sent instead.
        """
        found = self._now()
        if not found:
            if self._operation is None:
                raise LookupError("no request was made")
            raise LookupError(self._nothing(self._operation))
        return found[-1]

    def to(self, operation: str) -> Requests:
        """Return the requests for an operation.

        Args:
            operation: See the class.
        """
        return Requests(self._exchanges, method_name(named(operation)))

    def assert_sent(
        self, operation: str, *, times: int | None = None, body: Any = None
    ) -> Exchange:
        """Assert that requests were made for an operation, and return the last one of them.

        Args:
            operation: See the class.
            times: How many; None for one or more.
            body: What their JSON body has at least, as a dict or a model. Objects may have further
                properties; lists have the same entries in the same order. Values are compared by
                `==`, so `pytest.approx` and `unittest.mock.ANY` work.

        Raises:
            AssertionError: If it is not so, with what was sent instead.
        """
        if times is not None and (
            isinstance(times, bool) or not isinstance(times, int) or times < 1
        ):
            hint = "; assert_not_sent is for none" if times == 0 else ""
            raise ValueError(f"times is a whole number from 1, not {quoted(times)}{hint}")
        sent = self.to(operation)._now()
        found = _with_body(sent, body)
        if times is None and found:
            return found[-1]
        self._assert_complete()
        if times is not None and len(found) == times:
            return found[-1]
        name = method_name(named(operation))
        if not sent:
            raise AssertionError(self._nothing(name))
        if not found:
            raise AssertionError(_nearest(name, sent, body))
        condition = " with this body" if body is not None else ""
        raise AssertionError(
            f"{name} was sent {_times(len(found))}{condition}, not {_times(times or 0)}:"
            f"{_listed(found)}"
        )

    def assert_not_sent(self, operation: str, *, body: Any = None) -> None:
        """Assert that no request was made for an operation.

        Args:
            operation: See the class.
            body: What the body has at least, as for `assert_sent`; None for any body.

        Raises:
            AssertionError: If there was one.
        """
        name = method_name(named(operation))
        found = _with_body(self.to(operation)._now(), body)
        if found:
            condition = " with this body" if body is not None else ""
            raise AssertionError(
                f"{name} was sent {_times(len(found))}{condition}:{_listed(found)}"
            )
        self._assert_complete()

    def assert_sequence(self, operations: Iterable[str]) -> None:
        """Assert that these requests were made, in this order, and no others.

        Args:
            operations: See the class.

        Raises:
            AssertionError: If it is not so, with both sequences side by side.
        """
        if isinstance(operations, str) or not isinstance(operations, Iterable):
            raise ValueError(f"a sequence is a list of operations, not {quoted(operations)}")
        wanted = [method_name(named(each)) for each in operations]
        self._assert_complete()
        sent = [each.operation or f"{each.method} {each.target}" for each in self._now()]
        if sent != wanted:
            raise AssertionError(f"the requests are not these:\n{_side_by_side(wanted, sent)}")

    def _now(self) -> list[Exchange]:
        every = list(self._exchanges)
        if self._operation is None:
            return every
        return [each for each in every if each.operation == self._operation]

    def _assert_complete(self) -> None:
        dropped = self._exchanges.dropped
        if dropped:
            raise AssertionError(
                f"the first {dropped} requests are not kept any more, so this cannot be asserted:"
                " reset the sandbox before what you test"
            )

    def _nothing(self, operation: str) -> str:
        what = f"no request was made for {operation}"
        every = list(self._exchanges)
        return (
            f"{what}; what was sent:{_listed(every)}" if every else f"{what}, and no other either"
        )


def _with_body(sent: list[Exchange], body: Any) -> list[Exchange]:
    if body is None:
        return sent
    return [each for each in sent if not differences(body, each.body)]


def _nearest(name: str, sent: list[Exchange], body: Any) -> str:
    """Return the message for requests with other bodies: how the nearest one differs."""
    nearest = min(reversed(sent), key=lambda each: distance(body, each.body))
    found = differences(body, nearest.body)
    which = f"request {nearest.number}"
    if len(sent) > 1:
        which = f"{which}, the nearest of {len(sent)},"
    lines = "".join(f"\n  {each}" for each in _shortened(found))
    return f"{name} was not sent with this body; {which} differs:{lines}"


def _listed(sent: list[Exchange]) -> str:
    return "".join(f"\n  {each}" for each in _shortened([_line(each) for each in sent]))


def _line(sent: Exchange) -> str:
    status = sent.status or "no response"
    fault = f" ({sent.fault})" if sent.fault else ""
    target = quoted(sent.target, 200)[1:-1]
    operation = sent.operation or "no operation"
    return f"{sent.number}. {operation}: {sent.method} {target} -> {status}{fault}"


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= _SHOWN:
        return lines
    return [*lines[: _SHOWN - 1], f"... and {len(lines) - _SHOWN + 1} more"]


def _side_by_side(wanted: list[str], sent: list[str]) -> str:
    from difflib import SequenceMatcher

    lines = []
    for kind, start, end, begin, until in SequenceMatcher(None, wanted, sent, False).get_opcodes():
        if kind == "equal":
            lines += [f"    {each}" for each in sent[begin:until]]
        else:
            lines += [f"  - {each} (expected)" for each in wanted[start:end]]
            lines += [f"  + {each} (sent)" for each in sent[begin:until]]
    return "\n".join(_shortened(lines))


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
