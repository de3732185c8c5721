"""Print the explanation of a session."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from talon_one.cli.screen import Screen

Json = Mapping[str, Any]

MAX_LINES: Final = 50
"""Items of a cart and effects that are printed."""


def show(found: Json, screen: Screen) -> None:
    """Print an explanation, as the door of a sandbox or `explain.from_deployment` returns it."""
    session = found["session"]
    state = str(session.get("state", "")).replace("_", " ")
    profile = session.get("profileId")
    who = f"of {profile}" if profile else "of nobody known"
    screen.fact(f"Session {session.get('integrationId')} {who}, {state}.")
    _cart(found["cart"], str(found["application"].get("currency") or ""), screen)
    _codes(found["codes"], screen)
    _rules(found, screen)
    _effects(found["effects"], found.get("effectsOmitted", 0), screen)
    _points(found.get("points") or (), screen)


def _amount(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, (int, float)) else str(value)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _source(each: Json) -> str:
    campaign = each.get("campaign") or _campaign_id(each)
    return ", ".join(str(part) for part in (campaign, each.get("rule")) if part)


def _campaign_id(each: Json) -> str:
    number = each.get("campaignId")
    return f"campaign {number}" if isinstance(number, int) and number > 0 else ""


def _cart(cart: Json, currency: str, screen: Screen) -> None:
    screen.step("Cart")
    rows: list[tuple[str, ...]] = []
    discounts: list[tuple[str, Json]] = []
    for item in cart["items"]:
        name = item["name"] or item["sku"]
        rows.append(
            (
                name,
                str(item["quantity"]),
                _amount(item["price"]),
                _amount(item["total"]),
                _off(item["discount"]),
            )
        )
        discounts += [(name, each) for each in item["discounts"]]
    for cost in cart["costs"]:
        rows.append((cost["name"], "", "", _amount(cost["price"]), _off(cost["discount"])))
        discounts += [(cost["name"], each) for each in cost["discounts"]]
    discounts += [("the session", each) for each in cart["session"]]
    if not rows:
        screen.fact("The cart is empty.")
    else:
        titles = ("Item", "Qty", "Price", "Total", "Discount")
        screen.rows(titles, rows[:MAX_LINES], right=(1, 2, 3, 4))
        _left_out(len(rows), "lines", screen)
    for name, each in discounts[:MAX_LINES]:
        screen.entry(_discount(name, each))
    _left_out(len(discounts), "discounts", screen)
    totals = cart["totals"]
    screen.fact(
        f"Total {_amount(totals['total'])}, discounts {_amount(totals['discount'])}, "
        f"to pay {_amount(totals['payable'])} {currency}".rstrip()
    )


def _off(value: Any) -> str:
    return f"-{_amount(value)}" if value else ""


def _left_out(number: int, what: str, screen: Screen) -> None:
    if number > MAX_LINES:
        screen.fact(f"{number - MAX_LINES} further {what} are not shown.")


def _discount(name: str, each: Json) -> str:
    units = each.get("units")
    where = f" (units {', '.join(_range(*pair) for pair in units)})" if units else ""
    cost = f", on {each['cost']}" if each.get("cost") else ""
    code = f" with {each['coupon']}" if each.get("coupon") else ""
    wanted = f" of {_amount(each['wanted'])} wanted" if "wanted" in each else ""
    title = each["name"] or each["rule"] or "a discount"
    source = f" ({_source(each)})" if _source(each) else ""
    return f"-{_amount(each['value'])}{wanted} on {name}{where}{cost}: {title}{code}{source}"


def _range(first: int, last: int) -> str:
    return str(first + 1) if first == last else f"{first + 1} to {last + 1}"


def _codes(codes: Iterable[Json], screen: Screen) -> None:
    screen.step("Codes")
    for each in codes:
        words = {True: "accepted", False: "refused", None: "not evaluated"}[each["accepted"]]
        kind = " (referral)" if each["kind"] == "referral" else ""
        reason = f", {each['reason']}" if each.get("reason") else ""
        source = f" ({_source(each)})" if _source(each) else ""
        screen.entry(f"{each['code']}{kind}: {words}{reason}{source}")
        for name in ("sentence", "details"):
            if each.get(name):
                screen.entry(str(each[name]), 2)
    if not codes:
        screen.fact("The session has no codes.")


def _rules(found: Json, screen: Screen) -> None:
    screen.step("Rules")
    for note in (*found.get("notes", ()), *([found["note"]] if "note" in found else ())):
        screen.fact(note)
    evaluation = found.get("evaluation")
    if evaluation and evaluation.get("created"):
        screen.fact(f"They ran at {evaluation['created']}, for {evaluation['event']}.")
    for campaign in found["rules"]:
        name = campaign.get("name") or ""
        screen.entry(
            f"{name} (campaign {campaign['id']})" if name else f"campaign {campaign['id']}"
        )
        if campaign.get("sentence"):
            screen.entry(campaign["sentence"], 2)
        for run in campaign["rules"]:
            _run(run, screen)
        if campaign.get("omitted"):
            screen.entry(f"{campaign['omitted']} further runs are not shown.", 2)
    for each in found.get("notEvaluated") or ():
        screen.entry(f"{each['name']} (campaign {each['id']}) had no part in it. {each['reason']}")


def _run(run: Json, screen: Screen) -> None:
    code = run.get("coupon") or run.get("referral")
    title = run.get("title") or f"rule {run.get('index')}"
    words = "passed" if run["passed"] else "failed"
    screen.entry(f"{words}  {title}{f' with {code}' if code else ''}", 2)
    if run.get("finding"):
        _finding(run["finding"], screen, 4)
    elif run.get("details"):
        screen.entry(str(run["details"]), 4)


def _finding(finding: Json, screen: Screen, depth: int) -> None:
    screen.entry(str(finding["condition"]), depth)
    if finding.get("error"):
        screen.entry(str(finding["error"]), depth + 1)
    for each in finding.get("values") or ():
        missing = each.get("missing")
        value = "no value" if missing else _value(each.get("value"))
        screen.entry(f"{each['name']} = {value}", depth + 1)
    for block in finding.get("blocks") or ():
        _finding(block, screen, depth + 1)


def _effects(effects: list[Json], omitted: int, screen: Screen) -> None:
    if not effects:
        return
    screen.step("Other effects")
    for each in effects[:MAX_LINES]:
        props = each.get("props")
        if isinstance(props, Mapping):
            given = [f"{name}={_value(value)}" for name, value in props.items() if value != ""]
            text = ", ".join(given)
        else:
            text = _value(props)
        source = f" ({_source(each)})" if _source(each) else ""
        screen.entry(f"{each['type']}: {text}{source}")
    _left_out(len(effects) + omitted, "effects", screen)


def _points(points: Iterable[Json], screen: Screen) -> None:
    if not points:
        return
    screen.step("Points, as of now")
    for each in points:
        for ledger in each["ledgers"]:
            name = f", {ledger['subledger']}" if ledger["subledger"] else ""
            tier = f", tier {ledger['tier']}" if ledger.get("tier") else ""
            active, pending = _amount(ledger["activePoints"]), _amount(ledger["pendingPoints"])
            holder = each["holder"].partition(":")[2]
            screen.entry(
                f"{each['program']} of {holder}{name}: {active} active, {pending} pending{tier}"
            )
