"""`unchecked`: a value that the platform has and the API description does not list."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest

from support.server import RecordingServer
from support.shells import Shell
from talon_one import (
    ApiTypeError,
    Configuration,
    CustomerSessionV2,
    IntegrationRequest,
    ModelValidationError,
    NewCustomerSessionV2,
    unchecked,
)
from talon_one._schema import json_codec
from talon_one._schema.validation import violations


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer, shell: Shell) -> Iterator[Any]:
    keys = {"api_key_v1": "i", "management_key": "m"}
    with shell.new_client(Configuration(host=server.url, api_key=keys)) as made:
        yield made
    server.requests.clear()


@pytest.mark.parametrize("library", ["orjson", "json"])
def test_other_code_sees_it_as_plain_text(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if library == "json":
        monkeypatch.setattr(json_codec, "orjson", None)
    value = unchecked("paused")
    assert value == "paused"
    assert hash(value) == hash("paused")
    assert f"{value} {value!s}" == "paused paused"
    assert json_codec.encode({"a": [value]}) == b'{"a":["paused"]}'
    assert json.dumps(value) == '"paused"'
    for again in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert type(again) is type(value)
        assert again == value
    assert repr(value) == "talon_one.unchecked('paused')"
    assert unchecked(value) == value


def test_models_dicts_and_lists_take_it(client: Any, server: RecordingServer, shell: Shell) -> None:
    api = shell.api("IntegrationApi", client)
    session = NewCustomerSessionV2(state=unchecked("paused"))
    request = IntegrationRequest(
        customer_session=session, response_content=["coupons", unchecked("weather")]
    )
    wanted = {
        "customerSession": {"state": "paused"},
        "responseContent": ["coupons", "weather"],
    }
    bodies: list[Any] = [
        request,
        request.copy(),
        pickle.loads(pickle.dumps(request)),
        {**wanted, "responseContent": request.response_content, "customerSession": session},
        {
            "customerSession": {"state": unchecked("paused")},
            "responseContent": ["coupons", unchecked("weather")],
        },
        IntegrationRequest.from_dict(request.to_dict()),
    ]
    for body in bodies:
        api.update_customer_session_v2("a", body)
        assert server.last.json() == wanted


def test_parameters_take_it(client: Any, server: RecordingServer, shell: Shell) -> None:
    api = shell.api("ManagementApi", client)
    api.export_coupons(1, date_format=unchecked("RFC3339"))
    assert server.last.query == "dateFormat=RFC3339"
    with pytest.raises(ModelValidationError, match=r"talon_one\.unchecked\('RFC3339'\)"):
        api.export_coupons(1, date_format="RFC3339")


@pytest.mark.parametrize("sent", ["paused", "completed,paused"])
def test_a_list_of_words_given_as_one_text_takes_it(
    client: Any, server: RecordingServer, shell: Shell, sent: str
) -> None:
    api = shell.api("IntegrationApi", client)
    api.get_customer_achievement_history("a", 1, progress_status=unchecked(sent))
    assert server.last.query == f"progressStatus={sent}"
    with pytest.raises(ModelValidationError, match="not 'paused'"):
        api.get_customer_achievement_history("a", 1, progress_status=sent)


def test_the_refusal_lists_the_values_and_names_the_way_out() -> None:
    with pytest.raises(ModelValidationError) as caught:
        NewCustomerSessionV2(state="paused").validate()  # type: ignore[arg-type]  # the mistake
    assert str(caught.value).endswith(
        "$.state must be one of 'open', 'closed', 'partially_returned', 'cancelled', not 'paused';"
        " to send it anyway, use talon_one.unchecked('paused')"
    )
    (found,) = violations(NewCustomerSessionV2(state=7))  # type: ignore[arg-type]
    assert "unchecked" not in found.message, "no number is listed anywhere"


def test_nothing_but_the_list_is_left_out() -> None:
    for name, value in (("store_integration_id", ""), ("coupon_codes", ["x" * 101])):
        marked: Any = unchecked(value) if isinstance(value, str) else [unchecked(value[0])]
        with pytest.raises(ModelValidationError):
            NewCustomerSessionV2(**{name: marked}).validate()
    with pytest.raises(ModelValidationError, match="must be a list, not Unchecked"):
        NewCustomerSessionV2(coupon_codes=unchecked("a")).validate()


class Colour(str, Enum):
    RED = "red"


@pytest.mark.parametrize("value", [7, None, b"x", ["paused"], Colour.RED])
def test_only_texts_are_marked(value: Any) -> None:
    with pytest.raises(ApiTypeError, match="unchecked takes the text to send"):
        unchecked(value)


def test_a_value_that_was_received_is_refused_like_any_other_and_may_be_marked() -> None:
    received = CustomerSessionV2.from_json('{"state": "paused"}')
    session = NewCustomerSessionV2(state=received.state)
    with pytest.raises(ModelValidationError, match="unchecked"):
        session.validate()
    assert received.state is not None
    session.state = unchecked(received.state)
    session.validate()
    assert session.to_json() == '{"state":"paused"}'
