"""The sandbox's own door, `/_sandbox/...`: its clock, its seeds, and rulesets in V2 blocks.

It is for what the platform has no operation for. It takes the Management key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, NamedTuple

from talon_one.sandbox import json_text
from talon_one.sandbox.call import NO_CONTENT, Result
from talon_one.sandbox.contract.operations import decoded
from talon_one.sandbox.contract.problems import MAX_PROBLEMS
from talon_one.sandbox.errors import ApiError, Problem, invalid, not_found
from talon_one.sandbox.rulesets import activate_ruleset
from talon_one.sandbox.seeds.apply import plant
from talon_one.sandbox.seeds.errors import SeedError
from talon_one.sandbox.seeds.prepare import prepare, prepare_ruleset
from talon_one.sandbox.seeds.yaml_reader import read_yaml
from talon_one.sandbox.state.state import State
from talon_one.sandbox.world import World

ROOM: Final = "/_sandbox"
PREFIX: Final = f"{ROOM}/"
SECURITY: Final = ("management_key", "manager_auth")


@dataclass(frozen=True, slots=True)
class Visit:
    """A request at the door, authenticated and inside a transaction.

    Attributes:
        state: The state.
        world: Time and chance.
        body: The exact bytes of the body.
        ids: Numbers in the path.
        reset: Puts everything back to where the sandbox started.
        texts: Free texts in the path, decoded.
        query: Query parameters; the first of each name.
    """

    state: State
    world: World
    body: bytes
    ids: tuple[int, ...]
    reset: Callable[[], None]
    texts: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            ApiError: 400 if it is none.
        """
        try:
            value = json_text.read(self.body.decode("utf-8"))
        except ValueError as cause:
            raise invalid(Problem("Malformed", "the body is not valid JSON")) from cause
        if not isinstance(value, dict):
            raise invalid(Problem("Invalid type", "the body is not an object"))
        return value


def get_clock(visit: Visit) -> Result:
    """Return the moment that the clock shows."""
    return Result(200, {"now": visit.world.clock.text()})


def move_clock(visit: Visit) -> Result:
    """Move the clock forward: `{"now": moment}`, or `{"advance": {"days": 30}}`."""
    sent = visit.read()
    clock = visit.world.clock
    try:
        match sent:
            case {"now": str(moment), **rest} if not rest:
                clock.move_to(moment)
            case {"advance": dict(units), **rest} if not rest:
                clock.advance(**units)
            case _:
                raise ValueError('send {"now": "<moment>"} or {"advance": {"days": 30}}')
    except (TypeError, ValueError) as cause:
        raise invalid(Problem("Invalid", str(cause))) from cause
    return get_clock(visit)


def add_seed(visit: Visit) -> Result:
    """Add what is in a seed, which is YAML or JSON."""
    try:
        seed = prepare(read_yaml(visit.body.decode("utf-8"), "seed"), visit.state)
        plant(visit.state, visit.world, seed)
    except (SeedError, UnicodeDecodeError) as cause:
        raise _refused(cause) from cause
    return NO_CONTENT


def reset(visit: Visit) -> Result:
    """Forget everything, and begin anew with the seed and the clock of the start."""
    visit.reset()
    return NO_CONTENT


def put_ruleset(visit: Visit) -> Result:
    """Give a campaign a new ruleset in V2 blocks or in V1, as a seed has it, and return it."""
    campaign = visit.state.campaigns.get(visit.ids[0])
    if campaign is None:
        raise not_found("Campaign")
    try:
        text = visit.body.decode("utf-8")
        ruleset = prepare_ruleset(read_yaml(text, "ruleset"), campaign, visit.state)
    except (SeedError, UnicodeDecodeError) as cause:
        raise _refused(cause) from cause
    return Result(200, activate_ruleset(visit.state, campaign, ruleset, visit.world.clock.text()))


def _refused(cause: SeedError | UnicodeDecodeError) -> ApiError:
    if isinstance(cause, UnicodeDecodeError):
        return invalid(Problem("Malformed", "the body is not UTF-8"))
    problems = zip(cause.mistakes[:MAX_PROBLEMS], cause.lines, strict=False)
    return invalid(*(Problem("Seed", line, each.pointer) for each, line in problems))


def is_at(target: str) -> bool:
    """Return whether a request target is at the door."""
    return target.partition("?")[0].partition("#")[0] == ROOM or target.startswith(PREFIX)


Opener = Callable[[Visit], Result]


class Route(NamedTuple):
    """A route of the door.

    Attributes:
        method: HTTP method.
        path: Path behind the prefix; `{name}` stands for a free text, `{name:int}` for a number.
        opener: What handles it.
    """

    method: str
    path: str
    opener: Opener


class Found(NamedTuple):
    """The handler of a request, and the numbers and free texts in its path."""

    opener: Opener
    ids: tuple[int, ...]
    texts: tuple[str, ...]


ROUTES: Final = (
    Route("GET", "clock", get_clock),
    Route("PUT", "clock", move_clock),
    Route("POST", "seeds", add_seed),
    Route("POST", "reset", reset),
    Route("PUT", "campaigns/{campaignId:int}/ruleset", put_ruleset),
)

_PLACE: Final = re.compile(r"{\w+(:int)?}")


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PLACE.sub(lambda place: r"(\d{1,18})" if place[1] else "([^/]+)", path))


def find(method: str, path: str, routes: Sequence[Route] = ROUTES) -> Found:
    """Find the handler of a request at the door.

    Raises:
        ApiError: 404 for an unknown path, 405 for a known one with another method, 400 for one
            that is not UTF-8.
    """
    rest = path.removeprefix(PREFIX)
    allowed = []
    for route in routes:
        found = _pattern(route.path).fullmatch(rest)
        if found and route.method == method:
            places = list(zip(_PLACE.findall(route.path), found.groups(), strict=True))
            ids = tuple(int(text) for kind, text in places if kind)
            return Found(
                route.opener, ids, tuple(decoded(text) for kind, text in places if not kind)
            )
        if found:
            allowed.append(route.method)
    if allowed:
        raise ApiError(
            405, f"The sandbox does not allow {method} for {path}", allow=tuple(sorted(allowed))
        )
    known = ", ".join(listed(routes))
    raise ApiError(404, f"The sandbox does not support {method} {path}; it has {known}")


def listed(routes: Sequence[Route] = ROUTES) -> list[str]:
    """Return routes of the door in words, each as its method and its path."""
    return [f"{each.method} {PREFIX}{each.path.replace(':int', '')}" for each in routes]
