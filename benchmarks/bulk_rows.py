"""Throughput of a bulk job, in profiles a second."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from time import perf_counter
from typing import Any

import urllib3

from benchmarks import calls, server
from benchmarks.timing import Measurement, interleaved

_CHUNK = 1000
_CONCURRENCY = 4
_BATCHES = 6


def profiles(count: int) -> Iterator[dict[str, Any]]:
    """Yield profiles one by one, as a database cursor would."""
    for number in range(count):
        yield {
            "integrationId": f"customer-{number}",
            "attributes": {
                "Name": "Ada Lovelace",
                "Email": f"ada.{number}@example.com",
                "Orders": number % 50,
                "Newsletter": True,
                "City": "London",
            },
        }


def against_urllib3(rounds: int) -> Measurement:
    """Compare a bulk job with a hand-written loop of the same chunk size and concurrency.

    The loop checks nothing and does not record outcomes.

    Args:
        rounds: Each side sends 1000 profiles for every thirty rounds.
    """
    count = _CHUNK * max(_CONCURRENCY, rounds // 30)
    with server.running(empty=True) as host:

        def ours() -> float:
            began = perf_counter()
            send(host, count)
            return count / (perf_counter() - began)

        def by_hand() -> float:
            began = perf_counter()
            _by_hand(host, count)
            return count / (perf_counter() - began)

        ours()
        by_hand()
        return interleaved(ours, by_hand, min(_BATCHES, rounds))


def send(host: str, count: int) -> None:
    """Send profiles with this package."""
    from talon_one import ApiClient, Configuration, IntegrationApi, bulk

    with ApiClient(Configuration(host, {"api_key_v1": calls.API_KEY})) as client:
        summary = bulk.upsert_profiles(
            IntegrationApi(client), profiles(count), concurrency=_CONCURRENCY
        )
    if summary.sent != count:
        raise RuntimeError(summary)


def _by_hand(host: str, count: int) -> None:
    timeout = urllib3.Timeout(connect=5, read=30)
    rows = profiles(count)
    in_flight: set[Future[None]] = set()
    with (
        urllib3.PoolManager(maxsize=_CONCURRENCY, block=True, timeout=timeout) as pool,
        ThreadPoolExecutor(_CONCURRENCY) as executor,
    ):

        def put(chunk: list[dict[str, Any]]) -> None:
            response = pool.request(
                "PUT",
                f"{host}/v2/customer_profiles",
                body=json.dumps({"customerProfiles": chunk}),
                headers=calls.HEADERS,
            )
            if response.status != 204:
                raise RuntimeError(response.status)

        while chunk := list(islice(rows, _CHUNK)):
            if len(in_flight) == _CONCURRENCY:
                done, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
            in_flight.add(executor.submit(put, chunk))
        for future in in_flight:
            future.result()
