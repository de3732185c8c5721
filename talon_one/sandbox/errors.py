"""Errors of a request, in the three body shapes of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

INVALID_DATA = "The submitted data was invalid"
# Entries of an `errors` list. The last one counts those that do not fit.
MAX_ERRORS: Final = 100
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Problem:
    """One entry of the `errors` list of a response.

    Attributes:
        title: Short class of the problem, such as `enum` or `Invalid type`.
        details: What is wrong, in one sentence.
        pointer: JSON pointer to the invalid part of the body, unless `parameter` is given.
        parameter: Name of the invalid query parameter or header.
        line: Number of the invalid line of the file, 0 if the problem is elsewhere.
    """

    title: str
    details: str
    pointer: str = ""
    parameter: str = ""
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON, with exactly one kind of source."""
        if self.line:
            source = {"line": str(self.line)}
        elif self.parameter:
            source = {"parameter": self.parameter}
        else:
            source = {"pointer": self.pointer}
        return {"title": self.title, "details": self.details, "source": source}


class ApiError(Exception):
    """A request is refused. Raised inside a transaction, it rolls the transaction back.

    Args:
        status: HTTP status code.
        message: Text of the `message` property.
        problems: Entries of the `errors` property.
        allow: Methods of the `Allow` header of a 405 response.
        bare: Whether the body consists of the message alone.
        unlisted: Whether the `errors` property is null.
        headers: Further headers of the response.
    """

    def __init__(
        self,
        status: int,
        message: str,
        problems: tuple[Problem, ...] = (),
        *,
        allow: tuple[str, ...] = (),
        bare: bool = False,
        unlisted: bool = False,
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = problems
        self.allow = allow
        self.bare = bare
        self.unlisted = unlisted
        self.headers: dict[str, str] = dict(headers)
        if allow:
            self.headers["Allow"] = ", ".join(allow)

    def body(self, *, with_status: bool = True) -> dict[str, Any]:
        """Return the response body.

        Args:
            with_status: Whether a 400 of the operation has the status as `StatusCode`; those of
                session operations do not.
        """
        if self.bare:
            return {"message": self.message}
        errors = None if self.unlisted else _listed(self.problems)
        body: dict[str, Any] = {"message": self.message, "errors": errors}
        if with_status or self.status != 400:
            body["StatusCode"] = self.status
        return body


def _listed(problems: tuple[Problem, ...]) -> list[dict[str, Any]]:
    if len(problems) <= MAX_ERRORS:
        return [problem.to_json() for problem in problems]
    shown = problems[: MAX_ERRORS - 1]
    more = Problem("More", f"{len(problems) - len(shown)} more problems are not listed")
    return [problem.to_json() for problem in (*shown, more)]


def invalid(*problems: Problem) -> ApiError:
    """Return the 400 that lists every problem of the submitted data."""
    return ApiError(400, INVALID_DATA, problems)


def not_found(what: str) -> ApiError:
    """Return the 404 for something that the path or the body names and that does not exist."""
    return ApiError(404, f"{what} not found")


def unauthorized() -> ApiError:
    """Return the 401, which never says what is wrong with the credential."""
    return ApiError(401, "Invalid or missing credentials")


def signature_mismatch() -> ApiError:
    """Return the error for a wrong `Content-Signature`: a 400, not a 401."""
    return ApiError(400, "HMAC signature mismatch.", bare=True)
