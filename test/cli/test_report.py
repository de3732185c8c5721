"""`talon-one campaigns report`: figures as a table, HTML, CSV and data."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from cli.conftest import Command
from support.platforms import needs_linux
from support.server import RecordingServer, Response
from talon_one import IntegrationApi
from talon_one.cli.charts import bars_svg, sparkline
from talon_one.cli.figures import range_of
from talon_one.sandbox import Sandbox

OCTOBER = ["--from", "2026-11-01", "--to", "2026-11-03"]


@pytest.fixture(scope="module", autouse=True)
def _orders(shop: Sandbox) -> None:
    with IntegrationApi(host=shop.url, api_key=shop.api_key) as api:
        for day in range(2):
            for number in range(day + 1):
                session = {
                    "profileId": f"p{day}{number}",
                    "couponCodes": ["WELCOME10"],
                    "cartItems": [{"sku": "<TEA>", "quantity": 1, "price": 100}],
                    "state": "closed",
                }
                api.update_customer_session_v2(f"o{day}{number}", {"customerSession": session})
            shop.clock.advance(days=1)


def test_a_table_has_sums_and_a_sparkline(daily: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = daily("campaigns", "report", "1", "8", *OCTOBER, "-o", "table")
    assert ended.code == 0, ended
    titles, _, first, second = ended.out.splitlines()
    assert titles.split()[:4] == ["id", "name", "state", "Revenue"]
    assert "Points" in titles
    assert first.split()[:5] == ["1", "Welcome", "running", "300", "▅█▁"]
    assert second.split()[0] == "8"
    assert ended.err == "talon-one: 2026-11-01 to 2026-11-03, by day, UTC\n"
    # A narrow terminal has room for less, and says so.
    monkeypatch.setenv("COLUMNS", "60")
    ended = daily("campaigns", "report", "1", *OCTOBER, "-o", "table")
    assert max(map(len, ended.out.splitlines())) <= 60
    assert "more columns" in ended.err


def test_data_and_csv_have_all_figures(daily: Command) -> None:
    (found,) = json.loads(daily("campaigns", "report", "1", *OCTOBER).out)
    assert (found["name"], found["revenue"], found["discounts"]) == ("Welcome", 300, 30)
    assert (found["couponRedemptions"], found["trend"]) == (3, [100, 200, 0])
    assert [date[:10] for date in found["dates"]] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    ended = daily("campaigns", "report", *OCTOBER, "--csv", "--limit", "2")
    assert ended.out.splitlines()[1] == "1,Welcome,running,300,30,3,0,0"
    assert len(ended.out.splitlines()) == 3
    ended = daily("campaigns", "report", "1", *OCTOBER, "--trend", "couponRedemptions")
    assert json.loads(ended.out)[0]["trend"] == [1, 2, 0]


def test_the_page_of_html_stands_alone_and_has_a_table_beside_the_bars(daily: Command) -> None:
    ended = daily("campaigns", "report", *OCTOBER, "--html", "r.html")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "talon-one: 10 campaigns in r.html\n"
    page = Path("r.html").read_text()
    assert not re.search(r"https?://|<script|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page
    body = page.partition("<body>")[2].partition("</body>")[0]
    table = ElementTree.fromstring(f"<body>{body}</body>")
    rows = table.findall(".//tbody/tr")
    assert len(rows) == 10
    assert all(row.find("th[@scope='row']") is not None for row in rows)
    assert rows[0].findtext("td[@class='n']") == "300"
    (trend,) = rows[0].findall(".//svg[@role='img']")
    assert trend.get("aria-label") == "Revenue by day: from 0 to 200"
    assert len(trend.findall("rect")) == 2


def test_names_cannot_write_html_or_control_the_terminal(
    talk: Command, server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    campaign = {"id": 1, "name": "<b>\x1b[2J&", "state": "\"'"}
    figures = {"date": "x", "campaignRevenue": "much", "couponRedemptions": 1e999}

    def respond() -> None:
        server.clear()
        server.script(
            Response(body=campaign), Response(body={"totalResultSize": 1, "data": [figures]})
        )

    words = ["campaigns", "report", "1", "--application", "1"]
    respond()
    assert talk(*words, "--html", "r.html").code == 0
    assert "<b>" not in Path("r.html").read_text()
    respond()
    ended = talk(*words, "-o", "table")
    assert (ended.code, "\x1b" in ended.out) == (0, False)


def test_wrong_options_are_refused_before_anything_is_read(
    talk: Command, server: RecordingServer
) -> None:
    for words, message in [
        (["--from", "soon"], "--from takes a day or a timestamp"),
        (
            ["--from", "2026-11-02", "--to", "2026-11-01"],
            "--to 2026-11-01 is not after --from 2026-11-02",
        ),
        (["--to", "9999-12-31"], "--to is too late"),
        (["--by", "weak"], "Did you mean 'week'?"),
        (["--trend", "revenu"], "Did you mean 'revenue'?"),
        (["--csv", "-o", "json"], "give either --csv or -o json"),
        (["--columns", "nmae"], "Did you mean 'name'?"),
        (["--html", "no/folder.html"], "there is no folder"),
    ]:
        ended = talk("campaigns", "report", "--application", "1", *words)
        assert ended.code == 2, ended
        assert message in ended.err
    assert server.requests == []


@needs_linux
def test_a_full_disk_is_one_line(daily: Command) -> None:
    ended = daily("campaigns", "report", "1", *OCTOBER, "--html", "/dev/full")
    assert ended.code == 4
    assert ended.err.endswith("cannot write to /dev/full: No space left on device\n")
    assert len(ended.err.splitlines()) == 1


def test_ranges_have_intervals_that_can_be_read() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
    for start, end, granularity in [
        (None, None, "1 day"),
        ("2026-11-27T00:00:00Z", None, "1 hour"),
        ("2026-01-01", None, "1 week"),
        ("2020-01-01", None, "1 month"),
        ("1990-01-01", "2026-11-28", "1 year"),
    ]:
        assert range_of(start, end, None, now).granularity == granularity
    assert str(range_of(None, "2026-11-28", None, now)) == "2026-10-30 to 2026-11-28, by day"
    with pytest.raises(click.UsageError):
        range_of("2027-01-01", None, None, now)


def test_charts_show_what_there_is() -> None:
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([-1, 0.001, 7], "ascii") == "_.@"
    assert len(sparkline(list(range(1000)))) == 30
    assert sparkline([1, 2], "no-such-encoding") == "+@"
    assert bars_svg([], "a & b").count("<rect") == 0
    assert bars_svg([5] * 1000, 'a "b"').count("<rect") == 60
