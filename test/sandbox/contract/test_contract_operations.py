"""Every operation is found by its method and path, whatever its ids are."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from support.every import for_every
from support.fresh_program import run
from support.spec import OPERATIONS, Operation
from talon_one.sandbox.contract.operations import find, operations_by_id
from talon_one.sandbox.errors import ApiError

ODD_IDS = [
    "a/b c?d=e&f#g%2Fh+i;j,k@l:m~\u00e4\U0001f600",
    "..",
    ".",
    "%",
    "no_total/",
    "{campaignId}",
    "\x00\r\n",
]


def filled(path: str, texts: list[str]) -> tuple[str, dict[str, str]]:
    """Return a raw path with these texts as its ids, and the ids by name."""
    segments: list[str] = []
    ids: dict[str, str] = {}
    for segment in path.split("/"):
        if segment.startswith("{"):
            text = texts[len(ids) % len(texts)]
            ids[segment[1:-1]] = text
            segments.append(quote(text, safe=""))
        else:
            segments.append(segment)
    return "/".join(segments), ids


def refusal(method: str, path: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        find(method, path)
    return caught.value


def test_the_operations_are_those_of_the_description() -> None:
    assert set(operations_by_id()) == {each.id for each in OPERATIONS}


@for_every("operation", OPERATIONS)
def test_an_operation_is_found_by_its_path_with_any_ids(operation: Operation) -> None:
    for start in range(len(ODD_IDS)):
        path, expected = filled(operation.path, ODD_IDS[start:] + ODD_IDS[:start])
        found, ids = find(operation.method, path)
        assert (found.id, ids) == (operation.id, expected)


@for_every("operation", [each for each in OPERATIONS if "{" in each.path])
def test_an_empty_id_is_no_id(operation: Operation) -> None:
    path, _ = filled(operation.path, [""])
    assert refusal(operation.method, path).status == 404


def test_a_word_of_a_path_wins_over_an_id() -> None:
    coupons = "/v1/applications/3/campaigns/12/coupons/no_total"
    assert find("GET", coupons)[0].id == "getCouponsWithoutTotalCount"
    assert find("POST", "/v1/loyalty_programs/1/cards/batch")[0].id == "createBatchLoyaltyCards"


def test_an_id_that_is_a_word_of_another_path_is_found_by_the_other_methods() -> None:
    coupons = "/v1/applications/3/campaigns/12/coupons/no_total"
    operation, ids = find("DELETE", coupons)
    assert operation.id == "deleteCoupon"
    assert ids == {"applicationId": "3", "campaignId": "12", "couponId": "no_total"}
    assert find("GET", "/v1/loyalty_programs/1/cards/batch")[0].id == "getLoyaltyCard"


def test_another_method_is_a_405_that_lists_the_methods_of_the_path() -> None:
    refused = refusal("POST", "/v2/customer_sessions/a%2Fb")
    assert (refused.status, refused.allow) == (405, ("GET", "PUT"))
    assert refused.message == "The sandbox does not allow POST for /v2/customer_sessions/a/b"
    both = refusal("PATCH", "/v1/loyalty_programs/1/cards/batch")
    assert both.allow == ("DELETE", "GET", "POST", "PUT")
    assert refusal("get", "/v2/customer_sessions/a").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "//v2/customer_sessions/a",
        "/v2/customer_sessions",
        "/v2/customer_sessions/",
        "/v2/customer_sessions/a/",
        "/v2/customer_sessions/a/b",
        "/v3/customer_sessions/a",
        "/V2/customer_sessions/a",
        "*",
        "http://localhost/v2/customer_sessions/a",
        "/{a}/{b}/{c}",
    ],
)
def test_an_unknown_path_is_a_404_that_names_the_sandbox(path: str) -> None:
    refused = refusal("GET", path)
    assert refused.status == 404
    assert refused.message == f"The sandbox does not support GET {path}"


def test_a_long_path_is_refused_without_being_quoted_in_full() -> None:
    refused = refusal("GET", "/v2" + "/a" * 100_000)
    assert refused.status == 404
    assert len(refused.message) < 300


@for_every("segment", ["%ff", "a%E4", "%ed%a0%80", "\udcff", "\ud800"], label=ascii)
def test_an_id_that_is_not_utf_8_is_a_400(segment: str) -> None:
    refused = refusal("GET", f"/v2/customer_sessions/{segment}")
    assert refused.status == 400
    assert [each.parameter for each in refused.problems] == ["path"]


def test_the_tables_are_loaded_by_the_first_search() -> None:
    program = """
import sys
from talon_one.sandbox.contract import checks, operations, queries, responses
loaded = [name for name in sys.modules if name.startswith("talon_one.api.")]
models = [name for name in sys.modules if name.startswith("talon_one.models.")]
operation, _ = operations.find("PUT", "/v2/customer_sessions/a")
checks.check_body(operation.body.type, {"customerSession": {"cartItems": []}})
print(loaded, models, len([n for n in sys.modules if n.startswith("talon_one.models.")]))
"""
    # The request and the session: no class is loaded that no value needs.
    assert run(program).strip() == "[] [] 2"
