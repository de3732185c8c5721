"""`talon-one explain` prints why a session costs what it costs, and changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cli.program import TALON_ONE, Ended, run, variables
from support.server import Received, RecordingServer, Response
from talon_one.cli import main
from talon_one.cli.explain import DRY_RUN, NO_KEY
from talon_one.sandbox import Sandbox

Explain = Callable[..., Ended]

SESSION = {
    "integrationId": "order-1",
    "applicationId": 3,
    "profileId": "anna",
    "state": "open",
    "couponCodes": ["SUMMER", "OLD"],
    "cartItems": [{"sku": "A", "name": "Lamp", "quantity": 2, "price": 10.0}],
    "additionalCosts": {"shipping": {"price": 4}},
    "total": 24.0,
}
EFFECTS = [
    {
        "campaignId": 7,
        "rulesetId": 1,
        "ruleIndex": 0,
        "ruleName": "Ten off",
        "effectType": "setDiscount",
        "props": {"name": "Summer", "value": 10.0},
        "triggeredByCoupon": 5,
    },
    {
        "campaignId": 7,
        "ruleIndex": 0,
        "ruleName": "Ten off",
        "effectType": "acceptCoupon",
        "props": {"value": "SUMMER"},
        "triggeredByCoupon": 5,
    },
    {
        "campaignId": 8,
        "ruleIndex": 0,
        "ruleName": "",
        "effectType": "rejectCoupon",
        "props": {"value": "OLD", "rejectionReason": "CouponExpired"},
    },
    {
        "campaignId": 7,
        "ruleIndex": 0,
        "ruleName": "Ten off",
        "effectType": "triggerWebhook",
        "props": {"webhookId": 1, "webhookName": "Stock"},
    },
]
REASON = {
    "campaignID": 9,
    "campaignName": "VIP",
    "rulesetID": 2,
    "ruleIndex": 1,
    "ruleName": "For VIPs",
    "conditionIndex": 0,
}


@pytest.fixture
def explain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Explain:
    """Runs the command in this process, with only these variables."""
    for name in os.environ:
        if name.startswith("TALON_ONE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")

    def attempt(*arguments: str, **given: str) -> Ended:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        try:
            code = main(["explain", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return attempt


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox(seed="fashion", clock="2026-11-01T09:00:00Z") as running:
        yield running


def update(sandbox: Sandbox, session_id: str, **session: Any) -> None:
    import talon_one

    with talon_one.IntegrationApi(host=sandbox.url, api_key=sandbox.api_key) as api:
        api.update_customer_session_v2(session_id, {"customerSession": session})


def deployed(received: Received) -> Response:
    """Respond like a deployment with one open session."""
    state = {"customerSession": SESSION, "effects": EFFECTS}
    match received.method, received.path:
        case "GET", "/v2/customer_sessions/order-1":
            return Response(body=state)
        case "PUT", "/v2/customer_sessions/order-1":
            campaigns = [{"id": 7, "name": "Summer sale"}]
            more = {"ruleFailureReasons": [REASON], "triggeredCampaigns": campaigns}
            return Response(body={**state, **more})
        case "GET", "/v1/applications/3/campaigns/8":
            return Response(body={"id": 8, "name": "Winter sale"})
        case "GET", "/v1/message_logs":
            entry = {
                "webhookName": "Stock",
                "createdAt": "2026-11-01T09:00:00Z",
                "response": {"status": 503},
            }
            return Response(body={"data": [entry]})
    return Response(404, {"message": "not found"})


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_a_session_of_a_sandbox_is_printed_from_its_cart_to_its_points(
    shop: Sandbox, explain: Explain
) -> None:
    update(
        shop,
        "order-1",
        profileId="cust-anna",
        couponCodes=["WELCOME10", "NOPE"],
        cartItems=[{"sku": "COAT-7", "name": "Coat", "quantity": 3, "price": 40.0}],
        additionalCosts={"shipping": {"price": 4.9}},
    )
    ended = explain("order-1", **shop.environment())
    assert (ended.code, ended.err) == (0, "")
    printed = squeezed(ended.out)
    for text in (
        "Session order-1 of cust-anna, open.",
        "Coat 3 40.00 120.00 -36.00",
        "-12.00 on Coat (units 1 to 3): Sale#0 (Mid-season sale, Thirty percent off sale items)",
        "-8.40 on the session: Welcome with WELCOME10",
        "to pay 75.60 EUR",
        "WELCOME10: accepted (Welcome, Ten percent off the first order)",
        "NOPE: refused, CouponNotFound The Application has no such code.",
        "They ran at 2026-11-01T09:00:00.000000Z, for talon_session_created.",
        "passed Thirty percent off sale items",
        "failed Cinema voucher $Session.CartItemTotal greater than or equal to 200 "
        "$Session.CartItemTotal = 120",
        "$Session.Attributes.PointsToSpend = no value",
        "Berlin store (campaign 10) had no part in it. It runs in other stores only.",
        "wardrobe of cust-anna: 800.00 active, 0.00 pending, tier Linen",
    ):
        assert text in printed, text


def test_the_document_itself_can_be_had_as_json(shop: Sandbox, explain: Explain) -> None:
    update(shop, "a/b %2F", attributes={})
    found = json.loads(explain("a/b %2F", "--json", **shop.environment()).out)
    assert found["session"]["integrationId"] == "a/b %2F"


def test_a_large_cart_is_cut_and_says_so(shop: Sandbox, explain: Explain) -> None:
    items = [{"sku": f"COAT-{each}", "quantity": 1, "price": 5} for each in range(1000)]
    update(shop, "large", cartItems=items)
    ended = explain("large", **shop.environment())
    assert "950 further lines are not shown." in ended.out
    assert len(ended.out.splitlines()) < 300


def test_texts_are_printed_as_they_are(shop: Sandbox, explain: Explain) -> None:
    update(shop, "odd", profileId="[bold]x[/bold]", couponCodes=["[red]:smile:"])
    out = explain("odd", **shop.environment()).out
    assert "of [bold]x[/bold], open." in out
    assert "[red]:smile:: refused" in out


def test_a_terminal_obeys_nothing_that_a_text_says(shop: Sandbox, explain: Explain) -> None:
    code = "\x1b[2J\x07\x9b\u2028\r\nX"
    update(shop, "escapes", profileId=code, couponCodes=[code], attributes={})
    out = explain("escapes", **shop.environment()).out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028]", out)
    assert r"\x1b[2J\x07\x9b\u2028\r\nX: refused" in out
    ended = explain("\x1b[2J", **shop.environment())
    assert "\x1b" not in ended.err


def test_a_deployment_needs_nothing_of_the_sandbox() -> None:
    without = "import sys; sys.modules.update(aiohttp=None, yaml=None)"
    command = f"{without}; from talon_one.cli import main; sys.exit(main(['explain', 'x']))"
    more = {"TALON_ONE_HOST": "http://127.0.0.1:9", "TALON_ONE_API_KEY": "k"}
    ended = run(sys.executable, "-c", command, more=more)
    assert ended.code == 3
    assert "refused" in ended.err


def test_a_deployment_is_asked_for_a_dry_run_and_nothing_is_changed(explain: Explain) -> None:
    with RecordingServer(default=deployed) as server:
        keys = {"TALON_ONE_API_KEY": "k", "TALON_ONE_MANAGEMENT_KEY": "m"}
        ended = explain("order-1", TALON_ONE_HOST=server.url, **keys)
        sent = [(each.method, each.target) for each in server.requests]
        body = next(each.json() for each in server.requests if each.method == "PUT")
        open_headers = server.requests[0].headers
    assert (ended.code, ended.err) == (0, "")
    assert sent[:3] == [
        ("GET", "/_sandbox/about"),
        ("GET", "/v2/customer_sessions/order-1"),
        ("PUT", "/v2/customer_sessions/order-1?dry=true"),
    ]
    assert {method for method, _ in sent[3:]} == {"GET"}
    assert body["customerSession"] == {}
    assert "Authorization" not in open_headers
    printed = squeezed(ended.out)
    for text in (
        squeezed(DRY_RUN),
        "-10.00 on the session: Summer with SUMMER (Summer sale, Ten off)",
        "OLD: refused, CouponExpired (Winter sale) The expiryDate of the code has passed.",
        "The webhook Stock failed at 2026-11-01T09:00:00Z with 503.",
        "VIP (campaign 9) failed For VIPs its condition 1 does not hold",
        "Summer sale (campaign 7) passed Ten off",
    ):
        assert text in printed, text


def test_a_closed_session_of_a_deployment_is_not_evaluated(explain: Explain) -> None:
    closed = {"customerSession": {**SESSION, "state": "closed"}, "effects": EFFECTS}
    with RecordingServer() as server:
        server.script(Response(404, {}), closed)
        ended = explain("order-1", TALON_ONE_HOST=server.url, TALON_ONE_API_KEY="k")
        assert [each.method for each in server.requests] == ["GET", "GET"]
    assert ended.code == 0
    assert "A session that is closed is not evaluated again" in squeezed(ended.out)
    assert "OLD: refused, CouponExpired (campaign 8)" in ended.out


def test_a_management_key_without_rights_takes_nothing_away(explain: Explain) -> None:
    def forbidden(received: Received) -> Response:
        if received.path.startswith("/v1/"):
            return Response(403, {"message": "no"})
        return deployed(received)

    with RecordingServer(default=forbidden) as server:
        keys = {"TALON_ONE_API_KEY": "k", "TALON_ONE_MANAGEMENT_KEY": "m"}
        ended = explain("order-1", TALON_ONE_HOST=server.url, **keys)
    assert ended.code == 0
    assert "OLD: refused, CouponExpired (campaign 8)" in ended.out
    assert "The message log cannot be read" in ended.out


def test_responses_with_unexpected_parts_are_printed_as_far_as_they_go(explain: Explain) -> None:
    strange = {
        "customerSession": {"state": "open", "cartItems": [None, {}], "total": "x"},
        "effects": [None, {"effectType": "setDiscount", "props": {}}, {"effectType": None}],
        "ruleFailureReasons": [{}, 7],
        "triggeredCampaigns": [{"id": "x"}],
    }
    with RecordingServer() as server:
        server.script(Response(404, {}), strange, strange)
        ended = explain("order-1", TALON_ONE_HOST=server.url, TALON_ONE_API_KEY="k")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("session_id", "change", "code", "said"),
    [
        ("nope", {}, 1, "The sandbox has no session 'nope'."),
        ("order-1", {"TALON_ONE_MANAGEMENT_KEY": "wrong"}, 1, "401 Unauthorized"),
        ("order-1", {"TALON_ONE_MANAGEMENT_KEY": ""}, 2, NO_KEY),
        ("order-1", {"TALON_ONE_HOST": "http://127.0.0.1:9"}, 3, "refused"),
        ("order-1", {"TALON_ONE_HOST": "shop.talon.one"}, 2, "needs a scheme"),
        ("order-1", {"TALON_ONE_HOST": ""}, 2, "no host is set"),
        ("", {}, 2, "session_id must not be empty"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    session_id: str, change: dict[str, str], code: int, said: str, shop: Sandbox, explain: Explain
) -> None:
    ended = explain(session_id, **{**shop.environment(), **change})
    assert ended.code == code
    [line] = ended.err.splitlines()
    assert line.startswith("talon-one: ")
    assert said in line
    assert "wrong" not in line.replace("wrong key", "")


@pytest.mark.parametrize("response", [Response(401, {"message": "no"}), Response(404, {})])
def test_what_a_deployment_refuses_is_one_line(response: Response, explain: Explain) -> None:
    with RecordingServer(default=response) as server:
        ended = explain("x", TALON_ONE_HOST=server.url, TALON_ONE_API_KEY="k")
    [line] = ended.err.splitlines()
    assert (ended.code, str(response.status) in line) == (1, True)


def test_a_session_of_several_applications_needs_the_option(explain: Explain) -> None:
    import talon_one

    seed = {"applications": [{"name": "One", "keys": ["first"]}, {"name": "Two", "keys": ["two"]}]}
    with Sandbox(seed=seed) as running:
        for key in ("first", "two"):
            with talon_one.IntegrationApi(host=running.url, api_key=key) as api:
                api.update_customer_session_v2("same", {"customerSession": {"profileId": key}})
        settings = running.environment()
        ambiguous = explain("same", **settings)
        chosen = explain("same", "--application", "2", **settings)
    assert "Applications 1, 2 each have a session 'same'" in ambiguous.err
    assert "Session same of two, open." in chosen.out


def test_piped_output_has_neither_colors_nor_lines_that_are_too_long(shop: Sandbox) -> None:
    update(shop, "piped", profileId="cust-anna", couponCodes=["NOPE"], cartItems=[])
    more = {**shop.environment(), "COLUMNS": "40", "TERM": "xterm-256color", "NO_COLOR": "1"}
    ended = run(TALON_ONE, "explain", "piped", more=more)
    assert (ended.code, ended.err) == (0, "")
    assert "\x1b" not in ended.out
    assert max(map(len, ended.out.splitlines())) <= 40


def test_a_reader_that_goes_away_ends_the_command_as_any_other(shop: Sandbox) -> None:
    command = [TALON_ONE, "explain", "order-1"]
    process = subprocess.Popen(
        command, env=variables(shop.environment()), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (141, b"")


def test_wrapped_lines_have_no_blanks_at_their_ends(shop: Sandbox, explain: Explain) -> None:
    ended = explain("order-1", **{**shop.environment(), "COLUMNS": "40"})
    sentences = [line for line in ended.out.splitlines() if line[:2] == "  " and line[2:3].strip()]
    assert len(sentences) > 5
    assert [line for line in sentences if line != line.rstrip()] == []
