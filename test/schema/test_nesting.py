"""Data nested far deeper than Python's stack: all that a model offers works, or says so."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

import pytest

from support.server import RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiValueError,
    CartItem,
    Configuration,
    InvalidResponseError,
    Model,
    NewCustomerSessionV2,
)
from talon_one._schema import json_codec

DEPTHS = [90, 110, 950, 1_000, 1_100, 4_000]


@pytest.fixture(params=["orjson", "json"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "json":
        monkeypatch.setattr(json_codec, "orjson", None)


def objects(depth: int) -> Any:
    made: Any = "bottom"
    for _ in range(depth):
        made = {"a": made}
    return made


def lists(depth: int) -> Any:
    made: Any = "bottom"
    for _ in range(depth):
        made = [made]
    return made


def models(depth: int) -> Any:
    made: Any = "bottom"
    for _ in range(depth):
        made = Model._wrap({"a": made})
    return made


def depth_of(value: Any) -> int:
    depth = 0
    while isinstance(value, (dict, list, Model)):
        value = value[0] if isinstance(value, list) else value["a"]
        depth += 1
    return depth


def text_of(depth: int, kind: Callable[[int], Any]) -> bytes:
    if kind is lists:
        return b"[" * depth + b'"bottom"' + b"]" * depth
    return b'{"a":' * depth + b'"bottom"' + b"}" * depth


@pytest.mark.parametrize("kind", [objects, lists, models])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.usefixtures("library")
def test_an_object_is_usable_however_deep_its_data_are(
    depth: int, kind: Callable[[int], Any]
) -> None:
    session = NewCustomerSessionV2(profile_id="p", attributes={"a": kind(depth)})
    for other in (session.copy(), copy.deepcopy(session), pickle.loads(pickle.dumps(session))):
        assert other == session
        assert depth_of(other.attributes) == depth + 1
        assert other.attributes is not session.attributes
    assert depth_of(session.to_wire()["attributes"]) == depth + 1
    assert depth_of(session.to_dict()["attributes"]) == depth + 1
    inside = text_of(depth, kind).decode()
    assert session.to_json() == f'{{"profileId":"p","attributes":{{"a":{inside}}}}}'
    assert session != NewCustomerSessionV2(profile_id="p", attributes={"a": kind(depth - 1)})
    assert repr(session).startswith("NewCustomerSessionV2(profile_id='p', attributes={'a': ")
    assert "p" in session.to_str()
    assert depth_of(NewCustomerSessionV2.from_dict(session.to_dict()).attributes) == depth + 1
    if kind is not models or depth < 200:
        session.validate()


def test_models_nested_too_deeply_to_be_checked_are_a_violation() -> None:
    with pytest.raises(ApiValueError, match="nested too deeply"):
        NewCustomerSessionV2(attributes={"a": models(2_000)}).validate()


@pytest.mark.parametrize("depth", [900, 950, 990, 1_020, 1_100, 5_000, 100_000])
@pytest.mark.parametrize("kind", [objects, lists])
@pytest.mark.usefixtures("library")
def test_deep_json_becomes_an_object_that_goes_back_as_it_came_or_is_not_json(
    depth: int, kind: Callable[[int], Any]
) -> None:
    text = b'{"attributes":{"a":' + text_of(depth, kind) + b"}}"
    try:
        session = NewCustomerSessionV2.from_json(text)
    except ApiValueError:
        assert depth > 800
        with pytest.raises(ApiValueError, match="nested too deeply"):
            NewCustomerSessionV2.from_json(text)
        return
    assert session.to_json().encode() == text
    assert pickle.loads(pickle.dumps(session)) == session == session.copy()
    assert repr(session)
    session.to_dict()
    session.validate()


def test_a_failure_deep_inside_is_named_with_its_path() -> None:
    deep: Any = {"b": object()}
    for _ in range(2_000):
        deep = {"a": deep}
    with pytest.raises(ApiValueError, match="nested too deeply") as caught:
        # The check does not know objects; the encoder does.
        NewCustomerSessionV2(attributes=models(2_000)).validate()
    with pytest.raises(TypeError, match="object cannot be written as JSON") as caught_too:
        json_codec.encode(deep)
    assert caught.value.args
    assert caught_too.value.path_to_item == ("a",) * 2_000 + ("b",)  # type: ignore[attr-defined]


def test_data_that_contain_themselves_are_refused_or_shown_in_part() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = [loop, loop]
    session = NewCustomerSessionV2(attributes=loop)
    again: dict[str, Any] = {}
    again["loop"] = [again, again]
    assert "loop" in repr(session)
    assert len(repr(session)) < 20_000
    assert session == NewCustomerSessionV2(attributes=again)
    # Without a list in between.
    one: dict[str, Any] = {"a": 1}
    two: dict[str, Any] = {"a": 1}
    one["loop"], two["loop"] = one, two
    assert NewCustomerSessionV2(attributes=one) == NewCustomerSessionV2(attributes=two)
    two["a"] = 2
    assert NewCustomerSessionV2(attributes=one) != NewCustomerSessionV2(attributes=two)
    for method in (session.to_json, session.to_wire, session.to_dict, session.validate):
        with pytest.raises(ApiValueError, match="contain"):
            method()
    others: list[Any] = [session.copy(), pickle.loads(pickle.dumps(session))]
    for other in others:
        assert other.attributes["loop"][0] is other.attributes


def test_mappings_that_contain_themselves_are_refused() -> None:
    inside: dict[str, Any] = {}
    loop = MappingProxyType(inside)
    inside["a"] = [loop]
    session = NewCustomerSessionV2(attributes={"loop": loop})
    for method in (session.to_json, session.to_wire, session.validate):
        with pytest.raises(ApiValueError, match="contain"):
            method()
    assert repr(session)


class Mirror(Mapping[str, Any]):
    """Contains itself, and counts how often it was looked into."""

    def __init__(self) -> None:
        self.looks = 0

    def __getitem__(self, key: str) -> Any:
        return self

    def __iter__(self) -> Iterator[str]:
        self.looks += 1
        return iter(["a"])

    def __len__(self) -> int:
        return 1


def test_a_check_soon_finds_that_data_contain_themselves() -> None:
    mirror = Mirror()
    with pytest.raises(ApiValueError, match="contains itself"):
        NewCustomerSessionV2(attributes={"a": mirror}).validate()
    assert mirror.looks <= 2_000


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_container_at_many_levels_is_not_taken_for_one_that_contains_itself(depth: int) -> None:
    shared: dict[str, Any] = {"b": [1.5]}
    deep: Any = shared
    for _ in range(depth):
        deep = {"shared": shared, "a": [shared, deep]}
    NewCustomerSessionV2(attributes=deep).validate()


def test_an_object_that_two_places_share_is_shared_by_a_copy() -> None:
    shared = {"a": [1]}
    session = NewCustomerSessionV2(attributes={"x": shared, "y": shared, "z": shared["a"]})
    others: list[Any] = [session.copy(), copy.deepcopy([session])[0]]
    for other in others:
        assert other.attributes["x"] is other.attributes["y"]
        assert other.attributes["z"] is other.attributes["x"]["a"]
        assert other.attributes["x"] is not shared
    one, two = copy.deepcopy([session, NewCustomerSessionV2(attributes=shared)])
    assert one.attributes is not None
    assert one.attributes["x"] is two.attributes


def test_copies_of_deep_data_are_independent_and_keep_their_classes() -> None:
    session = NewCustomerSessionV2(
        cart_items=[CartItem(sku="A", quantity=1, attributes={"a": objects(300)})],
        attributes={"when": (1, 2), "set": {3}},
    )
    others: list[Any] = [session.copy(), pickle.loads(pickle.dumps(session))]
    for other in others:
        assert type(other.cart_items[0]) is CartItem
        other.cart_items[0].sku = "B"
        assert session.cart_items is not None
        assert session.cart_items[0].sku == "A"
        assert other.attributes == {"when": (1, 2), "set": {3}}


@pytest.mark.parametrize("depth", [950, 100_000])
def test_a_response_nested_too_deeply_is_kept_as_bytes(depth: int, shell: Shell) -> None:
    body = b'{"effects": [' + text_of(depth, objects) + b"]}"
    with RecordingServer() as server:
        server.script(Response(body=body))
        configuration = Configuration(host=server.url, api_key={"api_key_v1": "k"})
        with shell.new_client(configuration) as client:
            api = shell.api("IntegrationApi", client)
            if depth < 1_000:
                # Whether it is read depends on the library; nothing is lost either way.
                with suppress(InvalidResponseError):
                    response = api.update_customer_session_v2("a", {"customerSession": {}})
                    assert response.to_json().encode() == body.replace(b" ", b"")
            else:
                with pytest.raises(InvalidResponseError, match="nested too deeply") as caught:
                    api.update_customer_session_v2("a", {"customerSession": {}})
                assert caught.value.raw_data == body
            assert len(server.requests) == 1
