"""The guide to the sandbox lists every key of a seed, every route of the door, every option."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

import talon_one
from cli.program import TALON_ONE, run
from docs.pages import DOCS, ROOT, Page
from talon_one._core.operation import Operation
from talon_one.api import integration_operations
from talon_one.sandbox import Sandbox, defaults, door
from talon_one.sandbox.dispatch import ROUTES
from talon_one.sandbox.operations.table import HANDLERS
from talon_one.sandbox.rules.compile import PROMOTION_TYPES
from talon_one.sandbox.rules.entities import ROOTS
from talon_one.sandbox.seeds.groups import PROPERTIES
from talon_one.sandbox.seeds.kinds import NO_REFERENCES, TOP, Kind, all_kinds
from talon_one.sandbox.seeds.prepare import prepare
from talon_one.sandbox.seeds.yaml_reader import read_yaml


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(DOCS / "guides" / "sandbox.md")


def table(page: Page, heading: str) -> list[list[str]]:
    (found,) = [each for each in page.tables if each[0][0] == heading]
    return found[1:]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_every_key_of_a_seed_is_listed_with_what_it_needs(page: Page) -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for kind in all_kinds():
        for child in kind.children:
            homes[child.key].add(kind.key)
    for kind in TOP:
        homes[kind.key].add("the seed")
    wanted = {kind.key: _facts(kind, homes[kind.key]) for kind in all_kinds()}
    listed = {}
    for key, inside, cls, needed, beside in table(page, "Key"):
        own = {names(part.partition(":")[0])[0] for part in beside.split(";") if part.strip()}
        own |= set(names(beside.partition(":")[0]))
        starred = re.findall(r"`(\w+)`\*", needed)
        required = set() if needed.startswith("(") else set(names(needed))
        home = set(names(inside)) | ({"the seed"} if "the seed" in inside else set())
        listed[names(key)[0]] = (home, names(cls)[0], required, own, starred)
    assert listed == wanted


def _facts(kind: Kind, homes: set[str]) -> tuple[set[str], str, set[str], set[str], list[str]]:
    short = [kind.short] if kind.short else []
    return homes, kind.model, set(kind.required), set(kind.own), short


def test_every_route_of_the_door_is_listed(page: Page) -> None:
    listed = {row[0].strip("`") for row in table(page, "Request")}
    assert listed == set(door.listed(ROUTES))


def test_every_option_of_the_command_is_listed(page: Page) -> None:
    listed = {row[0].strip("`") for row in table(page, "Option")}
    offered = set(re.findall(r"--\w+", run(TALON_ONE, "sandbox", "--help").out)) - {"--help"}
    assert listed == offered


def test_what_the_prose_lists_is_all_there_is(page: Page) -> None:
    (sentence,) = re.findall(r"Nothing inside (.+?) is a reference", page.text, re.DOTALL)
    assert set(names(sentence)) == NO_REFERENCES
    (sentence,) = re.findall(r"`evaluationTree` is a group: (.+?), which", page.text, re.DOTALL)
    assert set(names(sentence)) == PROPERTIES


def test_every_type_of_a_block_and_every_root_of_a_path_is_listed(page: Page) -> None:
    (_, conditions), (_, effects), (_, group) = table(page, "Blocks")
    assert {*names(conditions), *names(effects), *names(group)} == PROMOTION_TYPES
    (sentence,) = re.findall(r"A path begins with (.+?), or", page.text, re.DOTALL)
    assert set(re.findall(r"`\$(\w+)`", sentence)) == ROOTS


def test_defaults_are_as_the_page_says(page: Page) -> None:
    said = {(row[0], row[1]): row[2].partition(":")[0] for row in table(page, "Property")}
    code = new_code_defaults()
    assert said[("`usageLimit`", "coupons, also `add_coupon`")] == str(code["coupon"])
    assert said[("`usageLimit`", "referrals")] == str(code["referral"])
    assert said[("`period`", "achievements")] == f"`{defaults.of('achievements')['period']}`"
    policy = defaults.of("loyalty_programs")["returnPolicy"]
    assert said[("`returnPolicy`", "loyalty programs")] == f"`{policy}`"


def new_code_defaults() -> dict[str, int | None]:
    referral = {"code": "FRIEND", "advocateProfileIntegrationId": "ann"}
    campaign = {"name": "Codes", "coupons": ["SUMMER"], "referrals": [referral]}
    with (
        Sandbox(seed={"applications": [{"name": "Shop", "campaigns": [campaign]}]}) as shop,
        talon_one.ManagementApi(host=shop.url, api_key=shop.management_key) as api,
    ):
        place = (shop.application_id, shop.campaign_id)
        (coupon,) = api.get_coupons_without_total_count(*place).data
        (made,) = api.get_referrals_without_total_count(*place).data
    return {"coupon": coupon.usage_limit, "referral": made.usage_limit}


def test_every_seed_on_the_page_can_be_planted(page: Page) -> None:
    seeds = re.findall(r"^```yaml\n(.+?)^```", page.text, re.DOTALL | re.MULTILINE)
    assert seeds
    for seed in seeds:
        assert prepare(read_yaml(seed, "sandbox.md"))


def test_every_operation_of_the_sandbox_is_listed_once(page: Page) -> None:
    exactly = [name for row in table(page, "Kind") for name in names(row[1])]
    roughly = [name for row in table(page, "Operation") for name in names(row[0])]
    assert sorted([*exactly, *roughly]) == sorted(HANDLERS)
    integration = vars(integration_operations).values()
    missing = {each.id for each in integration if isinstance(each, Operation)} - set(HANDLERS)
    assert not missing


def test_every_choice_has_a_number_and_a_test_that_exists() -> None:
    page = Page(DOCS / "contributing" / "decisions" / "sandbox-choices.md")
    rows = [row for each in page.tables if each[0][0] == "No." for row in each[1:]]
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    sources = "\n".join(each.read_text("utf-8") for each in (ROOT / "test").rglob("test_*.py"))
    missing = [row[3] for row in rows if f"def {row[3].strip('`')}(" not in sources]
    assert not missing
