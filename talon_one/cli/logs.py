"""`talon-one logs tail`: the logs of calls and of messages, as they grow."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from talon_one._schema.dates import read_datetime
from talon_one.cli.connecting import with_connection
from talon_one.cli.daily import application_of, calls, operation_of, plain_object, with_application
from talon_one.cli.escapes import printable_json, printable_line
from talon_one.cli.failures import failure_of, report
from talon_one.cli.lazy import Suggesting
from talon_one.cli.moments import since_option, timestamp
from talon_one.cli.sinks import output_to
from talon_one.exceptions import ApiException, TransportError

if TYPE_CHECKING:
    from talon_one import ManagementApi

Reader = Callable[[str], Iterable[Any]]
"""Reads the entries of a log from a moment on."""

_KINDS = ("access", "webhooks", "messages")
# Entries may appear that late, and are read again in each round.
_OVERLAP = timedelta(seconds=60)
# What a server may be ahead.
_AHEAD = timedelta(days=1)


@click.group(cls=Suggesting)
def logs() -> None:
    """Read the logs of the platform."""


@logs.command()
@click.argument("kind", type=click.Choice(_KINDS))
@since_option("10m")
@click.option("--failed", is_flag=True, help="Only what got an error as the response.")
@click.option(
    "--follow/--no-follow", default=True, help="Go on until Ctrl-C, which is the default."
)
@click.option(
    "--interval",
    type=click.FloatRange(min=1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Pause between two looks.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after N entries.")
@click.option("--json", "as_json", is_flag=True, help="Show each as a line of JSON, as it is.")
@with_application
@with_connection
def tail(
    kind: str,
    since: str,
    failed: bool,
    follow: bool,
    interval: float,
    limit: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Follow a log: access (calls of the Application), webhooks (of rules), or messages.

    Messages are notifications of Applications and loyalty programs. Each entry is shown once, the
    oldest first. Failures of the connection are reported, and the log is followed on.
    """
    from talon_one import ManagementApi

    readers: list[Reader] = []
    method = "get_access_logs_without_total_count" if kind == "access" else "get_message_logs"
    application_id = application_of(given) if kind == "access" else given["application"]
    with (
        calls(given, operation_of("management", method)) as connection,
        output_to(None) as sink,
    ):
        api = ManagementApi(connection.client)
        if kind == "access":
            readers.append(_access(api, application_id, failed, connection.settings))
        entities = {"webhooks": ("webhook",), "messages": ("application", "loyalty_program")}
        for entity in entities.get(kind, ()):
            own = application_id if entity != "loyalty_program" else None
            readers.append(_messages(api, entity, own, failed, connection.settings))
        show = _as_json if as_json else _as_line
        count = 0
        try:
            for entry in _followed(readers, since, interval if follow else None):
                count += 1
                sink.write(show(entry))
                sys.stdout.flush()
                if count == limit:
                    break
        except KeyboardInterrupt:
            report(f"{count} entr{'y' if count == 1 else 'ies'}")


def _access(
    api: ManagementApi, application_id: int, failed: bool, settings: Mapping[str, Any]
) -> Reader:
    filters = {**settings, "status": "error"} if failed else dict(settings)

    def read(since: str) -> Iterable[Any]:
        end = timestamp(datetime.now(timezone.utc) + _AHEAD)
        method = api.get_access_logs_without_total_count
        return api.iterate(method, application_id, since, end, **filters)  # type: ignore[arg-type]

    return read


def _messages(
    api: ManagementApi,
    entity: str,
    application_id: int | None,
    failed: bool,
    settings: Mapping[str, Any],
) -> Reader:
    filters = {**settings, "entity_type": entity}
    if application_id is not None:
        filters["application_id"] = application_id
    if failed:
        filters["is_successful"] = False

    def read(since: str) -> Iterable[Any]:
        return api.iterate(api.get_message_logs, **{**filters, "created_after": since})

    return read


def _followed(
    readers: list[Reader], since: str, interval: float | None
) -> Iterator[dict[str, Any]]:
    """Yield new entries, each once.

    Args:
        readers: Logs to read.
        since: Where to begin.
        interval: Seconds between two looks; ``None`` for one look.

    Raises:
        OpenApiException: The first look failed, or the key is refused.
    """
    # Entries to their moments, as far back as they can be read again.
    seen: dict[str, datetime | None] = {}
    begin = since
    in_trouble = False
    first = True
    while True:
        try:
            found = [plain_object(each) for reader in readers for each in reader(begin)]
        except ApiException as cause:
            passing = isinstance(cause, TransportError) or cause.status in (429, *range(500, 600))
            if first or not passing:
                raise
            if not in_trouble:
                failure = failure_of(cause)
                report(f"{failure.message if failure else cause}; trying again")
            in_trouble = True
        else:
            in_trouble = first = False
            for entry in sorted(found, key=_time):
                name = str(entry.get("uuid") or entry.get("id") or json.dumps(entry))
                if name not in seen:
                    yield entry
                seen[name] = _moment(entry)
            begin = _forget(seen, begin)
        if interval is None:
            return
        time.sleep(interval)


def _forget(seen: dict[str, datetime | None], begin: str) -> str:
    """Forget entries that are not read again. Return where the next look begins."""
    moments = [each for each in seen.values() if each is not None]
    if not moments:
        return begin
    edge = max(moments) - _OVERLAP
    following = max(begin, timestamp(edge))
    for name in [name for name, moment in seen.items() if moment is not None and moment < edge]:
        del seen[name]
    return following


def _time(entry: Mapping[str, Any]) -> str:
    return str(entry.get("time") or entry.get("createdAt") or "")


def _moment(entry: Mapping[str, Any]) -> datetime | None:
    moment = read_datetime(_time(entry))
    if not isinstance(moment, datetime):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(
        timezone.utc
    )


def _as_json(entry: Mapping[str, Any]) -> str:
    return printable_json(json.dumps(entry, ensure_ascii=False)) + "\n"


def _as_line(entry: Mapping[str, Any]) -> str:
    if "requestUri" in entry:
        parts = [entry.get("status"), entry.get("method"), entry.get("requestUri")]
    else:
        response = entry.get("response")
        status = response.get("status") if isinstance(response, dict) else None
        name = entry.get("webhookName") or entry.get("notificationName") or entry.get("service")
        parts = [status or "---", entry.get("changeType"), name, entry.get("url"), entry.get("id")]
    text = " ".join(str(each) for each in [_time(entry), *parts] if each)
    return printable_line(text) + "\n"
