"""What goes wrong with a request, in the three body shapes the platform answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

INVALID_DATA = "The submitted data was invalid"


@dataclass(frozen=True)
class Problem:
    """One entry of the `errors` list of an answer.

    Attributes:
        title: Short class of the problem, such as `enum` or `Invalid type`.
        details: The whole story in one sentence.
        pointer: JSON pointer to the faulty part of the body, unless `parameter` is given.
        parameter: Name of the faulty query parameter or header.
        line: Number of the faulty line of the file, 0 if the fault is elsewhere.
    """

    title: str
    details: str
    pointer: str = ""
    parameter: str = ""
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the entry as it goes on the wire, with exactly one kind of source."""
        if self.line:
            source = {"line": str(self.line)}
        elif self.parameter:
            source = {"parameter": self.parameter}
        else:
            source = {"pointer": self.pointer}
        return {"title": self.title, "details": self.details, "source": source}


class ApiError(Exception):
    """A request that is refused. Raised inside a transaction, it undoes the transaction."""

    def __init__(
        self,
        status: int,
        message: str,
        problems: tuple[Problem, ...] = (),
        *,
        allow: tuple[str, ...] = (),
        bare: bool = False,
    ) -> None:
        """Describe the refusal.

        Args:
            status: HTTP status code.
            message: Text of the `message` property.
            problems: Entries of the `errors` property.
            allow: Methods named in the `Allow` header of a 405 answer.
            bare: Whether the body consists of the message alone.
        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = problems
        self.allow = allow
        self.bare = bare

    def body(self, *, with_status: bool = True) -> dict[str, Any]:
        """Return the answer body.

        Args:
            with_status: Whether the operation's errors repeat the status as `StatusCode`. Session
                operations leave it out of their 400 answers.
        """
        if self.bare:
            return {"message": self.message}
        body: dict[str, Any] = {
            "message": self.message,
            "errors": [problem.to_json() for problem in self.problems],
        }
        if with_status or self.status != 400:
            body["StatusCode"] = self.status
        return body


def invalid(*problems: Problem) -> ApiError:
    """Return the 400 that lists everything wrong with the submitted data."""
    return ApiError(400, INVALID_DATA, problems)


def not_found(what: str) -> ApiError:
    """Return the 404 for a thing the path or body names but nobody knows."""
    return ApiError(404, f"{what} not found")


def unauthorized() -> ApiError:
    """Return the 401, which never says what exactly is wrong with the credential."""
    return ApiError(401, "Invalid or missing credentials")


def signature_mismatch() -> ApiError:
    """Return the answer to a wrong `Content-Signature`: a 400, not a 401."""
    return ApiError(400, "HMAC signature mismatch.", bare=True)
