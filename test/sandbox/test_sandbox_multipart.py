"""Forms with files: what clients send, and what would take a parser down."""

from __future__ import annotations

import re

import pytest

from support.every import for_every
from talon_one.sandbox.multipart import MAX_PARTS, Part, parts

KIND = "multipart/form-data; boundary=b"
NAMED = b'Content-Disposition: form-data; name="upFile"; filename="a.csv"\r\n\r\n'
UNQUOTED = NAMED.replace(b'"upFile"', b"upFile")


@for_every(
    "kind, body, expected",
    [
        (KIND, b"--b\r\n" + NAMED + b"a,b\r\n1,2\r\n--b--\r\n", [("upFile", b"a,b\r\n1,2")]),
        (KIND, b"--b\r\n" + NAMED + b"\r\n--b--", [("upFile", b"")]),
        (KIND, b"hello\r\n--b  \r\n" + NAMED + b"a\r\n--b--bye", [("upFile", b"a")]),
        (KIND, b"--b\r\n\r\na\r\n--b\r\nX: y\r\n\r\nb\r\n--b--", [("", b"a"), ("", b"b")]),
        (f'{KIND[:-1]}"q:b"', b"--q:b\r\n" + NAMED + b"--b\r\n--q:b--", [("upFile", b"--b")]),
        (KIND, b"--b\r\n" + UNQUOTED + b"a\r\n--b--", [("upFile", b"a")]),
        (KIND, b"--b--", []),
    ],
    repr,
)  # fmt: skip
def test_the_parts_of_a_form(kind: str, body: bytes, expected: list[tuple[str, bytes]]) -> None:
    assert list(parts(kind, body)) == [Part(name, content) for name, content in expected]


@for_every(
    "kind, body, reason",
    [
        ("text/csv", b"a", "not multipart/form-data"),
        ("", b"--b--", "not multipart/form-data"),
        ("multipart/form-data", b"--b--", "not multipart/form-data with a boundary"),
        ("multipart/mixed; boundary=b", b"--b--", "not multipart/form-data"),
        (KIND, b"", "no closing boundary"),
        (KIND, b"--b\r\n" + NAMED + b"a", "no closing boundary"),
        (KIND, b"--b\r\n" + NAMED + b"a\r\n--b", "a part has no headers"),
        (KIND, b"--b\r\n--b--", "a part has no headers"),
        (KIND, b"--b\r\nX" + b"x" * 20_000 + b"\r\n\r\n\r\n--b--", "a part has no headers"),
        (KIND, b"--b\r\n\r\n\r\n" * (MAX_PARTS + 1) + b"--b--", "more than 100 parts"),
        (KIND, b"--b\r\n\r\n\r\n" * 500_000, "more than 100 parts"),
    ],
    lambda one: repr(one)[:40],
)
def test_a_body_that_is_no_form_is_refused(kind: str, body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        list(parts(kind, body))


def test_nested_forms_are_contents_like_any_other() -> None:
    inner = "multipart/mixed; boundary=b"
    body = "".join(f"--b{level}\r\nContent-Type: {inner}{level}\r\n\r\n" for level in range(5_000))
    with pytest.raises(ValueError, match="no closing boundary"):
        list(parts(f"{KIND}0", body.encode()))
