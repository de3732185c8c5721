"""The typed intermediate form between the API description and the templates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from codegen.places import Place


@dataclass(frozen=True)
class _Placed:
    """What a domain of the description describes.

    Attributes:
        place: Where; ``None`` if the document was not read from files.
    """

    place: Place | None

    @property
    def domain(self) -> str:
        """The file of ``spec/domains`` that describes it."""
        return self.place.domain if self.place else ""


@dataclass(frozen=True)
class Variants:
    """The classes of an object that depends on a property beside it.

    Attributes:
        by: Wire name of that property.
        classes: Value of that property to name of the model.
    """

    by: str
    classes: dict[str, str]


@dataclass(frozen=True)
class TypeRef:
    """A type as Python writes it.

    Attributes:
        text: The type as source, such as ``list[Coupon]``.
        kind: ``scalar``, ``datetime``, ``date``, ``nested`` (models are inside) or ``variant``.
        models: Names of the models that *text* mentions.
        constraints: Keywords for `talon_one._schema.fields.field`.
        alias: Name of the type alias that *text* writes out, if the document refers to one.
        variants: The classes of a ``variant``.
    """

    text: str
    kind: str = "scalar"
    models: tuple[str, ...] = ()
    constraints: dict[str, Any] = field(default_factory=dict)
    alias: str = ""
    variants: Variants | None = None

    @property
    def annotation(self) -> str:
        """The annotation, such as ``list[models.Coupon]``, which works at run time as well.

        Models are attributes of their package, because that loads them when they are asked for.
        """
        text = self.text
        for name in self.models:
            text = re.sub(rf"\b{name}\b", f"models.{name}", text)
        # Every variant is a Model.
        return f"Model | {text}" if self.variants else text


@dataclass(frozen=True)
class Example:
    """A value of a property, parameter or body, as JSON.

    Attributes:
        value: The value; ``None`` where objects of classes are, whose properties have examples.
        is_given: Whether the description gives it. Otherwise it is made from the schema.
    """

    value: Any
    is_given: bool = False


_FUNCTIONS = {
    "date": "day",
    "scalar": "field",
    "nested": "nested",
    "datetime": "timestamp",
    "variant": "variant",
}


@dataclass(frozen=True)
class Property:
    """One property of a model."""

    name: str
    wire: str
    type: TypeRef
    required: bool
    nullable: bool
    description: str
    aliases: tuple[str, ...]
    secret: bool
    deprecated: bool
    read_only: bool
    default: Any
    example: Example
    constant: str | None = None
    """Value that the constructor sets, because it is what the class is known by."""

    @property
    def function(self) -> str:
        """Name of the function of `talon_one._schema.fields` that describes it."""
        return _FUNCTIONS[self.type.kind]

    @property
    def annotation(self) -> str:
        """The annotation in the class."""
        optional = not self.required or self.nullable
        text = self.type.annotation
        return f"{text} | None" if optional and text != "Any" else text


@dataclass(frozen=True)
class Model(_Placed):
    """An object schema with properties; becomes a class."""

    name: str
    module: str
    description: str
    properties: tuple[Property, ...]
    aliases: tuple[str, ...]
    deprecated: bool
    retired: dict[str, str]
    """Python name to wire name of the properties that earlier releases had."""
    max_properties: int | None = None
    cases: Variants | None = None
    """Schemas whose rules an object has to obey as well, by the value of a property of its own."""


@dataclass(frozen=True)
class Union(_Placed):
    """A schema that stands for several models; each object names its own in a property."""

    name: str
    module: str
    description: str
    variants: Variants
    aliases: tuple[str, ...]

    @property
    def members(self) -> list[str]:
        """Names of the models."""
        return sorted(set(self.variants.classes.values()))


@dataclass(frozen=True)
class Alias(_Placed):
    """A schema that becomes a type alias: a list, a text, a free-form object."""

    name: str
    module: str
    description: str
    type: TypeRef
    aliases: tuple[str, ...]


Schema: TypeAlias = Model | Union | Alias
"""What a schema becomes."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation."""

    location: str
    name: str
    wire: str
    type: TypeRef
    required: bool
    description: str
    aliases: tuple[str, ...]
    comma: bool
    default: Any
    example: Example

    @property
    def annotation(self) -> str:
        """The annotation: one text may be given for a list with this item."""
        text = self.type.annotation
        return f"{text} | str" if text.startswith(("list[str]", "list[Literal['")) else text


@dataclass(frozen=True)
class Body:
    """The JSON body of an operation."""

    name: str
    type: TypeRef
    also: tuple[str, ...]
    example: Example
    required: bool
    description: str

    @property
    def annotation(self) -> str:
        """The annotation: the model, models of earlier releases, or a plain dict."""
        accepted = " | ".join((self.type.annotation, *(f"models.{name}" for name in self.also)))
        has_dict = self.type.text == "Any" or self.type.text.startswith("dict[")
        return accepted if has_dict else f"{accepted} | dict[str, Any]"


@dataclass(frozen=True)
class Upload:
    """The file that an operation uploads."""

    name: str
    wire: str
    required: bool
    description: str


@dataclass(frozen=True)
class Column:
    """One column of a CSV file."""

    name: str
    type: TypeRef
    required: bool
    words: tuple[str, ...]
    separator: str


@dataclass(frozen=True)
class Csv:
    """The CSV file that an operation returns or takes."""

    columns: tuple[Column, ...]
    any_of: tuple[str, ...]
    not_both: tuple[str, ...]
    replaces: bool


@dataclass(frozen=True)
class Response:
    """One documented response of an operation."""

    status: int
    description: str
    type: TypeRef | None
    content_type: str | None

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status <= 299


@dataclass(frozen=True)
class Operation(_Placed):
    """One endpoint.

    Attributes:
        group: Group of the platform that it belongs to, such as ``Loyalty cards``.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    method: str
    path: str
    tag: str
    group: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    upload: Upload | None
    csv: Csv | None
    responses: tuple[Response, ...]
    security: tuple[str, ...]
    deprecated: bool
    legacy: bool
    replaced_by: str
    idempotent: bool | None
    serialised: dict[str, str]
    read_timeout: int | None
    limit: int | None
    paging: dict[str, Any] | None = None
    """Keywords for `talon_one._core.operation.Paging`, if it lists something."""

    @property
    def deprecation(self) -> str:
        """Message of the `DeprecationWarning` and for type checkers; empty if not deprecated."""
        instead = f"; use {self.replaced_by}" if self.replaced_by else ""
        return f"{self.id} is deprecated{instead}" if self.deprecated else ""

    @property
    def required_parameters(self) -> list[Parameter]:
        """Parameters that may be given by position, in that order."""
        return [each for each in self.parameters if each.required]

    @property
    def optional_parameters(self) -> list[Parameter]:
        """Parameters that are given as keywords."""
        return [each for each in self.parameters if not each.required]

    @property
    def successes(self) -> list[Response]:
        """The documented 2xx responses."""
        return [each for each in self.responses if each.is_success]

    @property
    def return_type(self) -> str:
        """The return annotation of the method."""
        texts = {each.type.annotation if each.type else "None" for each in self.successes}
        # None goes last, by convention.
        return " | ".join(sorted(texts, key=lambda text: (text == "None", text))) or "None"

    @property
    def is_csv(self) -> bool:
        """Whether a successful response is CSV text."""
        return self.csv_type is not None

    @property
    def csv_type(self) -> str | None:
        """Content type of a successful response that is CSV text."""
        types = [each.content_type or "" for each in self.successes]
        return next((each for each in types if each.endswith("/csv")), None)


@dataclass(frozen=True)
class Group:
    """The operations of one group of an API; becomes a page of the reference."""

    name: str
    description: str
    operations: tuple[Operation, ...]

    @property
    def slug(self) -> str:
        """The name as it stands in paths, such as ``loyalty_cards``."""
        return re.sub(r"\W+", "_", self.name).lower()


@dataclass(frozen=True)
class Api:
    """All operations of one tag; becomes a class."""

    name: str
    module: str
    scheme: str
    description: str
    operations: tuple[Operation, ...]
    descriptions: dict[str, str]
    """Name of each group to its description."""

    @property
    def groups(self) -> list[Group]:
        """The operations by group, both in the order of their names."""
        found: dict[str, list[Operation]] = {}
        for each in self.operations:
            found.setdefault(each.group, []).append(each)
        return [
            Group(name, self.descriptions[name], tuple(operations))
            for name, operations in sorted(found.items())
        ]


@dataclass(frozen=True)
class Shape:
    """One class of the bodies of webhooks.

    Attributes:
        model: Name of the class.
        items: Class of its items, which identifies it.
        key: Property of such an item; ``None`` if any item is accepted.
        value: Value of that property; ``None`` if any value is accepted.
    """

    model: str
    items: str | None = None
    key: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Sdk:
    """Everything that templates need."""

    package: str
    title: str
    version: str
    models: tuple[Model, ...]
    unions: tuple[Union, ...]
    aliases: tuple[Alias, ...]
    apis: tuple[Api, ...]
    notifications: dict[str, tuple[Shape, ...]]

    @property
    def schemas(self) -> list[Schema]:
        """Models, unions and type aliases."""
        return [*self.models, *self.unions, *self.aliases]

    @property
    def classes(self) -> dict[str, str]:
        """Public name of every model and alias, with the module that it is found in."""
        return dict(sorted((each.name, each.module) for each in self.schemas))
