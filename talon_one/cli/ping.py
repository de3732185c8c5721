"""`talon-one ping`: whether a deployment responds, takes the keys, and has the same time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from talon_one.cli.connecting import Connection, connected, with_connection
from talon_one.cli.failures import CommandFailed, ExitCode, failure_of, report
from talon_one.cli.output import layout_of, with_output, write
from talon_one.cli.sinks import check_writable, output_to
from talon_one.exceptions import ApiException, NotFoundException, TransportError

if TYPE_CHECKING:
    from talon_one import Configuration

# It exists in no deployment, so that the response says something about the key alone.
_NO_SESSION = "talon-one-ping"
_TIMEOUT = 10.0
# Below that, the Date header, which has whole seconds, and the way of the response explain it.
_SAME_TIME = 2.0
_SAMPLES = 3


@click.command()
@with_output
@with_connection
def ping(**given: Any) -> int:
    """Show whether a deployment responds and takes the keys.

    Reads a session that does not exist with the Integration API key, and the list of Applications
    with the Management API key, and changes nothing. Shows the latency, the difference of the
    clocks, the version of TLS, and how many days its certificate is valid.

    The exit code is that of the first thing that failed: 3 if the deployment cannot be reached, 1
    if it refuses a key, 2 if there is none.
    """
    layout = layout_of(given["output"], given["columns"], given["query"])
    check_writable(given["output_file"])
    timeout = given["timeout"] or _TIMEOUT
    code: int = ExitCode.DONE
    with connected(given["profile"], given["host"], timeout, given["retries"] or 0) as connection:
        host = connection.client.configuration.host
        facts: dict[str, Any] = {"host": host}
        keys = [name for name in ("api_key", "management_key") if connection.resolved.value(name)]
        for name in keys:
            found, own = _checked_key(name, connection)
            facts.update(found)
            code = code or own
            if own == ExitCode.NOT_SENT:
                break  # The other key would wait for the same.
        if not keys:
            report("no key is set: talon-one config set api-key, or management-key")
            code = ExitCode.USAGE
        if code != ExitCode.NOT_SENT:
            facts.update(_tls(connection.client.configuration, timeout))
    with output_to(given["output_file"]) as sink:
        write(facts, layout, sink)
    return code


def _checked_key(name: str, connection: Connection) -> tuple[dict[str, Any], int]:
    """Return what a call with a key shows, and its exit code."""
    label = {"api_key": "integration", "management_key": "management"}[name]
    facts: dict[str, Any] = {f"{label}Key": f"of {connection.resolved.settings[name].source}"}
    durations = []
    try:
        for _ in range(_SAMPLES):
            begin = time.perf_counter()
            headers = _call(name, connection)
            durations.append(time.perf_counter() - begin)
    except ApiException as cause:
        failure = failure_of(cause) or CommandFailed(str(cause))
        report(failure.message)
        unreached = isinstance(cause, TransportError)
        refused = cause.status in (401, 403)
        facts[f"{label}Api"] = (
            "cannot be reached" if unreached else "refuses the key" if refused else "fails"
        )
        return facts, failure.code
    # The first call has made the connection.
    milliseconds = sorted(round(each * 1000, 1) for each in durations[1:])
    facts[f"{label}Api"] = "takes the key"
    facts["connectMilliseconds"] = round(durations[0] * 1000, 1)
    facts["latencyMilliseconds"] = milliseconds[0]
    facts.update(_clock(headers))
    return facts, ExitCode.DONE


def _call(name: str, connection: Connection) -> Mapping[str, str]:
    """Make a call that changes nothing, and return the headers of the response."""
    from talon_one import IntegrationApi, ManagementApi

    if name == "management_key":
        api = ManagementApi(connection.client)
        response = api.get_applications_with_http_info(page_size=1, **connection.settings)
        return dict(response.headers or {})
    try:
        IntegrationApi(connection.client).get_customer_session(_NO_SESSION, **connection.settings)
    except NotFoundException as cause:
        return dict(cause.headers or {})
    return {}


def _clock(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return by how many seconds the clock here is ahead of that of the server."""
    dates = [value for name, value in headers.items() if name.lower() == "date"]
    try:
        there = parsedate_to_datetime(dates[0])
        difference = (datetime.now(timezone.utc) - there).total_seconds()
    except (IndexError, TypeError, ValueError, OverflowError):
        return {"clock": "the server does not say its time"}
    if abs(difference) < _SAME_TIME:
        return {"clock": "the same"}
    ahead = "ahead of" if difference > 0 else "behind"
    return {"clock": f"{abs(difference):.0f} s {ahead} the server"}


def _tls(configuration: Configuration, timeout: float) -> dict[str, Any]:
    """Return the version of TLS and the days that the certificate is still valid."""
    import socket
    import ssl

    from talon_one._http.tls import ssl_context

    parts = urlsplit(str(configuration.host))
    if parts.scheme != "https":
        return {"tls": "none (http)"}
    try:
        address = (str(parts.hostname), parts.port or 443)
        context = ssl_context(configuration)
        with (
            socket.create_connection(address, timeout) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            facts: dict[str, Any] = {"tls": secured.version()}
            # Without verification there is no certificate to read.
            certificate = secured.getpeercert() or {}
    except (OSError, ValueError) as cause:
        # Such as behind a proxy, which calls go through and this connection does not.
        return {"tls": f"unknown: {cause}"}
    ends = certificate.get("notAfter")
    if isinstance(ends, str):
        facts["certificateDays"] = int((ssl.cert_time_to_seconds(ends) - time.time()) // 86400)
    return facts
