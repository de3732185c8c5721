"""Check the properties of a thing: those of the SDK's class, and those that only seeds have."""

from __future__ import annotations

from typing import Any, Final

from talon_one import models
from talon_one._utils.suggest import did_you_mean
from talon_one.sandbox.contract.checks import check_body
from talon_one.sandbox.contract.shapes import properties_of
from talon_one.sandbox.loyalty.durations import (
    IMMEDIATE,
    ON_ACTION,
    UNLIMITED,
    known_zone,
    parse_duration,
)
from talon_one.sandbox.rules.budgets import ACTIONS
from talon_one.sandbox.rules.codes import STAGED
from talon_one.sandbox.seeds.kinds import COMPUTED, Kind
from talon_one.sandbox.seeds.source import escaped
from talon_one.sandbox.seeds.things import Report, Thing
from talon_one.sandbox.seeds.unknown import Unknown, unknown_properties

_ACTIONS: Final = ACTIONS | {"addFreeItem"}
_DURATIONS: Final = {
    "defaultPending": (IMMEDIATE, ON_ACTION),
    "defaultValidity": (UNLIMITED,),
    "pendingDuration": (IMMEDIATE, ON_ACTION),
    "period": (),
    "tiersExpireIn": (),
    "validityDuration": (UNLIMITED,),
}
"""Properties that are durations, with the words that may stand in their place."""


def known_properties(kind: Kind) -> frozenset[str]:
    """Return the names of all properties that things of a kind may have, lists included."""
    inner = {child.key for child in kind.children}
    return frozenset({*declared_properties(kind), *kind.own, *inner})


def declared_properties(kind: Kind) -> frozenset[str]:
    """Return the properties of the SDK's class of a kind, by their names in the API."""
    cls = getattr(models, kind.model)
    return frozenset(each.wire for each in properties_of(cls))


def check_properties(thing: Thing, report: Report) -> dict[str, Any]:
    """Return the properties of a thing normalized, without those that the API computes.

    Args:
        thing: The thing; its references are resolved.
        report: Takes mistakes.
    """
    kind, given = thing.kind, thing.given
    declared = declared_properties(kind)
    known = known_properties(kind)
    for name in given:
        if name not in known:
            report_unknown(
                Unknown(f"{thing.pointer}/{escaped(name)}", name, known), report, kind.one
            )
    for name in kind.required:
        if given.get(name) is None:
            report(thing.pointer, f"{kind.one} needs {name}")
    # What is wrong is left out from here on, so that all other checks can rely on types.
    wrong: set[str] = set()
    of_class = {
        name: value for name, value in given.items() if name in declared and name not in kind.own
    }
    checked, problems = check_body(kind.model, of_class)
    for problem in problems:
        # The sandbox has defaults for what the API's description requires of a response.
        default = problem.title == "required" and problem.pointer.count("/") == 1
        # Steps of filters are compiled, which finds more.
        compiled = kind.key == "itemFilters" and problem.pointer.startswith("/steps/")
        if not (default or compiled):
            report(f"{thing.pointer}{problem.pointer}", problem.details)
            wrong.add(problem.pointer.split("/")[1])
    for unknown in unknown_properties(kind.model, of_class, thing.pointer):
        report_unknown(unknown, report)
    for name, written in kind.own.items():
        if given.get(name) is None:
            continue
        value, problems = check_body(written, given[name])
        checked[name] = value
        if problems:
            wrong.add(name)
        for problem in problems:
            details = problem.details.replace('"body"', f'"{name}"')
            details = name + details[4:] if details.startswith("body ") else details
            report(f"{thing.pointer}/{name}{problem.pointer}", details)
    checked = {name: value for name, value in checked.items() if name not in wrong}
    _check_actions(given.get("limits"), f"{thing.pointer}/limits", report)
    for name, words in _DURATIONS.items():
        value = checked.get(name)
        if isinstance(value, str) and value not in words:
            try:
                parse_duration(value)
            except ValueError as cause:
                report(f"{thing.pointer}/{name}", str(cause))
    zone = checked.get("timezone")
    if isinstance(zone, str) and known_zone(zone) is None:
        example = "a name such as Europe/Berlin is needed"
        report(f"{thing.pointer}/timezone", f"there is no time zone {zone!r}: {example}")
    dropped = COMPUTED.get(kind.key, frozenset())
    if checked.get("frontendState") == STAGED:
        # The only one that does not follow from the schedule.
        dropped -= {"frontendState"}
    return {
        name: value
        for name, value in checked.items()
        if name not in dropped and not (kind.key == "campaigns" and name.endswith("Count"))
    }


def _check_actions(limits: Any, pointer: str, report: Report) -> None:
    for index, limit in enumerate(limits if isinstance(limits, list) else ()):
        action = limit.get("action") if isinstance(limit, dict) else None
        if isinstance(action, str) and action not in _ACTIONS:
            hint = did_you_mean(action, _ACTIONS)
            report(f"{pointer}/{index}/action", f"there is no limit on {action!r}.{hint}")


def report_unknown(unknown: Unknown, report: Report, called: str = "") -> None:
    """Report a property that does not exist, with the one that may be meant."""
    owner = f" of {called}" if called else ""
    hint = did_you_mean(unknown.name, unknown.known)
    report(unknown.pointer, f"{unknown.name!r} is not a property{owner}.{hint}", at_key=True)
