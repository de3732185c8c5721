"""Make a seed ready to be planted: numbered, resolved and checked, with all of its mistakes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from talon_one.sandbox.rules.compile import compile_ruleset
from talon_one.sandbox.rules.compiled import RulesetError
from talon_one.sandbox.seeds.errors import SeedError, SeedMistake
from talon_one.sandbox.seeds.groups import resolve_tree
from talon_one.sandbox.seeds.kinds import CAMPAIGNS, OWNERS
from talon_one.sandbox.seeds.properties import (
    check_properties,
    declared_properties,
    report_unknown,
)
from talon_one.sandbox.seeds.references import References
from talon_one.sandbox.seeds.source import Seed
from talon_one.sandbox.seeds.things import Thing, adopt, collect, number
from talon_one.sandbox.seeds.uniqueness import check_uniqueness
from talon_one.sandbox.seeds.unknown import unknown_properties
from talon_one.sandbox.state.documents import Document
from talon_one.sandbox.state.state import State
from talon_one.sandbox.values import parse_time

_FOREIGN: Final = ("campaignId", "templateId")
"""Properties of a ruleset that say where it was copied from."""


def prepare(seed: Seed, state: State | None = None) -> Mapping[str, Any]:
    """Return a seed in which everything has its ID, as `apply` takes it.

    Args:
        seed: The seed.
        state: What it will be added to, inside a transaction; None for nothing.

    Raises:
        SeedError: With every mistake of the seed.
    """
    return _Preparation(seed, state).run()


def prepare_ruleset(seed: Seed, campaign: Document, state: State) -> dict[str, Any]:
    """Return a ruleset for a stored campaign, resolved and checked as one in a seed.

    Args:
        seed: The ruleset.
        campaign: The campaign.
        state: What is stored, inside a transaction.

    Raises:
        SeedError: With every mistake of the ruleset.
    """
    return _Preparation(seed, state).ruleset(campaign)


class _Preparation:
    def __init__(self, seed: Seed, state: State | None) -> None:
        self._seed = seed
        self._state = state
        self._mistakes: dict[SeedMistake, None] = {}
        self._things: list[Thing] = []
        self._rulesets: set[int] = set()

    def _report(self, pointer: str, message: str, *, at_key: bool = False) -> None:
        self._mistakes[self._seed.mistake(pointer, message, at_key=at_key)] = None

    def run(self) -> Mapping[str, Any]:
        things = self._things = collect(self._seed.content, self._report)
        number(things, self._state, self._report)
        self._resolve(References(things, self._state, self._report))
        for thing in things:
            thing.given = check_properties(thing, self._report)
            thing.given.pop("id", None)
            if thing.id:
                thing.given = {"id": thing.id, **thing.given}
        self._give_titles()
        check_uniqueness(things, self._state, self._report)
        self._check_rules()
        self._check_secrets()
        self._check_points()
        if self._mistakes:
            raise SeedError(list(self._mistakes), self._seed.file)
        self._link_groups()
        return _nested([thing for thing in things if thing.owner is None])

    def ruleset(self, campaign: Document) -> dict[str, Any]:
        owner = {"id": campaign["applicationId"]}
        thing = Thing(CAMPAIGNS, "", {}, id=campaign["id"], stored=owner)
        apart = ("id", *_FOREIGN)
        given = {name: value for name, value in self._seed.content.items() if name not in apart}
        references = References([], self._state, self._report)
        resolved: dict[str, Any] = references.resolve(given, "", thing)
        self._check_ruleset("", resolved)
        if self._mistakes:
            raise SeedError(list(self._mistakes), self._seed.file)
        return resolved

    def _resolve(self, references: References) -> None:
        """Resolve all references; those to owners come first, since they say what is near."""
        for thing in self._things:
            name = _owner_property(thing)
            if thing.owner is None and name in thing.given:
                place = f"{thing.pointer}/{name}"
                thing.given[name] = references.property(name, thing.given[name], place, thing)
        adopt(self._things, self._state, self._report)
        for thing in self._things:
            tree = thing.given.pop("evaluationTree", None)
            ruleset = thing.given.get("ruleset")
            if isinstance(ruleset, dict):
                thing.given["ruleset"] = {
                    name: value for name, value in ruleset.items() if name not in _FOREIGN
                }
            owner = _owner_property(thing)
            rest = {name: value for name, value in thing.given.items() if name != owner}
            kept = {owner: thing.given[owner]} if owner in thing.given else {}
            thing.given = {**kept, **references.resolve(rest, thing.pointer, thing)}
            if tree is not None:
                thing.given["evaluationTree"] = resolve_tree(tree, thing, references, self._report)

    def _give_titles(self) -> None:
        """Let names be the titles of what has none."""
        for thing in self._things:
            name = thing.given.get("name")
            if name is not None and "title" in declared_properties(thing.kind):
                thing.given.setdefault("title", name)

    def _check_rules(self) -> None:
        for thing in self._things:
            ruleset = thing.given.get("ruleset")
            if ruleset is not None:
                self._check_ruleset(f"{thing.pointer}/ruleset", ruleset)
            elif thing.kind.key == "itemFilters":
                self._compile(
                    {"promotionRules": [], "selectors": [thing.given]},
                    thing.pointer,
                    "/selectors/0",
                )

    def _check_ruleset(self, place: str, ruleset: Any) -> None:
        if not isinstance(ruleset, dict):
            self._report(place, "a ruleset must be an object")
            return
        second = "promotionRules" not in ruleset and "rules" in ruleset
        model = "Ruleset" if second else "RulesetV2"
        for unknown in unknown_properties(model, ruleset, place):
            report_unknown(unknown, self._report)
        for name in ("created", "activatedAt"):
            if ruleset.get(name) is not None:
                try:
                    ruleset[name] = parse_time(ruleset[name])
                except (ValueError, TypeError):
                    self._report(f"{place}/{name}", f"{name} is not an RFC 3339 timestamp")
        self._compile({"id": 0, **ruleset}, place)
        ruleset_id = ruleset.get("id")
        if isinstance(ruleset_id, int):
            stored = self._state is not None and self._state.rulesets.get(ruleset_id) is not None
            if stored or ruleset_id in self._rulesets:
                self._report(f"{place}/id", f"the ID {ruleset_id} of a ruleset is taken")
            self._rulesets.add(ruleset_id)

    def _compile(self, ruleset: Mapping[str, Any], place: str, prefix: str = "") -> None:
        try:
            compile_ruleset(ruleset)
        except RulesetError as cause:
            for each in cause.mistakes:
                self._report(place + each.pointer.removeprefix(prefix), each.message)

    def _check_secrets(self) -> None:
        for thing in self._things:
            secret = thing.given.get("secret")
            if isinstance(secret, str):
                try:
                    bytes.fromhex(secret)
                except ValueError:
                    self._report(f"{thing.pointer}/secret", "a secret must be hexadecimal")

    def _check_points(self) -> None:
        """Points belong to profiles in some programs, and to cards in the others."""
        by_id = {each.id: each for each in self._things if each.kind.key == "loyaltyPrograms"}
        for thing in self._things:
            if thing.kind.key == "cards" and thing.owner and not thing.owner.given.get("cardBased"):
                self._report(thing.pointer, "the loyalty program is not cardBased")
            if thing.kind.key != "points" or thing.owner is None:
                continue
            program = thing.given.get("program")
            if thing.owner.kind.key == "cards":
                if program is not None:
                    self._report(f"{thing.pointer}/program", "the program is that of the card")
                continue
            if program is None or not isinstance(program.get("id"), int):
                self._report(thing.pointer, "an opening balance of a profile needs program")
                continue
            found = by_id.get(program["id"])
            known: Mapping[str, Any] | None = found.given if found else None
            if known is None and self._state is not None:
                known = self._state.loyalty_programs.get(program["id"])
            if known is not None and known.get("cardBased"):
                self._report(f"{thing.pointer}/program", "the points of the program are on cards")

    def _link_groups(self) -> None:
        """Let campaigns know the groups that name them, and groups the campaigns that do."""
        groups = {each.id: each for each in self._things if each.kind.key == "campaignGroups"}
        campaigns = {each.id: each for each in self._things if each.kind.key == "campaigns"}
        pairs = [(g, c) for g, each in groups.items() for c in each.given.get("campaignIds") or ()]
        pairs += [
            (g, c) for c, each in campaigns.items() for g in each.given.get("campaignGroups") or ()
        ]
        for group_id, campaign_id in pairs:
            _append(groups.get(group_id), "campaignIds", campaign_id)
            _append(campaigns.get(campaign_id), "campaignGroups", group_id)


def _owner_property(thing: Thing) -> str:
    """Return the property by which a thing at the top names its owner; empty for most kinds."""
    return OWNERS[thing.kind.key][1] if thing.kind.key in OWNERS else ""


def _append(thing: Thing | None, name: str, value: int) -> None:
    if thing is not None:
        listed = thing.given.get(name) or []
        if value not in listed:
            thing.given[name] = [*listed, value]


def _nested(things: Sequence[Thing]) -> dict[str, list[dict[str, Any]]]:
    """Return things as a seed has them: by kind, with what stands in them."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for thing in things:
        found[thing.kind.key].append({**thing.given, **_nested(thing.children)})
    return dict(found)
