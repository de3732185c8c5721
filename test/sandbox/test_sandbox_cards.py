"""Loyalty cards: created, linked, used in sessions, transferred, blocked, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.loyalty_shop import LOYALTY, Shop, earn, kinds, props, redeem, shop

CARDS = {"cardBased": True, "usersPerCardLimit": 2, "returnPolicy": "unlimited"}
CARD = f"{LOYALTY}/cards/CARD-1"


def create(api: Shop, identifier: str | None = "CARD-1", **more: Any) -> Any:
    """Create a card and return the response."""
    sent = {"status": "active", **more}
    if identifier is not None:
        sent["cardIdentifier"] = identifier
    return api.send("POST", f"{LOYALTY}/cards", sent)


def change(api: Shop, action: str, profile: str) -> Any:
    """Link a profile to the card, or remove it."""
    return api.send("POST", f"/v2{CARD[3:]}/{action}_profile", {"integrationId": profile})


def test_a_card_is_created_with_an_identifier_or_a_generated_one() -> None:
    settings = {"validCharacters": ["7"], "couponPattern": "C-####"}
    with shop(program={**CARDS, "cardCodeSettings": settings}) as api:
        card = create(api, customerProfileIds=["anna", "bob"]).json
        assert (card["identifier"], card["status"], card["programID"]) == ("CARD-1", "active", 4)
        assert [each["integrationId"] for each in card["profiles"]] == ["anna", "bob"]
        assert create(api, None).json["identifier"] == "C-7777"
        assert create(api).status == 409
        # No other code fits the pattern.
        assert create(api, None).status == 409


def test_an_inactive_card_can_be_created_with_its_profiles() -> None:
    with shop(program=CARDS) as api:
        card = create(api, status="inactive", customerProfileIds=["anna"])
        assert (card.status, card.json["status"]) == (200, "inactive")
        assert [each["integrationId"] for each in card.json["profiles"]] == ["anna"]


def test_cards_have_no_more_profiles_than_the_program_allows() -> None:
    with shop(program=CARDS) as api:
        create(api)
        assert [change(api, "link", who).status for who in ("anna", "bob", "bob", "eve")] == [
            *(200, 200, 200, 400),
        ]
        assert change(api, "unlink", "anna").status == 200
        assert change(api, "link", "eve").status == 200
        assert change(api, "unlink", "nobody").status == 400
        assert create(api, "CARD-2", customerProfileIds=["a", "b", "c"]).status == 400
        assert api.manage("GET", f"{LOYALTY}/cards/CARD-2").status == 404


def test_a_session_earns_and_spends_points_of_its_card() -> None:
    with shop(redeem(5), earn(), program=CARDS) as api:
        create(api)
        api.add(5, CARD)
        reply = api.order(2, loyaltyCards=["CARD-1"])
        assert {each["cardIdentifier"] for each in props(reply, "addLoyaltyPoints")} == {"CARD-1"}
        [card] = reply.json["loyalty"]["cards"]
        assert card["ledger"]["currentBalance"] == 20
        assert api.balance(CARD) == {"active": 20, "spent": 5}
        assert [each["amount"] for each in api.send("GET", f"{CARD}/points").json["data"]] == [
            *(10, 10)
        ]
        for log in (api.send("GET", f"{CARD}/transactions"), api.manage("GET", f"{CARD}/logs")):
            assert [each["amount"] for each in log.json["data"]] == [10, 10, 5, 5]
        api.cancel()
        assert api.balance(CARD) == {"active": 5}


def test_an_open_session_shows_tentative_points_of_its_card() -> None:
    with shop(earn(), program=CARDS) as api:
        create(api)
        [card] = api.order(2, state="open", loyaltyCards=["CARD-1"]).json["loyalty"]["cards"]
        assert card["ledger"]["tentativeCurrentBalance"] == 20


@pytest.mark.parametrize("cards", [[], ["CARD-9"], ["OFF-1"]])
def test_a_session_without_an_active_card_earns_no_points(cards: list[str]) -> None:
    with shop(redeem(5), earn(), program=CARDS) as api:
        create(api, "OFF-1", status="inactive")
        api.add(5, f"{LOYALTY}/cards/OFF-1")
        assert kinds(api.order(2, loyaltyCards=cards)) == []
        assert api.balance(f"{LOYALTY}/cards/OFF-1") == {"active": 5}


def test_managers_add_and_deduct_points_of_cards() -> None:
    with shop(program=CARDS) as api:
        create(api)
        assert api.add(10, CARD, subledgerId="fuel").status == 204
        assert api.deduct(11, CARD, subledgerId="fuel").status == 400
        assert api.deduct(1, CARD).status == 400
        assert api.deduct(4, CARD, subledgerId="fuel").status == 204
        found = api.send("GET", f"{CARD}/balances?subledgerId=fuel&subledgerId=x").json
        assert found["subledgerBalances"]["fuel"]["activePoints"] == 6
        read = api.manage("GET", CARD).json
        assert read["subledgers"]["fuel"]["currentBalance"] == 6


def test_a_transfer_moves_points_and_profiles_and_blocks_the_old_card() -> None:
    program = {**CARDS, "defaultPending": "1D"}
    with shop(earn(), program=program) as api:
        create(api, customerProfileIds=["anna"])
        api.order(2, loyaltyCards=["CARD-1"])
        body = {"newCardIdentifier": "CARD-2", "blockReason": "lost"}
        assert api.manage("PUT", f"{CARD}/transfer", body).status == 204
        old, new = (
            api.manage("GET", f"{LOYALTY}/cards/{name}").json for name in ("CARD-1", "CARD-2")
        )
        assert (old["status"], old["blockReason"]) == ("blocked", "lost")
        assert (old["newCardIdentifier"], new["oldCardIdentifier"]) == ("CARD-2", "CARD-1")
        assert [each["integrationId"] for each in new["profiles"]] == ["anna"]
        assert old["profiles"] == []
        assert api.balance(CARD) == {}
        assert api.balance(f"{LOYALTY}/cards/CARD-2") == {"pending": 20}
        # What the order did is undone where the points are now.
        assert kinds(api.cancel()) == ["rollbackAddedLoyaltyPoints"] * 2
        assert api.balance(f"{LOYALTY}/cards/CARD-2") == {}
        assert api.manage("PUT", f"{CARD}/transfer", {"newCardIdentifier": "CARD-3"}).status == 400
        assert api.manage("PUT", CARD, {"status": "active"}).status == 400
        assert change(api, "link", "bob").status == 400


@pytest.mark.parametrize("other", ["CARD-1", "USED-1"])
def test_points_cannot_be_transferred_to_the_same_card_or_one_in_use(other: str) -> None:
    with shop(program=CARDS) as api:
        create(api, customerProfileIds=["anna"])
        create(api, "USED-1", customerProfileIds=["bob"])
        reply = api.manage("PUT", f"{CARD}/transfer", {"newCardIdentifier": other})
        assert reply.status == 400
        assert api.manage("GET", CARD).json["status"] == "active"


def test_cards_are_deactivated_and_deleted_with_their_points() -> None:
    with shop(program=CARDS) as api:
        create(api)
        api.add(5, CARD)
        assert api.manage("PUT", CARD, {"status": "inactive"}).json["status"] == "inactive"
        assert api.manage("PUT", CARD, {"status": "gone"}).status == 400
        assert api.manage("DELETE", CARD).status == 204
        assert api.manage("DELETE", CARD).status == 404
        create(api)
        assert api.balance(CARD) == {}


def test_batches_and_lists_of_cards() -> None:
    with shop(program=CARDS) as api:
        made = api.manage("POST", f"{LOYALTY}/cards/batch", {"numberOfCards": 3}).json
        assert made["numberOfCardsGenerated"] == 3
        create(api, customerProfileIds=["anna"])

        def count(query: str) -> int:
            return len(api.manage("GET", f"{LOYALTY}/cards?{query}").json["data"])

        assert count("") == 4
        assert count(f"batchId={made['batchId']}") == 3
        assert (count("profileId=1"), count("profileId=99")) == (1, 0)
        assert count("identifier=card") == 1
        assert count("pageSize=2") == 2
        newest = api.manage("GET", f"{LOYALTY}/cards?sort=-id&pageSize=1").json
        assert (newest["data"][0]["identifier"], newest["hasMore"]) == ("CARD-1", True)
        code = {"validCharacters": ["X"], "couponPattern": "B-####"}
        off = {
            "numberOfCards": 1,
            "batchId": "BATCH",
            "status": "inactive",
            "cardCodeSettings": code,
        }
        assert api.manage("POST", f"{LOYALTY}/cards/batch", off).json["batchId"] == "BATCH"
        cards = api.manage("GET", f"{LOYALTY}/cards?batchId=BATCH").json["data"]
        assert [(card["identifier"], card["status"]) for card in cards] == [("B-XXXX", "inactive")]


def test_card_operations_are_refused_for_a_program_without_cards_and_the_reverse() -> None:
    with shop() as api:
        assert create(api).status == 400
        assert api.manage("GET", f"{LOYALTY}/cards").status == 400
    with shop(program=CARDS) as api:
        assert api.send("GET", f"{LOYALTY}/profile/anna/balances").status == 400


def test_cards_are_imported_and_exported() -> None:
    attributes = [{"id": 1, "entity": "LoyaltyCard", "name": "level", "title": "Level"}]
    with shop(program=CARDS, attributes=attributes) as api:
        text = (
            "identifier,state,customerprofileids,attributes\n"
            'CARD-1,active,anna;new one,"{""level"": ""top""}"\nCARD-2,inactive,,\n'
        )
        reply = api.upload(f"{LOYALTY}/import_cards", text)
        assert (reply.status, reply.json["amount"], reply.json["entity"]) == (200, 2, "LoyaltyCard")
        create(api, "MADE-1")
        rows = api.export(f"{LOYALTY}/cards/export?dateFormat=excel")
        assert [
            (row["identifier"], row["status"], row["customerprofileids"], row["attributes"])
            for row in rows
        ] == [
            ("CARD-1", "active", "anna;new one", '{"level":"top"}'),
            ("CARD-2", "inactive", "", "{}"),
            ("MADE-1", "active", "", "{}"),
        ]
        assert [row["generated"] for row in rows] == ["false", "false", "true"]
        assert (rows[0]["created"], rows[0]["userpercardlimit"]) == ("2026-01-10 12:00:00", "2")
        text = (
            "identifier,state,customerprofileids,attributes\nCARD-1,active,,\nX,active,,\n"
            'CARD-3,lost,,\nCARD-4,active,a;b;c,\nCARD-5,active,,"{""no"": 1}"\nCARD-6,active,,\n'
        )
        wrong = api.upload(f"{LOYALTY}/import_cards", text)
        lines = [error["source"]["line"] for error in wrong.json["errors"]]
        assert (wrong.status, lines) == (400, ["2", "3", "4", "5", "6"])
        assert api.manage("GET", f"{LOYALTY}/cards/CARD-6").status == 404


def test_points_of_cards_are_imported_and_their_balances_and_ledgers_exported() -> None:
    with shop(earn(), program=CARDS) as api:
        create(api)
        create(api, "CARD-2", status="inactive")
        text = "identifier,amount,subledgerid\nCARD-1,10,\nCARD-1,2.5,fuel\n"
        assert api.upload(f"{LOYALTY}/import_points", text).json["amount"] == 2
        api.order(1, loyaltyCards=["CARD-1"])
        rows = api.export(f"{LOYALTY}/export_card_balances")
        assert [
            (
                row["cardIdentifier"],
                row["cardState"],
                row["loyaltySubledger"],
                row["currentBalance"],
            )
            for row in rows
        ] == [
            ("CARD-1", "active", "", "20"),
            ("CARD-1", "active", "fuel", "2.5"),
            ("CARD-2", "inactive", "", "0"),
        ]
        target = f"{LOYALTY}/export_card_balances?balances=negativeBalance"
        assert api.manage("GET", target).status == 400
        span = "rangeStart=2026-01-01T00:00:00Z&rangeEnd=2026-02-01T00:00:00Z"
        log = api.export(f"{CARD}/export_log?{span}")
        assert [(row["identifier"], row["amount"]) for row in log] == [
            *(("CARD-1", "10"), ("CARD-1", "2.5"), ("CARD-1", "10"))
        ]
        assert log[-1]["customersessionid"] == "order-1"
        for column in ("customerprofileid", "identifier"):
            wrong = api.upload(f"{LOYALTY}/import_points", f"{column},amount\nCARD-9,1\n")
            assert wrong.status == 400
