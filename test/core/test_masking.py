"""Secrets in bodies are masked before they are logged, whatever their place and spelling."""

from __future__ import annotations

import json
from typing import Any

from talon_one._core.masking import masked

MODELS = "talon_one.models"
SECRETS = [
    *("accessToken", "access_token", "apiKey", "API-KEY", "Authorization", "client_secret"),
    *("credential", "credentials", "dataApiKey", "inviteToken", "newPassword", "passcode"),
    *("password", "privateKey", "refresh-token", "resetToken", "secret", "token"),
]
HARMLESS = ["tokens", "key", "secretary", "pass", "name"]


def shown(body: Any, written: Any = None) -> Any:
    found = masked(json.dumps(body).encode(), written, MODELS)
    return json.loads(found)


def test_a_name_that_says_secret_is_masked_where_no_type_is_known() -> None:
    body = dict.fromkeys(SECRETS + HARMLESS, "hush")
    expected = {**dict.fromkeys(SECRETS, "***"), **dict.fromkeys(HARMLESS, "hush")}
    assert shown(body) == expected
    assert shown([{"a": [body]}]) == [{"a": [expected]}]


def test_a_secret_that_is_null_or_an_object_is_masked_as_a_whole() -> None:
    assert shown({"token": None, "secret": {"a": 1}, "password": ["b"]}) == {
        "token": None,
        "secret": "***",
        "password": "***",
    }


def test_what_the_description_marks_as_secret_is_masked_and_its_other_properties_are_not() -> None:
    login = {"email": "anna@shop.test", "password": "hush", "token": "hush"}
    assert shown(login, "LoginParams") == {**login, "password": "***", "token": "***"}
    assert shown({"password": None}, "LoginParams") == {"password": None}
    assert shown([login], "list[LoginParams]")[0]["password"] == "***"


def test_values_of_headers_are_masked_and_their_names_are_not() -> None:
    assert shown({"headers": {"X-Key": "hush", "X-B": "b"}}) == {
        "headers": {"X-Key": "***", "X-B": "***"}
    }
    assert shown({"headers": ["X-Key: hush", {"token": "hush", "a": 1}, 5]}) == {
        "headers": ["X-Key: ***", {"token": "***", "a": 1}, 5]
    }
    assert shown({"headers": "a"}) == {"headers": "a"}


def test_a_body_without_a_secret_is_the_same_bytes() -> None:
    for body in (b'{"a" : 1}', b"[ ]", b'"text"', b"value,name\n1,2\n", b"\xff\xfe", b""):
        assert masked(body, None, MODELS) is body
    for other in (None, "text", ["rows"]):
        assert masked(other, None, MODELS) is other


def test_json_that_cannot_be_searched_is_not_shown() -> None:
    for body in (b'{"token": "hush"', b' [{"token": "hush"}', b"[" * 100_000):
        assert masked(body, None, MODELS) == f"<{len(body)} bytes>"
