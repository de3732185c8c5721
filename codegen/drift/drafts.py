"""Draft what ``spec/`` lacks: facts as the release has them, descriptions empty.

Nothing that somebody has written is replaced or removed, except names, types, limits and values
that the platform has changed. What cannot be drafted that way is listed, to be done by hand.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from codegen.checks import RESERVED_METHODS, RESERVED_PARAMETERS, RESERVED_PROPERTIES
from codegen.drift import fragments
from codegen.drift.compare import Item
from codegen.drift.corrections import Correction
from codegen.drift.shapes import Content, Facts, NormalForm, Operation, Parameter, Shape, find
from codegen.drift.spec_text import SpecText
from codegen.drift.standing import Domains, Drift, facts_of, refs
from codegen.drift.yaml_text import YamlText, child, entry
from codegen.loader import SpecError, load
from codegen.names import identifier

_FACTS = frozenset({"type", "format", "nullable", "default", "constraint", "enum value"})
# Where keys of a schema go: after those of them that are there.
_BEFORE_LIMITS = ("description", "x-python-name", "type", "format", "nullable", "enum")
_BEFORE_PARAMETERS = ("operationId", "tags", "summary", "description", "deprecated")


@dataclass
class Plan:
    """What drafts would change, before anything is written."""

    files: dict[Path, bytes] = field(default_factory=dict)
    drafted: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)


class _ByHand(Exception):
    """A difference that cannot be drafted."""


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


def write(plan: Plan) -> None:
    """Write all files of a plan, or none."""
    originals = {path: path.read_bytes() for path in plan.files}
    prepared: dict[Path, Path] = {}
    replaced: list[Path] = []
    try:
        for path, content in plan.files.items():
            prepared[path] = path.with_name(f".{path.name}.draft")
            prepared[path].write_bytes(content)
            shutil.copymode(path, prepared[path])
        for path, temporary in prepared.items():
            os.replace(temporary, path)
            replaced.append(path)
    except BaseException:
        for path in replaced:
            path.write_bytes(originals[path])
        raise
    finally:
        for temporary in prepared.values():
            with suppress(FileNotFoundError):
                temporary.unlink()


class _Drafter:
    def __init__(
        self, drift: Drift, text: SpecText, corrections: list[Correction], domain: str | None
    ) -> None:
        self._new = drift.new
        self._spec = drift.spec
        self._lacking = drift.lacking
        self._text = text
        self._domains = Domains(drift.spec, drift.new)
        self._default = domain
        if domain is not None and domain not in text.domains:
            raise SpecError(f"there is no domain {domain!r} in {text.folder}")
        self._corrections = corrections
        self._renamed = {each.place: str(each.after) for each in drift.lacking if _is_rename(each)}
        self._done: set[object] = set()
        self._required: dict[str, dict[str, bool]] = {}
        self._properties: dict[str, Facts] = {}
        self._parameters: dict[str, list[Facts]] = {}
        self._schemas: dict[str, Facts] = {}
        self._paths: dict[str, Facts] = {}

    def plan(self) -> Plan:
        plan = Plan()
        for item in self._lacking:
            told = f"{item.change} {item.what} {item.place}"
            told += f" ({item.aspect})" if item.aspect else ""
            try:
                note = self._draft(item)
            except _ByHand as cause:
                plan.by_hand.append(f"{told}: {cause}")
            else:
                plan.drafted.append(f"{told}{f': {note}' if note else ''}")
        self._add_collected()
        plan.files = {
            text.path: text.result() for text in self._text.files.values() if text.is_changed
        }
        _check(self._text.folder, plan.files)
        return plan

    def _draft(self, item: Item) -> str | None:
        for each in self._corrections:
            if each.place == item.place and each.covers(facts_of(item)):
                raise _ByHand(f"{each.where} corrects it; say there what the vendor says now")
        if item.what in _FACTS:
            self._draft_facts(item)
            return None
        name = f"_{item.change}_{item.what.replace(' ', '_')}"
        handler: Callable[[Item], str | None] | None = getattr(self, name, None)
        if handler is None:
            raise _ByHand(f"{_told(item.before)} -> {_told(item.after)}")
        return handler(item)

    # Places

    def _new_place(self, place: str) -> str:
        """Return what a place of the spec is called in the new release."""
        head, dot, rest = place.partition(".")
        if place in self._renamed and dot:
            rest = self._renamed[place]
        return f"{self._renamed.get(head, head)}{dot}{rest}"

    def _node(self, place: str) -> yaml.Node:
        node = self._text.node(place)
        if node is None:
            raise _ByHand("it has no place of its own in spec/")
        if self._text.is_shared(place):
            raise _ByHand("it is a component that several operations share")
        return node

    def _domain(self, name: str) -> str:
        found = self._domains.of(name) or self._default
        if found is None and "common" in self._text.domains:
            found = "common"
        if found not in self._text.domains:
            raise _ByHand("nothing in spec/ mentions it; name a domain with --domain")
        return found

    def _file(self, place: str) -> YamlText:
        return self._text.file_of(place)

    # The release

    def _changed_version(self, item: Item) -> None:
        root = self._text.files[""]
        node = child(root.root, "info", "version")
        if node is None:
            raise _ByHand("openapi.yaml has no info.version")
        root.replace(node, str(item.after))

    # Schemas

    def _added_schema(self, item: Item) -> str:
        domain = self._domain(item.place)
        shape = self._new.schemas[item.place]
        kept = "" if self._is_reached(item.place) else "announced"
        self._schemas.setdefault(domain, {})[item.place] = fragments.schema(shape, kept)
        return f"in {domain}"

    def _removed_schema(self, item: Item) -> str:
        self._set(item.place, "deprecated", True)
        if child(self._node(item.place), "x-kept") is None and not self._is_left(item.place):
            self._set(item.place, "x-kept", "compatibility")
        return "kept, as deprecated"

    def _is_reached(self, name: str) -> bool:
        """Return whether something mentions a new schema, if only by a pattern for its name."""
        known = (each.ours.get("x-variants") for each in self._spec.schemas.values())
        patterns = [each["schemas"] for each in known if each and "schemas" in each]
        return self._domains.is_mentioned(name) or any(
            re.fullmatch(pattern, name) for pattern in patterns
        )

    def _is_left(self, name: str) -> bool:
        """Return whether what is kept in the spec mentions a schema that is gone."""
        for owner, schema in self._spec.schemas.items():
            other = self._new.schemas.get(self._new_place(owner))
            if owner == name:
                continue
            for wire, shape in schema.properties.items():
                if name in refs(shape) and (other is None or wire not in other.properties):
                    return True
        return False

    def _renamed_schema(self, item: Item) -> str:
        name = str(item.after)
        self._text.rename_schema(item.place, name)
        self._alias(item.place, item.place, self._node(item.place))
        return f"now {name}, with its former name in x-python-aliases"

    def _added_property(self, item: Item) -> None:
        head, _, wire = item.place.partition(".")
        owner = self._new.schemas[self._new_place(head)]
        self._node(head)
        fragment = fragments.use(owner.properties[wire], described=True)
        self._properties.setdefault(head, {})[wire] = fragment

    def _removed_property(self, item: Item) -> str:
        head, _, wire = item.place.partition(".")
        node = self._node(item.place)
        if child(node, "$ref") is not None:
            raise _ByHand("a bare $ref; wrap it in allOf, with deprecated and x-legacy")
        self._set(item.place, "deprecated", True)
        self._file(item.place).set(node, "x-legacy", True)
        if wire in self._spec.schemas[head].required:
            self._required.setdefault(head, {})[wire] = False
        python = identifier(wire, RESERVED_PROPERTIES)
        return f"kept, as x-legacy; later x-retired: {{{python}: {wire}}}"

    def _renamed_property(self, item: Item) -> str:
        head, _, wire = item.place.partition(".")
        owner, node = self._node(head), self._node(item.place)
        if child(node, "$ref") is not None:
            raise _ByHand("a bare $ref, beside which there is no room for an alias")
        properties = child(owner, "properties")
        if properties is None:
            raise _ByHand("it has no place of its own in spec/")
        name = str(item.after)
        self._file(head).rename_key(properties, wire, name)
        old, new = (identifier(each, RESERVED_PROPERTIES) for each in (wire, name))
        if old != new and child(node, "x-python-name") is None:
            self._alias(item.place, old, node)
        if wire in self._spec.schemas[head].required:
            self._required.setdefault(head, {}).update({wire: False, name: True})
        return f"now {name}, with its former name in x-python-aliases"

    def _alias(self, place: str, name: str, node: yaml.Node) -> None:
        aliases = child(node, "x-python-aliases")
        if aliases is None:
            self._file(place).add_key(node, "x-python-aliases", [name], ("description",))
        else:
            self._file(place).add_item(aliases, name)

    def _set(self, place: str, key: str, value: Any) -> None:
        self._file(place).set(self._node(place), key, value, _BEFORE_LIMITS)

    # Required, deprecated

    def _changed_required(self, item: Item) -> None:
        head, _, rest = item.place.partition(".")
        if head in self._spec.schemas:
            self._node(head)
            self._required.setdefault(head, {})[rest] = bool(item.after)
            return
        node = self._node(f"{item.place}:itself")
        self._file(item.place).set(node, "required", item.after, ("name", "in"))

    def _added_required(self, item: Item) -> None:
        # A new parameter or body says so itself.
        if item.place.partition(".")[0] in self._spec.schemas:
            self._changed_required(item)

    def _changed_deprecated(self, item: Item) -> None:
        node = self._node(f"{item.place}:itself")
        text = self._file(item.place)
        if item.after:
            text.set(node, "deprecated", True, _BEFORE_PARAMETERS)
        elif child(node, "x-legacy") is None:
            text.remove_key(node, "deprecated")

    # Facts

    def _draft_facts(self, item: Item) -> None:
        prefix = item.aspect.rpartition(".")[0] if item.what != "type" else item.aspect
        where = (item.place, prefix)
        if where in self._done:
            return
        node = self._inner(self._node(item.place), prefix)
        spec = _shape(self._spec, item.place, prefix)
        new = _shape(self._new, self._new_place(item.place), prefix)
        if spec is None or new is None:
            raise _ByHand("it is described elsewhere in spec/")
        if item.what == "type" and not self._is_plain(spec, new):
            self._refer(item, node, spec, new)
            return
        if child(node, "$ref") is not None or child(node, "allOf") is not None:
            raise _ByHand("it is described elsewhere in spec/")
        self._done.add(where)
        keys = self._keys_at(item.place, prefix)
        before, after = (
            fragments.in_30(form.final(shape).facts)
            for form, shape in ((self._spec, spec), (self._new, new))
        )
        for key in sorted(keys & (before.keys() | after.keys())):
            self._fact(item.place, node, key, before.get(key), after.get(key))

    def _keys_at(self, place: str, prefix: str) -> set[str]:
        """Return which facts of a schema the release has changed, and no correction covers."""
        keys = set()
        for each in self._lacking:
            if each.place != place or each.what not in _FACTS:
                continue
            if each.what == "type" and each.aspect == prefix:
                shape = _shape(self._new, self._new_place(place), prefix)
                old = _shape(self._spec, place, prefix)
                for known in (shape, old):
                    keys |= set(known.facts) if known else set()
            elif each.what != "type" and each.aspect.rpartition(".")[0] == prefix:
                keys.add(each.aspect.rpartition(".")[2])
        for bound in ("minimum", "maximum"):
            exclusive = f"exclusive{bound.capitalize()}"
            if {bound, exclusive} & keys:
                keys |= {bound, exclusive}
        lead = f"{prefix}." if prefix else ""
        corrected = [each for each in self._corrections if each.place == place]
        return {key for key in keys if not any(each.covers({f"{lead}{key}"}) for each in corrected)}

    def _fact(self, place: str, node: yaml.Node, key: str, before: Any, after: Any) -> None:
        text = self._file(place)
        if before == after:
            return
        if after is None:
            text.remove_key(node, key)
        elif before is None:
            text.add_key(node, key, after, _BEFORE_LIMITS)
        elif isinstance(after, list):
            values = child(node, key)
            if values is None:
                raise _ByHand("it is described elsewhere in spec/")
            _replace_items(text, values, before, after)
        else:
            text.set(node, key, after)

    def _is_plain(self, spec: Shape, new: Shape) -> bool:
        finals = self._spec.final(spec), self._new.final(new)
        return not any(each.ref or each.members or each.items or each.values for each in finals)

    def _refer(self, item: Item, node: yaml.Node, spec: Shape, new: Shape) -> None:
        """Let a reference lead to another class."""
        reference = child(node, "$ref")
        whole = child(node, "allOf")
        if whole is not None and len(whole.value) == 1:
            reference = child(whole.value[0], "$ref")
        if reference is None or not new.ref:
            raise _ByHand(f"{_told(item.before)} -> {_told(item.after)}")
        self._file(item.place).replace(reference, f"{fragments.SCHEMAS}{new.ref}")

    @staticmethod
    def _inner(node: yaml.Node, prefix: str) -> yaml.Node:
        keys = {"items": "items", "values": "additionalProperties"}
        for step in prefix.split(".") if prefix else ():
            found = child(node, keys.get(step, step))
            if found is None:
                raise _ByHand("it is described elsewhere in spec/")
            node = found
        return node

    # Operations

    def _added_operation(self, item: Item) -> str:
        domain = self._domain(item.place)
        operation = self._new.operations[item.place]
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
        node = self._node(item.place)
        text = self._file(item.place)
        text.set(node, "deprecated", True, _BEFORE_PARAMETERS)
        text.set(node, "x-legacy", True, _BEFORE_PARAMETERS)
        return "kept, as x-legacy; say x-replaced-by if something replaces it"

    def _renamed_operation(self, item: Item) -> str:
        node = self._node(item.place)
        name = str(item.after)
        self._file(item.place).set(node, "operationId", name)
        old, new = (identifier(each, RESERVED_METHODS) for each in (item.place, name))
        if old != new:
            self._alias(item.place, old, node)
        return f"now {name}, with its former name in x-python-aliases"

    def _added_parameter(self, item: Item) -> None:
        head, _, key = item.place.partition(".")
        self._node(head)
        operation = self._new.operations[self._new_place(head)]
        fragment = fragments.parameter(key, operation.parameters[key])
        fragment = fragments.component(fragment, self._text.components, "parameters")
        self._parameters.setdefault(head, []).append(fragment)

    def _removed_parameter(self, item: Item) -> None:
        raise _ByHand("take it out, or keep it for those who send it")

    def _renamed_parameter(self, item: Item) -> str:
        node = self._node(f"{item.place}:itself")
        location, _, name = str(item.after).partition(" ")
        if location == "path":
            raise _ByHand(f"now {name}; rename it in the path as well")
        text = self._file(item.place)
        text.set(node, "name", name)
        wire = str(item.before).partition(" ")[2]
        old, new = (identifier(each, RESERVED_PARAMETERS) for each in (wire, name))
        if old != new and child(node, "x-python-name") is None:
            self._alias(item.place, old, node)
        return f"now {name}, with its former name in x-python-aliases"

    def _added_body(self, item: Item) -> None:
        head, _, _ = item.place.partition(".")
        body = self._new.operations[self._new_place(head)].body
        if body is None:
            raise _ByHand("it is described elsewhere in spec/")
        keys = (*_BEFORE_PARAMETERS, "parameters")
        self._file(head).add_key(self._node(head), "requestBody", fragments.body(body), keys)

    def _added_response(self, item: Item) -> None:
        head, _, status = item.place.partition(".")
        responses = child(self._node(head), "responses")
        new = self._new.operations[self._new_place(head)].responses[status]
        if responses is None:
            raise _ByHand("it is described elsewhere in spec/")
        fragment = fragments.response(status, new)
        fragment = fragments.component(fragment, self._text.components, "responses")
        self._file(head).add_key(responses, status, fragment)

    # What goes to one place together

    def _add_collected(self) -> None:
        for name, wires in self._properties.items():
            self._add_to(self._file(name), self._node(name), "properties", wires)
        for name, changes in self._required.items():
            self._change_required(name, changes)
        for name, parameters in self._parameters.items():
            node, text = self._node(name), self._file(name)
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
        node, text = self._node(name), self._file(name)
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
            _replace_items(text, found, before, after)


def _replace_items(text: YamlText, found: yaml.Node, before: list[Any], after: list[Any]) -> None:
    """Turn a list into another one; what is in both stays where it is."""
    listed = [yaml.safe_load(yaml.serialize(each)) for each in found.value]
    gone = [index for index, value in enumerate(listed) if value not in after]
    new = [value for value in after if value not in listed]
    if isinstance(found, yaml.SequenceNode) and found.flow_style:
        kept = [value for value in listed if value in after]
        text.replace(found, [*kept, *new])
        return
    for index in gone:
        text.remove_item(found, index)
    for value in new:
        text.add_item(found, value)


def _shape(form: NormalForm, place: str, prefix: str) -> Shape | None:
    """Return the schema at a place, or of its items or values."""
    found: Shape | Parameter | Content | Operation | None = find(form, place)
    shape = found.shape if isinstance(found, (Parameter, Content)) else found
    for step in prefix.split(".") if prefix else ():
        if not isinstance(shape, Shape):
            return None
        shape = getattr(form.final(shape), step, None)
    return shape if isinstance(shape, Shape) else None


def _is_rename(item: Item) -> bool:
    return item.change == "renamed"


def _told(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _check(folder: Path, files: dict[Path, bytes]) -> None:
    """Refuse drafts that are no usable description, before anything is written."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "spec"
        shutil.copytree(folder, copy)
        for path, content in files.items():
            (copy / path.relative_to(folder)).write_bytes(content)
        try:
            load(copy)
        except SpecError as cause:
            raise SpecError(
                f"the drafts are not usable, and nothing is written: {cause}"
            ) from cause
