"""The guide to tables is true: its code runs and prints what it says."""

from __future__ import annotations

import asyncio
import csv
from typing import Any

import pytest

import talon_one
from docs.pages import GUIDES, Page
from examples import guide
from talon_one.sandbox import Sandbox


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(GUIDES / "tables.md")


@pytest.fixture(scope="module")
def program(page: Page) -> Page:
    """The page up to its part on asyncio."""
    return Page(page.path, page.text.partition("## With asyncio")[0])


@pytest.mark.usefixtures("shop")
def test_its_code_runs_and_prints_what_it_says(program: Page) -> None:
    assert guide.run(program) == []


def test_its_code_for_asyncio_runs(page: Page, shop: Sandbox) -> None:
    (block,) = page.sections["With asyncio"].blocks
    lines = "".join(f"    {line}\n" for line in block.code.splitlines())
    names: dict[str, Any] = {"rows": [{"value": "SPRING-1"}]}
    code = f"async def main():\n{lines}".replace(
        "aio.ManagementApi()", f"aio.ManagementApi(host={shop.url!r}, api_key=KEY)"
    )
    exec(code, {**names, "KEY": shop.management_key}, names)
    asyncio.run(names["main"]())
    with open("coupons.csv", encoding="utf-8", newline="") as saved:
        assert [row["value"] for row in csv.DictReader(saved)] == ["TEN-OFF"]
    with talon_one.ManagementApi(host=shop.url, api_key=shop.management_key) as management:
        assert "SPRING-1" in management.export_coupons(3)
