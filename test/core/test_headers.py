"""Names and values of headers: what is sent, and what is refused without being quoted."""

from __future__ import annotations

from typing import Any

import pytest

from talon_one import ApiTypeError, ApiValueError, OpenApiException
from talon_one._core.headers import check_header, check_headers

NAMES = ["X-Shop", "x", "0", "!#$%&'*+.^_`|~-"]
VALUES = ["", "a", " a ", "a\tb", "~", "é", "\x80", "\xff"]
BAD_NAMES: dict[Any, type[Exception]] = {
    None: ApiTypeError,
    5: ApiTypeError,
    b"X": ApiTypeError,
    "": ApiValueError,
    "X Shop": ApiValueError,
    "X-Shop:": ApiValueError,
    "X-Shop\n": ApiValueError,
    "É": ApiValueError,
    "Content-Length": ApiValueError,
    "transfer-ENCODING": ApiValueError,
}
BAD_VALUES: list[Any] = ["a\nb", "a\rb", "\x00", "\x1f", "\x7f", "\u0100", "€"]
NO_VALUES: list[Any] = [None, 5, b"a", ["a"]]
USUAL = ["Accept", "Authorization", "Content-Type", "Idempotency-Key", "User-Agent"]


def test_a_header_of_printable_characters_is_sent() -> None:
    for name in NAMES:
        for value in VALUES:
            check_header(name, value)
            check_headers({"Accept": "a", name: value})


def test_a_name_that_is_no_token_or_frames_the_request_is_refused() -> None:
    for name, refusal in BAD_NAMES.items():
        with pytest.raises(refusal):
            check_header(name, "a")
        with pytest.raises(refusal):
            check_headers({"Accept": "a", name: "a"})


@pytest.mark.parametrize("name", ["X-Shop", *USUAL])
def test_a_value_that_cannot_be_sent_is_refused_and_not_quoted(name: str) -> None:
    for value in BAD_VALUES:
        for check in (check_header, lambda name, value: check_headers({"X-A": "a", name: value})):
            with pytest.raises(ApiValueError, match=f"the header '{name}' holds") as caught:
                check(name, f"s3cret{value}")
            assert "s3cret" not in str(caught.value)
    for value in NO_VALUES:
        for check in (check_header, lambda name, value: check_headers({"X-A": "a", name: value})):
            with pytest.raises(ApiTypeError, match=f"the header {name} must be text, not "):
                check(name, value)


def test_the_length_of_a_body_is_no_header_of_the_caller() -> None:
    framed = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    check_headers(framed, frozenset(framed))
    with pytest.raises(OpenApiException, match="set by the client itself"):
        check_headers(framed, frozenset({"Content-Length"}))
