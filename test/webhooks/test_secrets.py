"""A webhook without the shared secret is refused and learns nothing about it."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import EnvironHeaders, MultiDict
from werkzeug.datastructures import Headers as WerkzeugHeaders

from support.every import for_every
from talon_one import ConfigurationError, OpenApiException
from talon_one.webhooks import (
    Receiver,
    WrongSecretError,
    check_secret,
    message_id,
    parse,
)
from talon_one.webhooks.secret import SharedSecret

SECRET = "s3cret-of-the-shop"
UUID = "11f1a2b3"
KINDS = {
    "dict": {"x-shop-secret": SECRET, "X-Uuid": UUID},
    "dict of bytes": {b"X-SHOP-SECRET": SECRET.encode(), b"x-uuid": UUID.encode()},
    "pairs": [("X-Shop-Secret", f" {SECRET}\t"), ("X-UUID", UUID)],
    "pairs of bytes": [(b"x-shop-secret", SECRET.encode()), (b"x-uuid", UUID.encode())],
    "werkzeug": WerkzeugHeaders([("X-Shop-Secret", SECRET), ("X-UUID", UUID)]),
    "flask": EnvironHeaders({"HTTP_X_SHOP_SECRET": SECRET, "HTTP_X_UUID": UUID}),
    "starlette": StarletteHeaders({"X-Shop-Secret": SECRET, "X-UUID": UUID}),
    "mapping": MultiDict({"X-Shop-Secret": SECRET, "X-UUID": UUID}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_secret_and_the_uuid_are_found_in_headers_of_any_kind(kind: str) -> None:
    headers: Any = KINDS[kind]
    check_secret(headers, "X-Shop-Secret", SECRET)
    assert message_id(headers) == UUID
    with pytest.raises(WrongSecretError):
        check_secret(headers, "X-Shop-Secret", "another")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "the header X-Shop-Secret is missing"),
        ({"X-Shop-Secrets": SECRET}, "is missing"),
        ({"X-Shop-Secret": ""}, "does not have the right secret"),
        ({"X-Shop-Secret": SECRET[:-1]}, "does not have the right secret"),
        ({"X-Shop-Secret": SECRET + "x"}, "does not have the right secret"),
        ({"X-Shop-Secret": SECRET.upper()}, "does not have the right secret"),
        ({"X-Shop-Secret": "\udcff geheimniß"}, "does not have the right secret"),
        ({"X-Shop-Secret": f"{SECRET}, {SECRET}"}, "does not have the right secret"),
        ([("X-Shop-Secret", SECRET), ("x-shop-secret", SECRET)], "is there more than once"),
    ],
)
def test_anything_but_the_exact_secret_is_refused(headers: Any, message: str) -> None:
    with pytest.raises(WrongSecretError, match=message):
        check_secret(headers, "X-Shop-Secret", SECRET)
    with pytest.raises(WrongSecretError, match=message):
        parse("{}", headers, secret_header="X-Shop-Secret", secret=SECRET)


def test_the_secret_is_checked_before_the_body_is_looked_at() -> None:
    with pytest.raises(WrongSecretError):
        parse("not JSON", {}, secret_header="X-Shop-Secret", secret=SECRET)


def test_two_secrets_are_accepted_while_one_is_replaced() -> None:
    for secret in ("old", "new"):
        check_secret({"X-S": secret}, "X-S", ["old", "new"])
    with pytest.raises(WrongSecretError):
        check_secret({"X-S": "oldest"}, "X-S", ["old", "new"])


def test_all_secrets_are_compared_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def record(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", record)
    check_secret({"X-S": "a"}, "X-S", ["a", "b", "c"])
    assert compared == [(b"a", b"a"), (b"a", b"b"), (b"a", b"c")]


@for_every(
    "secret",
    ["", "  ", [], (), ["right", ""], ["right", None], None, "zwölf", "a\nb", "a\x00b", 12],
    label=repr,
)
def test_an_unusable_secret_is_refused_by_the_constructor(secret: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Receiver(secret_header="X-S", secret=secret)
    assert "right" not in str(refused.value)
    assert "zw" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "X Secret", "X-S:", "X-S\n", "Größe", 5])
def test_an_invalid_header_name_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not a valid name of a header"):
        Receiver(secret_header=name, secret=SECRET)


def test_a_secret_without_a_header_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="secret_header is missing"):
        parse("{}", {}, secret=SECRET)


def test_no_message_and_no_repr_contains_the_secret_or_a_wrong_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    receive = Receiver(secret_header="X-S", secret=SECRET)
    reply = receive({"X-S": "almost-" + SECRET, "X-UUID": "1"}, "{}")
    with pytest.raises(OpenApiException) as refused:
        check_secret({"X-S": "almost-" + SECRET}, "X-S", SECRET)
    shown = [repr(receive), repr(reply), repr(SharedSecret("X-S", SECRET)), str(refused.value)]
    assert reply.status == 401
    assert "refused a webhook" in caplog.text
    assert "almost" not in "".join([*shown, caplog.text])
    assert SECRET not in "".join([*shown, caplog.text])


@given(st.text(), st.lists(st.from_regex(r"[!-~]{1,20}", fullmatch=True), min_size=1, max_size=3))
def test_only_a_secret_is_accepted(sent: str, secrets: list[str]) -> None:
    def accepts(value: str) -> bool:
        try:
            check_secret([("X-S", value)], "x-s", secrets)
        except WrongSecretError:
            return False
        return True

    assert accepts(sent) == (sent.strip() in secrets)
    assert all(map(accepts, secrets))


@pytest.mark.parametrize(
    ("headers", "uuid"),
    [({}, None), ({"X-UUID": " "}, None), ([("x-uuid", " 7 ")], "7"), ((), None)],
)
def test_the_uuid_is_none_without_the_header(
    headers: Iterable[tuple[str, str]], uuid: str | None
) -> None:
    assert message_id(headers) == uuid


def test_the_first_of_two_uuids_is_used() -> None:
    assert message_id([("X-UUID", "first"), ("x-uuid", "second")]) == "first"
