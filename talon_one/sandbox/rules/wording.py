"""Conditions, programs and values in words that fit in a line, for people who read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from talon_one.sandbox.rules.scope import Unit
from talon_one.sandbox.values import format_time, json_number

Json: TypeAlias = Mapping[str, Any]

MAX_TEXT: Final = 200
"""Characters of a text in a value or a condition; longer ones are cut."""

MAX_ELEMENTS: Final = 10
"""Elements of a list or an object in a value."""

_MAX_DEPTH: Final = 20
# Numbers with more digits are shown as text, as JSON readers would round them.
_MAX_DIGITS: Final = 15
_INFIX: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "and", "or", "&"})


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text of at most that many characters, which can be written as UTF-8."""
    short = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return short.encode(errors="backslashreplace").decode()


def shown(value: Any, depth: int = 3) -> Any:
    """Return a value of a rule as JSON, of a limited size.

    Args:
        value: What an operand or a program gave.
        depth: Lists and objects around a value that are shown.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, Decimal):
        fits = value.is_finite() and len(value.as_tuple().digits) <= _MAX_DIGITS
        return json_number(value) if fits and abs(value.adjusted()) <= _MAX_DIGITS else str(value)
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Unit):
        return f"{cut(str(value.item.get('sku')))} (item {value.position})"
    if depth and isinstance(value, Mapping):
        names = list(value)
        found = {cut(str(name)): shown(value[name], depth - 1) for name in names[:MAX_ELEMENTS]}
        if len(names) > MAX_ELEMENTS:
            found["…"] = f"and {len(names) - MAX_ELEMENTS} more"
        return found
    if depth and isinstance(value, (list, tuple)):
        elements = [shown(each, depth - 1) for each in value[:MAX_ELEMENTS]]
        if len(value) > MAX_ELEMENTS:
            elements.append(f"… and {len(value) - MAX_ELEMENTS} more")
        return elements
    return cut(f"a {type(value).__name__.lower()}")


def program_text(source: Any, depth: int = 0) -> str:
    """Return a Talang program as one line: `Session.Total > 100`."""
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(source, bool) or source is None:
        return {True: "true", False: "false", None: "null"}[source]
    if isinstance(source, str):
        return f'"{cut(source)}"'
    if not isinstance(source, (list, tuple)):
        return cut(str(source))
    if not source:
        return "[]"
    name, *arguments = source[: MAX_ELEMENTS + 1]
    if not isinstance(name, str):
        return f"[{', '.join(program_text(each, depth + 1) for each in source[:MAX_ELEMENTS])}]"
    if name == ".":
        return ".".join(
            cut(each) if isinstance(each, str) else program_text(each, depth + 1)
            for each in arguments
        )
    if name.lower() in _INFIX and len(arguments) > 1:
        return f" {name.lower()} ".join(_operand(each, depth) for each in arguments)
    return f"{cut(name)}({', '.join(program_text(each, depth + 1) for each in arguments)})"


def _operand(source: Any, depth: int) -> str:
    text = program_text(source, depth + 1)
    nested = isinstance(source, (list, tuple)) and len(source) > 2 and source[0] in _INFIX
    return f"({text})" if nested else text


def words_of(name: str) -> str:
    """Return a name of the API in words: `greater than` for `greaterThan`."""
    spaced = re.sub(r"(?<=[a-z])([A-Z])", r" \1", name).lower()
    return spaced.replace("not(", "not ").replace(")", "").replace("or equal", "or equal to")


def operand_text(raw: Any) -> str:
    """Return an operand of a block as it is written, in one line."""
    if isinstance(raw, str):
        return cut(raw)
    if isinstance(raw, Mapping):
        return reference_text(raw)
    if isinstance(raw, (list, tuple)) and raw and isinstance(raw[0], (list, tuple)):
        return cut(program_text(list(raw)))
    if isinstance(raw, (list, tuple)):
        listed = ", ".join(operand_text(each) for each in raw[:MAX_ELEMENTS])
        more = f", and {len(raw) - MAX_ELEMENTS} more" if len(raw) > MAX_ELEMENTS else ""
        return cut(f"[{listed}{more}]")
    return cut(program_text(raw))


def reference_text(found: Any) -> str:
    """Return what names the object that a block refers to: its name, or its ID."""
    if not isinstance(found, Mapping):
        return "?"
    name = found.get("name") or found.get("title")
    return cut(str(name)) if name else f"{found.get('id')}"


def condition_text(block: Json) -> str:
    """Return a condition or an effect in words, as its block describes it."""
    make = _TEXTS.get(block.get("type", ""))
    return cut(make(block) if make else _effect(block))


def _attribute(block: Json) -> str:
    raw = block.get("attribute")
    listed = isinstance(raw, (list, tuple))
    attribute = program_text(raw) if listed else operand_text(raw)
    operator = str(block.get("operator", ""))
    words = f"{attribute} {words_of(operator)}"
    if "min" in block and operator.startswith("between"):
        return f"{words} {operand_text(block['min'])} and {operand_text(block.get('max'))}"
    if "start" in block:
        return f"{words} {operand_text(block['start'])} to {operand_text(block.get('end'))}"
    if "count" in block:
        return f"{words} {operand_text(block['count'])} of {operand_text(block.get('values'))}"
    for name in ("values", "value"):
        if name in block:
            return f"{words} {operand_text(block[name])}"
    return words


def _event(block: Json) -> str:
    return f"the event is {block.get('eventType')}"


_MEMBERSHIPS: Final = {
    "member": "is a member of",
    "not(member)": "is not a member of",
    "justJoined": "has just joined",
    "justLeft": "has just left",
}


def _audience(block: Json) -> str:
    who = str(block.get("profile", "")).lower()
    verb = _MEMBERSHIPS.get(str(block.get("operator")), "?")
    return f"the {who} profile {verb} the audience {reference_text(block.get('audience'))}"


def _tier(block: Json) -> str:
    verb = _MEMBERSHIPS.get(str(block.get("operator")), "?")
    return f"the profile {verb} the tier {reference_text(block.get('tier'))}"


def _balance(block: Json) -> str:
    program = reference_text(block.get("program"))
    ledger = f", subledger {block['subledger']}" if block.get("subledger") else ""
    operator = words_of(str(block.get("operator", "")))
    wanted = operand_text(block.get("value"))
    balance = words_of(str(block.get("balance", "")))
    return f"the {balance} points of {program}{ledger} {operator} {wanted}"


def _card(block: Json) -> str:
    operator = words_of(str(block.get("operator", "")))
    return f"the profile is {operator} to a loyalty card of the session"


def _achievement(block: Json) -> str:
    operator = words_of(str(block.get("operator", "")))
    return f"the achievement {reference_text(block.get('achievement'))} is {operator}"


def _budget(block: Json) -> str:
    action = block.get("action")
    if block.get("operator") == "enoughFor":
        return f"the budget of {action} is enough for {operand_text(block.get('value'))}"
    return f"the budget of {action} is not used up"


def _group(block: Json) -> str:
    wanted = {"all": "all of these hold", "atLeastOne": "at least one of these holds"}
    return wanted.get(str(block.get("operator")), "none of these holds")


def _program(block: Json) -> str:
    expression: Sequence[Any] = block.get("expression") or ()
    single = len(expression) == 1 and not isinstance(expression[0], str)
    return program_text(expression[0] if single else list(expression))


def _effect(block: Json) -> str:
    words = words_of(str(block.get("type", "")))
    name = block.get("name") or block.get("title")
    return f"{words} {cut(str(name))}" if name else words


_TEXTS: Final = {
    "checkAttribute": _attribute,
    "checkEvent": _event,
    "checkAudience": _audience,
    "checkTier": _tier,
    "checkLoyaltyBalance": _balance,
    "checkLoyaltyCard": _card,
    "checkAchievement": _achievement,
    "checkBudget": _budget,
    "checkCoupon": lambda block: "the coupon code is valid",
    "checkReferral": lambda block: "the referral code is valid",
    "group": _group,
    "passthrough": _program,
}
