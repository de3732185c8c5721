"""The guide on webhooks is true: its code runs, and its tables are those of the code."""

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


def test_its_code_runs_and_prints_what_it_says(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guide.run(page) == []


def test_its_code_has_the_right_types(page: Page, tmp_path: Path) -> None:
    assert guide.type_errors(page.blocks, tmp_path) == ""


def test_the_memory_in_it_forgets_in_time_and_not_before(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (block for block in page.blocks if "class SeenInDatabase" in block.code)
    clock = [1_000_000.0]
    scope: dict[str, Any] = {}
    exec(block.code.partition("\ndef note(")[0], scope)
    monkeypatch.setattr(scope["time"], "time", lambda: clock[0])
    seen = scope["SeenInDatabase"](str(tmp_path / "webhooks.db"))
    assert [seen.claim(uuid) for uuid in ("handled", "died", "handled")] == ["new", "new", "busy"]
    seen.done("handled")
    clock[0] += 301
    assert [seen.claim(uuid) for uuid in ("handled", "died")] == ["done", "new"]
    seen.release("died")
    clock[0] += 3000
    assert [seen.claim(uuid) for uuid in ("handled", "died")] == ["done", "new"]
    clock[0] += 300
    assert seen.claim("handled") == "new"


def test_its_table_of_classes_is_complete(page: Page) -> None:
    (heading, *rows) = page.tables[-1]
    assert heading == ["`NotificationType`", "Class"]
    listed = {(name, type.strip("`")) for type, names in rows for name in _linked(names)}
    assert listed == set(NOTIFICATIONS)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_its_table_of_answers_has_every_answer_there_is(page: Page) -> None:
    (heading, *rows) = page.tables[0]
    assert heading[0] == "Answer"
    stated = {tuple(row[0].replace("`", "").split(" ", 1)) for row in rows}
    assert stated == {
        *((str(reply.status), reply.body) for reply in _replies() if reply.status != 400),
        ("400",),
    }
    for answer, _, repeated in rows:
        assert repeated == ("yes" if answer.startswith(("429", "5")) else "no")


def _replies() -> list[Reply]:
    """Return one answer of each kind."""
    seen = InMemoryDeliveryStore()
    receive = Receiver(
        secret_header="X-S",
        secret="s",
        seen=seen,
        handlers={"CouponCreated": lambda *_: None, "CouponsDeleted": lambda *_: 1 / 0},
    )
    handled = json.dumps(message("CreateCouponData", "CouponCreated"))
    failing = json.dumps(message("DeleteCouponsData", "CouponsDeleted"))
    seen.claim("busy")
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
