"""Tiers of profiles: upgrades by rules and managers, downgrades with time, and projections."""

from __future__ import annotations

from sandbox.loyalty_shop import ANNA, LOYALTY, TIERS, earn, kinds, props, redeem, shop

LASTING = {
    "tiers": TIERS,
    "tiersExpirationPolicy": "tier_start_date",
    "tiersExpireIn": "1M",
    "tiersDowngradePolicy": "one_down",
}


def test_an_order_that_reaches_a_tier_has_an_effect_that_says_so_once() -> None:
    with shop(earn(), program=LASTING) as api:
        reply = api.order(10, 2)
        [change] = props(reply, "changeLoyaltyTierLevel")
        assert change == {
            "ruleTitle": "Rule 0",
            "programId": 4,
            "subLedgerId": "",
            "newTierName": "Silver",
            "expiryDate": "2026-02-10T12:00:00.000000Z",
        }
        assert api.tier() == ("Silver", "2026-01-10", "2026-02-10")
        assert "changeLoyaltyTierLevel" not in kinds(api.order(1, order="order-2"))
        [change] = props(api.order(100, order="order-3"), "changeLoyaltyTierLevel")
        assert (change["previousTierName"], change["newTierName"]) == ("Silver", "Gold")


def test_an_open_order_changes_no_tier() -> None:
    with shop(earn(), program=LASTING) as api:
        assert "changeLoyaltyTierLevel" not in kinds(api.order(10, state="open"))
        assert api.tier() is None


def test_pending_points_give_a_tier_when_they_become_active() -> None:
    with shop(earn(), program={**LASTING, "defaultPending": "2D"}) as api:
        assert "changeLoyaltyTierLevel" not in kinds(api.order(10))
        api.sandbox.clock.advance(days=1)
        assert api.tier() is None
        api.sandbox.clock.advance(days=3)
        assert api.tier() == ("Silver", "2026-01-12", "2026-02-12")


def test_a_cancelled_order_takes_the_tier_of_a_program_without_expiration() -> None:
    with shop(earn(), program={"tiers": TIERS, "returnPolicy": "unlimited"}) as api:
        api.order(10)
        assert api.tier() == ("Silver", "2026-01-10", "")
        api.cancel()
        assert api.tier() is None


def test_spending_in_a_program_without_expiration_takes_the_tier_immediately() -> None:
    with shop(program={"tiers": TIERS}) as api:
        api.add(1000)
        assert api.tier() == ("Gold", "2026-01-10", "")
        api.sandbox.clock.advance(days=1)
        api.deduct(500)
        assert api.tier() == ("Silver", "2026-01-11", "")


def test_tiers_go_down_with_time_and_past_moments_keep_theirs() -> None:
    with shop(earn(), program=LASTING) as api:
        api.add(1000, validUntil="2026-01-20T00:00:00Z")
        found = []
        for _ in range(4):
            found.append(api.tier())
            api.sandbox.clock.advance(days=31)
        assert found == [
            ("Gold", "2026-01-10", "2026-02-10"),
            ("Silver", "2026-02-10", "2026-03-10"),
            None,
            None,
        ]
        api.add(100)
        assert api.tier() == ("Silver", "2026-05-14", "2026-06-14")
        past = [
            api.tier(query=f"&endDate={day}T00:00:00Z")
            for day in ("2026-01-01", "2026-01-11", "2026-02-11", "2026-04-01")
        ]
        assert past == [None, *found[:3]]


def test_regaining_a_tier_that_time_took_has_an_effect_again() -> None:
    with shop(earn(), program=LASTING) as api:
        api.order(10)
        api.deduct(100)
        api.sandbox.clock.advance(days=40)
        [change] = props(api.order(10, order="order-2"), "changeLoyaltyTierLevel")
        assert "previousTierName" not in change
        assert change["newTierName"] == "Silver"


def test_the_next_tier_and_the_projected_one_are_shown() -> None:
    with shop(program=LASTING) as api:
        api.add(1000, validUntil="2026-01-20T00:00:00Z")
        api.add(150)
        target = f"{ANNA}/balances?includeTiers=true&includeProjectedTier=true"
        shown = api.send("GET", target).json["balance"]
        assert "nextTierName" not in shown or shown["nextTierName"] is None
        assert shown["projectedTier"] == {
            "projectedActivePoints": 150,
            "stayInTierPoints": 850,
            "projectedTierName": "Silver",
        }
        api.deduct(1000)
        shown = api.send("GET", target).json["balance"]
        assert (shown["currentTier"]["name"], shown["pointsToNextTier"]) == ("Gold", 850)
        assert shown["nextTierName"] == "Gold"


def test_each_ledger_has_a_tier_of_its_own() -> None:
    with shop(earn(1000, "cart", subledger="travel"), program=LASTING) as api:
        api.add(100)
        reply = api.order(1)
        assert props(reply, "changeLoyaltyTierLevel")[0]["subLedgerId"] == "travel"
        rows = api.export(f"{LOYALTY}/export_customers_tiers")
        assert [(row["subledgerid"], row["tiername"]) for row in rows] == [
            ("", "Silver"),
            ("travel", "Gold"),
        ]
        only = api.export(f"{LOYALTY}/export_customers_tiers?tierNames=Gold,Bronze")
        assert [row["tiername"] for row in only] == ["Gold"]
        assert api.export(f"{LOYALTY}/export_customers_tiers?subledgerIds=none") == []


def test_an_imported_tier_lasts_as_long_as_the_file_says() -> None:
    with shop(earn(), program=LASTING) as api:
        header = "customerprofileid,tiername,expirydate\n"
        target = f"{LOYALTY}/import_customers_tiers"
        reply = api.upload(target, f"{header}anna,Gold,2026-01-15T00:00:00Z\n")
        assert (reply.status, reply.json["amount"]) == (200, 1)
        assert api.tier() == ("Gold", "2026-01-10", "2026-01-15")
        api.sandbox.clock.advance(days=1)
        api.upload(target, f"{header}anna,Gold,2026-01-20T00:00:00Z\n")
        assert api.tier() == ("Gold", "2026-01-10", "2026-01-20")
        api.sandbox.clock.advance(days=9)
        assert api.tier() == ("Silver", "2026-01-20", "2026-02-20")
        rows = "anna,Lead,2027-01-01T00:00:00Z\nanna,Gold,2026-01-01T00:00:00Z\n"
        wrong = api.upload(target, f"{header}{rows}nobody,Gold,2027-01-01T00:00:00Z\n")
        assert wrong.status == 400
        lines = [error["source"]["line"] for error in wrong.json["errors"]]
        assert lines == ["2", "3", "4"]


def test_tiers_of_a_program_without_expiration_cannot_be_imported() -> None:
    with shop(program={"tiers": TIERS}) as api:
        text = "customerprofileid,tiername,expirydate\nanna,Gold,2027-01-15T00:00:00Z\n"
        assert api.upload(f"{LOYALTY}/import_customers_tiers", text).status == 400


def test_points_spent_and_earned_in_one_order_count_together() -> None:
    with shop(redeem(150), earn(100, "cart"), program={"tiers": TIERS}) as api:
        api.add(150)
        assert "changeLoyaltyTierLevel" not in kinds(api.order(1))
        assert api.tier() == ("Silver", "2026-01-10", "")


def test_a_clock_that_jumps_a_century_settles_every_tier_and_point() -> None:
    with shop(earn(), program={**LASTING, "defaultValidity": "50Y"}) as api:
        api.order(100)
        api.sandbox.clock.advance(days=36_500)
        assert (api.tier(), api.balance()) == (None, {"expired": 1000})
        [change] = props(api.order(100, order="order-2"), "changeLoyaltyTierLevel")
        assert change["newTierName"] == "Gold"
