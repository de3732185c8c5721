"""`talon-one campaigns report`: what campaigns achieved, as a table, HTML, CSV or data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from talon_one.cli.charts import bar_svg, bars_svg, page, sparkline
from talon_one.cli.connecting import Connection, with_connection
from talon_one.cli.consoles import redraws
from talon_one.cli.daily import application_of, calls, operation_of, with_application
from talon_one.cli.failures import report as tell
from talon_one.cli.figures import (
    GRANULARITIES,
    MEASURES,
    Figures,
    Range,
    range_of,
    read_figures,
)
from talon_one.cli.output import check_columns, layout_of, with_output, write
from talon_one.cli.parameters import Integer, Word
from talon_one.cli.sinks import check_writable, output_to

if TYPE_CHECKING:
    from talon_one.cli.sinks import Sink

_TITLES = {
    "revenue": "Revenue",
    "discounts": "Discounts",
    "couponRedemptions": "Coupons",
    "referralRedemptions": "Referrals",
    "loyaltyPoints": "Points",
}


@click.command()
@click.argument("campaign_ids", type=Integer(), nargs=-1, metavar="[CAMPAIGN_ID]...")
@click.option("--from", "start", metavar="DAY", help="First day; by default 30 days ago.")
@click.option("--to", "end", metavar="DAY", help="Last day; by default today.")
@click.option(
    "--by",
    "granularity",
    type=Word([each[2:] for each in GRANULARITIES]),
    metavar="hour|day|week|month|year",
    help="Intervals of the trend; by default as long as the range asks for.",
)
@click.option(
    "--trend",
    type=Word(list(MEASURES)),
    metavar="COLUMN",
    default="revenue",
    show_default=True,
    help="Column whose trend is shown.",
)
@click.option(
    "--state",
    type=click.Choice(["enabled", "disabled", "archived", "scheduled", "running", "expired"]),
    help="Only campaigns in this state.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N campaigns.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as -o csv.")
@click.option("--html", metavar="FILE", help="Write one page of HTML, with bars, that opens alone.")
@with_application
@with_output
@with_connection
def report(
    campaign_ids: tuple[int, ...],
    start: str | None,
    end: str | None,
    granularity: str | None,
    trend: str,
    state: str | None,
    limit: int | None,
    as_csv: bool,
    html: str | None,
    **given: Any,
) -> None:
    """Report what campaigns achieved: revenue, discounts, redemptions, points.

    Of all campaigns, or of those given. In a terminal as a table with a sparkline of the revenue;
    elsewhere as JSON. Days are those of UTC. It reads the analytics of one campaign after another,
    at the pace that the platform allows.
    """
    if as_csv and given["output"] not in (None, "csv"):
        raise click.UsageError(f"give either --csv or -o {given['output']}")
    layout = layout_of("csv" if as_csv else given["output"], given["columns"], given["query"])
    if layout.columns and layout.query is None:
        check_columns(layout, ["id", "name", "state", *MEASURES, "dates", "trend"])
    for path in (html, given["output_file"]):
        check_writable(path)
    wanted = range_of(start, end, None if granularity is None else f"1 {granularity}")
    application_id = application_of(given)
    with calls(given, operation_of("management", "get_campaign_analytics")) as connection:
        filters = {"campaign_state": state} if state is not None else {}
        found = _read(connection, application_id, campaign_ids, filters, limit, wanted)
    if html is not None:
        with output_to(html) as sink:
            sink.write(_html(found, wanted, trend, application_id))
        tell(f"{len(found)} campaign{'s' * (len(found) != 1)} in {html}")
        return
    with output_to(given["output_file"]) as sink:
        form = layout.format or ("table" if sink.is_terminal else "json")
        if form == "table" and not layout.columns and layout.query is None:
            _write_table(found, trend, sink)
            tell(f"{wanted}, UTC")
        else:
            write([_row(each, trend, form == "csv") for each in found], layout, sink)


def _read(
    connection: Connection,
    application_id: int,
    campaign_ids: Sequence[int],
    filters: dict[str, Any],
    limit: int | None,
    wanted: Range,
) -> list[Figures]:
    from talon_one import ManagementApi

    api = ManagementApi(connection.client)
    settings = connection.settings
    if campaign_ids:
        campaigns: Any = (
            api.get_campaign(application_id, each, **settings) for each in campaign_ids
        )
    else:
        campaigns = api.iterate(api.get_campaigns, application_id, **filters, **settings)
    found = []
    for each in read_figures(api, application_id, islice(campaigns, limit), wanted, settings):
        found.append(each)
        _show_progress(len(found), each.name)
    _show_progress(0, "")
    return found


def _show_progress(count: int, name: str) -> None:
    """Show on a terminal which campaign was read; 0 removes the line."""
    if redraws(sys.stderr):
        from talon_one.cli.escapes import printable

        text = f"{count} campaigns: {printable(name)[:40]}" if count else ""
        sys.stderr.write(f"\r{text:<60}{'' if count else chr(13)}")
        sys.stderr.flush()


def _row(figures: Figures, trend: str, is_flat: bool) -> dict[str, Any]:
    row = {"id": figures.id, "name": figures.name, "state": figures.state, **figures.sums}
    return row if is_flat else {**row, "dates": figures.dates, "trend": figures.trends[trend]}


def _write_table(found: Sequence[Figures], trend: str, sink: Sink) -> None:
    from talon_one.cli.screen import write_table

    encoding = getattr(sys.stdout, "encoding", None)
    others = [name for name in MEASURES if name != trend and any(each.sums[name] for each in found)]
    # The trend stands before what a narrow terminal has no room for.
    shown = [trend, *others]
    columns = [_aligned([_number(each.sums[name]) for each in found]) for name in shown]
    titles = ["id", "name", "state", *(_TITLES[name] for name in shown)]
    titles.insert(4, f"{_TITLES[trend]} over time")
    rows = []
    for each, numbers in zip(found, zip(*columns, strict=True), strict=True):
        row = [str(each.id), each.name, each.state, *numbers]
        row.insert(4, sparkline(each.trends[trend], encoding))
        rows.append(row)
    write_table(titles, rows, sink, all_columns=False)


def _aligned(cells: list[str]) -> list[str]:
    width = max(map(len, cells), default=0)
    return [cell.rjust(width) for cell in cells]


def _number(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")


def _html(found: Sequence[Figures], wanted: Range, trend: str, application_id: int) -> str:
    highest = {name: max((each.sums[name] for each in found), default=0) for name in MEASURES}
    head = [("Campaign", False), ("State", False)]
    for name in MEASURES:
        head.append((_TITLES[name], True))
        if name == trend:
            head.append((f"{_TITLES[name]}, compared", False))
    head.append((f"{_TITLES[trend]} over time", False))
    rows = []
    for each in found:
        cells = [
            f'<th scope="row">{escape(each.name)} <small>{each.id}</small></th>',
            f"<td>{escape(each.state)}</td>",
        ]
        for name in MEASURES:
            cells.append(f'<td class="n">{_number(each.sums[name])}</td>')
            if name == trend:
                cells.append(f"<td>{bar_svg(each.sums[name], highest[name])}</td>")
        values = each.trends[trend]
        label = (
            f"{_TITLES[trend]} by {wanted.granularity[2:]}: from {_number(min(values, default=0))}"
            f" to {_number(max(values, default=0))}"
        )
        cells.append(f"<td>{bars_svg(values, label)}</td>")
        rows.append("".join(cells))
    title = f"Campaigns of Application {application_id}"
    return page(title, f"{wanted}, UTC", head, rows)
