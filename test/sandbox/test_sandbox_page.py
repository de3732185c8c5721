"""The page at `/_sandbox`: its files are open and safe, its data take the key and have pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.conftest import Client
from talon_one.sandbox import Sandbox
from talon_one.sandbox.page.files import FILES, text_of

EVIL = "<img src=x onerror=\"document.title='pwned'\">"


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox(seed="fashion", clock="2026-11-01T09:00:00Z") as running:
        yield running


@pytest.fixture(scope="module")
def client(shop: Sandbox) -> Iterator[Client]:
    made = Client(shop)
    yield made
    made.close()


def get(client: Client, path: str, **headers: str) -> Any:
    return client.send("GET", f"/_sandbox/{path}", headers=headers or client.management)


def refusal(client: Client, path: str) -> str:
    """Return the status and the sentence with which a request is refused."""
    reply = get(client, path)
    problems = [each["details"] for each in reply.json["errors"]]
    return f"{reply.status}: {'; '.join(problems) or reply.json['message']}"


def test_the_page_and_its_files_are_open_and_run_nothing_but_themselves(client: Client) -> None:
    wrong: list[object] = []
    for path in ("/_sandbox", "/_sandbox/", *(f"/_sandbox/{name}" for name in FILES)):
        reply = client.pool.request("GET", path)
        kind = "text/html" if path in ("/_sandbox", "/_sandbox/") else reply.headers["Content-Type"]
        policy = reply.headers["Content-Security-Policy"]
        if (reply.status, reply.headers["Content-Type"]) != (200, kind):
            wrong.append((path, reply.status, dict(reply.headers)))
        if "default-src 'none'" not in policy or "unsafe" in policy or "*" in policy:
            wrong.append((path, policy))
        if reply.headers["X-Content-Type-Options"] != "nosniff":
            wrong.append((path, dict(reply.headers)))
    assert wrong == []
    types = {
        name: client.pool.request("GET", f"/_sandbox/{name}").headers["Content-Type"]
        for name in FILES
    }
    assert set(types.values()) == {"text/html", "text/css", "text/javascript", "image/svg+xml"}


def test_all_files_of_the_page_are_served_and_refer_to_each_other_only() -> None:
    folder = files("talon_one.sandbox.page").joinpath("static")
    assert sorted(each.name for each in folder.iterdir()) == sorted(FILES)
    for name in FILES:
        text = text_of(name).replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://", text) == [], name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text
        )
        assert not re.search(r"<script>|<style|style=|\son\w+=\"", text), name
        for path in re.findall(r"[\"'](?:\./|/_sandbox/)([\w.]+\.(?:js|css|svg))[\"']", text):
            assert path in FILES, f"{name} refers to {path}"


def test_the_files_take_get_alone(client: Client) -> None:
    assert client.send("POST", "/_sandbox").status == 404
    assert client.pool.request("HEAD", "/_sandbox").status == 200


def test_a_sandbox_says_that_it_is_one_without_a_key(client: Client) -> None:
    reply = get(client, "about", Accept="application/json")
    assert (reply.status, reply.json["sandbox"]) == (200, "talon_one")


def test_the_data_take_the_management_key(client: Client, shop: Sandbox) -> None:
    for path in ("sessions", "sessions/x", "requests", "requests/1", "coupons", "programs"):
        for headers in (client.integration, {"Authorization": "ManagementKey-v1 wrong"}):
            assert get(client, path, **headers).status == 401, path
        assert client.pool.request("GET", f"/_sandbox/{path}").status == 401, path
    assert shop.page_url == f"{shop.url}/_sandbox#key=sandbox-management-key"


def test_the_address_of_the_page_quotes_the_key() -> None:
    with Sandbox(management_key="a b/#ü") as running:
        assert running.page_url.endswith("/_sandbox#key=a%20b%2F%23%C3%BC")
    with pytest.raises(RuntimeError, match="not running"):
        _ = running.page_url


def test_sessions_come_a_page_at_a_time_and_can_be_searched(api: Client) -> None:
    for number in range(5):
        api.session(f"order-{number}", profileId=f"Anna-{number}")
    api.session(
        "gift", cartItems=[{"sku": "A", "quantity": 2, "price": 5}], couponCodes=["TEN-OFF"]
    )
    listed = get(api, "sessions?pageSize=2").json
    assert (listed["total"], [each["integrationId"] for each in listed["data"]]) == (
        6,
        ["gift", "order-4"],
    )
    assert listed["data"][0]["total"] == 10
    assert (listed["data"][0]["discount"], listed["data"][0]["codes"]) == (1, 1)
    assert [each["integrationId"] for each in get(api, "sessions?skip=5").json["data"]] == [
        "order-0"
    ]
    found = get(api, "sessions?text=anna-3").json
    assert (found["total"], found["data"][0]["integrationId"]) == (1, "order-3")
    assert get(api, "sessions?text=%25").json == {"total": 0, "data": []}


def test_parameters_that_are_no_numbers_are_refused_in_a_sentence(client: Client) -> None:
    whole = "must be a whole number from 0 to"
    assert refusal(client, "sessions?pageSize=x") == f"400: pageSize {whole} 200, not 'x'"
    assert refusal(client, "sessions?pageSize=201") == f"400: pageSize {whole} 200, not '201'"
    assert refusal(client, "sessions?skip=-1") == f"400: skip {whole} {2**53}, not '-1'"
    assert refusal(client, "coupons?skip=99999999999999999999").startswith("400: skip")
    assert refusal(client, "requests?since=%C2%B2").startswith("400: since")
    assert refusal(client, "sessions/x?applicationId=me").startswith("400: applicationId")
    assert refusal(client, "sessions?text=%ff").startswith("400: the query is not")
    assert refusal(client, "sessions/%ff") == "400: the path is not percent-encoded UTF-8"
    assert refusal(client, "programs/7/ledgers") == "404: Loyalty program not found"
    assert refusal(client, "programs/1/ledgers/profile%3Anobody") == "404: Account not found"


def test_coupons_are_listed_with_what_is_left_of_them(api: Client) -> None:
    api.new_coupon(usageLimit=1, couponPattern="ONCE-####", expiryDate="2030-01-01T00:00:00Z")
    listed = get(api, "coupons?text=ten").json
    assert (listed["total"], listed["data"][0]["code"]) == (1, "TEN-OFF")
    assert listed["data"][0]["state"] == "active"
    newest = get(api, "coupons").json["data"][0]
    assert (newest["limit"], newest["used"], newest["expires"][:4]) == (1, 0, "2030")


def test_ledgers_are_listed_with_their_entries(client: Client) -> None:
    listed = get(client, "programs").json["data"]
    assert [each["name"] for each in listed] == ["wardrobe"]
    [program] = listed
    found = get(client, f"programs/{program['id']}/ledgers?text=ANNA").json
    assert (found["total"], found["data"][0]["holder"]) == (1, "profile:cust-anna")
    [main] = found["data"][0]["ledgers"]
    assert (main["activePoints"], main["tier"]) == (800, "Linen")
    account = get(client, f"programs/{program['id']}/ledgers/profile%3Acust-anna").json
    assert [each["name"] for each in account["entries"]["data"]] == ["Opening balance"]


def test_requests_are_listed_from_a_number_on(api: Client) -> None:
    for number in range(3):
        api.session(f"a%2Fb%20{number}")
    listed = get(api, "requests").json
    assert [each["number"] for each in listed["data"]] == [1, 2, 3]
    first = listed["data"][0]
    assert first["operation"] == "update_customer_session_v2"
    assert (first["method"], first["status"], first["session"]) == ("PUT", 200, "a/b 0")
    assert [each["number"] for each in get(api, "requests?since=2").json["data"]] == [3]
    assert get(api, "requests?since=3").json["data"] == []
    latest = get(api, "requests?pageSize=1").json
    assert ([each["number"] for each in latest["data"]], latest["omitted"]) == ([3], 2)
    assert get(api, "requests?pageSize=0").json["data"] == []


def test_a_request_is_shown_with_headers_and_bodies_and_without_the_key(api: Client) -> None:
    api.session("order-1", "customerSession", attributes={"Note": EVIL})
    found = get(api, "requests/1").json
    assert ["Authorization", "ApiKey-v1 ***"] in found["headers"]
    assert api.sandbox.api_key not in json.dumps(found)
    assert json.loads(found["body"]["text"])["customerSession"]["attributes"] == {"Note": EVIL}
    assert "\n  " in found["responseBody"]["text"]
    assert found["responseBody"]["cut"] is False
    for number in (0, 2, 999_999_999_999_999_999):
        assert refusal(api, f"requests/{number}").startswith(
            f"404: The log has no request {number}"
        )


def test_of_large_bodies_only_the_beginning_is_shown(api: Client) -> None:
    body = {"customerSession": {"attributes": {"Note": "x" * 4_000_000}}}
    assert api.send("PUT", "/v2/customer_sessions/large", body).status == 200
    api.send("PUT", "/v2/customer_sessions/bad", b"\xff" * 70_000)
    listed = api.pool.request("GET", "/_sandbox/requests", headers=api.management)
    assert len(listed.data) < 2_000
    large = get(api, "requests/1").json["body"]
    assert (len(large["text"]), large["cut"]) == (65_536, True)
    assert large["bytes"] > 4_000_000
    bad = get(api, "requests/2").json["body"]
    assert (bad["text"][:2], bad["cut"], bad["bytes"]) == ("��", True, 70_000)


def test_the_log_says_when_it_began_anew(api: Client) -> None:
    api.session("order-1")
    before = get(api, "requests").json
    api.send("POST", "/_sandbox/reset")
    after = get(api, "requests").json
    assert after["cleared"] > before["cleared"]
    assert after["data"] == []


def test_ids_are_free_texts(api: Client) -> None:
    for session_id in ("a/b", "%2F", "50%", "..", "ü ?#&", EVIL, "x" * 1000):
        api.session(quote(session_id, safe=""), attributes={"Own": session_id})
        path = f"sessions/{quote(session_id, safe='')}"
        found = get(api, path)
        assert found.status == 200, session_id
        assert found.json["session"]["attributes"] == {"Own": session_id}
