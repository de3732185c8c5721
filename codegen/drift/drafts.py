"""Draft what ``spec/`` lacks: facts as the release has them, descriptions empty.

Nothing that was written by hand is replaced or removed, except names, types, limits and values
that the platform has changed. What cannot be drafted that way is listed, to be done by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from codegen.checks import RESERVED_METHODS, RESERVED_PARAMETERS, RESERVED_PROPERTIES
from codegen.drift import fragments
from codegen.drift.compare import Item
from codegen.drift.corrections import Correction
from codegen.drift.draft_facts import (
    BEFORE_LIMITS,
    FACTS,
    FactDrafter,
    Places,
    replace_items,
    worded,
)
from codegen.drift.plans import ByHand, Plan, check
from codegen.drift.shapes import Facts
from codegen.drift.spec_text import SpecText
from codegen.drift.standing import Domains, Drift, facts_of, refs
from codegen.drift.yaml_text import YamlText, child, entry
from codegen.loader import SpecError
from codegen.names import identifier

_BEFORE_PARAMETERS = ("operationId", "tags", "summary", "description", "deprecated")


def draft(drift: Drift, folder: Path, corrections: list[Correction], domain: str | None) -> Plan:
    """Return the drafts for what the spec in a folder lacks.

    Args:
        drift: What the release changes.
        folder: Our description.
        corrections: Where it says something else than the vendor; that stays.
        domain: Where things go that nothing in the spec mentions.

    Raises:
        SpecError: There is no such domain, or the drafts together are no usable description.
    """
    return _Drafter(drift, SpecText(folder), corrections, domain).plan()


class _Drafter:
    def __init__(
        self, drift: Drift, text: SpecText, corrections: list[Correction], domain: str | None
    ) -> None:
        self._places = Places(drift, text, corrections)
        self._facts = FactDrafter(self._places)
        self._text = text
        self._domains = Domains(drift.spec, drift.new)
        self._default = domain
        if domain is not None and domain not in text.domains:
            raise SpecError(f"there is no domain {domain!r} in {text.folder}")
        self._required: dict[str, dict[str, bool]] = {}
        self._properties: dict[str, Facts] = {}
        self._parameters: dict[str, list[Facts]] = {}
        self._schemas: dict[str, Facts] = {}
        self._paths: dict[str, Facts] = {}

    def plan(self) -> Plan:
        plan = Plan()
        for item in self._places.lacking:
            what = f"{item.change} {item.what} {item.place}"
            what += f" ({item.aspect})" if item.aspect else ""
            try:
                note = self._draft(item)
            except (ByHand, SpecError) as cause:
                plan.by_hand.append(f"{what}: {cause}")
            else:
                plan.drafted.append(f"{what}{f': {note}' if note else ''}")
        self._add_collected()
        plan.files = {
            text.path: text.result() for text in self._text.files.values() if text.is_changed
        }
        check(self._text.folder, plan.files)
        return plan

    def _draft(self, item: Item) -> str | None:
        for each in self._places.corrections:
            if each.place == item.place and each.covers(facts_of(item)):
                raise ByHand(f"{each.where} corrects it; say there what the vendor says now")
        if item.what in FACTS:
            self._facts.draft(item)
            return None
        name = f"_{item.change}_{item.what.replace(' ', '_')}"
        handler: Callable[[Item], str | None] | None = getattr(self, name, None)
        if handler is None:
            raise ByHand(f"{worded(item.before)} -> {worded(item.after)}")
        return handler(item)

    def _domain(self, name: str) -> str:
        found = self._domains.of(name) or self._default
        if found is None and "common" in self._text.domains:
            found = "common"
        if found not in self._text.domains:
            raise ByHand("nothing in spec/ mentions it; name a domain with --domain")
        return found

    # The release

    def _changed_version(self, item: Item) -> None:
        root = self._text.files[""]
        node = child(root.root, "info", "version")
        if node is None:
            raise ByHand("openapi.yaml has no info.version")
        root.replace(node, str(item.after))

    # Schemas

    def _added_schema(self, item: Item) -> str:
        domain = self._domain(item.place)
        shape = self._places.new.schemas[item.place]
        kept = "" if self._is_reached(item.place) else "announced"
        self._schemas.setdefault(domain, {})[item.place] = fragments.schema(shape, kept)
        return f"in {domain}"

    def _removed_schema(self, item: Item) -> str:
        self._set(item.place, "deprecated", True)
        if child(self._places.node(item.place), "x-kept") is None and not self._is_left(item.place):
            self._set(item.place, "x-kept", "compatibility")
        return "kept, as deprecated"

    def _is_reached(self, name: str) -> bool:
        """Return whether something mentions a new schema, if only by a pattern for its name."""
        known = (each.ours.get("x-variants") for each in self._places.spec.schemas.values())
        patterns = [each["schemas"] for each in known if each and "schemas" in each]
        return self._domains.is_mentioned(name) or any(
            re.fullmatch(pattern, name) for pattern in patterns
        )

    def _is_left(self, name: str) -> bool:
        """Return whether what is kept in the spec mentions a schema that is gone."""
        for owner, schema in self._places.spec.schemas.items():
            other = self._places.new.schemas.get(self._places.new_place(owner))
            if owner == name:
                continue
            for wire, shape in schema.properties.items():
                if name in refs(shape) and (other is None or wire not in other.properties):
                    return True
        return False

    def _renamed_schema(self, item: Item) -> str:
        name = str(item.after)
        self._places.node(item.place)
        self._text.rename_schema(item.place, name)
        self._alias(item.place, item.place, self._places.node(item.place))
        return f"now {name}, with its former name in x-python-aliases"

    def _added_property(self, item: Item) -> None:
        head, _, wire = item.place.partition(".")
        owner = self._places.new.schemas[self._places.new_place(head)]
        self._places.node(head)
        fragment = fragments.use(owner.properties[wire], described=True)
        self._properties.setdefault(head, {})[wire] = fragment

    def _removed_property(self, item: Item) -> str:
        head, _, wire = item.place.partition(".")
        node = self._places.node(item.place)
        if child(node, "$ref") is not None:
            raise ByHand("a bare $ref; wrap it in allOf, with deprecated and x-legacy")
        self._set(item.place, "deprecated", True)
        self._places.file(item.place).set(node, "x-legacy", True)
        if wire in self._places.spec.schemas[head].required:
            self._required.setdefault(head, {})[wire] = False
        python = identifier(wire, RESERVED_PROPERTIES)
        return f"kept, as x-legacy; later x-retired: {{{python}: {wire}}}"

    def _renamed_property(self, item: Item) -> str:
        head, _, wire = item.place.partition(".")
        owner, node = self._places.node(head), self._places.node(item.place)
        if child(node, "$ref") is not None:
            raise ByHand("a bare $ref, beside which there is no room for an alias")
        properties = child(owner, "properties")
        if properties is None:
            raise ByHand("it has no place of its own in spec/")
        name = str(item.after)
        self._places.file(head).rename_key(properties, wire, name)
        old, new = (identifier(each, RESERVED_PROPERTIES) for each in (wire, name))
        if old != new and child(node, "x-python-name") is None:
            self._alias(item.place, old, node)
        if wire in self._places.spec.schemas[head].required:
            self._required.setdefault(head, {}).update({wire: False, name: True})
        return f"now {name}, with its former name in x-python-aliases"

    def _alias(self, place: str, name: str, node: yaml.Node) -> None:
        aliases = child(node, "x-python-aliases")
        if aliases is None:
            self._places.file(place).add_key(node, "x-python-aliases", [name], ("description",))
        else:
            self._places.file(place).add_item(aliases, name)

    def _set(self, place: str, key: str, value: Any) -> None:
        self._places.file(place).set(self._places.node(place), key, value, BEFORE_LIMITS)

    # Required, deprecated

    def _changed_required(self, item: Item) -> None:
        head, _, rest = item.place.partition(".")
        if head in self._places.spec.schemas:
            self._places.node(head)
            self._required.setdefault(head, {})[rest] = bool(item.after)
            return
        node = self._places.node(f"{item.place}:itself")
        self._places.file(item.place).set(node, "required", item.after, ("name", "in"))

    def _added_required(self, item: Item) -> None:
        # A new parameter or body says so itself.
        if item.place.partition(".")[0] in self._places.spec.schemas:
            self._changed_required(item)

    def _changed_deprecated(self, item: Item) -> None:
        node = self._places.node(f"{item.place}:itself")
        text = self._places.file(item.place)
        if item.after:
            text.set(node, "deprecated", True, _BEFORE_PARAMETERS)
        elif child(node, "x-legacy") is None:
            text.remove_key(node, "deprecated")

    # Operations

    def _added_operation(self, item: Item) -> str:
        domain = self._domain(item.place)
        operation = self._places.new.operations[item.place]
        beside = self._domains.neighbor(item.place)
        known = {group.lower(): group for group in self._text.groups}
        groups = [known[tag.lower()] for tag in operation.tags if tag.lower() in known]
        groups += list(beside.tags[1:]) if beside else []
        fragment = fragments.operation(item.place, operation, self._text.components, groups[:1])
        self._paths.setdefault(domain, {}).setdefault(operation.path, {})[
            operation.method.lower()
        ] = fragment
        return f"in {domain}"

    def _removed_operation(self, item: Item) -> str:
        node = self._places.node(item.place)
        text = self._places.file(item.place)
        text.set(node, "deprecated", True, _BEFORE_PARAMETERS)
        text.set(node, "x-legacy", True, _BEFORE_PARAMETERS)
        return "kept, as x-legacy; say x-replaced-by if something replaces it"

    def _renamed_operation(self, item: Item) -> str:
        node = self._places.node(item.place)
        name = str(item.after)
        self._places.file(item.place).set(node, "operationId", name)
        old, new = (identifier(each, RESERVED_METHODS) for each in (item.place, name))
        if old != new:
            self._alias(item.place, old, node)
        return f"now {name}, with its former name in x-python-aliases"

    def _added_parameter(self, item: Item) -> None:
        head, _, key = item.place.partition(".")
        self._places.node(head)
        operation = self._places.new.operations[self._places.new_place(head)]
        fragment = fragments.parameter(key, operation.parameters[key])
        fragment = fragments.component(fragment, self._text.components, "parameters")
        self._parameters.setdefault(head, []).append(fragment)

    def _removed_parameter(self, item: Item) -> None:
        raise ByHand("take it out, or keep it for those who send it")

    def _renamed_parameter(self, item: Item) -> str:
        node = self._places.node(f"{item.place}:itself")
        location, _, name = str(item.after).partition(" ")
        if location == "path":
            raise ByHand(f"now {name}; rename it in the path as well")
        text = self._places.file(item.place)
        text.set(node, "name", name)
        wire = str(item.before).partition(" ")[2]
        old, new = (identifier(each, RESERVED_PARAMETERS) for each in (wire, name))
        if old != new and child(node, "x-python-name") is None:
            self._alias(item.place, old, node)
        return f"now {name}, with its former name in x-python-aliases"

    def _added_body(self, item: Item) -> None:
        head, _, _ = item.place.partition(".")
        body = self._places.new.operations[self._places.new_place(head)].body
        if body is None:
            raise ByHand("it is described elsewhere in spec/")
        keys = (*_BEFORE_PARAMETERS, "parameters")
        self._places.file(head).add_key(
            self._places.node(head), "requestBody", fragments.body(body), keys
        )

    def _added_response(self, item: Item) -> None:
        head, _, status = item.place.partition(".")
        responses = child(self._places.node(head), "responses")
        new = self._places.new.operations[self._places.new_place(head)].responses[status]
        if responses is None:
            raise ByHand("it is described elsewhere in spec/")
        fragment = fragments.response(status, new)
        fragment = fragments.component(fragment, self._text.components, "responses")
        self._places.file(head).add_key(responses, status, fragment)

    # What goes to one place together

    def _add_collected(self) -> None:
        for name, wires in self._properties.items():
            self._add_to(self._places.file(name), self._places.node(name), "properties", wires)
        for name, changes in self._required.items():
            self._change_required(name, changes)
        for name, parameters in self._parameters.items():
            node, text = self._places.node(name), self._places.file(name)
            found = child(node, "parameters")
            if found is None or not found.value:
                text.add_key(node, "parameters", parameters, _BEFORE_PARAMETERS)
                continue
            for each in parameters:
                text.add_item(found, each)
        for domain, paths in self._paths.items():
            text = self._text.files[domain]
            known = child(text.root, "paths")
            new = {path: item for path, item in paths.items() if child(known, path) is None}
            for path in paths.keys() - new.keys():
                for method, fragment in paths[path].items():
                    text.add_key(entry(known, path)[1], method, fragment)
            self._add_to(text, text.root, "paths", new)
        for domain, schemas in self._schemas.items():
            text = self._text.files[domain]
            self._add_to(text, text.root, "schemas", schemas)

    @staticmethod
    def _add_to(text: YamlText, owner: yaml.Node | None, key: str, entries: Facts) -> None:
        """Add entries to the mapping under a key, which may be missing or empty."""
        if not entries:
            return
        found = child(owner, key)
        if found is not None and found.value and not isinstance(found, yaml.ScalarNode):
            for name, fragment in entries.items():
                text.add_key(found, name, fragment)
        elif found is not None and owner is not None:
            text.fill(owner, key, entries)
        elif owner is text.root:
            text.add_section(key, entries)
        elif owner is not None:
            text.add_key(owner, key, entries)

    def _change_required(self, name: str, changes: dict[str, bool]) -> None:
        node, text = self._places.node(name), self._places.file(name)
        found = child(node, "required")
        if found is None:
            added = sorted(wire for wire, is_required in changes.items() if is_required)
            if added:
                keys = ("description", "x-python-aliases", "type")
                text.add_key(node, "required", added, keys)
            return
        before = [each.value for each in found.value]
        after = [each for each in before if changes.get(each, True)]
        after += sorted(wire for wire, needed in changes.items() if needed and wire not in before)
        if not after:
            text.remove_key(node, "required")
        elif before != after:
            replace_items(text, found, before, after)
