"""Parameters in path, query and headers, read as the operations declare them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.arguments import arguments, expected_pairs, value_for
from support.every import for_every
from support.spec import OPERATIONS, Operation
from talon_one.sandbox.contract.operations import operations_by_id
from talon_one.sandbox.contract.queries import read_headers, read_ids, read_query
from talon_one.sandbox.contract.rules import DAYS
from talon_one.sandbox.errors import ApiError

_CAMPAIGNS = operations_by_id()["getCampaigns"]
_INTEGRATION_CAMPAIGNS = operations_by_id()["integrationGetAllCampaigns"]
_SESSION = operations_by_id()["updateCustomerSessionV2"]
_LOYALTY = operations_by_id()["getLoyaltyBalances"]
_WITH_QUERY = [
    each for each in OPERATIONS if any(one.location == "query" for one in each.parameters)
]


def refused(operation_id: str, text: str) -> list[tuple[str, str]]:
    with pytest.raises(ApiError) as caught:
        read_query(operations_by_id()[operation_id], text)
    assert caught.value.status == 400
    sources = [each.to_json()["source"] for each in caught.value.problems]
    assert all(list(each) == ["parameter"] for each in sources)
    return [(each.title, each.parameter) for each in caught.value.problems]


@for_every("operation", _WITH_QUERY)
def test_what_the_client_sends_is_read_back(operation: Operation) -> None:
    given_arguments = arguments(operation)
    text = urlencode(expected_pairs(operation, given_arguments), quote_via=quote, safe=",:")
    found = read_query(operations_by_id()[operation.id], text)
    expected = {
        each.wire: _expected(each.schema, given_arguments[each.name], each.explode)
        for each in operation.parameters
        if each.location == "query"
    }
    assert found == expected
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in expected.items()
    }


def _expected(schema: dict[str, Any], value: Any, explode: bool) -> Any:
    if schema.get("format") == "date-time":
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, list) and not explode:
        return ",".join(value).split(",")
    return value


@for_every("operation", _WITH_QUERY)
def test_a_wrong_value_is_a_400_with_its_parameter(operation: Operation) -> None:
    for each in operation.parameters:
        if each.location != "query":
            continue
        others = {
            one.name: value_for(one.schema)
            for one in operation.required
            if one.location == "query" and one is not each
        }
        rest = urlencode(expected_pairs(operation, others))
        for wrong in _wrong_values(each.schema):
            text = f"{each.wire}={quote(wrong)}&{rest}"
            found = refused(operation.id, text)
            assert [name for _, name in found] == [each.wire], wrong


def _wrong_values(schema: dict[str, Any]) -> list[str]:
    if schema.get("type") == "array":
        return _wrong_values(schema["items"]) if "enum" in schema["items"] else []
    wrong = []
    if "enum" in schema:
        wrong += ["", "no such value", str(schema["enum"][0]) + " "]
    elif schema["type"] == "integer":
        wrong += ["", "x", "1.0", "+1", " 1", "01", "1_0", "\u0661", str(2**63), "9" * 5_000]
        wrong += [str(schema["minimum"] - 1)] if "minimum" in schema else []
        wrong += [str(schema["maximum"] + 1)] if "maximum" in schema else []
    elif schema["type"] == "boolean":
        wrong += ["", "True", "1", "yes"]
    elif schema.get("format") == "date-time":
        wrong += ["", "tomorrow", "2026-13-01", "2026-01-02T03:04:05", "2026-01-02T03:04Z"]
    else:
        wrong += [""] * bool(schema.get("minLength"))
        wrong += ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else []
    return [each for each in wrong if "enum" not in schema or each]


@for_every(
    "operation",
    [each for each in _WITH_QUERY if any(one.location == "query" for one in each.required)],
)
def test_all_missing_parameters_are_reported_together(operation: Operation) -> None:
    missing = [each.wire for each in operation.required if each.location == "query"]
    assert refused(operation.id, "") == [("required", each) for each in missing]


def test_problems_of_several_parameters_are_reported_together_with_what_is_allowed() -> None:
    with pytest.raises(ApiError) as caught:
        read_query(_CAMPAIGNS, "pageSize=0&skip=x&campaignState=on&createdAfter=now")
    assert [(each.title, each.parameter, each.details) for each in caught.value.problems] == [
        ("range", "pageSize", "pageSize must be a whole number from 1 to 1000"),
        (
            "range",
            "skip",
            "skip must be a whole number from 0 to 9223372036854775807",
        ),
        (
            "enum",
            "campaignState",
            'campaignState must be one of the following: "enabled", "disabled", "archived", '
            '"scheduled", "running", "expired", "staged"',
        ),
        (
            "Invalid type",
            "createdAfter",
            'Value of "createdAfter" (now) is not an RFC 3339 timestamp',
        ),
    ]


@for_every("operation", _WITH_QUERY)
def test_pages_have_bounds_where_the_description_states_none(operation: Operation) -> None:
    names = {each.wire for each in operation.parameters}
    for text in ("pageSize=0", "pageSize=1001", "skip=-1"):
        name = text.partition("=")[0]
        if name in names:
            assert ("range", name) in refused(operation.id, text)


def test_absent_parameters_stay_absent_and_unknown_ones_are_ignored() -> None:
    assert read_query(_SESSION, "") == {}
    assert read_query(_SESSION, "surprise=1&Dry=true&dry=true&=&&x") == {"dry": True}


def test_the_first_value_of_a_repeated_parameter_counts() -> None:
    assert read_query(_SESSION, "dry=true&dry=false&dry=maybe") == {"dry": True}


def test_lists_have_commas_or_repeat_their_parameter_as_declared() -> None:
    campaigns = read_query(_INTEGRATION_CAMPAIGNS, "campaignIds=1,2&campaignIds=3,,")
    assert campaigns == {"campaignIds": ["1", "2", "3"]}
    assert read_query(_INTEGRATION_CAMPAIGNS, "campaignIds=") == {"campaignIds": []}
    items = read_query(operations_by_id()["listCatalogItems"], "sku=a,b&sku=c&sku=")
    assert items == {"sku": ["a,b", "c", ""]}


def test_a_list_has_at_most_a_thousand_items() -> None:
    text = "campaignIds=" + ",".join(["1"] * 1_001)
    assert refused("integrationGetAllCampaigns", text) == [("maxItems", "campaignIds")]
    assert refused("integrationGetAllCampaigns", "&".join(["a=b"] * 1_001)) == [
        ("Invalid", "query")
    ]


def test_times_are_converted_to_utc() -> None:
    text = "createdAfter=2026-01-02T03:04:05.1%2B02:00&createdBefore=2026-01-02T03:04:05Z"
    assert read_query(_CAMPAIGNS, text) == {
        "createdAfter": "2026-01-02T01:04:05.100000Z",
        "createdBefore": "2026-01-02T03:04:05.000000Z",
    }


def test_a_day_is_midnight_in_utc_where_the_platform_reads_it_so() -> None:
    found = read_query(_INTEGRATION_CAMPAIGNS, "startAfter=2026-01-02")
    assert found == {"startAfter": "2026-01-02T00:00:00.000000Z"}
    assert read_query(_LOYALTY, "endDate=2026-01-02") == {"endDate": "2026-01-02T00:00:00.000000Z"}
    assert _CAMPAIGNS.id not in DAYS
    assert refused("getCampaigns", "startAfter=2026-01-02") == [("Invalid type", "startAfter")]
    assert refused("integrationGetAllCampaigns", "startAfter=2026-02-30") == [
        ("Invalid type", "startAfter")
    ]


@for_every("text", ["value=%ff", "%ff=1", "value=\udcff", "value=%ed%a0%80"], label=ascii)
def test_a_query_that_is_not_utf_8_is_a_400(text: str) -> None:
    assert refused("getCouponsWithoutTotalCount", text) == [("Invalid", "query")]


def test_an_idempotency_key_is_1_to_255_printable_characters() -> None:
    name = "Idempotency-Key"
    assert read_headers(_SESSION, {}) == {}
    for key in ("a", "x" * 255, "7d6f4a5e-0000-4000-8000-000000000000", "two words"):
        assert read_headers(_SESSION, {name: key, "More": "1"}) == {name: key}
    wrong = {
        "": "minLength",
        "x" * 256: "maxLength",
        "a\tb": "pattern",
        "a\u200eb": "pattern",
        "\udcff": "pattern",
    }
    for key, title in wrong.items():
        with pytest.raises(ApiError) as caught:
            read_headers(_SESSION, {name: key})
        (problem,) = caught.value.problems
        assert (caught.value.status, problem.title, problem.parameter) == (400, title, name)


def test_an_operation_without_the_header_ignores_it() -> None:
    assert read_headers(operations_by_id()["getCustomerSession"], {"Idempotency-Key": ""}) == {}


@for_every("operation", [each for each in OPERATIONS if "{" in each.path])
def test_ids_of_the_platform_are_integers_and_others_are_text(operation: Operation) -> None:
    found = operations_by_id()[operation.id]
    inside = [each for each in operation.parameters if each.location == "path"]
    ids = {each.wire: "7" for each in inside}
    expected = {each.wire: 7 if each.schema["type"] == "integer" else "7" for each in inside}
    assert read_ids(found, ids) == expected
    for each in inside:
        for text in ("x", "07", "7.0", " 7", "\u0667", str(2**63), "a/b"):
            changed = {**ids, each.wire: text}
            if each.schema["type"] != "integer":
                assert read_ids(found, changed)[each.wire] == text
                continue
            with pytest.raises(ApiError) as caught:
                read_ids(found, changed)
            assert caught.value.status == 404
            assert each.wire in caught.value.message


@given(
    st.sampled_from(_WITH_QUERY),
    st.text(st.characters(codec="utf-8")) | st.text("&=%+,;f0a"),
)
def test_any_query_is_read_or_refused(operation: Operation, text: str) -> None:
    names = "&".join(f"{each.wire}={text}" for each in operation.parameters)
    for each in (text, names):
        try:
            found = read_query(operations_by_id()[operation.id], each)
        except ApiError as refusal:
            if refusal.status != 400:
                raise
        else:
            assert set(found) <= {name for name, _ in parse_qsl(each, keep_blank_values=True)}
