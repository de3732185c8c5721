"""`Sandbox`: the server as an object to start, stop and ask for its address and keys."""

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

from . import campaign
from .database import IN_MEMORY, Credentials
from .server import HOST, Server

API_KEY: Final = "sandbox-integration-key"
MANAGEMENT_KEY: Final = "sandbox-management-key"
LARGEST_PORT: Final = 65_535

# Seconds between looks at whether the program still runs.
_WATCH_INTERVAL: Final = 0.5


@dataclass(slots=True)
class _Background:
    """The thread a started sandbox runs in, and the means to end it."""

    ready: Future[None] = field(default_factory=Future)
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    loop: asyncio.AbstractEventLoop | None = None
    wake: asyncio.Event | None = None

    async def until_stopped(self, server: Server) -> None:
        """Serve until told to stop, or until the program has come to its end.

        The thread is no daemon, so that it always closes what it opened; a program that forgot
        to stop it must nevertheless be able to end.
        """
        self.loop, self.wake = asyncio.get_running_loop(), asyncio.Event()
        async with server:
            self.ready.set_result(None)
            while not self.stopping.is_set() and threading.main_thread().is_alive():
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), _WATCH_INTERVAL)

    def run(self, server: Server) -> None:
        """Be the thread."""
        try:
            asyncio.run(self.until_stopped(server))
        except BaseException as error:
            if self.ready.done():
                raise
            self.ready.set_exception(error)

    def stop(self) -> None:
        """End the thread and wait until it is gone."""
        self.stopping.set()
        # The loop may be closed already; then there is nothing left to wake.
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

    A `with` block runs it in a thread of its own, an `async with` block in the running event
    loop, `serve()` and `run_forever()` in the foreground.

    Attributes:
        api_key: Integration key, sent as `ApiKey-v1 <key>`.
        management_key: Management key, sent as `ManagementKey-v1 <key>` or `Bearer <key>`.
        application_secret: Secret that V1 requests may be signed with, hexadecimal.
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
        """Describe a sandbox; nothing is opened before it is started.

        Args:
            port: Port to listen on, 0 to 65535; 0 lets the system choose one that is free.
            database: SQLite file to keep the state in. With `:memory:` it is gone on stopping.
            api_key: Integration key to accept.
            management_key: Management key to accept.
            application_secret: Application secret to accept signatures of.

        Raises:
            ValueError: If there can be no such port, the secret is not hexadecimal or a key is
                empty.
        """
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
        """Say where it runs, and nothing secret."""
        return f"<Sandbox {self.url if self.running else 'not running'}>"

    @property
    def running(self) -> bool:
        """Whether it answers requests."""
        return self._server is not None

    @property
    def port(self) -> int:
        """The port it listens on or, while it is not running, the one it was told to use."""
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

    # In a thread --------------------------------------------------------------------------------

    def start(self) -> Sandbox:
        """Start it in a background thread and return it once it answers.

        Raises:
            OSError: If the port is in use or cannot be had.
            DatabaseError: If the folder of the database does not exist, or the database is of
                another version.
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
        """Stop the background thread, and wait for it. Stopping twice does no harm."""
        background, self._background, self._server = self._background, None, None
        if background is not None:
            background.stop()

    def __enter__(self) -> Sandbox:
        """Start it."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    # In an event loop ---------------------------------------------------------------------------

    async def __aenter__(self) -> Sandbox:
        """Start it in the running event loop; raises as `start` does."""
        self._server = await self._new_server().__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        server, self._server = self._server, None
        if server is not None:
            await server.__aexit__(kind, error, trace)

    async def serve(self, on_start: Callable[[Sandbox], None] | None = None) -> None:
        """Run it in the event loop until the task is cancelled.

        Args:
            on_start: Called with the sandbox once it answers, to announce its URL for instance.
        """
        async with self:
            if on_start is not None:
                on_start(self)
            await asyncio.Event().wait()

    def run_forever(self, on_start: Callable[[Sandbox], None] | None = None) -> None:
        """Run it in the foreground until Ctrl-C or SIGTERM, and then return.

        Args:
            on_start: Called with the sandbox once it answers, to announce its URL for instance.
        """

        async def main() -> None:
            serving = asyncio.ensure_future(self.serve(on_start))
            # Not every platform and thread can handle signals; cancelling works there, too.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
            with suppress(asyncio.CancelledError):
                await serving

        with suppress(KeyboardInterrupt):
            asyncio.run(main())
