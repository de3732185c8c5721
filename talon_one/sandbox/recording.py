"""Record requests and their responses in the log of the sandbox, and show them to observers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from talon_one._core.operation import Operation
from talon_one._core.secret import MASK
from talon_one.sandbox import door
from talon_one.sandbox.contract.operations import method_name, operation_at
from talon_one.sandbox.dispatch import Response
from talon_one.sandbox.exchanges import Exchange
from talon_one.sandbox.world import World

_CREDENTIALS: Final = ("Authorization", "Content-Signature", "Cookie")
_SCHEMES: Final = frozenset({"apikey-v1", "managementkey-v1", "bearer", "basic"})


@dataclass(slots=True)
class Arrival:
    """A request in progress.

    Attributes:
        request: The request of aiohttp.
        started: When it arrived, by the clock of the event loop.
        moment: When it arrived, by the clock of the sandbox.
        generation: Generation of the world that it arrived in.
        content: Its unpacked body, as soon as that is read.
        fault: Names of the faults that it has met.
        begun: Its record, if that was begun before the response.
    """

    request: web.BaseRequest
    started: float
    moment: str
    generation: int
    content: bytes = b""
    fault: str | None = None
    begun: Exchange | None = None


class Recorder:
    """Record what a server receives and sends.

    Requests at the sandbox's own door are not recorded: they are about the test, not part of it.
    Observers see them as well, with the number 0.

    Args:
        world: Has the log, the observers and the clock.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def arrived(self, request: web.BaseRequest) -> Arrival:
        """Note that a request has arrived."""
        started = asyncio.get_running_loop().time()
        return Arrival(request, started, self._world.clock.text(), self._world.generation)

    def began(self, arrival: Arrival, operation: Operation | None) -> None:
        """Record a request that has to wait for its response, so that it can be seen already."""
        arrival.begun = self._world.exchanges.add(self._maker(arrival, unsent(operation)))

    def responded(self, arrival: Arrival, response: Response) -> None:
        """Record a request with its response."""
        make = self._maker(arrival, response)
        if door.is_at(arrival.request.raw_path):
            exchange = make(0)
        elif arrival.begun is not None:
            exchange = make(arrival.begun.number)
            self._world.exchanges.complete(arrival.begun, exchange)
        else:
            exchange = self._world.exchanges.add(make)
        for observe in self._world.observers:
            observe(exchange)

    def _maker(self, arrival: Arrival, response: Response) -> Callable[[int], Exchange]:
        """Return what makes the record of a request, given its number."""
        request = arrival.request
        # A request that was refused early has not got as far as to its operation.
        operation = response.operation or operation_at(request.method, request.raw_path)

        def make(number: int) -> Exchange:
            return Exchange(
                number=number,
                moment=arrival.moment,
                method=request.method,
                target=request.raw_path,
                operation=method_name(operation) if operation else None,
                headers=_without_credentials(request.headers),
                content=arrival.content,
                status=response.status,
                response_headers=_sent_headers(response),
                response_content=response.body,
                seconds=asyncio.get_running_loop().time() - arrival.started,
                fault=arrival.fault,
            )

        return make


def unsent(operation: Operation | None) -> Response:
    """Return what stands for the response to a request that gets none."""
    return Response(0, operation=operation)


def _without_credentials(headers: CIMultiDictProxy[str]) -> CIMultiDictProxy[str]:
    shown = CIMultiDict(headers)
    for name in _CREDENTIALS:
        if name in shown:
            scheme, blank, _ = shown[name].partition(" ")
            known = bool(blank) and scheme.lower() in _SCHEMES
            shown[name] = f"{scheme} {MASK}" if known else MASK
    return CIMultiDictProxy(shown)


def _sent_headers(response: Response) -> Mapping[str, str]:
    sent = CIMultiDict(response.headers)
    if response.body:
        sent["Content-Type"] = response.content_type
    return CIMultiDictProxy(sent)
