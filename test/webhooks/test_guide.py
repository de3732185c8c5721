"""The guide to webhooks matches the code: its snippets run, and its tables are complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs.pages import GUIDES, Page
from examples import guide
from talon_one.webhooks import InMemoryDeliveryStore, Receiver, Reply
from webhooks.messages import NOTIFICATIONS, message


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(GUIDES / "webhooks.md")


def test_its_code_runs_and_prints_what_its_comments_say(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guide.run(page) == []


def test_its_store_forgets_in_time_and_not_earlier(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (block for block in page.blocks if "class DatabaseDeliveryStore" in block.code)
    clock = [1_000_000.0]
    scope: dict[str, Any] = {}
    exec(block.code.partition("\ndef note(")[0], scope)
    monkeypatch.setattr(scope["time"], "time", lambda: clock[0])
    store = scope["DatabaseDeliveryStore"](str(tmp_path / "webhooks.db"))
    assert [store.claim(uuid) for uuid in ("handled", "died", "handled")] == ["new", "new", "busy"]
    store.mark_done("handled")
    clock[0] += 301
    assert [store.claim(uuid) for uuid in ("handled", "died")] == ["done", "new"]
    store.release("died")
    clock[0] += 3000
    assert [store.claim(uuid) for uuid in ("handled", "died")] == ["done", "new"]
    clock[0] += 300
    assert store.claim("handled") == "new"


def test_its_table_of_classes_is_complete(page: Page) -> None:
    (heading, *rows) = page.tables[-1]
    assert heading == ["`NotificationType`", "Class"]
    listed = {(name, type.strip("`")) for type, names in rows for name in _linked(names)}
    assert listed == set(NOTIFICATIONS)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_its_table_of_responses_has_every_response(page: Page) -> None:
    (heading, *rows) = page.tables[0]
    assert heading[0] == "Response"
    stated = {tuple(row[0].replace("`", "").split(" ", 1)) for row in rows}
    assert stated == {
        *((str(reply.status), reply.body) for reply in _replies() if reply.status != 400),
        ("400",),
    }
    for reply, _, retried in rows:
        assert retried == ("yes" if reply.startswith(("429", "5")) else "no")


def _replies() -> list[Reply]:
    """Return one reply of each kind."""
    store = InMemoryDeliveryStore()
    receive = Receiver(
        secret_header="X-S",
        secret="s",
        store=store,
        handlers={"CouponCreated": lambda *_: None, "CouponsDeleted": lambda *_: 1 / 0},
    )
    handled = json.dumps(message("CreateCouponData", "CouponCreated"))
    failing = json.dumps(message("DeleteCouponsData", "CouponsDeleted"))
    store.claim("busy")
    return [
        receive({"X-S": "s", "X-UUID": "1"}, handled),
        receive({"X-S": "s", "X-UUID": "1"}, handled),
        receive({"X-S": "s"}, "{}"),
        receive({"X-S": "s"}, "[]"),
        receive({}, handled),
        receive({"X-S": "s"}, failing),
        receive({"X-S": "s", "X-UUID": "busy"}, handled),
    ]


def _linked(cell: str) -> list[str]:
    return re.findall(r"\[(\w+)\]\([./\w]*/\1\.md\)", cell)
