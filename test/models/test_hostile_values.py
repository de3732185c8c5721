"""Hostile values in a model: whatever they raise, the caller gets an exception of this package."""

from __future__ import annotations

import copy
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import talon_one
from support.spec import MODELS
from talon_one import NULL, Model, OpenApiException, unchecked
from talon_one._schema import json_codec
from talon_one._schema.validation import value_violations


class Oops(Exception):
    def __str__(self) -> str:
        raise ValueError("nor does this work")


def raising(*names: str, base: type = object) -> Any:
    """Return an object whose special methods of these names raise."""

    def fail(self: object, *args: object, **kwargs: object) -> Any:
        raise Oops

    return type("Raising", (base,), {f"__{name}__": fail for name in names})()


class Zone(tzinfo):
    def __init__(self, offset: Any) -> None:
        self.offset = offset

    def utcoffset(self, moment: datetime | None) -> Any:
        if self.offset is Oops:
            raise Oops
        return self.offset

    def tzname(self, moment: datetime | None) -> str:
        raise Oops

    def dst(self, moment: datetime | None) -> Any:
        raise Oops


class Keys(Mapping[str, Any]):
    """A mapping that has keys and no values."""

    def __getitem__(self, key: str) -> Any:
        raise Oops

    def __iter__(self) -> Iterator[str]:
        return iter("ab")

    def __len__(self) -> int:
        return 2


class Members(Enum):
    TEXT = "x"
    LIST = [1]  # noqa: RUF012  # an odd member is what is wanted
    LATE = datetime.max
    ODD = object()


class Numbers(IntEnum):
    ONE = 1


def _loop() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["a"] = {"b": [loop]}
    return loop


def _deep(levels: int) -> Any:
    made: Any = [1]
    for _ in range(levels):
        made = {"a": [made]}
    return made


def _deep_model() -> Any:
    made: Any = Model._wrap({})
    for _ in range(1_500):
        made = Model._wrap({"a": made})
    return made


# Functions, so that what one example does to a value is not seen by the next.
VALUES: dict[str, Callable[[], Any]] = {
    "raising repr": lambda: raising("repr", "str"),
    "raising eq": lambda: raising("eq", "hash"),
    "raising getattr": lambda: raising("getattr"),
    "raising getattribute": lambda: raising("getattribute"),
    "raising bool": lambda: raising("bool", "len"),
    "raising copy": lambda: raising("deepcopy", "copy", "reduce_ex"),
    "raising str": lambda: raising("repr", "str", "len", "hash", base=str),
    "raising int": lambda: raising("repr", "int", "index", "eq", "lt", "gt", base=int),
    "raising float": lambda: raising("repr", "float", "eq", "abs", base=float),
    "raising list": lambda: raising("iter", "len", "repr", base=list),
    "raising dict": lambda: raising("iter", "len", "repr", "getitem", base=dict),
    "raising datetime": lambda: datetime(2026, 1, 1, tzinfo=Zone(Oops)),
    "odd zone": lambda: datetime(2026, 1, 1, tzinfo=Zone("2h")),
    "odd offset": lambda: datetime.min.replace(tzinfo=Zone(timedelta(hours=23, seconds=59))),
    "first moment": lambda: datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    "last moment": lambda: datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    "keys alone": Keys,
    "text": lambda: "x",
    "half a character": lambda: "\ud800",
    "NUL": lambda: "\0",
    "huge int": lambda: 10**5_000,
    "huge negative": lambda: -(10**5_000),
    "1e400": lambda: json_codec.decode(b"1e400"),
    "nan": lambda: float("nan"),
    "inf": lambda: float("-inf"),
    "decimal nan": lambda: Decimal("sNaN"),
    "decimal": lambda: Decimal("1e999999999"),
    "small decimal": lambda: Decimal("1e-999999999"),
    "fraction": lambda: Fraction(1, 3),
    "huge fraction": lambda: Fraction(10**400, 3),
    "complex": lambda: 1j,
    "bytes": lambda: b"\xff",
    "uuid": lambda: UUID(int=1),
    "date": lambda: date.min,
    "timedelta": lambda: timedelta.max,
    "enum": lambda: Members.TEXT,
    "enum of a list": lambda: Members.LIST,
    "enum of a moment": lambda: Members.LATE,
    "odd enum": lambda: Members.ODD,
    "int enum": lambda: Numbers.ONE,
    "null": lambda: NULL,
    "ellipsis": lambda: ...,
    "class": lambda: talon_one.CartItem,
    "function": lambda: len,
    "mock": MagicMock,
    "namespace": lambda: SimpleNamespace(shape=(), dtype=1),
    "generator": lambda: iter(()),
    "range": lambda: range(3),
    "set": lambda: {1, "a"},
    "loop": _loop,
    "deep": lambda: _deep(3_000),
    "deep model": _deep_model,
    "odd keys": lambda: {(1, 2): 3, None: 1, b"x": 2, 1.5: {}, NULL: 3},
    "model": lambda: talon_one.Picklist.from_json('{"values": 1, "items": 2, "keys": 3}'),
    "unchecked": lambda: unchecked("x"),
    "numpy int": lambda: np.int64(1),
    "numpy float": lambda: np.float32("nan"),
    "numpy bool": lambda: np.bool_(True),
    "numpy array": lambda: np.array([1, 2]),
    "numpy scalar array": lambda: np.array("x"),
    "numpy moment": lambda: np.datetime64("2026-01-01T00:00:00", "s"),
    "numpy far moment": lambda: np.datetime64("200000-01-01T00:00:00", "s"),
    "numpy record": lambda: np.array([(1, 2.0)], dtype=[("a", int), ("b", float)])[0],
    "NaT": lambda: pd.NaT,
    "NA": lambda: pd.NA,
    "series": lambda: pd.Series([1]),
    "frame": lambda: pd.DataFrame({"a": [1]}),
    "interval": lambda: pd.Interval(0, 1),
}

PLACES: dict[str, Callable[[Any], Any]] = {
    "alone": lambda value: value,
    "list": lambda value: [1, value],
    "tuple": lambda value: (value,),
    "dict": lambda value: {"a": value, "sku": value},
    "list of lists": lambda value: [[{"a": value}]],
    "model": lambda value: Model._wrap({"b": value}),
}

KINDS = ["str", "int", "float", "bool", "datetime", "date", "Any", "list[str]", "dict[str, int]",
         'Literal["a", "b"]', "list[datetime]"]  # fmt: skip


def _attempt(what: Callable[[], object]) -> object:
    try:
        return what()
    except OpenApiException:
        return None


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    name=st.sampled_from(MODELS),
    chosen=st.lists(
        st.tuples(st.integers(0), st.sampled_from(list(VALUES)), st.sampled_from(list(PLACES))),
        min_size=1,
        max_size=3,
    ),
)
def test_a_model_of_hostile_values_does_what_it_can_and_fails_as_one_of_ours(
    name: str, chosen: list[tuple[int, str, str]]
) -> None:
    cls: Any = getattr(talon_one, name)
    properties = [*cls.attribute_map, "novelty"]

    def made() -> Any:
        model = cls()
        for index, value, place in chosen:
            key = properties[index % len(properties)]
            held = PLACES[place](VALUES[value]())
            if key == "novelty":
                model["novelty"] = held
            else:
                setattr(model, key, held)
        return model

    model = made()
    other = made()
    plain = dict(model._data)
    for what in (
        model.validate,
        model.to_json,
        model.to_wire,
        model.to_dict,
        model.copy,
        lambda: copy.copy(model),
        lambda: copy.deepcopy(model),
        lambda: model == other,
        lambda: model != cls(),
        lambda: [getattr(model, each) for each in cls.attribute_map],
        lambda: cls.from_dict(plain),
        lambda: cls.from_dict({**plain, "sku": 1}),
        lambda: json_codec.encode([model]),
        lambda: model.additional_properties,
    ):
        _attempt(what)
    # These two never fail, because people look at things that went wrong.
    assert repr(model).startswith(name)
    assert isinstance(model.to_str(), str)


@settings(deadline=None, derandomize=True, database=None, max_examples=150)
@given(
    kind=st.sampled_from(KINDS),
    value=st.sampled_from(list(VALUES)),
    place=st.sampled_from(list(PLACES)),
    constraints=st.sampled_from(
        [{}, {"minimum": 1}, {"max_length": 1, "pattern": "a"}, {"unique_items": True}]
    ),
)
def test_a_hostile_value_alone_is_checked_or_refused(
    kind: str, value: str, place: str, constraints: dict[str, Any]
) -> None:
    held = PLACES[place](VALUES[value]())
    for each in _attempt(lambda: value_violations(kind, constraints, held)) or ():  # type: ignore[attr-defined]
        assert str(each)


def test_a_value_that_can_be_pickled_can_be_pickled_in_a_model() -> None:
    unequal = {
        "generator",
        "nan",
        "decimal nan",
        "numpy float",
        "NaT",
        "NA",
        "numpy array",
        "series",
        "frame",
    }
    failed = []
    for name, value in VALUES.items():
        try:
            pickle.loads(pickle.dumps(value()))
        except (Exception, RecursionError):  # That is its own affair.
            continue
        model = Model._wrap({"a": value()})
        again = pickle.loads(pickle.dumps(model))
        if name not in unequal and _attempt(lambda a=again, m=model: a == m) is False:  # type: ignore[misc]
            failed.append(name)
    assert failed == []


class TimeIsUp(TimeoutError):
    """What a signal handler of an application raises."""


class _Strikes:
    """A value in the middle of which a signal arrives, once."""

    def __init__(self) -> None:
        self.struck = False

    def strike(self) -> Any:
        if not self.struck:
            self.struck = True
            signal.raise_signal(signal.SIGTERM)
        return {}

    def __repr__(self) -> str:
        return str(self.strike())

    def __eq__(self, other: object) -> bool:
        return bool(self.strike())

    def __deepcopy__(self, memo: Any) -> Any:
        return self.strike()

    def items(self) -> Any:
        return self.strike()

    def __iter__(self) -> Any:
        return iter(self.strike())

    def __len__(self) -> int:
        return len(self.strike())

    keys = items
    __hash__ = None  # type: ignore[assignment]  # as of what can be compared


Mapping.register(_Strikes)


def test_an_exception_of_a_signal_handler_passes_unchanged() -> None:
    def handler(number: int, frame: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGTERM, handler)
    try:
        for what in (
            lambda model: model.to_json(),
            lambda model: model.to_wire(),
            lambda model: model.validate(),
            lambda model: model.copy(),
            lambda model: model.to_str(),
            repr,
            lambda model: model == talon_one.NewCustomerSessionV2(attributes={"a": [0]}),
        ):
            with pytest.raises(TimeIsUp):
                what(talon_one.NewCustomerSessionV2(attributes={"a": [_Strikes()]}))
    finally:
        signal.signal(signal.SIGTERM, before)
