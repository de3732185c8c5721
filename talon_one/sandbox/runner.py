"""`Sandbox`: the server as an object that starts and stops, with its URL and its keys."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

from talon_one.sandbox.arguments import check_arguments
from talon_one.sandbox.contract.names import wire_properties
from talon_one.sandbox.database import Credentials, Database
from talon_one.sandbox.door import ROOM
from talon_one.sandbox.exchanges import Exchange
from talon_one.sandbox.faults import Faults
from talon_one.sandbox.requests import Requests
from talon_one.sandbox.seeds import COUPON_CODE
from talon_one.sandbox.seeds.apply import plant
from talon_one.sandbox.seeds.errors import SeedError
from talon_one.sandbox.seeds.prepare import prepare
from talon_one.sandbox.seeds.ready import SeedLike, first_seed, read_seed
from talon_one.sandbox.seeds.source import from_python
from talon_one.sandbox.server import HOST, Server
from talon_one.sandbox.state.opening import IN_MEMORY
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import Clock, World

API_KEY: Final = "sandbox-integration-key"
MANAGEMENT_KEY: Final = "sandbox-management-key"

# Seconds between checks whether the main thread is alive.
_WATCH_INTERVAL: Final = 0.5


# Sandboxes that run in a thread, and where they were started.
_STARTED: Final[dict[Sandbox, str]] = {}


def started() -> dict[Sandbox, str]:
    """Return the sandboxes that run in threads, and where each was started, as `file:line`."""
    return _STARTED.copy()


def _place() -> str:
    """Return the line of the caller's code that is being run."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "")
        if name != "contextlib" and not name.startswith(
            ("talon_one.sandbox.", "talon_one.testing.")
        ):
            break
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


@dataclass(slots=True)
class _Background:
    """The thread of a started sandbox, and the means to stop it."""

    ready: Future[None] = field(default_factory=Future)
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    loop: asyncio.AbstractEventLoop | None = None
    wake: asyncio.Event | None = None

    async def until_stopped(self, server: Server) -> None:
        """Serve until `stop` is called or the main thread has ended.

        The thread is not a daemon, so that it always closes its database and its sockets. A
        program that forgets to stop the sandbox must still be able to exit.
        """
        self.loop, self.wake = asyncio.get_running_loop(), asyncio.Event()
        async with server:
            self.ready.set_result(None)
            while not self.stopping.is_set() and threading.main_thread().is_alive():
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), _WATCH_INTERVAL)

    def run(self, server: Server) -> None:
        """Run the thread."""
        try:
            asyncio.run(self.until_stopped(server))
        except BaseException as cause:
            if self.ready.done():
                raise
            self.ready.set_exception(cause)

    def stop(self) -> None:
        """Stop the thread and wait until it has ended."""
        self.stopping.set()
        # The loop may be closed already; then there is nothing to wake.
        with suppress(RuntimeError):
            if self.loop is not None and self.wake is not None:
                self.loop.call_soon_threadsafe(self.wake.set)
        if self.thread is not None:
            self.thread.join()


class Sandbox:
    """A local Talon.One.

    ```python
    with Sandbox() as sandbox:
        print(sandbox.url, sandbox.api_key)
    ```

    A `with` block runs it in its own thread, an `async with` block in the running event
    loop, `serve()` and `run_forever()` in the foreground. Nothing is opened before it starts.

    Args:
        port: Port to listen on, 0 to 65535; with 0 the system chooses a free one.
        database: SQLite file that keeps the state. `:memory:` keeps it until the sandbox stops.
        seed: What is in a new database: the name of a seed that comes with the sandbox
            (`quickstart`, `fashion`), a YAML file, or the same as a mapping, in which models of
            the SDK may stand for objects.
        clock: Moment at which its clock stands, as an aware `datetime` or an RFC 3339 text, or a
            `Clock`. By default it shows the time of the system.
        random_seed: Number that determines all codes and IDs that it makes.
        api_key: Integration key to accept for the first Application, as `ApiKey-v1 <key>`.
        management_key: Management key to accept, as `ManagementKey-v1 <key>` or `Bearer <key>`.
        application_secret: Hexadecimal secret to accept signatures of; that of the seed by
            default.
        latency: Seconds that each request takes longer, to test code against a slow deployment or
            to keep requests in flight: the fourth for one session or profile is a 409.
        host: Address to listen on. Others than 127.0.0.1 let other machines in, which know the
            keys if they are those of the default.

    Raises:
        ValueError: If an argument has the wrong type, the port is out of range, the secret is not
            hexadecimal, a key is empty, the latency is negative, or the clock has no time zone.
        SeedError: If the seed does not exist or has mistakes.

    Attributes:
        api_key: The Integration key.
        management_key: The Management key.
        application_secret: The secret for signatures of V1 requests.
        application_id: ID of the first Application, which signatures name as their signer.
        campaign_id: ID of its first campaign.
        coupon_code: Code of the first coupon of that campaign; empty if it has none.
        clock: The clock of everything in it. Moving it moves campaigns, codes and points.
        requests: What was sent to it since it started or was last reset, with assertions.
        faults: What goes wrong with requests: errors, delays, broken connections and the like.
    """

    application_id: int = 3
    campaign_id: int = 12
    coupon_code: str = COUPON_CODE

    def __init__(
        self,
        port: int = 0,
        database: str | os.PathLike[str] = IN_MEMORY,
        *,
        seed: SeedLike = "quickstart",
        clock: Clock | datetime | str | None = None,
        random_seed: int | None = None,
        api_key: str = API_KEY,
        management_key: str = MANAGEMENT_KEY,
        application_secret: str = "",
        latency: float = 0.0,
        host: str = HOST,
    ) -> None:
        check_arguments(
            port,
            database,
            random_seed=random_seed,
            api_key=api_key,
            management_key=management_key,
            application_secret=application_secret,
            latency=latency,
            host=host,
        )
        self.api_key = api_key
        self.management_key = management_key
        try:
            self.clock: Clock = clock if isinstance(clock, Clock) else Clock(clock)
        except ValueError as cause:
            raise ValueError(f"the clock: {cause}") from cause
        self._seed = first_seed(seed)
        # The keys of a sandbox belong to the Application with the lowest ID.
        applications = self._seed.get("applications") or [{}]
        application = min(applications, key=lambda each: each.get("id", 0))
        [campaign, *_] = application.get("campaigns") or [{}]
        [coupon, *_] = campaign.get("coupons") or [{}]
        self.application_id = application.get("id", 0)
        self.campaign_id = campaign.get("id", 0)
        self.coupon_code = coupon.get("value", "")
        self.application_secret: str = application_secret or application.get("secret") or ""
        chance = random.Random(random_seed)  # noqa: S311  codes of tests
        self._world = World(self.clock, chance, random_seed)
        self.requests: Requests = Requests(self._world.exchanges)
        self.faults: Faults = self._world.faults
        self._host = host
        self._wanted_port = port
        self._database = os.fspath(database)
        self._latency = latency
        self._server: Server | None = None
        self._background: _Background | None = None

    def __repr__(self) -> str:
        return f"<Sandbox {self.url if self.running else 'not running'}>"

    @property
    def running(self) -> bool:
        """Whether it listens for requests."""
        return self._server is not None

    @property
    def port(self) -> int:
        """The port it listens on or, while it is not running, the `port` argument."""
        return self._server.port if self._server else self._wanted_port

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end.

        Raises:
            RuntimeError: If it is not running.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not running: start it to learn its URL")
        # What listens everywhere is reached at the machine itself.
        host = {"0.0.0.0": HOST, "": HOST, "::": "::1"}.get(self._host, self._host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def page_url(self) -> str:
        """The address of its page, for a browser. It has the Management key, so keep it private.

        The key is in the fragment, which browsers never send.

        Raises:
            RuntimeError: If it is not running.
        """
        return f"{self.url}{ROOM}#key={quote(self.management_key, safe='')}"

    def _new_server(self) -> Server:
        if self._server is not None or self._background is not None:
            raise RuntimeError("the sandbox is already running")
        credentials = Credentials(self.api_key, self.management_key, self.application_secret)

        def open_database() -> Database:
            return Database(self._database, self._world, self._seed, credentials)

        return Server(self._wanted_port, open_database, self._world, self._latency, self._host)

    def observe(self, observer: Callable[[Exchange], None]) -> None:
        """Call a function with each exchange from now on, for instance to log it.

        Args:
            observer: Takes the exchange, which has the method, the target, the status, the
                seconds that it took, and more. It runs in the thread of the server, and delays
                the response.
        """
        self._world.observers.append(observer)

    def reset(self) -> None:
        """Begin anew, as if it had just started. Any thread may call it.

        The state is that of the seed, and the clock shows its start. Requests are forgotten, faults
        are removed, and random codes and IDs repeat, if there is a `random_seed`. Address, keys,
        latency and observers stay. The connections of requests in progress end.

        Raises:
            RuntimeError: If it is not running.
        """
        self._change(lambda _: self._running().reset())

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        return self._server

    def load(self, seed: SeedLike) -> None:
        """Add what is in a seed to a running sandbox, all of it or nothing.

        Args:
            seed: The name of a seed that comes with the sandbox, a YAML file, or a mapping. It may
                refer to what the sandbox has already.

        Raises:
            SeedError: If the seed does not exist or has mistakes.
            RuntimeError: If it is not running.
        """
        __tracebackhide__ = True

        def add(state: State) -> None:
            plant(state, self._world, prepare(described, state))

        try:
            described = read_seed(seed)
            self._change(add)
        except SeedError as cause:
            # The way through the seed's reader says nothing to the caller.
            raise cause.with_traceback(None) from None

    def add_coupon(self, value: str, campaign_id: int | None = None, **properties: Any) -> None:
        """Add a coupon to a running sandbox.

        Args:
            value: Its code.
            campaign_id: Campaign that it belongs to, the first one by default.
            **properties: Further properties, by their names in Python or in the API.

        Raises:
            LookupError: If there is no such campaign.
            SeedError: If the Application has the code already, or a property is wrong.
            TypeError: If a coupon has no such property.
            RuntimeError: If it is not running.
        """
        __tracebackhide__ = True
        wanted = self.campaign_id if campaign_id is None else campaign_id
        given = {**wire_properties("Coupon", properties), "value": value, "campaignId": wanted}

        def add(state: State) -> None:
            if state.campaigns.get(wanted) is None:
                raise LookupError(f"the sandbox has no campaign {wanted}")
            plant(state, self._world, prepare(described, state))

        try:
            described = from_python({"coupons": [given]})
            self._change(add)
        except SeedError as cause:
            raise cause.with_traceback(None) from None

    def _change(self, change: Callable[[State], None]) -> None:
        """Run a change of the state in a transaction, in the thread of the server."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running: start it to change what is in it")
        state = self._server.database.state

        def run() -> None:
            with state.transaction():
                change(state)

        self._server.call(run)

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point `Configuration.from_env` at it.

        Raises:
            RuntimeError: If it is not running.
        """
        secret = self.application_secret
        return {
            "TALON_ONE_HOST": self.url,
            "TALON_ONE_API_KEY": self.api_key,
            "TALON_ONE_MANAGEMENT_KEY": self.management_key,
            "TALON_ONE_APPLICATION_ID": str(self.application_id),
            **({"TALON_ONE_APPLICATION_SECRET": secret} if secret else {}),
        }

    def start(self) -> Sandbox:
        """Start it in a background thread and return it once it listens.

        Raises:
            OSError: If the port is in use or not allowed.
            DatabaseError: If the database cannot be used: its folder does not exist, another
                sandbox uses it, it is damaged, or another version of the sandbox wrote it.
            RuntimeError: If it is already running.
        """
        server = self._new_server()
        background = self._background = _Background()
        background.thread = threading.Thread(
            target=background.run, args=(server,), name="talon-one-sandbox"
        )
        try:
            background.thread.start()
            background.ready.result()
        except BaseException:
            self.stop()
            raise
        self._server = server
        _STARTED[self] = _place()
        return self

    def stop(self) -> None:
        """Stop the background thread and wait for it. Stopping twice is harmless."""
        background, self._background, self._server = self._background, None, None
        _STARTED.pop(self, None)
        if background is not None:
            background.stop()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        cause: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Sandbox:
        self._server = await self._new_server().__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        cause: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.__aexit__(kind, cause, traceback)

    async def serve(self, on_start: Callable[[Sandbox], None] | None = None) -> None:
        """Run it in the event loop until the task is cancelled.

        Args:
            on_start: Called with the sandbox once it listens, for instance to print its URL.
        """
        async with self:
            if on_start is not None:
                on_start(self)
            await asyncio.Event().wait()

    def run_forever(self, on_start: Callable[[Sandbox], None] | None = None) -> None:
        """Run it in the foreground until Ctrl-C or SIGTERM, and then return.

        Args:
            on_start: Called with the sandbox once it listens, for instance to print its URL.
        """

        async def main() -> None:
            serving = asyncio.ensure_future(self.serve(on_start))
            # Some platforms and threads cannot handle signals; cancelling the task still works.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
            with suppress(asyncio.CancelledError):
                await serving

        with suppress(KeyboardInterrupt):
            asyncio.run(main())
