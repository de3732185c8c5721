"""Coupons as files: importing them, exporting them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import urllib3

import talon_one
from talon_one.sandbox import Sandbox

CAMPAIGN = "/v1/applications/3/campaigns/12"
IMPORT = f"{CAMPAIGN}/import_coupons"
EXPORT = "/v1/applications/3/export_coupons"


def upload(api: Any, text: str | bytes, query: str = "", *, target: str = IMPORT) -> Any:
    return api.upload(f"{target}{query}", text)


def export(api: Any, query: str = "") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = api.rows(f"{EXPORT}{query}")
    return rows


def values(api: Any, query: str = "") -> list[str]:
    """Return the codes of an export."""
    return [row["value"] for row in export(api, query)]


def refusal(reply: Any) -> list[tuple[str, dict[str, str]]]:
    """Return the title and the source of each error of a 400."""
    assert (reply.status, reply.json["StatusCode"]) == (400, 400)
    assert reply.json["message"] == "The submitted data was invalid"
    return [(error["title"], error["source"]) for error in reply.json["errors"]]


def test_an_import_creates_the_coupons_of_its_rows(api: Any) -> None:
    text = (
        "\ufeffvalue,startdate,expirydate,recipientintegrationid,limitval,discountlimit,attributes"
        "\r\nFULL-1,2026-01-01T01:00:00+01:00,2090-01-01T00:00:00Z,anna,7,0,"
        '"{""size"": ""L"",\n""ä"": [1]}"\r\n\r\n'
        "BARE-1,,,,,,\r\nMANY-1,,,,0,,\r\n"
    )
    reply = upload(api, text)
    assert reply.status == 200
    sent = reply.json
    assert (sent["id"], sent["amount"], sent["entity"]) == (1, 3, "Coupon")
    assert {"created", "accountId", "userId"} < sent.keys()
    full, bare, many = (api.coupon(code) for code in ("FULL-1", "BARE-1", "MANY-1"))
    assert full["startDate"] == "2026-01-01T00:00:00.000000Z"
    assert full["expiryDate"] == "2090-01-01T00:00:00.000000Z"
    assert (full["recipientIntegrationId"], full["usageLimit"]) == ("anna", 7)
    assert full["attributes"] == {"size": "L", "ä": [1]}
    assert (bare["usageLimit"], many["usageLimit"]) == (1, 0)
    assert "recipientIntegrationId" not in bare
    assert len({one["batchId"] for one in (full, bare, many)}) == 1
    assert full["importId"] == 1
    assert upload(api, "value\nNEXT-1\n").json["id"] == 2
    assert api.coupon("NEXT-1")["batchId"] != full["batchId"]


def test_an_imported_coupon_can_be_redeemed(api: Any) -> None:
    upload(api, "value\nONCE-1\n")
    closed = api.session(couponCodes=["ONCE-1"], state="closed")
    assert closed.json["effects"][0]["effectType"] == "acceptCoupon"
    again = api.session("order-2", couponCodes=["ONCE-1"])
    assert again.json["effects"][0]["props"]["rejectionReason"] == "CouponLimitReached"


@pytest.mark.parametrize(
    ("row", "title"),
    [
        ("AB,,,,,,", "minLength"),
        (f"{'A' * 101},,,,,,", "maxLength"),
        (",,,anna,,,", "required"),
        ("ABC,tomorrow,,,,,", "Invalid type"),
        ("ABC,,2026-13-01T00:00:00Z,,,,", "Invalid type"),
        ("ABC,,,,-1,,", "range"),
        ("ABC,,,,1_0,,", "Invalid type"),
        ("ABC,,,,1000000,,", "range"),
        ("ABC,,,,,x,", "Invalid type"),
        ("ABC,,,,,,[]", "Invalid type"),
        ('ABC,,,,,,"{""a"": NaN}"', "Invalid type"),
        ("TEN-OFF,,,,,,", "Duplicate"),
        ("GOOD-1,,,,,,", "Duplicate"),
        ("ABC", "Malformed"),
        ("ABC,,,,,,,", "Malformed"),
        ('"ABC"D,,,,,,', "Malformed"),
    ],
)
def test_a_faulty_row_is_named_and_nothing_is_stored(api: Any, row: str, title: str) -> None:
    columns = "value,startdate,expirydate,recipientintegrationid,limitval,discountlimit,attributes"
    # The second row goes over two lines.
    good = 'GOOD-1,,,,,,"{""a"":\n1}"\nGOOD-2,,,,,,'
    reply = upload(api, f"{columns}\n{good}\n{row}\n")
    assert refusal(reply) == [(title, {"line": "5"})]
    assert values(api) == ["TEN-OFF"]


def test_all_faulty_rows_are_named_with_their_columns(api: Any) -> None:
    reply = upload(api, "limitval,value\nx,A\n1,GOOD-1\n1,TEN-OFF\n")
    errors = [(one["source"]["line"], one["details"]) for one in reply.json["errors"]]
    assert [line for line, _ in errors] == ["2", "2", "4"]
    assert [details.partition(":")[0] for _, details in errors] == ["value", "limitval", "value"]


def test_duplicates_are_left_out_when_asked(api: Any) -> None:
    text = "value\nTEN-OFF\nNEW-1\nNEW-1\n"
    assert refusal(upload(api, text, "?skipDuplicates=false"))[1] == ("Duplicate", {"line": "4"})
    reply = upload(api, text, "?skipDuplicates=true")
    assert (reply.status, reply.json["amount"]) == (200, 1)
    assert values(api) == ["TEN-OFF", "NEW-1"]
    assert refusal(upload(api, text, "?skipDuplicates=x")) == [
        ("enum", {"parameter": "skipDuplicates"})
    ]


@pytest.mark.parametrize("text", ["", "limitval\n1\n", "value,color\nABC,red\n", "value,value\n"])
def test_the_columns_must_be_known_and_complete(api: Any, text: str) -> None:
    ((_, source),) = refusal(upload(api, text))
    assert source == {"line": "1"}


def test_a_body_without_the_file_is_a_400(api: Any) -> None:
    assert refusal(api.upload(IMPORT, "value\nABC\n", name="file")) == [
        ("required", {"pointer": ""})
    ]
    assert refusal(upload(api, b"value\n\xff\xff\xff\n")) == [("Malformed", {"pointer": ""})]
    body, kind = urllib3.encode_multipart_formdata({"upFile": ("a.csv", "value\nABC\n")})
    for sent, header in ((body[:-10], kind), (b"", kind), (body, "text/csv")):
        reply = api.send("POST", IMPORT, sent, Content_Type=header)
        assert refusal(reply) == [("Malformed", {"pointer": ""})]
    assert refusal(api.send("POST", IMPORT, body)) == [("Malformed", {"pointer": ""})]
    assert values(api) == ["TEN-OFF"]


def test_an_import_needs_a_campaign_and_the_management_key(api: Any) -> None:
    assert api.send("POST", IMPORT, b"", headers=api.integration).status == 401
    elsewhere = upload(api, "value\nABC\n", target=IMPORT.replace("12", "13"))
    assert elsewhere.status == 404
    assert api.send("GET", EXPORT, headers=api.integration).status == 401
    assert api.send("GET", EXPORT.replace("3", "4")).status == 404


def test_an_export_has_the_documented_columns(api: Any) -> None:
    upload(api, 'value,recipientintegrationid,attributes\nMINE-1,anna,"{""a"":""x, y""}"\n')
    built_in, mine = export(api)
    documented = (
        "accountid applicationid attributes batchid campaignid counter created deleted "
        "deleted_changelogid discount_counter discount_limitval expirydate id importid "
        "is_reservation_mandatory limits limitval recipientintegrationid referralid reservation "
        "reservation_counter reservation_limitval startdate value"
    )
    assert " ".join(mine) == documented
    assert (mine["value"], mine["recipientintegrationid"]) == ("MINE-1", "anna")
    assert (mine["attributes"], mine["importid"]) == ('{"a":"x, y"}', "1")
    assert (mine["limitval"], mine["campaignid"], mine["deleted"]) == ("1", "12", "")
    assert (built_in["id"], built_in["limitval"], built_in["importid"]) == ("55", "0", "")


def test_an_export_is_filtered(api: Any) -> None:
    upload(api, "value,recipientintegrationid\nMINE-1,anna\nYOURS-1,bert\n")
    batch = api.coupon("MINE-1")["batchId"]
    assert values(api, "?campaignId=12") == ["TEN-OFF", "MINE-1", "YOURS-1"]
    assert values(api, "?campaignId=13") == []
    assert values(api, f"?batchId={batch}") == ["MINE-1", "YOURS-1"]
    assert values(api, f"?batchId={batch}&recipientIntegrationId=bert") == ["YOURS-1"]
    assert values(api, "?value=mine1") == ["MINE-1"]
    assert values(api, "?value=mine1&exactMatch=true") == []
    assert export(api, "?valuesOnly=true&value=mine1") == [{"value": "MINE-1"}]


def test_an_imported_coupon_may_hold_an_amount(api: Any) -> None:
    upload(api, "value,discountlimit\nGIFT-1,25.5\n")
    coupon = api.coupon("GIFT-1")
    assert (coupon["discountLimit"], coupon["discountRemainder"]) == (25.5, 25.5)


def test_an_export_is_sorted_and_dated_as_asked(api: Any) -> None:
    upload(api, "value,expirydate\nBBB-1,2090-01-02T03:04:05Z\nAAA-1,2080-01-01T00:00:00Z\n")
    assert values(api, "?sort=value") == ["AAA-1", "BBB-1", "TEN-OFF"]
    assert values(api, "?sort=-expiryDate") == ["BBB-1", "AAA-1", "TEN-OFF"]
    ((excel,), (iso,)) = (
        [row["expirydate"] for row in export(api, f"?dateFormat={form}&value=bbb1")]
        for form in ("excel", "ISO8601")
    )
    assert (excel, iso) == ("2090-01-02 03:04:05", "2090-01-02T03:04:05.000000Z")
    refused = api.send("GET", f"{EXPORT}?sort=color")
    assert refusal(refused) == [("enum", {"parameter": "sort"})]


def test_an_export_is_filtered_by_the_state_of_campaigns(api: Any) -> None:
    assert values(api, "?campaignState=running") == values(api, "?campaignState=enabled")
    assert values(api, "?campaignState=running") == ["TEN-OFF"]
    assert values(api, "?campaignState=archived") == []


def test_an_export_lists_deleted_coupons_for_seven_days(api: Any) -> None:
    gone = api.new_coupon(couponPattern="GONE-1")
    assert api.send("DELETE", f"{CAMPAIGN}/coupons/{gone['id']}").status == 204
    (row,) = export(api, "?value=gone1")
    assert (row["id"], row["deleted"] > row["created"]) == (str(gone["id"]), True)
    assert values(api, "?deletedAfter=2020-01-01T00:00:00Z") == ["GONE-1"]
    assert values(api, "?deletedBefore=2020-01-01T00:00:00Z") == []
    api.sandbox.clock.advance(days=8)
    assert values(api) == ["TEN-OFF"]


def test_the_sdk_sends_and_reads_these_files(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "coupons.csv"
    path.write_bytes(b"value\r\nSDK-1\r\n")
    with talon_one.ManagementApi(host=sandbox.url, api_key=sandbox.management_key) as management:
        assert management.import_coupons(3, 12, path).amount == 1
        with pytest.raises(talon_one.ApiException, match="exists already") as refused:
            management.import_coupons(3, 12, path)
        assert management.export_coupons(3, values_only=True) == "value\nTEN-OFF\nSDK-1\n"
    assert refused.value.status == 400
