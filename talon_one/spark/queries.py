"""Query: what the options of a read say, checked before anything is requested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, NamedTuple

import talon_one
from talon_one._core.operation import Operation, Parameter, operation_of
from talon_one._schema.annotations import parse
from talon_one._utils.quoting import quoted
from talon_one._utils.suggest import did_you_mean
from talon_one.exceptions import ApiTypeError
from talon_one.spark import credentials
from talon_one.spark.columns import ddl_of
from talon_one.spark.lists import schema_of_list
from talon_one.spark.options import OptionReader, bare, several, truth, whole_number
from talon_one.tables import arrow_schema

ALL = "all"
"""Value of the option ``campaignId`` that stands for all campaigns of an Application."""
CAMPAIGNS = "campaign_id"

_EXPORTS = ("export_",)
_LISTS = ("get_", "list_")
# A partition is a whole list.
_SKIP = "skip"
_APIS = ("ManagementApi", "IntegrationApi")


class Query(NamedTuple):
    """A read, as its options describe it. It holds no key, and can be pickled."""

    api: str
    """Name of the class of the API."""
    method: str
    is_list: bool
    """Whether it reads a list page by page rather than an export."""
    arguments: dict[str, list[Any]]
    """Values of each argument. Each combination is a partition."""
    text: tuple[str, ...] | bool
    """Columns to keep as text; all if ``True``."""
    credentials: str
    own_credentials: credentials.Source | None

    @property
    def function(self) -> Callable[..., Any]:
        """The method, of its class."""
        found: Callable[..., Any] = getattr(getattr(talon_one, self.api), self.method)
        return found

    def slices(self) -> list[dict[str, Any]]:
        """Return the arguments of each partition."""
        names = list(self.arguments)
        return [
            dict(zip(names, values, strict=True)) for values in product(*self.arguments.values())
        ]

    @property
    def schema(self) -> str:
        """The columns in the language of Spark."""
        return ddl_of(self.columns)

    @property
    def columns(self) -> Any:
        """The columns of the description, as a schema of Arrow."""
        if self.is_list:
            return schema_of_list(operation_of(self.function), self.text)
        formats = self.arguments.get("date_format", [])
        given = {"date_format": formats[0]} if formats else {}
        return arrow_schema(self.function, text=self.text, **given)


def read_query(options: Mapping[str, str], own_credentials: credentials.Source | None) -> Query:
    """Return the query that options describe.

    Args:
        options: Options of the reader.
        own_credentials: What `talon_one.spark.register` was given.

    Raises:
        ApiTypeError: An option is wrong or missing.
    """
    reader = OptionReader(options, "reading from talon_one")
    if reader.text("operation") is not None:
        raise ApiTypeError(
            'rows are sent with frame.write.format("talon_one").mode("append").option("operation",'
            " ...).save(): the option operation has no meaning for reading, and views of it take no"
            " INSERT"
        )
    export, listed = reader.text("export"), reader.text("list")
    if (export is None) == (listed is None):
        both = ", and not both" if export else ""
        raise ApiTypeError(
            f"reading from talon_one needs one of the options export and list{both}, such as"
            ' .option("export", "coupons")'
        )
    found = _methods(_EXPORTS if export else _LISTS)
    wanted = bare(export or listed or "")
    if wanted not in found:
        names = [method.partition("_")[2] for _, method in found.values()]
        hint = did_you_mean(export or listed or "", names)
        kind = "export" if export else "list"
        raise ApiTypeError(f"there is no {kind} {quoted(export or listed)}.{hint}")
    api, method = found[wanted]
    operation = operation_of(getattr(getattr(talon_one, api), method))
    source = reader.text("credentials", "env") or ""
    credentials.check(source)
    text = reader.text("text")
    arguments = {}
    for parameter in operation.parameters:
        if parameter.location == "header" or parameter.name == _SKIP:
            continue
        given = reader.text(_camel(parameter.name))
        if given is not None:
            arguments[parameter.name] = _values_of(parameter, given)
        elif parameter.required:
            raise ApiTypeError(f"{export or listed} needs the option {_camel(parameter.name)}")
    reader.end()
    columns: tuple[str, ...] | bool = ()
    if text is not None and text.lower() != "false":
        columns = text.lower() == "true" or tuple(several("text", text, _same))
    return Query(api, method, listed is not None, arguments, columns, source, own_credentials)


def _methods(beginnings: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Return API and method of each export, or list, by its name."""
    found: dict[str, tuple[str, str]] = {}
    for api in _APIS:
        for name, member in vars(getattr(talon_one, api)).items():
            operation = getattr(member, "operation", None)
            if name.startswith(beginnings) and isinstance(operation, Operation):
                is_list = operation.paging is not None and operation.body is None
                is_export = operation.csv is not None and operation.upload is None
                if is_list if beginnings is _LISTS else is_export:
                    found.setdefault(bare(name.partition("_")[2]), (api, name))
    return found


def _values_of(parameter: Parameter, text: str) -> list[Any]:
    """Return the values of an option; one of numbers may have several, for as many partitions."""
    name = _camel(parameter.name)
    kind = parse(parameter.type).kind
    if parameter.name == CAMPAIGNS and text.lower() == ALL:
        return [ALL]
    if kind == "int":
        return several(name, text, _integer)
    if kind == "bool":
        return [truth(name, text)]
    if kind == "list":
        return [[part.strip() for part in text.split(",")]]
    return [text]


def _integer(name: str, text: str) -> int:
    return whole_number(name, text, 0)


def _same(name: str, text: str) -> str:
    return text


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)
