"""A webhook becomes an object of its class, and keeps everything that was sent."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talon_one
from package.fresh import result_of
from support.every import for_every
from support.samples import HOSTILE, JSON, hostile_objects, written
from support.spec import MODELS, properties
from talon_one.webhooks import MalformedBodyError, parse, parts
from webhooks.messages import (
    NOTIFICATIONS,
    JsonObject,
    batch,
    campaign_event,
    item_class,
    message,
)


def read_everything(value: Any) -> None:
    """Read every property of an object and of those inside it."""
    if isinstance(value, talon_one.Model):
        for name in value._fields:
            read_everything(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            read_everything(item)


def test_every_schema_with_a_notification_type_is_tested() -> None:
    with_type = {name for name in MODELS if "NotificationType" in properties(name)}
    assert with_type - {name for name, _ in NOTIFICATIONS} == {"CampaignNotificationBase"}
    assert len(NOTIFICATIONS) >= 29


@pytest.mark.parametrize("everything", [True, False], ids=["full", "required"])
@for_every("name, type", NOTIFICATIONS)
def test_a_notification_gets_its_class_and_keeps_everything(
    name: str, type: str, everything: bool
) -> None:
    sent = message(name, type, everything)
    found = parse(json.dumps(sent).encode(), {"X-UUID": "1"})
    assert found.__class__ is getattr(talon_one, name)
    assert found.to_wire() == sent
    read_everything(found)
    assert json.loads(found.to_json()) == sent


@for_every("name, type", NOTIFICATIONS)
def test_the_items_of_a_notification_have_their_class(name: str, type: str) -> None:
    expected = item_class(name)
    found: Any = parse(json.dumps(message(name, type)))
    listed = found.data if expected else []
    assert {each.__class__.__name__ for each in listed} == ({expected} if expected else set())


@for_every("name, type", NOTIFICATIONS)
def test_nulls_and_unknown_properties_are_kept(name: str, type: str) -> None:
    nulls: JsonObject = dict.fromkeys(properties(name))
    sent = {**nulls, "NotificationType": type, "NewIn2027": [{"a": {}}]}
    found = parse(json.dumps(sent))
    read_everything(found)
    assert found.to_wire() == sent
    assert found["NewIn2027"] == [{"a": {}}]


@pytest.mark.parametrize(
    "body",
    [
        {"NotificationType": "BrandNewThing", "Data": [{"Event": "campaign_created"}]},
        {"NotificationType": None},
        {"NotificationType": ["CouponCreated"]},
        {"NotificationType": {"a": 1}},
        {"profile": "a customer's own payload", "points": 3},
        {},
    ],
)
def test_a_body_of_unknown_type_becomes_a_plain_model(body: JsonObject) -> None:
    found = parse(json.dumps(body))
    assert type(found) is talon_one.Model
    assert found.to_wire() == body


def test_items_of_a_mixed_batch_have_their_own_classes() -> None:
    edited, created = campaign_event("campaign_edited"), campaign_event("campaign_created")
    unknown = {"Event": "campaign_paused_by_moon", "campaign": {"id": 1}}
    sent = batch(edited, unknown, created, "text", None)
    found = parse(json.dumps(sent))
    assert isinstance(found, talon_one.CampaignNotificationGeneric)
    assert [type(each).__name__ for each in found.data] == [
        "CampaignEditedNotificationItem",
        "CampaignNotificationItemBase",
        "CampaignCreatedNotificationItem",
        "str",
        "NoneType",
    ]
    assert found.data[0].old_campaign.name == edited["oldCampaign"]["name"]
    assert found.data[1].event == "campaign_paused_by_moon"
    assert found.data[1]["campaign"] == {"id": 1}
    assert json.loads(found.to_json()) == sent


@pytest.mark.parametrize("data", [[], None, "text", {"Event": "campaign_created"}, [[1]], [3]])
def test_a_campaign_notification_of_unknown_shape_is_the_generic_one(data: Any) -> None:
    sent = {**batch(), "Data": data}
    found = parse(json.dumps(sent))
    assert type(found) is talon_one.CampaignNotificationGeneric
    assert [type_and_data(part) for part in parts(found)] == [type_and_data(found)]
    assert found.to_wire() == sent


def test_an_edited_collection_is_recognized_by_its_shape() -> None:
    sent = batch({"Event": "who_knows", "campaign": {}, "collection": {"name": "Hats"}})
    found = parse(json.dumps(sent))
    assert isinstance(found, talon_one.CampaignCollectionEditedNotification)
    assert found.data is not None
    assert found.data[0].collection.name == "Hats"


def test_a_known_event_takes_precedence_over_a_property_of_another_one() -> None:
    found = parse(batch({**campaign_event("campaign_edited"), "collection": None}))
    assert type(found) is talon_one.CampaignEditedNotification


@pytest.mark.parametrize("type", ["CampaignNotification", "CampaignEvaluationTreeChanged"])
def test_a_changed_evaluation_tree_is_recognized_by_either_of_its_types(type: str) -> None:
    tree = {"applicationId": 3, "evaluationTree": {"id": 7}}
    sent = {
        **batch({**tree, "event": "campaign_evaluation_tree_changed"}),
        "NotificationType": type,
    }
    found: Any = parse(json.dumps(sent))
    assert found.__class__.__name__ == "CampaignEvaluationTreeChangedMessage"
    assert found.data[0].application_id == 3
    assert found.data[0].evaluation_tree.id == 7
    assert found.data[0]["event"] == "campaign_evaluation_tree_changed"


def test_other_events_of_an_application_keep_the_declared_class() -> None:
    sent = {**batch({"event": "other"}), "NotificationType": "CampaignEvaluationTreeChanged"}
    found: Any = parse(json.dumps(sent))
    assert type(found.data[0]) is talon_one.CampaignEvaluationTreeChangedNotification
    assert found.to_wire() == sent


def test_parts_of_a_mixed_batch_keep_its_order_and_have_their_classes() -> None:
    edited, created = campaign_event("campaign_edited"), campaign_event("campaign_created")
    sent = {**batch(edited, created, created, {"Event": "new"}, edited), "extra": 1}
    whole = parse(json.dumps(sent))
    found = parts(whole)
    assert [type(part).__name__ for part in found] == [
        "CampaignEditedNotification",
        "CampaignCreatedNotification",
        "CampaignNotificationGeneric",
        "CampaignEditedNotification",
    ]
    assert [part.to_wire()["Data"] for part in found] == [
        [edited],
        [created, created],
        [{"Event": "new"}],
        [edited],
    ]
    assert {(part["extra"], part["TotalResultSize"]) for part in found} == {(1, 9)}
    assert whole.to_wire() == sent


@for_every("name, type", NOTIFICATIONS)
def test_a_notification_of_one_kind_is_its_own_only_part(name: str, type: str) -> None:
    found = parse(message(name, type))
    (part,) = parts(found)
    assert type_and_data(part) == type_and_data(found)


def type_and_data(found: talon_one.Model) -> tuple[Any, Any]:
    return found.__class__, found.to_wire()


@pytest.mark.parametrize(
    "wrap", [bytes, bytearray, memoryview, bytes.decode, json.loads], ids=lambda each: each.__name__
)
def test_a_body_may_be_bytes_text_or_decoded(wrap: Any) -> None:
    sent = message("CreateCouponData", "CouponCreated")
    found = parse(wrap(json.dumps(sent).encode()))
    assert isinstance(found, talon_one.CreateCouponData)
    assert found.to_wire() == sent


def test_a_decoded_body_is_not_changed() -> None:
    sent = batch(campaign_event("campaign_edited"), campaign_event("campaign_created"))
    before = deepcopy(sent)
    found = parse(sent)
    read_everything(found)
    found["TotalResultSize"] = 0
    assert written(sent) == written(before)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "is not JSON: Expecting value"),
        (b"{", "is not JSON"),
        ("a=b&c=d", "is not JSON"),
        (b"\xff\xfe{}\xff", "is not JSON"),
        (b"[" * 200_000, "is not JSON"),
        (b"[]", "is a JSON array, not an object"),
        ("null", "is a JSON null, not an object"),
        ("true", "is a JSON boolean, not an object"),
        ("1.5", "is a JSON number, not an object"),
        ('"x"', "is a JSON string, not an object"),
    ],
    ids=lambda each: each[:10] if isinstance(each, (bytes, str)) else None,
)
def test_a_body_that_is_not_a_json_object_is_malformed(body: Any, expected: str) -> None:
    with pytest.raises(MalformedBodyError, match=f"^the body of the webhook {expected}"):
        parse(body)


@pytest.mark.parametrize("body", [None, 5, [], object()])
def test_an_object_that_is_not_a_body_is_a_type_error(body: Any) -> None:
    with pytest.raises(talon_one.ApiTypeError, match="a body is bytes, text or a decoded"):
        parse(body)


def test_a_malformed_body_is_a_value_error() -> None:
    assert issubclass(MalformedBodyError, (talon_one.ApiValueError, ValueError))


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_any_json_object_survives_a_round_trip(sent: JsonObject) -> None:
    found = parse(json.dumps(sent))
    assert written(json.loads(found.to_json())) == written(sent)


@st.composite
def _odd_notifications(draw: st.DrawFn) -> JsonObject:
    name, type = draw(st.sampled_from(NOTIFICATIONS))
    found = draw(hostile_objects(name))
    events = [each for each, _ in NOTIFICATIONS if (item_class(each) or "").endswith("Item")]
    if draw(st.booleans()):
        items = st.sampled_from(events).map(item_class).flatmap(lambda each: _odd_items(str(each)))
        found["Data"] = draw(st.lists(items | JSON, max_size=4))
    return {**found, "NotificationType": type}


@st.composite
def _odd_items(draw: st.DrawFn, name: str) -> JsonObject:
    event = draw(st.sampled_from(["campaign_created", "campaign_edited", "campaign_deleted", "?"]))
    return {**draw(hostile_objects(name)), "Event": event}


@given(_odd_notifications())
def test_odd_notifications_survive_a_round_trip(sent: JsonObject) -> None:
    found = parse(json.dumps(sent))
    read_everything(found)
    for part in parts(found):
        read_everything(part)
    assert written(json.loads(found.to_json())) == written(sent)


@for_every("value", HOSTILE, label=repr)
def test_hostile_values_in_the_envelope_do_no_harm(value: Any) -> None:
    for _, type in NOTIFICATIONS:
        sent = {"NotificationType": type, "Data": value, "TotalResultSize": value}
        assert written(parse(sent).to_wire()) == written(sent)
        assert written(parse({**sent, "Data": [value]}).to_wire()["Data"]) == written([value])


def test_parsing_loads_only_the_models_of_the_notification() -> None:
    program = """
import json, sys
import talon_one
talon_one.webhooks.parse('{"NotificationType": "TierUpgrade", "Data": []}')
print(json.dumps(sorted(name for name in sys.modules if name.startswith("talon_one.models."))))
"""
    assert result_of(program) == ["talon_one.models.tier_upgrade_notification"]


def test_a_null_in_a_batch_changes_nothing_for_the_other_items() -> None:
    edited, created = campaign_event("campaign_edited"), campaign_event("campaign_created")
    sent = batch(None, edited, None, edited, None)
    pure = parse(json.dumps(sent))
    assert type(pure) is talon_one.CampaignEditedNotification
    assert pure.to_wire() == sent
    assert parts(pure) == [pure]
    mixed = parts(parse(json.dumps(batch(None, edited, None, created, created, None))))
    assert [type(part) for part in mixed] == [
        talon_one.CampaignEditedNotification,
        talon_one.CampaignCreatedNotification,
    ]
    assert [part.to_wire()["Data"] for part in mixed] == [[edited], [created, created]]
    nothing = parse(json.dumps(batch(None, None)))
    assert type(nothing) is talon_one.CampaignNotificationGeneric
    assert len(parts(nothing)) == 1
