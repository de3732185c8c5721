"""Hostile values, for tests that they cause only exceptions of this package."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
import random
import sys
import uuid
import warnings
from collections import ChainMap, OrderedDict, UserDict, UserList, UserString, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, Flag
from functools import cache
from pathlib import PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Any

from talon_one import OpenApiException


class Rude(Exception):
    """What the values below raise; it must never get out by itself."""


def _raise(*_: Any, **__: Any) -> Any:
    raise Rude


def _class(name: str, base: type, *methods: str) -> type:
    return type(name, (base,), dict.fromkeys(methods, _raise))


class _Liar:
    """Pretends to be of another class."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    @property  # type: ignore[misc]  # that is the lie
    def __class__(self) -> Any:
        return object.__getattribute__(self, "_cls")


class _NoZone(datetime.tzinfo):
    """A time zone that does not know its distance, as that of pandas' ``NaT``."""

    utcoffset = dst = tzname = _raise


class _FarZone(datetime.tzinfo):
    def utcoffset(self, _: Any) -> datetime.timedelta:
        return datetime.timedelta(hours=23, minutes=59)

    def dst(self, _: Any) -> None:
        return None

    def tzname(self, _: Any) -> None:
        return None


class _Text(Enum):
    EVIL = "a\r\nb"


class _Bits(Flag):
    A = 1


class _RaisingMapping(Mapping[str, Any]):
    __getitem__ = __iter__ = __len__ = _raise


class _EndlessMapping(Mapping[str, Any]):
    """Has one entry, of which it says that there are more."""

    def __getitem__(self, key: str) -> Any:
        return self

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


class _RaisingSequence(Sequence[Any]):
    __getitem__ = __len__ = _raise


def _circular() -> list[Any]:
    in_list: list[Any] = []
    in_list.append(in_list)
    in_dict: dict[str, Any] = {}
    in_dict["a"] = in_dict
    return [in_list, in_dict, {"a": [in_dict]}]


@cache
def _deep(depth: int) -> list[Any]:
    """Return what is nested so deep; nothing of it is used up, and to make it takes long."""
    in_list: Any = []
    in_dict: Any = {}
    for _ in range(depth):
        in_list = [in_list]
        in_dict = {"a": in_dict}
    return [in_list, in_dict]


def _objects() -> list[Any]:
    everything = ("__str__", "__repr__", "__iter__", "__len__", "__bool__", "__eq__", "__hash__")
    more = ("__int__", "__float__", "__index__", "__getitem__", "__contains__", "__fspath__")
    made: list[Any] = [_class("Raises", object, *everything, *more)()]
    for name in (
        *everything,
        *more,
        "__getattr__",
        "__format__",
        "__call__",
        "__lt__",
        "__enter__",
    ):
        made.append(_class(f"Raises{name}", object, name)())
    for base, value in (
        *((str, "a"), (int, 1), (float, 1.5), (bytes, b"a"), (list, [1]), (dict, {"a": 1})),
        *((tuple, (1, 2)), (set, {1}), (frozenset, {1})),
    ):
        for names in (("__str__", "__repr__"), ("__iter__", "__len__"), ("__eq__", "__hash__")):
            made.append(_class(f"Raising{base.__name__}", base, *names)(value))
    made += [_Liar(str), _Liar(dict), _Liar(int), _Liar(type), _RaisingMapping()]
    return [*made, _RaisingSequence()]


def _texts() -> list[str]:
    characters = (
        "\0\t\n\r\x1b\x7f\x85\xa0\u200b\u2028\u202e\u3002\uff0e\uff0f\ufeff\ufffe\U0001f600"
    )
    made = [
        "",
        " ",
        "\ud83d",
        "a" * 100_000,
        "{",
        "{a}",
        "%s",
        "%",
        "%00",
        "%zz",
        "..",
        ".",
        "/",
        "//",
    ]
    made += [
        "null",
        "NaN",
        "1e400",
        "[" * 2000,
        '{"a":' * 2000,
        "true",
        "-1",
        "0",
        "0x10",
        "1_000",
        "٣",
    ]
    made += [*characters, *(f"a{character}b" for character in characters)]
    made += [
        "https://[",
        "https://a:b@c",
        "a@b",
        "\r\nX-Evil: 1",
        "a:b",
        "a;b",
        "a,b",
        "../../etc/passwd",
    ]
    made += [
        "2026-13-01",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "list[",
        "Literal[(",
    ]
    made += [
        "dict(",
        "Optional[",
        "Literal[__import__('os')]",
        "list[list[list[Coupon]]]",
        "\\",
        "'",
        '"',
    ]
    return made


def _numbers() -> list[Any]:
    made: list[Any] = [0, -1, 1, 2**31, 2**63, 2**64, -(2**70), 10**400, True, False]
    made += [math.nan, math.inf, -math.inf, 1e308, 5e-324, -0.0, 0.1, 1j, complex("nan")]
    made += [
        decimal.Decimal(text) for text in ("NaN", "sNaN", "Infinity", "1E+9999", "1E-9999", "-0")
    ]
    return [*made, fractions.Fraction(1, 3), sys.maxsize]


def _moments() -> list[Any]:
    zones = [
        None,
        datetime.timezone.utc,
        _NoZone(),
        _FarZone(),
        datetime.timezone(-_FAR),
        datetime.timezone(_FAR),
    ]
    made: list[Any] = [
        each.replace(tzinfo=zone)
        for each in (datetime.datetime.min, datetime.datetime.max)
        for zone in zones
    ]
    made += [datetime.date.min, datetime.date.max, datetime.time(1), datetime.timedelta.max]
    return [*made, *_others()]


_FAR = datetime.timedelta(hours=23, minutes=59)


def _others() -> list[Any]:
    """Return what only data frames have, and what is not data at all."""
    import numpy
    import pandas

    made: list[Any] = [
        pandas.NaT,
        pandas.NA,
        numpy.float64("nan"),
        numpy.datetime64("NaT", "ns"),
        numpy.array([1, 2]),
    ]
    made += [
        pandas.Timestamp("2026-01-01"),
        pandas.DataFrame({"a": [1]}),
        numpy.bool_(True),
        numpy.int8(1),
    ]
    made += [
        numpy.array(1),
        pandas.Series([1]),
        object(),
        object,
        int,
        len,
        _raise,
        (lambda: None),
        ...,
    ]
    made += [
        NotImplemented,
        sys,
        range(3),
        iter([1]),
        (n for n in range(2)),
        _deferred(),
        memoryview(b"a"),
    ]
    made += [
        SimpleNamespace(a=1),
        _Text.EVIL,
        _Bits.A,
        _Bits(0),
        PurePosixPath("/a"),
        uuid.UUID(int=0),
        Rude(),
    ]
    return made


def _deferred() -> Iterator[Any]:
    yield 1
    raise Rude


def _containers() -> list[Any]:
    made: list[Any] = [
        [],
        {},
        (),
        set(),
        frozenset(),
        b"",
        bytearray(b"a"),
        deque([1]),
        [None],
        [[]],
        [{}],
    ]
    made += [
        {1: 2},
        {None: None},
        {(1, 2): 3},
        {"": ""},
        {"a": object()},
        {"\ud83d": "\ud83d"},
        {b"a": 1},
    ]
    made += [
        UserDict({"a": 1}),
        UserList([1]),
        UserString("a"),
        OrderedDict(a=1),
        ChainMap({"a": 1}, {}),
    ]
    made += [
        MappingProxyType({"a": 1}),
        (1,),
        (1, 2, 3),
        (None, None),
        ("a", "b"),
        [("a", "b")],
        [(1,)],
    ]
    return made


def _endless() -> list[Any]:
    """Values that lead as deep as anything may go, so that each of them takes its time."""
    return [*_circular(), *_deep(200), *_deep(1000), *_deep(5000), _EndlessMapping()]


KINDS: tuple[Callable[[], list[Any]], ...] = (
    _objects,
    _texts,
    _numbers,
    _moments,
    _containers,
)


def values(count: int = 1000, seed: int = 7) -> list[Any]:
    """Return up to so many values: those of each kind, and then combinations drawn at random.

    Those that take their time stand alone, and once in each kind of container.

    They are made anew each time, since iterators among them are used up.
    """
    basic = [value for kind in KINDS for value in kind()]
    endless = _endless()
    parts = [*_texts()[16:40], "a", "/", "%", ":", "@"]
    draw = random.Random(seed)
    made = [*basic, *endless, [endless[-1]], {"a": {"b": [endless[0]]}}, (1, endless[1])]
    while len(made) < count:
        one, other = draw.choice(basic), draw.choice(basic)
        text = "".join(draw.choices(parts, k=3))
        made.append(
            draw.choice(
                [[one], {"a": one}, (one, other), {"a": {"b": [one]}}, [one, {"id": other}], text]
            )
        )
    # Some of each kind, also if there are few.
    return made[:: -(-len(made) // count)]


def name_of(value: Any) -> str:
    """Return what a failure of a test says of a value, whose own words may raise."""
    try:
        return f"{type(value).__name__} {value!r}"[:80]
    except Exception:  # That is what it is made for.
        return type(value).__name__


Entry = Callable[[Any], object]


def violations(entries: Mapping[str, Entry], count: int = 1000) -> list[str]:
    """Feed values to entry points; return what came out of them that is none of ours."""
    found = []
    for name, entry in entries.items():
        for value in values(count):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    entry(value)
            except OpenApiException:
                continue
            except Exception as foreign:  # That is what these tests are about.
                found.append(f"{name}: {type(foreign).__name__} of {name_of(value)}")
    return found


def assert_ours(entries: Mapping[str, Entry], count: int = 1000) -> None:
    """Fail with every violation if there is one."""
    found = violations(entries, count)
    assert not found, "\n".join([f"{len(found)} violations", *found])


def can_be_key(value: Any) -> bool:
    """Say whether a value can stand in a dict."""
    try:
        hash(value)
    except Exception:  # What raises cannot.
        return False
    return True
