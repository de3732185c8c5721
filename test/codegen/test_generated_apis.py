"""Generated methods send what their operation says, and understand what comes back."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from datetime import date, datetime, timezone
from types import ModuleType
from typing import Any

import pytest

from support.server import RecordingServer, Response
from talon_one import (
    ApiClient,
    ApiException,
    ApiTypeError,
    ApiValueError,
    BadRequestException,
    Configuration,
    ConflictException,
    ModelValidationError,
    NotFoundException,
)
from talon_one._core.operation import Csv, column

INNER: dict[str, Any] = {
    "text": "t",
    "created": "2026-01-31T10:00:00Z",
    "decision": None,
    "parts": {"a": {"name": "p"}},
}
NOW = datetime(2026, 1, 31, 10, tzinfo=timezone.utc)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def client(server: RecordingServer) -> Iterator[ApiClient]:
    configuration = Configuration(
        host=server.url,
        api_key={"api_key_v1": "integration", "management_key": "management"},
    )
    with ApiClient(configuration) as made:
        yield made


@pytest.fixture
def shop(api: ModuleType, client: ApiClient) -> Any:
    """The integration side."""
    return api.IntegrationApi(client)


@pytest.fixture
def office(api: ModuleType, client: ApiClient) -> Any:
    """The management side."""
    return api.ManagementApi(client)


# -- Parameters ------------------------------------------------------------------------------------


def test_every_style_of_parameter_arrives(shop: Any, server: RecordingServer) -> None:
    server.script([])
    shop.list_things(
        NOW,
        self_="s",
        body_="b",
        settings_="x y&z",
        day=date(2026, 1, 31),
        page_size=50,
        ratio=0.5,
        color="it's",
        sku=["aa", "b,"],
        ids=[1, 2],
        row=[3, 4],
        session_ids=["u", "v"],
        kind="fifthKind",
    )
    assert (server.last.method, server.last.path) == ("GET", "/v1/things")
    assert server.last.pairs == [
        ("self", "s"),
        ("body", "b"),
        ("settings", "x y&z"),
        ("from", "2026-01-31T10:00:00Z"),
        ("day", "2026-01-31"),
        ("pageSize", "50"),
        ("ratio", "0.5"),
        ("color", "it's"),
        ("sku", "aa"),
        ("sku", "b,"),
        ("ids", "1,2"),
        ("row", "3,4"),
        ("sessionIDs", "u"),
        ("sessionIDs", "v"),
        ("kind", "fifthKind"),
    ]


def test_nothing_unasked_is_sent(shop: Any, server: RecordingServer) -> None:
    server.script([])
    shop.list_things(from_=NOW)
    assert server.last.pairs == [("from", "2026-01-31T10:00:00Z")]


def test_pages_go_by_the_names_of_the_description(office: Any, server: RecordingServer) -> None:
    server.script({"words": ["a", "b"], "nextCursor": "b"}, {"words": ["b", "c"]})
    assert list(office.iterate(office.list_words)) == ["a", "b", "c"]
    assert [request.pairs for request in server.requests] == [[], [("from", "b")]]


def test_path_and_headers_are_filled_in(shop: Any, server: RecordingServer) -> None:
    server.script(INNER)
    shop.get_thing(7, verbose=True, accept_language="de")
    assert server.last.target == "/v1/things/7?verbose=true"
    assert server.last.headers["Accept-Language"] == "de"


def test_path_ids_stay_in_their_segment(office: Any, server: RecordingServer) -> None:
    office.get_something_with_a_rather_long_name("a/b", "ü ")
    assert server.last.target == (
        "/v1/a/rather/long/path/a%2Fb/of/the/management/side/%C3%BC%20/with/two/parameters/in/it"
    )


def test_further_names_of_a_parameter_mean_the_same(shop: Any, server: RecordingServer) -> None:
    server.script([])
    shop.list_things(NOW, session_i_ds=["u"])
    assert server.last.pairs[1:] == [("sessionIDs", "u")]


@pytest.mark.parametrize(
    "arguments",
    [
        {"page_size": 0},
        {"page_size": 51},
        {"color": "pink"},
        {"sku": [1]},
        {"ids": ["one"]},
        {"day": "today"},
    ],
)
def test_parameters_are_validated(
    shop: Any, server: RecordingServer, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ModelValidationError):
        shop.list_things(NOW, **arguments)
    assert server.requests == []


def test_what_is_required_is_asked_for_in_the_order_of_the_document(
    shop: Any, server: RecordingServer
) -> None:
    with pytest.raises(ApiValueError, match="saveThing needs 'idempotency_key'"):
        shop.save_thing(1, True, body=INNER)
    with pytest.raises(ApiTypeError, match="Did you mean 'verbose'"):
        shop.get_thing(1, vrebose=True)
    server.script(INNER)
    shop.save_thing(1, True, "key", INNER)
    assert server.last.target == "/v1/things/1?dry=true"
    assert server.last.headers["Idempotency-Key"] == "key"


def test_signatures_show_how_to_call(api: ModuleType) -> None:
    def parameters(method: Any) -> list[str]:
        return list(inspect.signature(method).parameters)

    shop, office = api.IntegrationApi, api.ManagementApi
    assert parameters(shop.save_thing) == [
        *("self", "thing_id", "dry", "idempotency_key", "body", "settings")
    ]
    assert parameters(shop.list_things)[:4] == ["self", "from_", "self_", "body_"]
    assert inspect.signature(shop.patch_thing).parameters["body"].default is None
    assert inspect.signature(office.import_if_any).parameters["from_"].default is None
    assert (
        inspect.signature(office.import_).parameters["up_file"].default is inspect.Parameter.empty
    )


# -- Bodies ----------------------------------------------------------------------------------------


def test_a_body_is_a_model_or_a_dict_under_any_of_its_names(
    shop: Any, models: ModuleType, server: RecordingServer
) -> None:
    for arguments in (
        {"body": models.Everything.from_dict(INNER)},
        {"body": INNER},
        {"everything": INNER},
    ):
        server.script(INNER)
        shop.save_thing(1, dry=False, idempotency_key="k", **arguments)
        assert server.last.json() == INNER
        assert server.last.headers["Content-Type"] == "application/json"


def test_a_body_of_an_earlier_release_is_accepted_and_any_other_is_not(
    shop: Any, models: ModuleType, server: RecordingServer
) -> None:
    server.script(INNER)
    shop.save_thing(1, False, "k", models.Part(name="p"))
    assert server.last.json() == {"name": "p"}
    with pytest.raises(ApiTypeError, match="takes Everything or Part or Return, not Names"):
        shop.save_thing(1, False, "k", models.Names(class_="c"))


def test_an_optional_body_may_be_left_out(
    shop: Any, models: ModuleType, server: RecordingServer
) -> None:
    server.script(Response(204), {"name": "q"})
    assert shop.patch_thing(1) is None
    assert server.last.body == b""
    response = shop.patch_thing(1, models.Part(name="p"))
    assert server.last.json() == {"name": "p"}
    assert response == models.Part(name="q")


def test_delete_takes_a_body(shop: Any, server: RecordingServer) -> None:
    server.script(Response(204))
    assert shop.delete_thing(1, {"why": None}) is None
    assert server.last.method == "DELETE"
    assert server.last.json() == {"why": None}


def test_a_body_may_be_any_json(office: Any, server: RecordingServer) -> None:
    server.script([1, {"a": None}])
    assert office.put_anything([["and"], None]) == [1, {"a": None}]
    assert server.last.json() == [["and"], None]


def test_files_are_uploaded(office: Any, models: ModuleType, server: RecordingServer) -> None:
    server.script([{"import": []}], Response(204), Response(204))
    found = office.import_(("codes.csv", b"code\nA\n"))
    assert type(found[0]) is models.Return
    assert server.last.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="upFile"; filename="codes.csv"' in server.last.body
    assert b"code\nA\n" in server.last.body
    assert office.import_if_any() is None
    assert server.last.body == b""
    assert office.import_if_any(from_=b"a") is None
    assert b'name="from"' in server.last.body


# -- Responses -------------------------------------------------------------------------------------


def test_each_success_status_has_its_type(
    shop: Any, models: ModuleType, server: RecordingServer
) -> None:
    server.script(Response(201, INNER), Response(202, {"name": "p"}))
    assert type(shop.create_thing({"name": "a"})) is models.Everything
    assert type(shop.create_thing({"name": "a"})) is models.Part


def test_lists_and_maps_of_models_are_wrapped(
    shop: Any, office: Any, models: ModuleType, server: RecordingServer
) -> None:
    server.script([{"name": "p"}], {"a": {"name": "p"}}, {"a": [{"name": "p"}]})
    part = models.Part(name="p")
    assert shop.list_things(NOW) == [part]
    assert office.get_something_with_a_rather_long_name("ab", "c") == {"a": part}
    assert office.search({}) == {"a": [part]}


def test_responses_that_are_no_objects_are_understood(
    shop: Any, office: Any, server: RecordingServer
) -> None:
    server.script(Response(body='"hello"'), ["a"], Response(body='"2026-01-31T10:00:00Z"'))
    assert shop.ping_options() == "hello"
    assert office.list_() == ["a"]
    assert office.query_(moment=NOW) == NOW
    assert [each.method for each in server.requests] == ["OPTIONS", "PATCH", "POST"]


def test_csv_is_asked_for_and_comes_as_text(office: Any, server: RecordingServer) -> None:
    server.script(Response(200, "a,b\n1,2\n", {"Content-Type": "text/csv"}))
    assert office.export_things() == "a,b\n1,2\n"
    assert server.last.headers["Accept"] == "text/csv, application/json"


def test_empty_responses_are_none(shop: Any, office: Any, server: RecordingServer) -> None:
    server.script(Response(204), Response(200), Response(204))
    assert shop.ping() is None
    assert shop.ping_head() is None
    assert office.close_() is None
    assert [each.method for each in server.requests] == ["GET", "HEAD", "DELETE"]


def test_errors_have_the_model_of_their_status(
    shop: Any, models: ModuleType, server: RecordingServer
) -> None:
    for status, body, expected, raised in (
        (400, {"message": "m"}, models.ErrorResponseWithStatus(message="m"), BadRequestException),
        (404, {"lookElsewhere": "l"}, models.NotHere(look_elsewhere="l"), NotFoundException),
        (409, [{}], [models.NotHere()], ConflictException),
        (418, {"message": "m"}, models.ErrorResponseWithStatus(message="m"), ApiException),
    ):
        server.script(Response(status, body))
        with pytest.raises(raised) as caught:
            shop.get_thing(1)
        assert caught.value.data == expected
        assert caught.value.operation_id == "getThing"


def test_variants_return_status_and_raw_responses(shop: Any, server: RecordingServer) -> None:
    server.script(INNER, INNER)
    data, status, headers = shop.get_thing_with_http_info(1)
    assert (data.text, status, headers["content-type"]) == ("t", 200, "application/json")
    raw = shop.get_thing_without_preload_content(1)
    assert json.loads(raw.data) == INNER


# -- Credentials, and what is deprecated -----------------------------------------------------------


def test_each_api_sends_its_own_credential(shop: Any, office: Any, server: RecordingServer) -> None:
    shop.get_thing(1)
    assert server.last.headers["Authorization"] == "ApiKey-v1 integration"
    office.search({})
    assert server.last.headers["Authorization"] == "ManagementKey-v1 management"


def test_without_security_of_its_own_an_operation_has_that_of_the_document(
    shop: Any, server: RecordingServer
) -> None:
    server.script([])
    shop.list_things(NOW)
    assert server.last.headers["Authorization"] == "ApiKey-v1 integration"


def test_any_alternative_will_do(api: ModuleType, server: RecordingServer) -> None:
    bearer = Configuration(host=server.url, access_token="t")
    signed = Configuration(host=server.url, application_id=1, application_secret="ab")
    with ApiClient(bearer) as client:
        api.ManagementApi(client).get_something_with_a_rather_long_name("ab", "c")
    assert server.last.headers["Authorization"] == "Bearer t"
    with ApiClient(signed) as client:
        api.IntegrationApi(client).get_thing(1)
    assert server.last.headers["Content-Signature"].startswith("signer=1; signature=")


def test_an_operation_without_security_needs_no_credential(
    api: ModuleType, server: RecordingServer
) -> None:
    server.script(Response(204))
    with ApiClient(Configuration(host=server.url)) as client:
        api.IntegrationApi(client).ping()
    assert "Authorization" not in server.last.headers


def test_a_deprecated_operation_warns_under_each_of_its_names(
    office: Any, models: ModuleType, server: RecordingServer
) -> None:
    for name in ("old_thing", "ancient_thing"):
        said = "oldThing is deprecated; use IntegrationApi.get_thing"
        with pytest.warns(DeprecationWarning, match=said):
            assert type(getattr(office, name)()) is models.Return
    with pytest.warns(DeprecationWarning, match="oldThing is deprecated"):
        assert office.ancient_thing_with_http_info().status_code == 200
    assert "DeprecationWarning" in office.old_thing.__doc__


def test_the_documentation_of_a_method_says_all_that_the_document_says(api: ModuleType) -> None:
    documentation = api.ManagementApi.get_something_with_a_rather_long_name.__doc__
    assert " ".join(documentation.split()) == (
        'Say "a" \\ or """b""". Ends with a "quote" Args: first_parameter: The first "parameter"'
        " second_parameter: The second one \\ Operation `getSomethingWithARatherLongName`: `GET"
        " /v1/a/rather/long/path/{firstParameter}/of/the/management/side/{secondParameter}/with/"
        " two/parameters/in/it`."
    )


def test_the_columns_of_csv_files_are_known(office: Any) -> None:
    exported, imported = office.export_things.operation.csv, office.import_if_any.operation.csv
    assert exported == Csv(
        (
            column("id", "int"),
            column("made", "datetime"),
            column("props", "dict[str, Any]"),
            column("tags", "list[str]", separator="|"),
        )
    )
    assert imported == Csv(
        (
            column("code", required=True, min_length=3),
            column("state", "Literal['on', 'off']"),
            column("profile"),
            column("card"),
            column("until", "datetime", words=("unlimited",)),
            column("days", "int", minimum=1),
        ),
        any_of=("profile", "card"),
        not_both=("until", "days"),
        replaces=True,
    )
    assert office.search.operation.csv is None
