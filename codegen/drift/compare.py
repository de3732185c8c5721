"""Compare two documents in their normal form: what is added, removed, changed or renamed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, TypeVar

from codegen.drift.shapes import Content, NormalForm, Operation, Parameter, Shape

Change = Literal["added", "removed", "changed", "renamed"]

TEXTS = frozenset({"description", "summary", "example"})
"""What is said in words, of which ``spec/`` has its own."""

_ALIKE = 0.5
"""How much of two names has to be the same for one to replace the other."""
_SAME_CLASS = 0.7
"""How many of the properties of two schemas have to be the same for a rename."""

_Named = TypeVar("_Named", Shape, Parameter, Operation)


@dataclass(frozen=True)
class Item:
    """One difference."""

    change: Change
    what: str
    """Operation, schema, property, parameter, response, body, type, required, enum value, ..."""
    place: str
    """``Schema.property``, ``operationId.query name``, ... of the old document, if it is there."""
    aspect: str = ""
    """What of the place, such as ``items.maxLength``, where *what* leaves that open."""
    before: Any = None
    after: Any = None

    @property
    def key(self) -> str:
        """What two items that say the same have in common."""
        return json.dumps(
            [self.what, self.change, self.place, self.aspect, self.before, self.after], default=str
        )


def compare(old: NormalForm, new: NormalForm) -> list[Item]:
    """Return the differences between two documents, sorted by place."""
    return sorted(_Comparison(old, new).items(), key=lambda item: (item.place, item.key))


class _Comparison:
    def __init__(self, old: NormalForm, new: NormalForm) -> None:
        self._old = old
        self._new = new
        self._items: dict[str, Item] = {}
        self._pairs: set[tuple[str, str]] = set()
        self._waiting: list[tuple[str, str]] = []
        self._inside: set[tuple[int, int]] = set()
        self._renamed: dict[str, str] = {}
        self._swapped = set(self._swaps())

    def items(self) -> Iterable[Item]:
        if self._old.version != self._new.version:
            self._note(
                "changed", "version", "info.version", "", self._old.version, self._new.version
            )
        for name in self._old.schemas.keys() & self._new.schemas.keys():
            self._pair(name, name)
        old_only, new_only = _apart(self._old.schemas, self._new.schemas)
        self._renamed = _renames(
            {name: each for name, each in old_only.items() if not each.generated},
            {name: each for name, each in new_only.items() if not each.generated},
            self._class_score,
        )
        for before, after in self._renamed.items():
            self._note("renamed", "schema", before, "", before, after)
            self._pair(before, after)
        self._operations()
        self._work()
        paired_old = {before for before, _ in self._pairs}
        paired_new = {after for _, after in self._pairs}
        for form, only, paired, change in (
            (self._old, old_only, paired_old, "removed"),
            (self._new, new_only, paired_new, "added"),
        ):
            other = self._new if form is self._old else self._old
            unnamed = all(each.generated for each in other.schemas.values())
            for name, schema in only.items():
                # A document without names lacks the schemas that no operation uses.
                if name in paired or (unnamed and not schema.generated):
                    continue
                self._there(form, change, "schema", name, form.describe(schema))
        return self._items.values()

    # Notes

    def _note(
        self, change: Any, what: str, place: str, aspect: str, before: Any, after: Any
    ) -> None:
        item = Item(change, what, place, aspect, before, after)
        self._items.setdefault(item.key, item)

    def _there(self, form: NormalForm, change: str, what: str, place: str, text: Any) -> None:
        """Note that something is there in one of the documents only."""
        before, after = (None, text) if form is self._new else (text, None)
        self._note(change, what, place, "", before, after)

    # Schemas

    def _pair(self, before: str, after: str) -> None:
        if (before, after) not in self._pairs:
            self._pairs.add((before, after))
            self._waiting.append((before, after))

    def _work(self) -> None:
        while self._waiting:
            before, after = self._waiting.pop()
            old, new = self._old.schemas[before], self._new.schemas[after]
            # The name that a document gives, rather than one that is made from the place.
            place = after if old.generated and not new.generated else before
            if old.is_object and new.is_object:
                self._texts(place, "", old, new)
                self._class(place, old, new)
            else:
                self._use(place, "", old, new)

    def _class(self, place: str, old: Shape, new: Shape) -> None:
        self._facts(place, "", old, new)
        old_only, new_only = _apart(old.properties, new.properties)
        renamed = _renames(old_only, new_only, self._property_score(old, new))
        for before, after in renamed.items():
            self._note("renamed", "property", f"{place}.{before}", "", before, after)
        taken = set(renamed.values())
        for name, shape in old_only.items():
            if name not in renamed:
                self._there(
                    self._old, "removed", "property", f"{place}.{name}", self._old.describe(shape)
                )
        for name, shape in new_only.items():
            if name not in taken:
                text = self._new.describe(shape)
                self._there(self._new, "added", "property", f"{place}.{name}", text)
                if name in new.required:
                    self._note("added", "required", f"{place}.{name}", "", None, True)
        for name, shape in old.properties.items():
            other = renamed.get(name, name)
            if other in new.properties:
                inner = f"{place}.{name}"
                self._required(inner, name in old.required, other in new.required)
                self._use(inner, "", shape, new.properties[other])
        if old.members or new.members:
            self._members(place, "", old, new)
        if old.values or new.values:
            nothing = Shape(old.where)
            self._use(place, "values.", old.values or nothing, new.values or nothing)

    def _use(self, place: str, aspect: str, old: Shape, new: Shape) -> None:
        """Compare what two places use."""
        self._texts(place, aspect, old, new)
        if old.ref and old.ref == new.ref:
            self._facts(place, aspect, old, new)
            return
        before, after = self._old.final(old), self._new.final(new)
        inside = (id(old), id(new))
        if inside in self._inside:
            return
        if before.ref and after.ref:
            if not self._same_class(before.ref, after.ref):
                self._type(place, aspect, old, new)
            self._facts(place, aspect, before, after)
            return
        if before.ref or after.ref or self._kind(before) != self._kind(after):
            self._type(place, aspect, old, new)
            return
        self._inside.add(inside)
        self._facts(place, aspect, before, after)
        for key in ("items", "values"):
            first, second = getattr(before, key), getattr(after, key)
            if first or second:
                nothing = Shape(before.where)
                self._use(place, f"{aspect}{key}.", first or nothing, second or nothing)
        if before.members or after.members:
            self._members(place, aspect, before, after)
        self._inside.discard(inside)

    @staticmethod
    def _kind(shape: Shape) -> Any:
        return shape.facts.get("type")

    def _same_class(self, before: str, after: str) -> bool:
        """Return whether two classes are one; where a document has no name, they are compared."""
        old, new = self._old.schemas[before], self._new.schemas[after]
        if (before, after) in self._pairs or before == after:
            return True
        if old.generated or new.generated:
            self._pair(before, after)
            return True
        return False

    def _type(self, place: str, aspect: str, old: Shape, new: Shape) -> None:
        before, after = self._old.describe(old), self._new.describe(new)
        self._note("changed", "type", place, aspect.rstrip("."), before, after)

    def _members(self, place: str, aspect: str, old: Shape, new: Shape) -> None:
        before = {self._old.describe(each): each for each in old.members}
        after = {self._new.describe(each): each for each in new.members}
        old_only, new_only = _apart(before, after)
        # Those without a name of their own may differ in it, by their order.
        for name in sorted(old_only):
            twins = sorted(each for each in new_only if self._alternative(name, each))
            if twins:
                self._use(place, f"{aspect}members.", old_only.pop(name), new_only.pop(twins[0]))
        for name in old_only:
            self._note("removed", "alternative", place, aspect.rstrip("."), name, None)
        for name in new_only:
            self._note("added", "alternative", place, aspect.rstrip("."), None, name)

    def _alternative(self, before: str, after: str) -> bool:
        if self._renamed.get(before) == after:
            return True
        old, new = self._old.schemas.get(before), self._new.schemas.get(after)
        if old is None or new is None or not (old.generated or new.generated):
            return False
        return self._class_score(before, old, after, new) >= _ALIKE

    # Values

    def _required(self, place: str, before: bool, after: bool) -> None:
        if before != after:
            self._note("changed", "required", place, "", before, after)

    def _texts(self, place: str, aspect: str, old: Shape, new: Shape) -> None:
        if old.deprecated != new.deprecated:
            self._note("changed", "deprecated", place, aspect, old.deprecated, new.deprecated)
        self._text("description", place, aspect, old.description, new.description)
        self._text("example", place, aspect, old.example, new.example)

    def _text(self, what: str, place: str, aspect: str, before: Any, after: Any) -> None:
        if before != after:
            self._note(_how(before, after), what, place, aspect.rstrip("."), before, after)

    def _facts(self, place: str, aspect: str, old: Shape, new: Shape) -> None:
        """Compare limits, formats and values."""
        for key in sorted(old.facts.keys() | new.facts.keys()):
            before, after = old.facts.get(key), new.facts.get(key)
            if _equal(before, after):
                continue
            where = f"{aspect}{key}"
            if key == "enum" and before is not None and after is not None:
                for value in _without(before, after):
                    self._note("removed", "enum value", place, where, value, None)
                for value in _without(after, before):
                    self._note("added", "enum value", place, where, None, value)
                continue
            what = key if key in ("type", "format", "nullable", "default") else "constraint"
            self._note(_how(before, after), what, place, where, before, after)

    # Operations

    def _operations(self) -> None:
        old_only, new_only = _apart(self._old.operations, self._new.operations)
        by_route = {each.route: name for name, each in new_only.items()}
        renamed = {
            name: by_route[each.route] for name, each in old_only.items() if each.route in by_route
        }
        for before, after in renamed.items():
            self._note("renamed", "operation", before, "", before, after)
        taken = set(renamed.values())
        for name, operation in old_only.items():
            if name not in renamed:
                self._there(self._old, "removed", "operation", name, _route(operation))
        for name, operation in new_only.items():
            if name not in taken:
                self._there(self._new, "added", "operation", name, _route(operation))
        for name, operation in self._old.operations.items():
            other = self._new.operations.get(renamed.get(name, name))
            if other is not None:
                self._operation(name, operation, other)

    def _operation(self, name: str, old: Operation, new: Operation) -> None:
        if old.route != new.route:
            self._note("changed", "route", name, "", _route(old), _route(new))
        if old.deprecated != new.deprecated:
            self._note("changed", "deprecated", name, "", old.deprecated, new.deprecated)
        if old.security != new.security:
            self._note("changed", "security", name, "", list(old.security), list(new.security))
        self._text("summary", name, "", old.summary, new.summary)
        self._text("description", name, "", old.description, new.description)
        self._parameters(name, old, new)
        if old.body and new.body:
            self._required(f"{name}.body", old.body.required, new.body.required)
        self._contents(f"{name}.body", "body", old.body, new.body)
        for status in sorted(old.responses.keys() | new.responses.keys()):
            place = f"{name}.{status}"
            self._contents(place, "response", old.responses.get(status), new.responses.get(status))

    def _parameters(self, name: str, old: Operation, new: Operation) -> None:
        old_only, new_only = _apart(old.parameters, new.parameters)
        renamed = _renames(old_only, new_only, self._parameter_score)
        if old.route == new.route:
            # Those in the path are known by their position.
            pairs = zip(_in_path(old), _in_path(new), strict=True)
            renamed.update({first: second for first, second in pairs if first != second})
        taken = set(renamed.values())
        for key, parameter in old_only.items():
            if key not in renamed:
                text = self._old.describe(parameter.shape)
                self._there(self._old, "removed", "parameter", f"{name}.{key}", text)
        for key, parameter in new_only.items():
            if key not in taken:
                text = self._new.describe(parameter.shape)
                self._there(self._new, "added", "parameter", f"{name}.{key}", text)
                if parameter.required:
                    self._note("added", "required", f"{name}.{key}", "", None, True)
        for key, parameter in old.parameters.items():
            other = new.parameters.get(renamed.get(key, key))
            if other is None:
                continue
            place = f"{name}.{key}"
            if key in renamed:
                self._note("renamed", "parameter", place, "", key, renamed[key])
            self._required(place, parameter.required, other.required)
            if parameter.deprecated != other.deprecated:
                self._note(
                    "changed", "deprecated", place, "", parameter.deprecated, other.deprecated
                )
            self._text("description", place, "", parameter.description, other.description)
            if parameter.facts != other.facts:
                before, after = parameter.facts.get("explode"), other.facts.get("explode")
                self._note(_how(before, after), "constraint", place, "explode", before, after)
            self._use(place, "", parameter.shape, other.shape)

    def _contents(self, place: str, what: str, old: Content | None, new: Content | None) -> None:
        if old is None or new is None:
            for form, each, change in ((self._old, old, "removed"), (self._new, new, "added")):
                if each is not None:
                    self._there(form, change, what, place, self._content(form, each))
                    if each.required and change == "added":
                        self._note("added", "required", place, "", None, True)
            return
        self._text("description", place, "", old.description, new.description)
        if old.content_type != new.content_type:
            before, after = old.content_type, new.content_type
            self._note(_how(before, after), "content type", place, "", before, after)
        if old.shape and new.shape:
            self._use(place, "", old.shape, new.shape)

    @staticmethod
    def _content(form: NormalForm, content: Content) -> str:
        return form.describe(content.shape) if content.shape else "no content"

    # Renames

    def _swaps(self) -> Iterator[tuple[str, str]]:
        """Yield the classes of properties that have another class in the new document."""
        for name in self._old.schemas.keys() & self._new.schemas.keys():
            old, new = self._old.schemas[name].properties, self._new.schemas[name].properties
            for wire in old.keys() & new.keys():
                yield self._old.describe(old[wire]), self._new.describe(new[wire])

    def _class_score(self, before: str, old: Shape, after: str, new: Shape) -> float:
        if old.is_object != new.is_object:
            return 0
        if not old.is_object:
            same = _equal(old.facts.get("enum"), new.facts.get("enum"))
            return float(bool(old.facts.get("enum")) and same) * _alike(before, after)
        first = {(name, self._old.describe(each)) for name, each in old.properties.items()}
        second = {(name, self._new.describe(each)) for name, each in new.properties.items()}
        share = len(first & second) / len(first | second)
        if (before, after) in self._swapped and share >= _ALIKE:
            # One stands where the other stood.
            return share + 1
        # Small classes, such as one with a name and an ID, are alike by chance.
        if share < _SAME_CLASS or (len(first) < 4 and _alike(before, after) < _ALIKE):
            return 0
        return share + _alike(before, after)

    def _property_score(self, old_owner: Shape, new_owner: Shape) -> Any:
        def score(before: str, old: Shape, after: str, new: Shape) -> float:
            same = (
                self._old.describe(old) == self._new.describe(new)
                and _equal(old.facts, new.facts)
                and (before in old_owner.required) == (after in new_owner.required)
            )
            if not same:
                return 0
            if old.description and old.description == new.description:
                return 1 + _alike(before, after)
            return _alike(before, after) if _alike(before, after) >= _ALIKE else 0

        return score

    def _parameter_score(self, before: str, old: Parameter, after: str, new: Parameter) -> float:
        same = (
            before.partition(" ")[0] == after.partition(" ")[0]
            and self._old.describe(old.shape) == self._new.describe(new.shape)
            and _equal(old.shape.facts, new.shape.facts)
            and old.required == new.required
        )
        likeness = _alike(before.partition(" ")[2], after.partition(" ")[2])
        return likeness if same and likeness >= _ALIKE else 0


def _renames(old: Mapping[str, Any], new: Mapping[str, Any], score: Any) -> dict[str, str]:
    """Return what is there under another name, the best matches first, each name once."""
    if len(old) * len(new) > 250_000:
        # Two documents that have nothing in common.
        return {}
    found = [
        (value, before, after)
        for before, first in old.items()
        for after, second in new.items()
        if (value := score(before, first, after, second)) > 0
    ]
    pairs: dict[str, str] = {}
    for _, before, after in sorted(found, key=lambda each: (-each[0], each[1], each[2])):
        if before not in pairs and after not in pairs.values():
            pairs[before] = after
    return pairs


def _alike(before: str, after: str) -> float:
    return SequenceMatcher(None, before.lower(), after.lower(), autojunk=False).ratio()


def _apart(
    old: Mapping[str, _Named], new: Mapping[str, _Named]
) -> tuple[dict[str, _Named], dict[str, _Named]]:
    """Return what only one of the two has."""
    return (
        {name: each for name, each in old.items() if name not in new},
        {name: each for name, each in new.items() if name not in old},
    )


def _in_path(operation: Operation) -> Iterator[str]:
    """Yield the parameters in the path, in their order there."""
    for part in operation.path.split("{")[1:]:
        yield f"path {part.partition('}')[0]}"


def _route(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _how(before: Any, after: Any) -> Change:
    if before in (None, ""):
        return "added"
    return "removed" if after in (None, "") else "changed"


def _equal(before: Any, after: Any) -> bool:
    """Return whether two values are the same, of which ``1`` and ``true`` are not."""
    return before == after and json.dumps(before, default=str, sort_keys=True).replace(
        ".0", ""
    ) == json.dumps(after, default=str, sort_keys=True).replace(".0", "")


def _without(values: list[Any], others: list[Any]) -> list[Any]:
    counted = Counter(json.dumps(each, default=str) for each in others)
    return [each for each in values if not counted[json.dumps(each, default=str)]]
