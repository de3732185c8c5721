"""Predicates on exceptions: what a failure means, where its class and status alone do not say.

::

    from talon_one import failures

    try:
        ...
    except talon_one.ApiException as failure:
        if not failures.is_state_conflict(failure):
            raise

Every predicate accepts any object and returns a bool. It looks at the structure of the error
response first: status, and the titles and sources of `errors`. Only then it compares texts, because
the platform documents few of them and may change them. The functions do no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from talon_one._utils.guard import raised_by_signal
from talon_one.exceptions import ApiException, ModelValidationError

__all__ = [
    "is_credential_error",
    "is_duplicate",
    "is_not_found",
    "is_rate_limited",
    "is_state_conflict",
    "is_too_many_in_flight",
    "is_validation_error",
]

_BAD_REQUEST = 400
_UNAUTHORIZED = 401
_NOT_FOUND = 404
_CONFLICT = 409
_UNPROCESSABLE = 422
_TOO_MANY_REQUESTS = 429

# Titles of entries that find fault with a value as such, whatever the state of anything.
_VALUE_TITLES = frozenset({"enum", "invalid type", "malformed", "required", "unknown"})
_STATES = "open|closed|cancelled|canceled|partially[ _]returned"
_STATE_WORDS = re.compile(
    r"illegal state|invalid state|state transition"
    rf"|\bsession\b.*\b(?:{_STATES}|reopened)\b|\b(?:{_STATES}) session\b",
    re.IGNORECASE | re.DOTALL,
)
_DUPLICATE_WORDS = re.compile(
    r"\balready (?:exists?|in use|taken|used)\b|\bexists? already\b|\bduplicate\b", re.IGNORECASE
)
_IN_FLIGHT = "too many requests"
_INVALID_DATA = "the submitted data was invalid"
_WRONG_SIGNATURE = "hmac signature mismatch"

# A 409 of these operations means parallel requests or a limit, never a name that is taken.
_SERIALISED = frozenset(
    {
        "returnCartItems",
        "reopenCustomerSession",
        "trackEventV2",
        "updateCustomerProfileV2",
        "updateCustomerSessionV2",
    }
)

Predicate = Callable[[object], bool]


def _predicate(check: Callable[[ApiException], bool]) -> Predicate:
    """Make a check of a failed call a predicate on any object, which never raises."""

    def holds(error: object) -> bool:
        # The class of the type: the attribute `__class__` of a foreign object may raise.
        if not issubclass(type(error), ApiException):
            return False
        try:
            return check(error)  # type: ignore[arg-type]  # just checked
        except Exception as cause:  # A subclass of the caller may raise anything.
            if raised_by_signal(cause):
                raise
            return False

    # Not `functools.wraps`, which would show the narrower signature of the check.
    holds.__name__ = holds.__qualname__ = check.__name__
    holds.__doc__ = check.__doc__
    return holds


@_predicate
def is_not_found(error: ApiException) -> bool:
    """Return whether the platform says that an ID, a code or a path does not exist.

    That is a 404 with the body of the platform or with none. The 404 page of a gateway, such as one
    in HTML, says nothing about a session.
    """
    return error.status == _NOT_FOUND and (error.data is not None or not error.body)


@_predicate
def is_state_conflict(error: ApiException) -> bool:
    """Return whether a request was refused because of the state of a session.

    Such as closing a session that is closed already, or changing a cancelled one. That is a 400,
    409 or 422 with an entry about a property named ``state`` whose value as such is valid, or with
    a text about the state of a session.

    `talon_one.checkout` closes, cancels and reopens sessions without a guess: it reads the session.
    """
    if error.status not in (_BAD_REQUEST, _CONFLICT, _UNPROCESSABLE) or _in_flight(error):
        return False
    entries = list(_entries(error))
    others = [each for each in entries if each.title.lower() not in _VALUE_TITLES]
    if any(each.last == "state" for each in others):
        return True
    if entries and not others:
        return False
    texts = [error.message or "", *(f"{each.title}: {each.details}" for each in others)]
    return any(_STATE_WORDS.search(text) for text in texts)


@_predicate
def is_too_many_in_flight(error: ApiException) -> bool:
    """Return whether too many requests for one session or profile were in flight: a 409.

    It passes when the others are done. The client has retried it already; `calls_per_id` avoids it.
    """
    return _in_flight(error)


@_predicate
def is_rate_limited(error: ApiException) -> bool:
    """Return whether the rate limit was exceeded: a 429. `retry_after` may say how long to wait."""
    return error.status == _TOO_MANY_REQUESTS


@_predicate
def is_duplicate(error: ApiException) -> bool:
    """Return whether a name, an ID or a code is in use already.

    Such as an audience, a store or a loyalty card that exists, or the ID of an event that was sent
    before: a 409, unless the operation responds 409 to parallel requests only; or a 400 or 422 that
    says so.
    """
    if error.status == _CONFLICT:
        return error.operation_id not in _SERIALISED and not _in_flight(error)
    if error.status not in (_BAD_REQUEST, _UNPROCESSABLE):
        return False
    entries = list(_entries(error))
    if any(each.title.lower() == "duplicate" for each in entries):
        return True
    texts = [error.message or "", *(each.details for each in entries)]
    return any(_DUPLICATE_WORDS.search(text) for text in texts)


@_predicate
def is_credential_error(error: ApiException) -> bool:
    """Return whether the credential is missing, unknown or expired, or the signature is wrong.

    That is a 401, or the 400 for a wrong signature. Every other call will fail as well.
    """
    if error.status == _BAD_REQUEST:
        return (error.message or "").lower().startswith(_WRONG_SIGNATURE)
    return error.status == _UNAUTHORIZED


@_predicate
def _is_refused_as_invalid(error: ApiException) -> bool:
    if error.status not in (_BAD_REQUEST, _UNPROCESSABLE):
        return False
    if is_state_conflict(error) or is_credential_error(error) or is_duplicate(error):
        return False
    if any(each.has_source for each in _entries(error)):
        return True
    return (error.message or "").lower().startswith(_INVALID_DATA)


def is_validation_error(error: object) -> bool:
    """Return whether the content of a request is invalid: the same request never succeeds.

    Either the client found the violations before it sent anything (`ModelValidationError`), or the
    platform did: a 400 or 422 whose entries point at a property, a parameter or a line. A request
    that is valid, but not in the current state of the session, is an `is_state_conflict`.
    """
    return issubclass(type(error), ModelValidationError) or _is_refused_as_invalid(error)


class _Entry:
    """An entry of `errors`, read leniently."""

    def __init__(self, entry: Mapping[str, object]) -> None:
        self.title = _text(entry.get("title"))
        self.details = _text(entry.get("details"))
        source = entry.get("source")
        self._source = source if isinstance(source, Mapping) else {}

    @property
    def last(self) -> str:
        """Name of the property that the entry points at."""
        return _text(self._source.get("pointer")).rpartition("/")[2]

    @property
    def has_source(self) -> bool:
        """Whether the entry says which part of the request it is about."""
        return any(_text(self._source.get(name)) for name in ("pointer", "parameter", "line"))


def _entries(error: ApiException) -> Iterator[_Entry]:
    return map(_Entry, error.errors)


def _in_flight(error: ApiException) -> bool:
    return error.status == _CONFLICT and (error.message or "").lower().startswith(_IN_FLIGHT)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
