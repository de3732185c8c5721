"""`Sandbox`: the server as an object that starts and stops, with its URL and its keys."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from talon_one.sandbox import campaign
from talon_one.sandbox.database import IN_MEMORY, Credentials
from talon_one.sandbox.server import HOST, Server

API_KEY: Final = "sandbox-integration-key"
MANAGEMENT_KEY: Final = "sandbox-management-key"
LARGEST_PORT: Final = 65_535

# Seconds between checks whether the main thread is alive.
_WATCH_INTERVAL: Final = 0.5


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
    """A local Talon.One on 127.0.0.1.

    ```python
    with Sandbox() as sandbox:
        print(sandbox.url, sandbox.api_key)
    ```

    A `with` block runs it in its own thread, an `async with` block in the running event
    loop, `serve()` and `run_forever()` in the foreground. Nothing is opened before it starts.

    Args:
        port: Port to listen on, 0 to 65535; with 0 the system chooses a free one.
        database: SQLite file that keeps the state. `:memory:` keeps it until the sandbox stops.
        api_key: Integration key to accept, as `ApiKey-v1 <key>`.
        management_key: Management key to accept, as `ManagementKey-v1 <key>` or `Bearer <key>`.
        application_secret: Hexadecimal secret to accept signatures of.

    Raises:
        ValueError: If the port is out of range, the secret is not hexadecimal, or a key is empty.

    Attributes:
        api_key: The Integration key.
        management_key: The Management key.
        application_secret: The secret for signatures of V1 requests.
        application_id: Id of the built-in Application, which signatures name as their signer.
        campaign_id: Id of the built-in campaign.
        coupon_code: Code of the built-in coupon.
    """

    application_id: Final = campaign.APPLICATION.id
    campaign_id: Final = campaign.CAMPAIGN.id
    coupon_code: Final = campaign.COUPON_CODE

    def __init__(
        self,
        port: int = 0,
        database: str | os.PathLike[str] = IN_MEMORY,
        *,
        api_key: str = API_KEY,
        management_key: str = MANAGEMENT_KEY,
        application_secret: str = campaign.APPLICATION.secret,
    ) -> None:
        if not 0 <= port <= LARGEST_PORT:
            raise ValueError(f"a port must be from 0 to {LARGEST_PORT}, not {port}")
        bytes.fromhex(application_secret)
        if not (api_key and management_key and application_secret):
            raise ValueError("the keys and the secret of a sandbox must not be empty")
        self.api_key = api_key
        self.management_key = management_key
        self.application_secret = application_secret
        self._wanted_port = port
        self._database = os.fspath(database)
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
        return f"http://{HOST}:{self._server.port}"

    def _new_server(self) -> Server:
        if self._server is not None or self._background is not None:
            raise RuntimeError("the sandbox is already running")
        credentials = Credentials(self.api_key, self.management_key, self.application_secret)
        return Server(self._wanted_port, self._database, credentials)

    def start(self) -> Sandbox:
        """Start it in a background thread and return it once it listens.

        Raises:
            OSError: If the port is in use or not allowed.
            DatabaseError: If the folder of the database does not exist, or another version of the
                sandbox wrote the file.
            sqlite3.Error: If the database cannot be opened for another reason.
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
        return self

    def stop(self) -> None:
        """Stop the background thread and wait for it. Stopping twice is harmless."""
        background, self._background, self._server = self._background, None, None
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
