"""Points of profiles: earned, pending, active, spent, expired, taken back and given back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from sandbox.loyalty_shop import ANNA, PROGRAM, earn, kinds, props, redeem, shop


def test_points_pend_become_active_are_spent_and_expire() -> None:
    program = {"defaultPending": "2D", "defaultValidity": "30D"}
    with shop(earn(), program=program) as api:
        advance = api.sandbox.clock.advance
        [first, second] = props(api.order(2), "addLoyaltyPoints")
        assert first["startDate"] == "2026-01-12T12:00:00.000000Z"
        assert first["expiryDate"] == "2026-02-11T12:00:00.000000Z"
        assert first["transactionUUID"] != second["transactionUUID"]
        assert api.balance() == {"pending": 20}
        assert api.deduct(5).status == 400
        advance(days=2)
        assert api.balance() == {"active": 20}
        assert api.deduct(5).status == 204
        assert api.balance() == {"active": 15, "spent": 5}
        advance(days=30)
        assert api.balance() == {"expired": 15, "spent": 5}
        assert api.deduct(1).status == 400


def test_balances_of_past_and_future_moments() -> None:
    with shop(earn(), program={"defaultPending": "2D", "defaultValidity": "30D"}) as api:
        api.order(2)
        assert api.balance(query="?endDate=2026-01-13T00:00:00Z") == {"active": 20}
        api.sandbox.clock.advance(days=3)
        api.deduct(20)
        found = [
            api.balance(query=f"?endDate={day}T00:00:00Z")
            for day in ("2026-01-10", "2026-01-11", "2026-01-13", "2026-01-14", "2026-03-01")
        ]
        assert found == [{}, {"pending": 20}, {"active": 20}, {"spent": 20}, {"spent": 20}]


@pytest.mark.parametrize("policy", ["within_balance", "unlimited"])
def test_a_cancelled_order_restores_all_balances(policy: str) -> None:
    blocks = (redeem(30), earn("{{$Session.Total}}", "cart"))
    with shop(*blocks, program={"returnPolicy": policy}) as api:
        api.add(20, validUntil="2026-02-01T00:00:00Z")
        api.add(25)
        points = api.send("GET", f"{ANNA}/points").json["data"]
        before = api.send("GET", f"{ANNA}/balances").json
        api.order(3)
        assert api.balance() == {"active": 45, "spent": 30}
        cancelled = api.cancel()
        assert kinds(cancelled) == ["rollbackDeductedLoyaltyPoints", "rollbackAddedLoyaltyPoints"]
        [given], [taken] = (props(cancelled, kind) for kind in kinds(cancelled))
        assert (given["value"], taken["value"]) == (30, 30)
        assert given["recipientIntegrationId"] == taken["recipientIntegrationId"] == "anna"
        assert api.send("GET", f"{ANNA}/balances").json == before
        assert api.send("GET", f"{ANNA}/points").json["data"] == points


def test_only_pending_points_are_taken_back_unless_the_program_says_more() -> None:
    with shop(earn(), program={"defaultPending": "1D"}) as api:
        api.order(1)
        api.order(2, order="order-2")
        assert kinds(api.cancel()) == ["rollbackAddedLoyaltyPoints"]
        assert api.balance() == {"pending": 20}
        api.sandbox.clock.advance(days=1)
        assert kinds(api.cancel("order-2")) == []
        assert api.balance() == {"active": 20}


def test_points_that_were_spent_become_a_debt_that_later_points_pay() -> None:
    with shop(earn(), program={"returnPolicy": "unlimited"}) as api:
        api.order(3)
        api.deduct(25)
        api.cancel()
        assert api.balance() == {"spent": 25, "negative": 25}
        api.order(4, order="order-2")
        assert api.balance() == {"active": 15, "spent": 25}


def test_a_partial_return_takes_back_the_points_of_the_returned_units() -> None:
    with shop(earn(), program={"defaultPending": "1D"}) as api:
        api.order(2, 3)
        body = {"return": {"returnedCartItems": [{"position": 1, "quantity": 2}]}}
        reply = api.send("POST", "/v2/customer_sessions/order-1/returns", body)
        taken = props(reply, "rollbackAddedLoyaltyPoints")
        places = [(each["cartItemPosition"], each["cartItemSubPosition"]) for each in taken]
        assert places == [(1, 0), (1, 1)]
        assert api.balance() == {"pending": 30}
        api.cancel()
        assert api.balance() == {}


def test_a_reopened_session_gives_its_points_back_and_earns_them_again() -> None:
    with shop(redeem(10), earn(), program={"returnPolicy": "within_balance"}) as api:
        api.add(10)
        api.order(2)
        assert api.balance() == {"active": 20, "spent": 10}
        reopened = api.send("PUT", "/v2/customer_sessions/order-1/reopen")
        assert sorted(set(kinds(reopened))) == [
            "rollbackAddedLoyaltyPoints",
            "rollbackDeductedLoyaltyPoints",
        ]
        assert api.balance() == {"active": 10}
        api.order(2)
        assert api.balance() == {"active": 20, "spent": 10}


def test_an_open_session_changes_only_tentative_balances() -> None:
    later = earn(7, "cart", subledger="später", pendingDuration="1D")
    friend = earn(1000, "cart", recipient="Advocate")
    with shop(redeem(4), earn(5, "cart"), later, friend) as api:
        api.add(4)
        reply = api.order(1, state="open")
        program = reply.json["loyalty"]["programs"][str(PROGRAM)]
        ledger, later_ledger = program["ledger"], program["subLedgers"]["später"]
        assert (ledger["currentBalance"], ledger["tentativeCurrentBalance"]) == (4, 5)
        assert ledger["tentativePendingBalance"] == ledger["tentativeNegativeBalance"] == 0
        assert (later_ledger["pendingBalance"], later_ledger["tentativePendingBalance"]) == (0, 7)
        assert later_ledger["tentativeCurrentBalance"] == 0
        assert api.balance() == {"active": 4}


def test_pending_points_of_a_program_are_tentatively_pending() -> None:
    with shop(earn(5, "cart"), program={"defaultPending": "on_action"}) as api:
        ledger = api.order(1, state="open").json["loyalty"]["programs"][str(PROGRAM)]["ledger"]
        assert (ledger["tentativeCurrentBalance"], ledger["tentativePendingBalance"]) == (0, 5)


def test_an_order_without_enough_points_has_no_deduction() -> None:
    with shop(redeem(30)) as api:
        api.add(29.99)
        assert kinds(api.order(1)) == []
        api.add(0.01)
        assert kinds(api.order(1, order="order-2")) == ["deductLoyaltyPoints"]
        assert api.balance() == {"spent": 30}


def test_points_that_await_an_action_are_activated_by_session_or_transaction() -> None:
    program = {"defaultPending": "on_action", "defaultValidity": "10D"}
    with shop(earn(), program=program) as api:
        api.order(2)
        api.order(1, order="order-2")
        target = f"/v1/loyalty_programs/{PROGRAM}/activate_points"
        waiting = api.send("GET", f"{ANNA}/transactions?awaitsActivation=true").json["data"]
        assert {each["startDate"] for each in waiting} == {"on_action"}
        assert len(waiting) == 3
        api.sandbox.clock.advance(days=5)
        reply = api.send("POST", target, {"sessionId": "order-1"})
        assert [each["amount"] for each in reply.json["ledgerEntries"]] == [10, 10]
        expiries = {each["expiryDate"] for each in reply.json["ledgerEntries"]}
        assert expiries == {"2026-01-25T12:00:00.000000Z"}
        assert api.balance() == {"active": 20, "pending": 10}
        uuid = waiting[0]["transactionUUID"]
        assert api.send("POST", target, {"transactionUUIDs": [uuid]}).status == 200
        assert api.balance() == {"active": 30}
        assert api.send("POST", target, {"sessionId": "order-1"}).json == {"ledgerEntries": []}
        for body, status in (({}, 400), ({"sessionId": "none"}, 404)):
            assert api.send("POST", target, body).status == status


def test_profiles_join_as_the_program_says() -> None:
    found: dict[str, list[bool]] = {}
    for policy in ("not_join", "points_activated", "points_earned"):
        program = {"programJoinPolicy": policy, "defaultPending": "on_action"}
        with shop(earn(), program=program) as api:
            joined = []
            api.order(1)
            joined.append(api.export(f"/v1/loyalty_programs/{PROGRAM}/export_join_dates"))
            api.send(
                "POST", f"/v1/loyalty_programs/{PROGRAM}/activate_points", {"sessionId": "order-1"}
            )
            joined.append(api.export(f"/v1/loyalty_programs/{PROGRAM}/export_join_dates"))
            found[policy] = [bool(rows) for rows in joined]
    assert found == {
        "not_join": [False, False],
        "points_activated": [False, True],
        "points_earned": [True, True],
    }


def test_joining_creates_the_profile_and_works_once() -> None:
    with shop() as api:
        target = f"/v1/loyalty_programs/{PROGRAM}/profile/new%20one/join"
        assert api.send("POST", target).status == 200
        assert api.send("POST", target).status == 400
        assert api.profile("new%20one")["integrationId"] == "new one"
        missing = api.send("POST", "/v1/loyalty_programs/99/profile/anna/join")
        assert missing.status == 400


def test_deleting_transactions_empties_the_chosen_ledgers() -> None:
    with shop(program={"tiers": [{"id": 41, "name": "Silver", "minPoints": 100}]}) as api:
        for name in ("", "a", "b"):
            api.add(100, subledgerId=name)
        target = f"{ANNA}/delete_transactions"
        assert api.send("POST", target, {"scope": "SelectedSubledgers"}).status == 400
        body = {"scope": "SelectedSubledgers", "subledgerIds": ["", "a"]}
        assert api.send("POST", target, body).status == 204
        assert (api.balance(), api.tier()) == ({}, None)
        found = api.send("GET", f"{ANNA}/balances").json["subledgerBalances"]
        assert {name: each["activePoints"] for name, each in found.items()} == {"b": 100}
        assert api.send("POST", target, {"scope": "AllSubledgers"}).status == 204
        assert api.send("GET", f"{ANNA}/transactions").json["data"] == []


def test_cancelling_an_order_whose_points_were_deleted_does_nothing() -> None:
    with shop(redeem(1), earn(), program={"returnPolicy": "unlimited"}) as api:
        api.add(1)
        api.order(1)
        api.send("POST", f"{ANNA}/delete_transactions", {"scope": "AllSubledgers"})
        assert kinds(api.cancel()) == []
        assert api.balance() == {}


def test_lists_of_points_and_transactions_filter_sort_and_page() -> None:
    with shop(earn()) as api:
        api.add(1, name="manual", validUntil="2026-03-01T00:00:00Z")
        api.sandbox.clock.advance(hours=1)
        api.add(2, subledgerId="a", pendingUntil="2026-02-01T00:00:00Z")
        api.sandbox.clock.advance(hours=1)
        api.order(1)
        api.deduct(3)

        def amounts(target: str, **more: Any) -> list[Any]:
            return [each["amount"] for each in api.send("GET", target).json["data"]]

        assert amounts(f"{ANNA}/points") == [8]
        assert amounts(f"{ANNA}/points?status=pending") == [2]
        assert amounts(f"{ANNA}/points?status=pending&subledgerId=a") == [2]
        assert amounts(f"{ANNA}/points?status=pending&subledgerId=b") == []
        log = f"{ANNA}/transactions"
        assert amounts(log) == [3, 10, 2, 1]
        assert amounts(f"{log}?loyaltyTransactionType=session") == [10]
        assert amounts(f"{log}?loyaltyTransactionType=manual") == [3, 2, 1]
        assert amounts(f"{log}?loyaltyTransactionType=import") == []
        assert amounts(f"{log}?subledgerId=a") == [2]
        assert amounts(f"{log}?customerSessionIDs=order-1&customerSessionIDs=x") == [10]
        assert amounts(f"{log}?startDate=2026-01-10T13:00:00Z&endDate=2026-01-10T13:30:00Z") == [2]
        assert amounts(f"{log}?pageSize=2&skip=1") == [10, 2]
        assert api.send("GET", f"{log}?pageSize=2").json["hasMore"] is True
        assert api.send("GET", f"{log}?awaitsActivation=false").status == 400
        managed = api.manage("GET", f"{ANNA}/ledger_transactions").json["data"]
        assert [each["amount"] for each in managed] == [3, 10, 2, 1]
        program = f"/v1/loyalty_programs/{PROGRAM}/transactions"
        assert len(api.manage("GET", program).json["data"]) == 4
        api.add(5, validUntil="2026-02-01T00:00:00Z")
        assert amounts(f"{ANNA}/points?sort=expiryDate") == [5, 8]
        assert amounts(f"{ANNA}/points?sort=-expiryDate") == [8, 5]


def test_managed_balances_show_the_ledger_that_was_asked_for() -> None:
    with shop() as api:
        for name in ("", "ünï/1", "b"):
            api.add(1.5, subledgerId=name)
        found = api.manage("GET", f"{ANNA}/ledger_balances?subledgerId=%C3%BCn%C3%AF%2F1").json
        assert {
            name: each["activePoints"] for name, each in found["subledgerBalances"].items()
        } == {"ünï/1": 1.5}
        assert found["balance"]["activePoints"] == 1.5


@pytest.mark.parametrize(
    "body",
    [
        {"points": 0},
        {"points": -1},
        {"points": 1, "validityDuration": "1D", "validUntil": "2027-01-01T00:00:00Z"},
        {"points": 1, "pendingDuration": "1D", "pendingUntil": "2027-01-01T00:00:00Z"},
        {"points": 1, "validityDuration": "5X"},
        {"points": 1, "validityDuration": "999999999Y"},
        {"points": 1e12},
        {},
    ],
)
def test_points_that_cannot_be_added_are_refused(body: dict[str, Any]) -> None:
    with shop() as api:
        reply = api.manage("PUT", f"{ANNA}/add_points", body)
        assert (reply.status, reply.json["message"]) == (400, "The submitted data was invalid")
        assert api.balance() == {}


def test_unknown_programs_and_profiles_are_not_found() -> None:
    with shop() as api:
        wrong = []
        for path in ("balances", "points", "transactions"):
            for program, profile in (("99", "anna"), (str(PROGRAM), "nobody")):
                target = f"/v1/loyalty_programs/{program}/profile/{profile}/{path}"
                if api.send("GET", target).status != 404:
                    wrong.append(target)
        for program in ("99", "x", "9" * 30, "%D9%A3"):
            target = f"/v1/loyalty_programs/{program}/profile/anna/add_points"
            if api.manage("PUT", target, {"points": 1}).status != 404:
                wrong.append(target)
        assert not wrong


def test_fractions_and_huge_amounts_add_up_exactly() -> None:
    with shop() as api:
        for _ in range(10):
            api.add(0.1)
        assert api.balance() == {"active": 1}
        api.add(999999999999.99)
        api.deduct(0.99)
        assert api.balance() == {"active": 1000000000000, "spent": 0.99}


def test_concurrent_orders_never_spend_more_than_there_is() -> None:
    with shop(redeem(10)) as api:
        api.add(45)

        def close(number: int) -> int:
            return len(kinds(api.session(f"order-{number}", profileId="anna", state="closed")))

        with ThreadPoolExecutor(2) as threads:
            spent = sum(threads.map(close, range(10)))
        assert spent == 4
        assert api.balance() == {"active": 5, "spent": 40}


def test_a_dry_request_leaves_the_ledger_as_it_was() -> None:
    with shop(redeem(4), earn()) as api:
        api.add(10)
        session = {"profileId": "anna", "state": "closed"}
        reply = api.session(query="?dry=true", **session)
        assert kinds(reply) == ["deductLoyaltyPoints"]
        assert api.balance() == {"active": 10}


def test_the_program_is_listed_and_read() -> None:
    with shop(program={"tiers": [{"id": 41, "name": "Silver", "minPoints": 100}]}) as api:
        listed = api.manage("GET", "/v1/loyalty_programs").json
        assert (listed["totalResultSize"], listed["data"][0]["id"]) == (1, PROGRAM)
        read = api.manage("GET", f"/v1/loyalty_programs/{PROGRAM}").json
        assert [tier["name"] for tier in read["tiers"]] == ["Silver"]
        assert api.manage("GET", "/v1/loyalty_programs/99").status == 404


def test_the_deprecated_ledger_lists_entries_by_state() -> None:
    with shop(program={"tiers": [{"id": 41, "name": "Silver", "minPoints": 5}]}) as api:
        api.add(10, validUntil="2026-03-01T00:00:00Z")
        api.add(3, pendingDuration="1D")
        api.add(2, subledgerId="a")
        api.deduct(4)
        found = api.manage("GET", ANNA).json
        ledger = found["ledger"]
        assert (ledger["total"], ledger["totalPendingPoints"], ledger["totalSpentPoints"]) == (
            *(6, 3, 4),
        )
        lists = ("transactions", "expiringPoints", "activePoints", "pendingPoints", "expiredPoints")
        amounts = {name: [each["amount"] for each in ledger[name]] for name in lists}
        assert amounts == {
            "transactions": [10, 3, 4],
            "expiringPoints": [6],
            "activePoints": [6],
            "pendingPoints": [3],
            "expiredPoints": [],
        }
        assert ledger["currentTier"]["name"] == "Silver"
        assert found["subLedgers"]["a"]["total"] == 2


def test_statistics_add_up_all_points_of_the_program_and_those_of_today() -> None:
    with shop(redeem(2), earn()) as api:
        api.add(5)
        api.sandbox.clock.advance(days=1)
        api.add(7, pendingDuration="1D", subledgerId="a")
        api.order(1)
        api.deduct(1)
        assert api.manage("GET", f"/v1/loyalty_programs/{PROGRAM}/statistics").json == {
            "date": "2026-01-11T00:00:00.000000Z",
            "totalActivePoints": 12,
            "totalPendingPoints": 7,
            "totalSpentPoints": 3,
            "totalExpiredPoints": 0,
            "totalNegativePoints": 0,
            "totalMembers": 1,
            "newMembers": 0,
            "spentPoints": {"createdManually": 1, "createdViaRuleEngine": 2},
            "earnedPoints": {"createdManually": 7, "createdViaRuleEngine": 10},
        }


def test_a_rule_may_date_its_points() -> None:
    dated = earn(
        5, "cart", startDate="2026-01-11T02:00:00+02:00", expiryDate="2026-01-20T00:00:00Z"
    )
    lasting = earn(7, "cart", validityDuration="1D", subledger="a")
    with shop(dated, lasting, program={"defaultValidity": "1Y"}) as api:
        api.order(1)
        assert api.balance() == {"pending": 5}
        api.sandbox.clock.advance(hours=12)
        assert api.balance() == {"active": 5}
        api.sandbox.clock.advance(hours=12)
        found = api.send("GET", f"{ANNA}/balances").json["subledgerBalances"]["a"]
        assert (found["activePoints"], found["expiredPoints"]) == (0, 7)
        api.sandbox.clock.advance(days=9)
        assert api.balance() == {"expired": 5}


def test_entries_follow_one_another_though_the_clock_of_the_machine_went_back() -> None:
    with shop() as api:
        api.add(5)
        api.sandbox.clock._shift -= timedelta(hours=1)
        assert api.balance() == {"active": 5}
        assert api.deduct(3).status == 204
        assert api.deduct(3).status == 400
        assert api.balance() == {"active": 2, "spent": 3}


def test_a_program_without_subledgers_has_the_main_ledger_only() -> None:
    blocks = (earn(5, "cart", subledger="a"), redeem(1, subledger="a"), earn(7, "cart"))
    with shop(*blocks, program={"allowSubledger": False}) as api:
        assert api.add(1, subledgerId="a").status == 400
        text = "customerprofileid,amount,subledgerid\nanna,1,a\n"
        assert api.upload(f"/v1/loyalty_programs/{PROGRAM}/import_points", text).status == 400
        assert [each["value"] for each in props(api.order(1), "addLoyaltyPoints")] == [7]
        assert api.send("GET", f"{ANNA}/balances").json["subledgerBalances"] == {}


def test_points_have_two_decimal_places() -> None:
    with shop(earn("{{$Session.Total / 3}}", "cart")) as api:
        assert [api.add(points).status for points in (0.005, 0.004, 1e-30)] == [204, 400, 400]
        api.order(1)
        assert api.balance() == {"active": 3.34}


@pytest.mark.parametrize(
    "dates",
    [
        {"validityDuration": "soon"},
        {"validityDuration": "9999Y"},
        {"pendingDuration": "unlimited"},
    ],
)
def test_a_rule_with_an_impossible_duration_has_no_effect(dates: dict[str, str]) -> None:
    with shop(earn(5, "cart", **dates), earn(7, "cart")) as api:
        assert [each["value"] for each in props(api.order(1), "addLoyaltyPoints")] == [7]


def test_durations_of_a_program_may_lead_beyond_the_calendar() -> None:
    with shop(earn(5, "cart"), program={"defaultValidity": "9999Y"}) as api:
        api.order(1)
        assert api.balance(query="?endDate=9999-12-31T00:00:00Z") == {"active": 5}
    with shop(earn(5, "cart"), program={"defaultPending": "9999Y"}) as api:
        api.order(1)
        assert api.balance(query="?endDate=9999-12-31T00:00:00Z") == {"pending": 5}
