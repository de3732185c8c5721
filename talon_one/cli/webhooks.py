"""`talon-one webhooks`: receive webhooks on this machine, send samples, and send old ones again."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from queue import Empty
from typing import TYPE_CHECKING, Any

import click

from talon_one._utils.suggest import did_you_mean
from talon_one.cli.bodies import read_body
from talon_one.cli.connecting import with_connection
from talon_one.cli.daily import calls, operation_of, plain_object
from talon_one.cli.escapes import printable_json, printable_line
from talon_one.cli.failures import CommandFailed, ExitCode, report
from talon_one.cli.lazy import Suggesting
from talon_one.cli.moments import since_option
from talon_one.cli.parameters import Integer
from talon_one.cli.sending import checked_url, send
from talon_one.cli.sinks import output_to

if TYPE_CHECKING:
    from talon_one.cli.listening import Received

_SECRET = "TALON_ONE_WEBHOOK_SECRET"  # noqa: S105  the name of a variable

_secret_header = click.option(
    "--secret-header",
    metavar="NAME",
    help=f"Header with the shared secret, which is read from {_SECRET} or asked for.",
)


@click.group(cls=Suggesting)
def webhooks() -> None:
    """Receive webhooks on this machine, send samples, and send old ones again."""


@webhooks.command()
@click.option("--forward", metavar="URL", help="Where to forward what arrives.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; others than 127.0.0.1 let other machines in.",
)
@_secret_header
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after N webhooks.")
@click.option("--json", "as_json", is_flag=True, help="Show each as a line of JSON, with its body.")
def listen(
    forward: str | None,
    port: int,
    host: str,
    secret_header: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Receive webhooks until Ctrl-C, and show one line for each.

    What does not have the secret gets a 401. A webhook that was handled is not forwarded a second
    time. The response is that of the server that it is forwarded to; if there is none, it is a 502,
    and the platform tries again. For Talon.One to reach this machine, let a tunnel lead here.
    """
    from talon_one.cli.listening import Desk, listening

    # Each line says what the receiver would log.
    logging.getLogger("talon_one.webhooks").addHandler(logging.NullHandler())
    url = None if forward is None else checked_url(forward)
    desk = Desk(secret_header, _secret(secret_header), url)
    with listening(desk, host, port) as (address, arrived), output_to(None) as sink:
        count = 0
        try:
            report(f"listening on {address} until Ctrl-C")
            while limit is None or count < limit:
                try:
                    # With a timeout, because without one Ctrl-C waits on Windows.
                    received = arrived.get(timeout=0.5)
                except Empty:
                    continue
                count += 1
                sink.write(_as_json(received) if as_json else _as_line(received))
                sys.stdout.flush()
        except KeyboardInterrupt:
            report(f"{count} webhook{'s' * (count != 1)} received")


def _as_line(received: Received) -> str:
    parts = [
        f"{received.moment.astimezone():%H:%M:%S}",
        str(received.status),
        received.method,
        received.path,
        received.kind or "-",
        received.uuid or "-",
        received.outcome,
    ]
    return printable_line(" ".join(parts)) + "\n"


def _as_json(received: Received) -> str:
    facts = {**received._asdict(), "moment": received.moment.isoformat()}
    return printable_json(json.dumps(facts, ensure_ascii=False)) + "\n"


@webhooks.command()
@click.argument("kind", metavar="TYPE", required=False)
@click.argument("url", required=False)
@_secret_header
@click.option("-d", "--data", metavar="JSON|@FILE|-", help="Body in place of the sample.")
@click.option("--uuid", "message", metavar="UUID", help="Its X-UUID; by default a new one.")
@click.option("--list", "listed", is_flag=True, help="List the types, and send nothing.")
def trigger(
    kind: str | None,
    url: str | None,
    secret_header: str | None,
    data: str | None,
    message: str | None,
    listed: bool,
) -> int:
    """Send a sample of a notification to a URL; without a URL, print it.

    TYPE is a NotificationType, such as CouponCreated; --list has all of them. The sample has what
    the API describes, with the values of its examples. The exit code is 1 if the response is not a
    success.
    """
    from talon_one.cli.texts.notifications import SAMPLES

    if listed or kind is None:
        if not listed:
            raise click.UsageError("a TYPE is missing; --list has all of them")
        with output_to(None) as sink:
            sink.write("".join(f"{each}\n" for each in SAMPLES))
        return ExitCode.DONE
    if kind not in SAMPLES:
        hint = did_you_mean(kind, SAMPLES) or " --list has all types."
        raise click.UsageError(f"there is no notification of the type {kind!r}.{hint}")
    body = SAMPLES[kind] if data is None else read_body(data)
    if url is None:
        with output_to(None) as sink:
            sink.write(printable_json(json.dumps(body, ensure_ascii=False, indent=2)) + "\n")
        return ExitCode.DONE
    headers = {"X-UUID": message or str(uuid.uuid4()), **_headers(secret_header)}
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return _send(checked_url(url), content, headers, kind)


@webhooks.command()
@click.argument("url")
@click.option(
    "--id", "ids", multiple=True, metavar="UUID", help="Only this message; repeat it for several."
)
@click.option(
    "--entity",
    type=click.Choice(["webhook", "application", "loyalty_program"]),
    default="webhook",
    show_default=True,
    help="Webhooks of rules, or notifications of Applications or loyalty programs.",
)
@click.option("--webhook", type=Integer(), metavar="ID", help="Only messages of this webhook.")
@click.option("--failed", is_flag=True, help="Only messages that got an error as the response.")
@since_option("1d")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N messages.")
@_secret_header
@with_connection
def replay(
    url: str,
    ids: tuple[str, ...],
    entity: str,
    webhook: int | None,
    failed: bool,
    since: str,
    limit: int | None,
    secret_header: str | None,
    **given: Any,
) -> int:
    """Send messages from the log of the Management API to a URL, the oldest first.

    They have the X-UUID of the first time, so that a receiver that has handled them skips them. The
    headers of the first time are not in the log. The exit code is 1 if a response is not a success.
    """
    from talon_one import ManagementApi

    target = checked_url(url)
    headers = _headers(secret_header)
    filters: dict[str, Any] = {"entity_type": entity, "created_after": since}
    if failed:
        filters["is_successful"] = False
    if webhook is not None:
        filters["webhook_ids"] = str(webhook)
    code: int = ExitCode.DONE
    count = 0
    with calls(given, operation_of("management", "get_message_logs")) as connection:
        api = ManagementApi(connection.client)
        found = [
            plain_object(each)
            for each in api.iterate(api.get_message_logs, **filters, **connection.settings)
        ]
    for entry in _oldest_first(found):
        if ids and entry.get("id") not in ids:
            continue
        if limit is not None and count == limit:
            break
        body = _request_of(entry)
        name = str(entry.get("webhookName") or entry.get("changeType") or "message")
        own = {"X-UUID": str(entry.get("id", "")), **headers}
        outcome = _send(target, body, own, f"{entry.get('createdAt', '')} {name}")
        code = code or outcome
        if outcome == ExitCode.NOT_SENT:
            break  # The others would not arrive either.
        count += 1
    report(f"{count} message{'s' * (count != 1)} sent to {url}")
    return code


def _oldest_first(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return iter(sorted(entries, key=lambda each: str(each.get("createdAt", ""))))


def _request_of(entry: Mapping[str, Any]) -> bytes:
    """Return the body of the request in an entry of the log."""
    request = entry.get("request")
    text = request.get("request") if isinstance(request, dict) else None
    try:
        content = base64.b64decode(str(text or ""), validate=True)
    except (binascii.Error, ValueError) as cause:
        raise CommandFailed(
            f"the request of the message {entry.get('id')} is not Base64"
        ) from cause
    head, separator, body = content.partition(b"\r\n\r\n")
    # The log may have the request with its headers.
    return body if separator and b" HTTP/1." in head.partition(b"\r\n")[0] else content


def _send(url: str, body: bytes, headers: Mapping[str, str], name: str) -> int:
    """Send a message, show the response as a line, and return the exit code."""
    try:
        sent = send(url, body, {"Content-Type": "application/json", **headers})
    except CommandFailed as cause:
        report(f"{name}: {cause.message}")
        return cause.code
    line = f"{name} {headers['X-UUID']} {sent.status} in {sent.seconds * 1000:.0f} ms"
    with output_to(None) as sink:
        sink.write(printable_line(line) + "\n")
    if 200 <= sent.status < 300:
        return ExitCode.DONE
    report(f"{name}: {sent.status} {sent.text[:200]}")
    return ExitCode.REFUSED


def _headers(secret_header: str | None) -> dict[str, str]:
    secret = _secret(secret_header)
    return {} if secret_header is None or secret is None else {secret_header: secret}


def _secret(header: str | None) -> str | None:
    """Return the shared secret for a header.

    Raises:
        click.UsageError: There is none.
    """
    if header is None:
        return None
    found = os.environ.get(_SECRET)
    if not found:
        if sys.stdin is None or not sys.stdin.isatty():
            raise click.UsageError(f"--secret-header needs the secret in {_SECRET}")
        found = str(click.prompt("secret", hide_input=True, err=True))
    from talon_one.webhooks.secret import SharedSecret

    SharedSecret(header, found)
    return found.strip()
