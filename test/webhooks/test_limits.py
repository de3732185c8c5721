"""Where the rules of webhooks begin and end: batches, stores, headers, unusual handlers."""

from __future__ import annotations

import json
from typing import Any

import pytest

import talon_one
from support.every import for_every
from talon_one import ApiTypeError, ApiValueError, ConfigurationError
from talon_one.webhooks import (
    InMemoryDeliveryStore,
    Receiver,
    check_secret,
    message_id,
    parse,
    parts,
)
from talon_one.webhooks.classes import is_class_of_notification, notification_types
from talon_one.webhooks.secret import SharedSecret, header_values
from webhooks.messages import NOTIFICATIONS, batch, campaign_event, message


def test_a_notification_that_is_not_mixed_is_its_own_part() -> None:
    for name, kind in NOTIFICATIONS:
        found = parse(json.dumps(message(name, kind)))
        assert parts(found) == [found], name
        # The general class has items of any kind, so the batch is split, into one part.
        assert parts(found)[0] is found or name == "CampaignNotificationGeneric"
    payload = parse('{"NotificationType": "of a rule", "Data": [{}, {}]}')
    assert type(payload) is talon_one.Model
    assert parts(payload)[0] is payload
    data: Any
    for data in (None, [], "text", {}):
        found = parse(json.dumps({"NotificationType": "CampaignNotification", "Data": data}))
        assert type(found) is talon_one.CampaignNotificationGeneric
        assert parts(found)[0] is found


def test_items_of_no_known_kind_are_parts_of_the_general_class() -> None:
    edited = campaign_event("campaign_edited")
    found = parts(parse(batch(edited, {"Event": "new"}, "text", 5, edited)))
    assert [type(each).__name__ for each in found] == [
        "CampaignEditedNotification",
        "CampaignNotificationGeneric",
        "CampaignEditedNotification",
    ]
    assert [len(each.to_wire()["Data"]) for each in found] == [1, 3, 1]
    assert all(each.to_wire()["TotalResultSize"] == 9 for each in found)


def test_a_body_that_was_decoded_already_is_not_changed() -> None:
    body = batch(campaign_event("campaign_edited"))
    before = json.dumps(body)
    assert type(parse(body)) is talon_one.CampaignEditedNotification
    assert json.dumps(body) == before
    for given in (before, before.encode(), bytearray(before.encode()), memoryview(before.encode())):
        assert parse(given) == parse(body)  # type: ignore[arg-type]  # frameworks pass these
    wrong: Any = 5
    with pytest.raises(
        ApiTypeError, match="a body is bytes, text or a decoded JSON object, not in"
    ):
        parse(wrong)


def test_classes_of_notifications_are_those_that_parse_returns() -> None:
    assert is_class_of_notification(talon_one.Model)
    assert is_class_of_notification(talon_one.CampaignEditedNotification)
    assert not is_class_of_notification(talon_one.Coupon)
    # A class of the same name is another one.
    assert not is_class_of_notification(type("CampaignEditedNotification", (talon_one.Model,), {}))
    assert set(notification_types()) == {kind for _, kind in NOTIFICATIONS}


# -- Headers and secrets -----------------------------------------------------------------------


def test_the_uuid_is_missing_if_its_header_is_missing_or_empty() -> None:
    assert message_id({"x-uuid": " a "}) == "a"
    assert message_id([(b"X-UUID", b"a"), (b"X-UUID", b"b")]) == "a"
    headers: Any
    for headers in ({}, [], {"X-UUID": ""}, {"X-UUID": "  "}):
        assert message_id(headers) is None
    assert header_values({"a": "1", "A": " 2 ", "b": "3"}, "A") == ["1", "2"]


@pytest.mark.parametrize("secret", ["!", "~", "a b", "  padded ", "x" * 500])
def test_a_secret_is_any_printable_text(secret: str) -> None:
    check_secret({"x-secret": f" {secret} "}, "X-Secret", secret)
    check_secret([(b"X-Secret", secret.encode())], "x-secret", [secret, "other"])


@for_every("secret", ["", " ", "é", "a\tb", "a\nb", "\x7f", None, b"a", 5, [], [""]])
def test_a_secret_that_a_header_cannot_hold_is_refused(secret: Any) -> None:
    with pytest.raises(ConfigurationError):
        SharedSecret("X-Secret", secret)
    with pytest.raises(ConfigurationError):
        SharedSecret("X-Secret", ["good", secret] if secret != [] else [])


@pytest.mark.parametrize("name", ["", " ", "a b", "a:", "é", None, b"X"])
def test_the_name_of_a_header_is_a_token(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not a valid name of a header"):
        SharedSecret(name, "secret")


@pytest.mark.parametrize(("header", "secret"), [("X-Secret", None), (None, "secret")])
def test_header_and_secret_are_given_together(header: Any, secret: Any) -> None:
    missing = "secret" if secret is None else "secret_header"
    for use in (
        lambda: parse(b"{}", secret_header=header, secret=secret),
        lambda: Receiver(secret_header=header, secret=secret),
    ):
        with pytest.raises(ConfigurationError, match=f"^{missing} is missing"):
            use()


# -- The store ---------------------------------------------------------------------------------


def test_a_store_remembers_as_many_as_its_size() -> None:
    for size in (1, 2):
        store = InMemoryDeliveryStore(size)
        for uuid in ("a", "b", "c"):
            assert store.claim(uuid) == "new"
            assert store.claim(uuid) == "busy"
            store.mark_done(uuid)
        assert len(store) == size
        assert [store.claim(each) for each in "cba"[:size]] == ["done"] * size
        assert store.claim("cba"[size]) == "new"


def test_a_claim_that_is_released_is_new_again() -> None:
    store = InMemoryDeliveryStore()
    store.release("a")  # Of nobody.
    assert store.claim("a") == "new"
    store.release("a")
    assert store.claim("a") == "new"
    store.mark_done("a")
    store.release("a")
    assert store.claim("a") == "done"
    store.mark_done("b")  # Without a claim.
    assert (store.claim("b"), len(store)) == ("done", 2)


@pytest.mark.parametrize("size", [True, 1.5, "5", None])
def test_the_size_of_a_store_is_a_number(size: Any) -> None:
    with pytest.raises(ApiTypeError, match="size must be a whole number, at least 1"):
        InMemoryDeliveryStore(size)


@pytest.mark.parametrize("size", [0, -1])
def test_the_size_of_a_store_is_at_least_one(size: int) -> None:
    with pytest.raises(ApiValueError, match=f"size must be at least 1, not {size}"):
        InMemoryDeliveryStore(size)
