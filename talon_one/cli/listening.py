"""A server on this machine that receives webhooks, checks them, and forwards them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from talon_one.cli.failures import CommandFailed, ExitCode
from talon_one.cli.sending import forwarded_headers, send
from talon_one.webhooks import (
    Delivery,
    InMemoryDeliveryStore,
    Receiver,
    Reply,
    WrongSecretError,
    check_secret,
    message_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 32 * 1024 * 1024
_IDLE = 30.0
# From this status on, the platform tries again.
_RETRIED = 500


class Received(NamedTuple):
    """A webhook that arrived, and what became of it.

    Attributes:
        moment: When it arrived, in UTC.
        method: HTTP method.
        path: Path and query.
        kind: Its `NotificationType`; empty if it has none.
        uuid: Its `X-UUID`; empty if it has none.
        status: Status of the response to the sender.
        outcome: What became of it, in a few words.
        body: The body as text.
    """

    moment: datetime
    method: str
    path: str
    kind: str
    uuid: str
    status: int
    outcome: str
    body: str


class Desk:
    """Decide about webhooks: check the secret, recognize repeats, forward. Threads may share it.

    Args:
        secret_header: Name of the header with the secret; ``None`` for none.
        secret: The secret.
        forward: URL to forward to; ``None`` for none.

    Raises:
        ConfigurationError: The secret or the name of its header cannot be right.
    """

    def __init__(self, secret_header: str | None, secret: str | None, forward: str | None) -> None:
        self._secret_header = secret_header
        self._secret = secret
        self._forward = forward
        self._store = InMemoryDeliveryStore()
        self._receiver(_ignore)

    def take(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Received:
        """Handle a webhook, and return what became of it."""
        arrived = datetime.now(timezone.utc)
        kinds: list[str] = []
        sent: list[tuple[int, str]] = []

        def handle(notification: object, delivery: Delivery) -> None:
            kinds.append(delivery.notification_type or "")
            # A batch is forwarded as a whole, with its first part.
            if delivery.part == 0 and self._forward is not None:
                sent.append(self._forwarded(method, headers, body))
                if sent[0][0] >= _RETRIED:
                    raise CommandFailed(sent[0][1])

        if body.strip():
            reply = self._receiver(handle)(headers, body)
        else:
            # A rule may call a webhook without a body, which is no notification.
            reply = self._without_body(headers, handle)
        status, outcome = sent[0] if sent else (reply.status, reply.body)
        return Received(
            arrived,
            method,
            path,
            kinds[0] if kinds else "",
            message_id(headers) or "",
            status,
            outcome,
            body.decode("utf-8", "replace"),
        )

    def _receiver(self, handle: Callable[[Any, Delivery], object]) -> Receiver:
        return Receiver(
            secret_header=self._secret_header,
            secret=self._secret,
            default=handle,
            store=self._store,
        )

    def _without_body(
        self, headers: list[tuple[str, str]], handle: Callable[[Any, Delivery], object]
    ) -> Reply:
        try:
            if self._secret_header is not None and self._secret is not None:
                check_secret(headers, self._secret_header, self._secret)
            handle(None, Delivery(message_id(headers), None))
        except WrongSecretError:
            return Reply(401, "unauthorized")
        except CommandFailed:
            pass  # The response is what forwarding found.
        return Reply(200, "handled")

    def _forwarded(
        self, method: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, str]:
        """Return the status to respond with, and the outcome in words."""
        url = str(self._forward)
        try:
            sent = send(url, body, forwarded_headers(headers), method)
        except CommandFailed as cause:
            # The platform tries again, when the other server may be there.
            return 502, cause.message
        return sent.status, f"{url} {sent.status} in {sent.seconds * 1000:.0f} ms"


def _ignore(notification: object, delivery: Delivery) -> None:
    """Take a notification."""


@contextmanager
def listening(desk: Desk, host: str, port: int) -> Iterator[tuple[str, Queue[Received]]]:
    """Run the server, and yield its address and the queue of what arrives.

    Args:
        desk: Handles webhooks, in threads of the server.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Raises:
        CommandFailed: The port cannot be used.
    """
    arrived: Queue[Received] = Queue()

    class Handler(_Handler):
        def take(self, body: bytes) -> Received:
            return desk.take(self.command, self.path, list(self.headers.items()), body)

        def note(self, received: Received) -> None:
            arrived.put(received)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore clients that go away."""

    try:
        server = Server((host, port), Handler)
    except (OSError, OverflowError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise CommandFailed(f"cannot listen on {host}:{port}: {reason}", ExitCode.USAGE) from cause
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}", arrived
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Read a request and write the response."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE

    def take(self, body: bytes) -> Received:
        """Handle a request with this body."""
        raise NotImplementedError

    def note(self, received: Received) -> None:
        """Take note of a request that has its response."""
        raise NotImplementedError

    def _respond(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= _LARGEST or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._write(413 if length > _LARGEST else 411, "a Content-Length is needed")
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # The sender has hung up.
            return
        received = self.take(body)
        try:
            self._write(received.status, received.outcome)
        finally:
            # Not before, because the command may end with it.
            self.note(received)

    def _write(self, status: int, text: str) -> None:
        content = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _respond

    def log_message(self, *arguments: Any) -> None:
        """Log nothing: the command shows what arrives."""
