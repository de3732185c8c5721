"""Make the call of a command: arguments, confirmation, request, response, output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from talon_one._core.operation import Operation
from talon_one.cli.bodies import read_body, read_input
from talon_one.cli.connecting import Connection, connected, source_of_key
from talon_one.cli.failures import CommandFailed, ExitCode, failure_of, report
from talon_one.cli.naming import argument_name, option_name
from talon_one.cli.output import Layout, check_columns, layout_of, write
from talon_one.cli.parameters import arguments_of, asks_first, deprecation, destination
from talon_one.cli.sinks import check_writable, output_to
from talon_one.exceptions import ApiTypeError, ModelValidationError, UnauthorizedException

if TYPE_CHECKING:
    from talon_one._schema.model import Model

_LARGEST_PAGE = 1000


def call(operation: Operation, api: str, name: str, given: dict[str, Any]) -> int:
    """Make the call of a command and return the exit code.

    Args:
        operation: What to call.
        api: Its API, such as `management`.
        name: Name of the command.
        given: Values of its arguments and options.

    Raises:
        click.UsageError: The command line is wrong; nothing was sent.
        CommandFailed: The settings do not suffice, or the data cannot be written.
        OpenApiException: The call failed.
    """
    arguments = _arguments(operation, given)
    layout = layout_of(given["output"], given["columns"], given["query"])
    item = _item_class(operation)
    if layout.columns and layout.query is None and item is not None and operation.method != "GET":
        # What changes something must not fail when its response is shown.
        check_columns(layout, _names(item))
    check_writable(given["output_file"])
    if operation.deprecated:
        report(f"warning: {deprecation(operation)}")
    with connected(
        given["profile"],
        given["host"],
        given["timeout"],
        given["retries"],
        operation.security,
        only_shown=given["dry_run"],
    ) as connection:
        try:
            if given["dry_run"]:
                _show_request(operation, arguments, connection)
                return ExitCode.DONE
            arguments.update(connection.settings)
            if _confirmed(operation, name, given, arguments, connection):
                _send(operation, _method(connection, api, name), given, arguments, layout)
            else:
                report("nothing was sent")
                return ExitCode.NOT_SENT
        except ModelValidationError as cause:
            raise _usage_error(operation, cause) from cause
        except ApiTypeError as cause:
            # Such as a list in place of the body.
            message = str(cause).replace("a dict of wire names", "a JSON object")
            raise click.UsageError(message) from cause
        except UnauthorizedException as cause:
            raise refused_key(cause, connection, operation) from cause
    return ExitCode.DONE


def _arguments(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    arguments = arguments_of(operation, given)
    if operation.body is not None:
        body = given[destination("body")]
        if body is None:
            raise click.UsageError(
                f"a body is missing: -d '{{...}}' with JSON ({operation.body.type}),"
                " -d @FILE, or -d - for standard input"
            )
        arguments["body"] = read_body(body)
    if operation.upload is not None:
        file = given[destination(operation.upload.name)]
        if file is not None:
            arguments[operation.upload.name] = read_input() if file == "-" else file
    return arguments


def _method(connection: Connection, api: str, name: str) -> Any:
    """Return the method of an operation."""
    import talon_one

    api_class = getattr(talon_one, f"{api.capitalize()}Api")
    return getattr(api_class(connection.client), name.replace("-", "_"))


def _send(
    operation: Operation,
    method: Any,
    given: dict[str, Any],
    arguments: dict[str, Any],
    layout: Layout,
) -> None:
    api = method.__self__
    path = given["output_file"]
    if _is_csv(operation):
        if layout.format in (None, "csv") and not layout.columns and layout.query is None:
            with api.stream(method, **arguments) as download, output_to(path) as sink:
                for piece in download.chunks():
                    sink.write_bytes(piece)
            return
        with api.table(method, **arguments) as table:
            rows = [plain(dict(row)) for row in table]
        _write(rows, layout._replace(format=layout.format or "csv"), path, operation)
        return
    if given.get("everything") or given.get("maximum"):
        arguments = _with_page_size(operation, arguments, given["maximum"])
        items = (plain(each) for each in api.iterate(method, **arguments))
        _write(islice(items, given["maximum"]), layout, path, operation)
        return
    response = plain(method(**arguments))
    if response is None:
        if sys.stderr is not None and sys.stderr.isatty():
            report("done")
        return
    _write_response(response, layout, path, operation)


def _with_page_size(
    operation: Operation, arguments: dict[str, Any], wanted: int | None
) -> dict[str, Any]:
    """Return the arguments with a page no larger than what is wanted, if that is little."""
    sizes = [each for each in operation.parameters if each.name == "page_size"]
    if wanted is None or not sizes or "page_size" in arguments:
        return arguments
    largest = min(sizes[0].constraints.get("maximum", _LARGEST_PAGE), _LARGEST_PAGE)
    return {**arguments, "page_size": wanted} if wanted < largest else arguments


def _write_response(response: Any, layout: Layout, path: str | None, operation: Operation) -> None:
    paging = operation.paging
    whole = layout.query is not None or not isinstance(response, dict) or paging is None
    if whole or not isinstance(response.get(paging.items), list):  # type: ignore[union-attr]
        _write(response, layout, path, operation)
        return
    with output_to(path) as sink:
        form = layout.format or ("table" if sink.is_terminal else "json")
        if form in ("json", "yaml") and not layout.columns:
            write(response, layout, sink)
            return
        items = response[paging.items]  # type: ignore[union-attr]
        _check_columns(layout, items, operation)
        write(items, layout, sink)
    _mention_rest(response, len(items), operation)


def _mention_rest(response: dict[str, Any], shown: int, operation: Operation) -> None:
    paging = operation.paging
    total = response.get(paging.total) if paging and paging.total else None
    more = response.get(paging.more) if paging and paging.more else None
    cursor = response.get(paging.next) if paging and paging.next else None
    if (isinstance(total, int) and total > shown) or more is True or cursor:
        of_total = f" of {total}" if isinstance(total, int) else ""
        report(f"{shown}{of_total} items; --all gets the rest")


def _write(data: Any, layout: Layout, path: str | None, operation: Operation) -> None:
    if isinstance(data, Iterator):
        # The first request is made before anything is written, so that its failure leaves no trace.
        first = list(islice(data, 1))
        gathered = layout.columns and layout.query is None
        data = [*first, *data] if gathered else _chained(first, data)
    if isinstance(data, (list, dict)):
        _check_columns(layout, data if isinstance(data, list) else [data], operation)
    with output_to(path) as sink:
        write(data, layout, sink)


def _chained(first: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    yield from first
    yield from rest


def _check_columns(layout: Layout, rows: list[Any], operation: Operation) -> None:
    """Check the columns against the properties that the description and the rows have."""
    if not layout.columns or layout.query is not None or operation.method != "GET":
        return
    item = _item_class(operation)
    present = [name for row in rows if isinstance(row, dict) for name in row]
    if present or item is not None:
        check_columns(layout, [*(_names(item) if item else ()), *present])


def _confirmed(
    operation: Operation,
    name: str,
    given: dict[str, Any],
    arguments: dict[str, Any],
    connection: Connection,
) -> bool:
    """Ask before something is deleted. Return whether to go on."""
    if not asks_first(operation) or given["yes"]:
        return True
    # Wrong arguments are reported before the question.
    call = connection.client.new_call(operation, (), dict(arguments))
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(
            f"{name} deletes: confirm it with --yes, because there is no terminal to ask"
        )
    question = f"{call.request.method} {call.request.url}\nDelete this?"
    return click.confirm(question, err=True)


# -- The request -----------------------------------------------------------------------------------


def _show_request(operation: Operation, arguments: dict[str, Any], connection: Connection) -> None:
    """Print a request as it would be sent, with its credentials masked."""
    from talon_one._core.masking import masked

    request = connection.client.new_call(operation, (), dict(arguments)).request
    lines = [f"{request.method} {request.url}"]
    for name, text in request.headers.items():
        secret = name.lower() in ("authorization", "content-signature", "cookie")
        lines.append(f"{name}: {_masked_credential(text) if secret else str(text)}")
    if isinstance(request.body, bytes):
        shown = masked(
            request.body, operation.body.type if operation.body else "Any", operation.models
        )
        lines += ["", shown if isinstance(shown, str) else shown.decode("utf-8", "replace")]
    elif request.body is not None:
        upload = operation.upload.wire if operation.upload else ""
        size = "unknown length" if request.body.length is None else f"{request.body.length} bytes"
        lines += ["", f"<multipart form with {upload}, {size}>"]
    with output_to(None) as sink:
        sink.write("\n".join(lines) + "\n")


def _masked_credential(text: str) -> str:
    scheme, blank, _ = str(text).partition(" ")
    return f"{scheme} ****" if blank and "=" not in scheme else "****"


# -- Responses -------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return what a response, or a part of one, holds as JSON data."""
    from talon_one._schema import json_codec
    from talon_one._schema.access import data_of

    value = data_of(value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    return json_codec.plain(value)


def _is_csv(operation: Operation) -> bool:
    return "csv" in operation.accept


def _item_class(operation: Operation) -> type[Model] | None:
    """Return the class of the rows of a response, if there is one."""
    from talon_one._schema.access import fields_by_wire_name
    from talon_one._schema.conversion import model_class
    from talon_one._schema.fields import NestedField

    written = next((each for each in operation.results.values() if each), None)
    found = (
        model_class(written.removeprefix("list[").rstrip("]"), operation.models)
        if written
        else None
    )
    if found is None or operation.paging is None:
        return found
    declared = fields_by_wire_name(found).get(operation.paging.items)
    return declared.target if isinstance(declared, NestedField) else None


def _names(item: type[Model]) -> list[str]:
    from talon_one._schema.access import fields_by_wire_name

    return list(fields_by_wire_name(item))


# -- Messages --------------------------------------------------------------------------------------


def _usage_error(operation: Operation, cause: ModelValidationError) -> click.UsageError:
    """Return the error for what does not fit the description, in words of the command line."""
    spelled = _spellings(operation)
    found = "; ".join(str(each) for each in cause.violations)
    if cause.subject in spelled:
        messages = "; ".join(each.message for each in cause.violations)
        return click.UsageError(f"{spelled[cause.subject]} {messages}")
    return click.UsageError(f"the body is not valid ({cause.subject}): {found}")


def _spellings(operation: Operation) -> dict[str, str]:
    return {
        each.name: (argument_name if each.location == "path" else option_name)(each.name)
        for each in operation.parameters
    }


def refused_key(
    cause: UnauthorizedException, connection: Connection, operation: Operation
) -> CommandFailed:
    """Return the failure of a call whose key the server refuses, with the source of the key."""
    failure = failure_of(cause)
    source = source_of_key(connection.resolved, operation.security)
    reason = failure.message if failure else str(cause)
    return CommandFailed(f"{reason}; the server refuses {source}" if source else reason)
