"""The two shells behind one face: the asyncio client made to block, so that tests run for both.

Where a conftest imports support.each_shell, a test that uses the fixture ``shell``, itself or by
another fixture, runs once for each shell, unless it has the mark ``one_shell``. Clients are made
by `Shell.new_client`, or by `make_client` and `new_client`, which know whose turn it is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import talon_one
from talon_one import ApiClient, Clock, Configuration, aio

if TYPE_CHECKING:
    import aiohttp
    from typing_extensions import Self

T = TypeVar("T")

# Nothing that the tests do takes as long, in seconds.
_TOO_LONG = 60


class Awaited:
    """An asyncio client with the face of the blocking one.

    Its event loop runs in a thread of its own, from the first call until `close`, which fails if
    a task has been left behind there.

    Attributes:
        client: The asyncio client.
    """

    asynchronous = False
    """What the blocking APIs ask for."""

    def __init__(self, client: aio.ApiClient) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._calls: set[Future[Any]] = set()
        self._pausing: set[threading.Thread] = set()
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self.client)

    @property
    def user_agent(self) -> str:
        return self.client.user_agent

    @user_agent.setter
    def user_agent(self, value: str) -> None:
        self.client.user_agent = value

    @property
    def clock(self) -> Clock:
        return self.client.clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        """Have pauses, which may block, run in another thread."""
        pause = clock.sleep

        def in_thread(seconds: float) -> None:
            self._pausing.add(threading.current_thread())
            try:
                pause(seconds)
            finally:
                self._pausing.discard(threading.current_thread())

        async def awaited(seconds: float) -> None:
            await asyncio.get_running_loop().run_in_executor(None, in_thread, seconds)

        self.client.clock = clock._replace(sleep=awaited)

    def call(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._result(self.client.call(operation, args, kwargs))

    def call_api(self, *args: Any, **kwargs: Any) -> Any:
        return self._result(self.client.call_api(*args, **kwargs))

    def api(self, name: str) -> Any:
        """Return the generated API with this name, its coroutine methods made to block."""
        return AwaitedApi(self, getattr(aio, name)(self.client))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop of this client, from any other thread, and wait for it."""
        with self._lock:
            if self._closed:
                return asyncio.run(work)
            call = asyncio.run_coroutine_threadsafe(work, self._running_loop())
            self._calls.add(call)
        try:
            return call.result(_TOO_LONG)
        except BaseException:
            # Ctrl-C, or the time is up. What has come to its end is not changed by it.
            call.cancel()
            raise
        finally:
            self._calls.discard(call)

    def close(self) -> None:
        """Close the client, its loop and its thread, once all calls have come to their end."""
        if self._loop is None:
            asyncio.run(self.client.aclose())
            self._closed = True
        if self._closed:
            return
        self.run(self.client.aclose())
        if threading.current_thread() in self._pausing:
            # The call still needs the loop; the code that made the client closes it.
            return
        for call in list(self._calls):
            with suppress(Exception):  # The caller that waits for it gets it.
                call.result(_TOO_LONG)
        left = self.run(_others())
        with self._lock:
            self._closed = True
        self._end()
        assert not left, f"left behind: {left}"

    def _result(self, call: Coroutine[Any, Any, Any]) -> Any:
        result = self.run(_awaiting(call))
        return AwaitedResponse(self, result) if hasattr(result, "content") else result

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        return self._loop

    def _end(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        loop = self._loop
        for each in (loop.shutdown_asyncgens, loop.shutdown_default_executor):
            asyncio.run_coroutine_threadsafe(each(), loop).result(_TOO_LONG)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()


async def _awaiting(call: Coroutine[Any, Any, Any]) -> Any:
    """Await a call, as the function of an application would."""
    return await call


async def _others() -> list[asyncio.Task[Any]]:
    """Return the tasks that are left, after those had their turn that have just ended."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]


class AwaitedApi:
    """One of the generated APIs, its coroutine methods made to block."""

    def __init__(self, client: Awaited, api: Any) -> None:
        self._client = client
        self._api = api

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._api, name)

        def blocking(*args: Any, **kwargs: Any) -> Any:
            return self._client._result(method(*args, **kwargs))

        return blocking


class AwaitedResponse:
    """A raw response of aiohttp with the face of one of urllib3."""

    def __init__(self, client: Awaited, response: aiohttp.ClientResponse) -> None:
        self._client = client
        self._response = response
        self.status = response.status
        self.headers = response.headers

    @property
    def data(self) -> bytes:
        return self.read()

    def read(self) -> bytes:
        return self._client.run(self._response.read())

    def close(self) -> None:
        async def close() -> None:
            self._response.close()

        self._client.run(close())

    release_conn = close


class Shell:
    """What makes clients of one kind.

    Attributes:
        name: ``blocking`` or ``asyncio``.
        awaits: Whether calls are awaited.
        caller: File that calls are awaited in, if they are; the tests call the others themselves.
    """

    caller = __file__

    def __init__(self, name: str) -> None:
        self.name = name
        self.awaits = name == "asyncio"
        self._made: list[Awaited] = []

    def new_client(
        self,
        configuration: Configuration | None,
        *args: Any,
        lasting: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return a client; the other arguments are those of `ApiClient`.

        Args:
            configuration: Settings of the client.
            lasting: The code that made it closes it, not the end of the test.
        """
        if not self.awaits:
            return ApiClient(configuration, *args, **kwargs)
        made = Awaited(aio.ApiClient(configuration, *args, **kwargs))
        if not lasting:
            self._made.append(made)
        return made

    def api(self, name: str, client: Any) -> Any:
        """Return one of the generated APIs over a client of this shell."""
        return client.api(name) if self.awaits else getattr(talon_one, name)(client)

    def close(self) -> None:
        """Close the clients that are still open."""
        for each in self._made:
            each.close()


NAMES = ("blocking", "asyncio")
_current = Shell("blocking")


def current() -> Shell:
    """Return the shell whose turn it is."""
    return _current


def use(shell: Shell) -> Shell:
    """Make it the turn of a shell, and return the one before it."""
    global _current
    before, _current = _current, shell
    return before


def new_client(configuration: Configuration | None = None, *args: Any, **kwargs: Any) -> ApiClient:
    """Return a client of the shell whose turn it is; its arguments are those of `ApiClient`."""
    client: ApiClient = _current.new_client(configuration, *args, **kwargs)
    return client
