"""Functions of times. The parts of a time are texts, in the zone of the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from talon_one.sandbox.talang.comparison import between
from talon_one.sandbox.talang.declarations import Declaration, Function, Overload, expect
from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.run import Expression, Run
from talon_one.sandbox.talang.time_layouts import (
    check_layout,
    format_layout,
    parse_layout,
    parse_rfc3339,
)
from talon_one.sandbox.talang.values import (
    ARITHMETIC,
    BOOLEAN,
    DECIMAL,
    STRING,
    TIME,
    admit,
    time_text,
)

_UNITS: Final = {
    "days": timedelta(days=1),
    "hours": timedelta(hours=1),
    "minutes": timedelta(minutes=1),
}
# The calendar has fewer minutes than that.
_LARGEST_COUNT: Final = 10**10
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)


def _parse(run: Run, text: str, layout: str | None = None) -> datetime:
    run.read_text(text)
    if layout is None:
        return parse_rfc3339(text)
    # A layout that is new becomes a regular expression first.
    run.spend(100 + 10 * len(layout))
    return parse_layout(text, layout)


def _format(run: Run, moment: datetime, layout: str | None = None) -> str:
    if layout is None:
        return time_text(moment)
    run.spend(10 + len(layout))
    return format_layout(moment, layout)


def _match(run: Run, first: datetime, second: datetime, layout: str) -> bool:
    return _format(run, first, layout) == _format(run, second, layout)


def _shift(sign: int) -> Callable[[Run, datetime, Decimal, str], datetime]:
    def call(run: Run, moment: datetime, count: Decimal, unit: str) -> datetime:
        step = _unit(unit)
        if not abs(count) <= _LARGEST_COUNT:
            raise TalangError("the time lies outside the calendar")
        whole = int(count.to_integral_value(ROUND_DOWN, ARITHMETIC))
        try:
            return moment + sign * whole * step
        except OverflowError:
            raise TalangError("the time lies outside the calendar") from None

    return call


def _unit(name: str) -> timedelta:
    unit = _UNITS.get(name)
    if unit is None:
        raise TalangError(f"a duration counts {', '.join(_UNITS)}, not {name[:50]!r}")
    return unit


def _days_between(run: Run, first: datetime, second: datetime) -> Decimal:
    micros = (second - first) // _MICROSECOND
    return ARITHMETIC.divide(Decimal(micros), Decimal(_DAY // _MICROSECOND))


def _days(run: Run, moment: datetime, now: datetime | None = None) -> str:
    if now is None:
        if "Now" not in run.bindings:
            raise TalangError("days needs the current time as the binding Now")
        now = expect(admit(run.bindings["Now"]), TIME)
    return str(int((moment - now) / _DAY))


def _before(run: Run, first: datetime, second: datetime) -> bool:
    return first < second


def _after(run: Run, first: datetime, second: datetime) -> bool:
    return first > second


def _part(read: Callable[[datetime], object]) -> Function:
    return Function(Overload((TIME,), lambda run, moment: str(read(moment)), STRING))


def _check_literal(position: int, check: Callable[[str], object]) -> Callable[..., int]:
    def check_parts(parts: Sequence[Expression]) -> int:
        if len(parts) > position and parts[position].literal:
            try:
                check(parts[position].source)
            except TalangError as error:
                error.path = parts[position].path
                raise
        return 0

    return check_parts


def _duration(sign: int) -> Function:
    check = _check_literal(2, _unit)
    return Function(Overload((TIME, DECIMAL, STRING), _shift(sign), TIME, check=check))


_LAYOUT: Final = _check_literal(1, check_layout)

FUNCTIONS: Final[dict[str, Declaration]] = {
    "parsetime": Function(Overload((STRING, STRING), _parse, TIME, optional=1, check=_LAYOUT)),
    "formattime": Function(Overload((TIME, STRING), _format, STRING, optional=1, check=_LAYOUT)),
    "matchtime": Function(
        Overload((TIME, TIME, STRING), _match, BOOLEAN, check=_check_literal(2, check_layout))
    ),
    "addduration": _duration(1),
    "subduration": _duration(-1),
    "before": Function(Overload((TIME, TIME), _before, BOOLEAN)),
    "after": Function(Overload((TIME, TIME), _after, BOOLEAN)),
    "betweentimes": Function(Overload((TIME, TIME, TIME), between, BOOLEAN)),
    "daysbetween": Function(Overload((TIME, TIME), _days_between, DECIMAL)),
    "days": Function(Overload((TIME, TIME), _days, STRING, optional=1)),
    "date": _part(lambda moment: moment.date().isoformat()),
    "year": _part(lambda moment: moment.year),
    "month": _part(lambda moment: moment.month),
    "monthday": _part(lambda moment: moment.day),
    "weekday": _part(lambda moment: moment.isoweekday() % 7),
    "hour": _part(lambda moment: moment.hour),
    "minute": _part(lambda moment: moment.minute),
}
