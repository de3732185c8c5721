"""Points and join dates of profiles as CSV files."""

from __future__ import annotations

from sandbox.loyalty_shop import ANNA, LOYALTY, earn, shop

SPAN = "rangeStart=2026-01-01T00:00:00Z&rangeEnd=2026-02-01T00:00:00Z"
POINTS = f"{LOYALTY}/import_points"


def test_imported_points_follow_the_dates_of_the_file_and_not_of_the_program() -> None:
    with shop(program={"defaultPending": "9D", "defaultValidity": "9D"}) as api:
        text = (
            "customerprofileid,amount,startdate,expirydate,validityDuration,subledgerid,reason\n"
            "anna,1,,,,,plain\n"
            "anna,2,immediate,unlimited,,,\n"
            "anna,4,on_action,,2D,,\n"
            "anna,8,2026-01-12T00:00:00+02:00,2026-01-20T00:00:00Z,,,\n"
            "anna,16,,,1D,,\n"
            "new one,32.5,,,,ünï,\n"
        )
        reply = api.upload(POINTS, text)
        assert (reply.status, reply.json["amount"]) == (200, 6)
        assert api.balance() == {"active": 19, "pending": 12}
        assert api.balance(f"{LOYALTY}/profile/new%20one") == {}
        api.sandbox.clock.advance(days=2)
        assert api.balance() == {"active": 11, "pending": 4, "expired": 16}
        log = api.send("GET", f"{ANNA}/transactions?loyaltyTransactionType=import").json["data"]
        assert [each["amount"] for each in log] == [16, 8, 4, 2, 1]
        assert log[1]["startDate"] == "2026-01-11T22:00:00.000000Z"
        assert log[-1]["name"] == "plain"


def test_a_file_with_wrong_points_changes_nothing() -> None:
    with shop() as api:
        text = (
            "customerprofileid,amount,startdate,validityDuration,subledgerid\n"
            f"anna,5,,,\n,5,,,\nanna,0,,,\nanna,-5,,,\nanna,x,,,\nanna,5,soon,,\nanna,5,,5X,\n"
            f"anna,5,,999999999Y,\nanna,5,,,{'x' * 65}\nnew,5,,,\n"
        )
        reply = api.upload(POINTS, text)
        lines = [error["source"]["line"] for error in reply.json["errors"]]
        assert (reply.status, lines) == (400, [str(line) for line in range(3, 11)])
        assert api.balance() == {}
        assert api.send("GET", f"{LOYALTY}/profile/new/balances").status == 404


def test_ten_thousand_points_are_imported_spent_and_read_without_delay() -> None:
    with shop(earn("{{$Session.Total}}", "cart"), program={"returnPolicy": "unlimited"}) as api:
        rows = "\n".join(f"anna,1.1,{number % 3 or ''}" for number in range(10_000))
        reply = api.upload(POINTS, f"customerprofileid,amount,subledgerid\n{rows}\n")
        assert reply.json["amount"] == 10_000
        assert api.balance() == {"active": 3667.4}
        assert api.deduct(3667.4).status == 204
        assert api.balance() == {"spent": 3667.4}
        api.order(1)
        assert api.balance() == {"active": 10, "spent": 3667.4}


def test_an_order_of_thousands_of_units_earns_and_gives_back_points_of_each() -> None:
    tiers = [{"id": 41, "name": "Silver", "minPoints": 100}]
    with shop(earn(1), program={"returnPolicy": "unlimited", "tiers": tiers}) as api:
        api.order(*[10] * 100)
        assert api.balance() == {"active": 1000}
        api.deduct(600)
        api.cancel()
        assert api.balance() == {"spent": 600, "negative": 600}


def test_join_dates_are_imported_and_exported() -> None:
    with shop() as api:
        header = "customerprofileid,newjoindate\n"
        target = f"{LOYALTY}/import_join_dates"
        assert api.upload(target, f"{header}anna,2020-05-01T02:00:00+02:00\n").json["amount"] == 1
        assert api.export(f"{LOYALTY}/export_join_dates") == [
            {
                "loyaltyProgramID": "4",
                "profileIntegrationID": "anna",
                "joinDate": "2020-05-01T00:00:00.000000Z",
            }
        ]
        api.upload(target, f"{header}anna,2021-05-01T00:00:00Z\n")
        wrong = api.upload(target, f"{header}anna,2022-05-01T00:00:00Z\nbob,2022-05-01T00:00:00Z\n")
        assert [error["source"]["line"] for error in wrong.json["errors"]] == ["3"]
        [row] = api.export(f"{LOYALTY}/export_join_dates")
        assert row["joinDate"].startswith("2021-05-01")


def test_balances_of_all_profiles_are_exported() -> None:
    program = {"tiers": [{"id": 41, "name": "Silver", "minPoints": 5}]}
    with shop(program=program, profiles=[{"integrationId": "bob"}]) as api:
        api.upload(POINTS, "customerprofileid,amount,subledgerid\nanna,10,\nanna,2.5,a\nbob,1,\n")
        api.deduct(4)
        for name in ("export_customer_balances", "export_customer_balance"):
            rows = api.export(f"{LOYALTY}/{name}")
            assert [
                [
                    row[column]
                    for column in ("profileIntegrationID", "loyaltySubledger", "currentBalance")
                ]
                for row in rows
            ] == [["anna", "", "6"], ["anna", "a", "2.5"], ["bob", "", "1"]]
        assert (rows[0]["spentBalance"], rows[0]["currentTier"]) == ("4", "Silver")
        target = f"{LOYALTY}/export_customer_balances"
        [row, *_] = api.export(f"{target}?balances=spentBalance")
        assert (row["currentBalance"], row["spentBalance"], row["pendingBalance"]) == ("6", "4", "")
        assert api.manage("GET", f"{target}?balances=joy").status == 400
        past = api.export(f"{target}?endDate=2026-01-01T00:00:00Z")
        assert {row["currentBalance"] for row in past} == {"0"}


def test_the_ledger_of_a_profile_is_exported() -> None:
    with shop(earn()) as api:
        api.add(5, name="gift, with love", validUntil="2026-03-01T00:00:00Z")
        api.sandbox.clock.advance(days=1)
        api.order(1)
        api.deduct(3)
        rows = api.export(f"{ANNA}/export_log?{SPAN}&dateFormat=excel")
        assert [
            (row["type"], row["amount"], row["startdate"], row["expirydate"]) for row in rows
        ] == [
            ("addition", "5", "2026-01-10 12:00:00", "2026-03-01 00:00:00"),
            ("addition", "10", "2026-01-11 12:00:00", ""),
            ("subtraction", "3", "", ""),
        ]
        assert (rows[0]["name"], rows[1]["rulename"]) == ("gift, with love", "Rule 0")
        assert (rows[1]["customersessionid"], rows[1]["campaignid"]) == ("order-1", "12")
        only = api.export(f"{ANNA}/export_log?{SPAN.replace('01-01', '01-11')}")
        assert [row["amount"] for row in only] == ["10", "3"]
        assert api.manage("GET", f"{ANNA}/export_log").status == 400
