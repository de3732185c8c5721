"""`talon-one session`: a customer session with its items, codes and effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from talon_one.cli.connecting import with_connection
from talon_one.cli.daily import calls, checked_layout, operation_of, plain_object
from talon_one.cli.explain_command import explain
from talon_one.cli.lazy import Suggesting
from talon_one.cli.output import with_output, write
from talon_one.cli.sinks import output_to

if TYPE_CHECKING:
    from talon_one.cli.sinks import Sink


@click.group(cls=Suggesting)
def session() -> None:
    """Look at customer sessions, by their integration ID."""


session.add_command(explain)


@session.command()
@click.argument("session_id", metavar="ID")
@with_output
@with_connection
def show(session_id: str, **given: Any) -> None:
    """Show a session: its customer, items, codes, totals and effects.

    In a terminal as tables; elsewhere, and with -o, --columns or --query, as the API has it.
    """
    from talon_one import IntegrationApi

    layout = checked_layout(given, "IntegrationCustomerSessionResponse")
    with calls(given, operation_of("integration", "get_customer_session")) as connection:
        found = IntegrationApi(connection.client).get_customer_session(
            session_id, **connection.settings
        )
    response = plain_object(found)
    with output_to(given["output_file"]) as sink:
        form = layout.format or ("table" if sink.is_terminal else "json")
        if form != "table" or layout.columns or layout.query is not None:
            write(response, layout, sink)
        else:
            _show(response, sink)


def _show(response: dict[str, Any], sink: Sink) -> None:
    from talon_one.cli.screen import write_table

    own = response.get("customerSession")
    session = own if isinstance(own, dict) else {}
    facts = [[title, text] for title, name in _FACTS if (text := _text(session.get(name)))]
    write_table(("Session", _text(session.get("integrationId"))), facts, sink, all_columns=True)
    items = [
        [_text(each.get(name)) for name in _ITEM.values()] for each in _objects(session, _CART)
    ]
    effects = [
        [
            _text(each.get("effectType")),
            _text(each.get("campaignId")),
            _text(each.get("ruleName")),
            _properties(each.get("props")),
        ]
        for each in _objects(response, "effects")
    ]
    for titles, rows in ((tuple(_ITEM), items), (_EFFECT, effects)):
        if rows:
            sink.write("\n")
            write_table(titles, rows, sink, all_columns=True)


def _objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _properties(props: Any) -> str:
    if not isinstance(props, dict):
        return _text(props)
    lines = (f"{name}: {text}" for name, value in props.items() if (text := _text(value)))
    return "\n".join(lines)


_FACTS = (
    ("State", "state"),
    ("Profile", "profileId"),
    ("Store", "storeIntegrationId"),
    ("Coupons", "couponCodes"),
    ("Referral", "referralCode"),
    ("Loyalty cards", "loyaltyCards"),
    ("Cart items", "cartItemTotal"),
    ("Additional costs", "additionalCostTotal"),
    ("Total", "total"),
    ("Created", "created"),
    ("Updated", "updated"),
)
_CART = "cartItems"
_ITEM = {"SKU": "sku", "Name": "name", "Quantity": "quantity", "Price": "price"}
_EFFECT = ("Effect", "Campaign", "Rule", "Properties")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)
