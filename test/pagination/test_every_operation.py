"""Every operation that lists something can be iterated to its end, as its description says."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import talon_one
from operations.arguments import arguments, expected_pairs, payload
from pagination.read_list import Apis, ReadList
from support.every import for_every
from support.samples import sample
from support.server import RecordingServer
from support.spec import OPERATIONS, Operation, model_of, properties, resolved, schema_name

_LISTS = [each for each in OPERATIONS if each.pages]
_LENGTHS = (2, 1, 2)


def _paging(operation: Operation) -> dict[str, Any]:
    assert isinstance(operation.pages, dict)
    return operation.pages


def _endings() -> list[Any]:
    return [
        pytest.param(operation, ending, id=f"{operation}-{ending}")
        for operation in _LISTS
        for ending in ("more", "total", "next")
        if ending in _paging(operation) and {"skip", "cursor"} & _paging(operation).keys()
    ]


def _item_schema(operation: Operation) -> dict[str, Any]:
    (response,) = (each for each in operation.successes if each.schema)
    assert response.schema is not None
    name = schema_name(response.schema)
    assert name is not None
    schema: dict[str, Any] = resolved(properties(name)[_paging(operation)["items"]])["items"]
    return schema


def _item(operation: Operation, number: int) -> Any:
    schema = _item_schema(operation)
    if model_of(schema) is None:
        return f"item {number}"
    item = sample(schema, everything=False)
    if not _paging(operation)["identity"]:
        return item  # Items without an identity may be equal. These are.
    # Items share the first property of their identity, and differ in the last.
    for wire in _paging(operation)["identity"]:
        item[wire] = "one"
    item[_paging(operation)["identity"][-1]] = number
    return item


def _plain(items: list[Any]) -> list[Any]:
    return [item.to_wire() if hasattr(item, "to_wire") else item for item in items]


def _read(read_list: ReadList, operation: Operation, given: dict[str, Any]) -> Any:
    def make(apis: Apis) -> Any:
        api = apis.integration if operation.api == "IntegrationApi" else apis.management
        return api.iterate(getattr(api, operation.name), **given)

    with warnings.catch_warnings():
        if operation.deprecated:
            warnings.simplefilter("ignore", DeprecationWarning)
        return read_list(make)


def test_the_description_decides_for_every_operation_that_pages_or_lists() -> None:
    paged = {
        each.id
        for each in OPERATIONS
        if {"pageSize", "skip"} <= {parameter.wire for parameter in each.parameters}
        or "cursor" in {parameter.wire for parameter in each.parameters}
    }
    decided = {each.id for each in OPERATIONS if each.pages is not None}
    assert len(paged) > 60
    assert paged <= decided
    assert {each.id for each in OPERATIONS if each.pages is False} == {
        "getCustomerActivityReport",
        "getCustomerAnalytics",
    }
    listing = {
        each.id for each in OPERATIONS if each.method == "GET" and "data" in _list_properties(each)
    }
    assert listing <= decided


def _list_properties(operation: Operation) -> dict[str, Any]:
    names = [model_of(each.schema) for each in operation.successes if each.schema]
    found = properties(names[0]) if names and names[0] else {}
    return {wire: node for wire, node in found.items() if resolved(node).get("type") == "array"}


@for_every("operation", _LISTS)
def test_the_description_of_paging_names_every_such_field_of_the_response(
    operation: Operation,
) -> None:
    (schema,) = {schema_name(each.schema) for each in operation.successes if each.schema}
    assert schema is not None
    ends = {"more": "hasMore", "total": "totalResultSize", "next": "nextCursor"}
    actual = {key: wire for key, wire in ends.items() if wire in properties(schema)}
    described = {key: wire for key, wire in _paging(operation).items() if key in ends}
    assert described == actual
    # `ListResponse` relies on this name.
    assert _paging(operation)["items"] == "data"


@for_every("operation", _LISTS)
def test_a_failed_page_may_be_retried(operation: Operation) -> None:
    assert getattr(getattr(talon_one, operation.api), operation.name).operation.idempotent


@pytest.mark.parametrize(("operation", "ending"), _endings())
def test_a_list_of_three_pages_is_read_to_its_end(
    server: RecordingServer, read_list: ReadList, operation: Operation, ending: str
) -> None:
    paging = _paging(operation)
    items = [_item(operation, number) for number in range(sum(_LENGTHS))]
    expected, begin = [], 0
    for number, length in enumerate(_LENGTHS):
        is_last = number == len(_LENGTHS) - 1
        page: dict[str, Any] = {paging["items"]: items[begin : begin + length]}
        if ending == "next":
            page |= {} if is_last else {paging["next"]: f"cursor+{number}/="}
        else:
            page[paging[ending]] = (not is_last) if ending == "more" else len(items)
        server.script(page)
        start: Any = f"cursor+{number - 1}/=" if ending == "next" else begin
        expected.append({(paging.get("skip") or paging.get("cursor")): start} if begin else {})
        begin += length
    given = arguments(operation)
    for name in ("skip", "cursor"):
        given.pop(name, None)
    result = _read(read_list, operation, {**given, **payload(operation)})
    assert result.failure is None
    assert _plain(result.got) == items
    assert result.iterator.complete
    assert result.iterator.repeated == result.iterator.missing == 0
    usual = expected_pairs(operation, given)
    for request, further in zip(server.requests, expected, strict=True):
        pairs = [(name, str(value)) for name, value in further.items()]
        assert sorted(request.pairs) == sorted([*usual, *pairs])
        assert request.method == operation.method
        assert request.body == server.requests[0].body


@for_every("operation", [each for each in _LISTS if not {"skip", "cursor"} & _paging(each).keys()])
def test_a_list_without_pages_is_one_page(
    server: RecordingServer, read_list: ReadList, operation: Operation
) -> None:
    items = [sample(_item_schema(operation), everything=False)] * 3
    server.script({"data": items})
    given = {**arguments(operation, everything=False), **payload(operation)}
    result = _read(read_list, operation, given)
    assert _plain(result.got) == items
    assert result.iterator.complete
    assert len(server.requests) == 1
