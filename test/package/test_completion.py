"""What editors and notebooks that use jedi offer: names, arguments, and what comes back."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import jedi
import pytest

from .fresh import ROOT

BLOCKING = """
import talon_one
integration = talon_one.IntegrationApi(host="https://example.test", api_key="key")
management = talon_one.ManagementApi()
"""
AWAITED = """
import talon_one.aio
async def main():
    integration = talon_one.aio.IntegrationApi(host="https://example.test", api_key="key")
    management = talon_one.aio.ManagementApi()
    """


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[None]:
    """A folder for the cache of jedi, in place of that of the user who runs the tests."""
    own: pytest.Cache | None = getattr(pytestconfig, "cache", None)
    kept = jedi.settings.cache_directory
    jedi.settings.cache_directory = str(own.mkdir("jedi") if own else tmp_path_factory.mktemp("a"))
    yield
    jedi.settings.cache_directory = kept


def script(program: str) -> jedi.Script:
    project = jedi.Project(ROOT, added_sys_path=[str(ROOT)])
    return jedi.Script(textwrap.dedent(program), path=Path(ROOT, "unsaved.py"), project=project)


def offered(program: str) -> set[str]:
    """Return the names that are offered at the end of a program."""
    return {each.name for each in script(program).complete()}


@pytest.mark.parametrize(
    "start",
    ["import talon_one\ntalon_one.", "from talon_one import ", "from talon_one.models import "],
)
def test_every_way_to_a_model_is_completed(start: str) -> None:
    assert offered(f"{start}CartI") == {"CartItem", "CartItemFilterTemplate"}
    assert (
        "IntegrationHubEventPayloadLoyaltyProfileBasedPointsChangedNotificationAction"
        in offered(f"{start}IntegrationHubEventPayloadLoyaltyProfileBasedPoints")
    )


def test_the_arguments_and_attributes_of_a_model_are_completed() -> None:
    assert offered("import talon_one\ntalon_one.CartItem(quan") == {"quantity="}
    item = "import talon_one\nitem = talon_one.CartItem(sku='a', quantity=1)\n"
    assert {"sku", "product", "additional_costs", "to_json"} <= offered(f"{item}item.")
    assert offered(f"{item}item.product.nam") == {"name"}
    (described,) = script(f"{item}item.remaining_qua").complete()
    assert described.name == "remaining_quantity"


@pytest.mark.parametrize(("start", "awaits"), [(BLOCKING, ""), (AWAITED, "await ")])
def test_methods_their_arguments_and_their_results_are_completed(start: str, awaits: str) -> None:
    assert "update_customer_session_v2" in offered(f"{start}integration.update_customer_ses")
    call = "integration.update_customer_session_v2"
    assert offered(f"{start}{call}('s', {{}}, dr") >= {"dry="}
    (signature,) = script(f"{start}{call}(").get_signatures()
    assert [each.name for each in signature.params][:3] == ["customer_session_id", "body", "dry"]
    assert "Create or update" in signature.docstring(raw=True)
    result = f"{start}({awaits}{call}('s', {{}}))"
    assert offered(f"{result}.customer_ses") == {"customer_session"}
    assert offered(f"{result}.customer_session.cart_item_to") == {"cart_item_total"}
    assert offered(f"{result}.effects[0].effect_ty") == {"effect_type"}
    full = f"{start}({awaits}{call}_with_http_info('s', {{}}))"
    assert offered(f"{full}.status_co") == {"status_code"}
    assert offered(f"{full}.data.customer_ses") == {"customer_session"}
    listed = f"{start}({awaits}management.get_applications())"
    assert offered(f"{listed}.data[0].time") == {"timezone"}
