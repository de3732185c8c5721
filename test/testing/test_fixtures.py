"""The fixtures of the plugin, used as a shop uses them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator

import pytest

import talon_one
from talon_one import aio
from talon_one.sandbox import Sandbox
from talon_one.testing.pool import LIMIT, Pool

UPDATE = "update_customer_session_v2"


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_world_of_its_own(
    turn: int,
    talon_sandbox: Sandbox,
    integration_api: talon_one.IntegrationApi,
    management_api: talon_one.ManagementApi,
) -> None:
    seen: list[object] = []
    assert (len(talon_sandbox.requests), len(talon_sandbox.faults)) == (0, 0)
    with pytest.raises(talon_one.NotFoundException):
        integration_api.get_customer_session("order-1")
    created = management_api.create_coupons(
        talon_sandbox.application_id,
        talon_sandbox.campaign_id,
        talon_one.NewCoupons(usage_limit=1, number_of_coupons=1),
        silent="no",
    )
    # The same in each test, and in each run.
    assert created is not None
    assert created.data[0].value == "NG5BY1A2ROGU"
    integration_api.update_customer_session_v2("order-1", {"customerSession": {}})
    talon_sandbox.clock.advance(days=turn)
    talon_sandbox.faults.respond(503, times=None)
    talon_sandbox.observe(seen.append)
    assert talon_sandbox._world.observers == [seen.append]


@pytest.mark.talon_sandbox(seed="fashion", clock="2026-11-01T09:00:00Z")
class TestMark:
    def test_it_chooses_seed_and_clock(self, talon_sandbox: Sandbox) -> None:
        assert talon_sandbox.coupon_code == "WELCOME10"
        assert talon_sandbox.clock.text() == "2026-11-01T09:00:00.000000Z"

    @pytest.mark.talon_sandbox(clock="2027-01-01T00:00:00Z", latency=0.0)
    def test_the_nearest_one_comes_first(self, talon_sandbox: Sandbox) -> None:
        assert talon_sandbox.coupon_code == "WELCOME10"
        assert talon_sandbox.clock.text() == "2027-01-01T00:00:00.000000Z"


@pytest.mark.talon_sandbox(seed={"applications": [{"name": "Mine", "id": 77}]})
def test_a_seed_can_be_python(talon_sandbox: Sandbox) -> None:
    assert talon_sandbox.application_id == 77


def test_programs_find_the_sandbox_in_their_environment(
    talon_sandbox: Sandbox, talon_environment: dict[str, str]
) -> None:
    assert talon_environment["TALON_ONE_HOST"] == talon_sandbox.url
    assert {name: os.environ[name] for name in talon_environment} == talon_environment
    with talon_one.ApiClient(talon_one.Configuration.from_env()) as client:
        talon_one.IntegrationApi(client).update_customer_session_v2("a", {"customerSession": {}})
        assert len(talon_one.ManagementApi(client).get_applications().data) == 1


def test_the_secret_of_another_deployment_is_hidden(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("TALON_ONE_APPLICATION_SECRET", "abcd")
    given: dict[str, str] = request.getfixturevalue("talon_environment")
    assert os.environ.get("TALON_ONE_APPLICATION_SECRET") == given.get(
        "TALON_ONE_APPLICATION_SECRET"
    )


async def use(integration: aio.IntegrationApi, management: aio.ManagementApi) -> None:
    await integration.update_customer_session_v2("order-1", {"customerSession": {}})
    await management.get_applications()


@pytest.mark.asyncio
async def test_asyncio_clients_work_in_the_loop_of_a_test(
    talon_sandbox: Sandbox,
    async_integration_api: aio.IntegrationApi,
    async_management_api: aio.ManagementApi,
) -> None:
    await use(async_integration_api, async_management_api)
    talon_sandbox.requests.assert_sequence([UPDATE, "get_applications"])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("turn", [1, 2])
async def test_asyncio_clients_work_in_a_loop_of_several_tests(
    turn: int,
    async_integration_api: aio.IntegrationApi,
    async_management_api: aio.ManagementApi,
) -> None:
    await use(async_integration_api, async_management_api)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_asyncio_clients_work_with_the_plugin_of_anyio(
    async_integration_api: aio.IntegrationApi, async_management_api: aio.ManagementApi
) -> None:
    await use(async_integration_api, async_management_api)


def test_asyncio_clients_work_in_loops_that_a_test_runs(
    talon_sandbox: Sandbox,
    async_integration_api: aio.IntegrationApi,
    async_management_api: aio.ManagementApi,
) -> None:
    for _ in range(2):
        asyncio.run(use(async_integration_api, async_management_api))
    assert len(talon_sandbox.requests) == 4


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool()
    yield made
    made.close()


def test_a_sandbox_that_a_test_has_stopped_is_started_again(pool: Pool) -> None:
    stopped = pool.take({"seed": "quickstart"})
    stopped.stop()
    again = pool.take({"seed": "quickstart"})
    assert again.running
    assert pool.take({"seed": "quickstart"}) is again


def test_few_sandboxes_run_at_the_same_time(pool: Pool) -> None:
    seeds = [{"applications": [{"name": f"Shop {number}"}]} for number in range(LIMIT + 2)]
    taken = [pool.take({"seed": seed}) for seed in seeds]
    assert sum(each.running for each in taken) == LIMIT
    assert [each.running for each in taken[:2]] == [False, False]
    # An equal seed is another one, because a test may change it.
    assert pool.take({"seed": dict(seeds[-1])}) is not taken[-1]
    assert pool.take({"seed": seeds[-1]}) is taken[-1]


def test_a_fresh_world_costs_less_than_ten_milliseconds(pool: Pool) -> None:
    for seed in ("quickstart", "fashion"):
        costs = []
        for _ in range(10):
            started = time.process_time()
            pool.take({"seed": seed})
            costs.append(time.process_time() - started)
        assert min(costs) < 0.010, seed
