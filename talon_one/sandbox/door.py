"""The sandbox's own door, `/_sandbox/...`: its clock, its seeds, and rulesets in V2 blocks.

It is for what the platform has no operation for. It takes the Management key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from talon_one.sandbox import json_text
from talon_one.sandbox.call import NO_CONTENT, Result
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
    """

    state: State
    world: World
    body: bytes
    ids: tuple[int, ...]
    reset: Callable[[], None]

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

_ROUTES: Final[tuple[tuple[str, re.Pattern[str], Opener], ...]] = (
    ("GET", re.compile(r"clock"), get_clock),
    ("PUT", re.compile(r"clock"), move_clock),
    ("POST", re.compile(r"seeds"), add_seed),
    ("POST", re.compile(r"reset"), reset),
    ("PUT", re.compile(r"campaigns/(\d{1,18})/ruleset"), put_ruleset),
)


def find(method: str, path: str) -> tuple[Opener, tuple[int, ...]]:
    """Find the handler of a request at the door, and the numbers in its path.

    Raises:
        ApiError: 404 for an unknown path, 405 for a known one with another method.
    """
    rest = path.removeprefix(PREFIX)
    allowed = []
    for wanted, pattern, opener in _ROUTES:
        found = pattern.fullmatch(rest)
        if found and wanted == method:
            return opener, tuple(int(number) for number in found.groups())
        if found:
            allowed.append(wanted)
    if allowed:
        raise ApiError(
            405, f"The sandbox does not allow {method} for {path}", allow=tuple(sorted(allowed))
        )
    known = ", ".join(routes())
    raise ApiError(404, f"The sandbox does not support {method} {path}; it has {known}")


def routes() -> list[str]:
    """Return the routes of the door, each as its method and its path."""
    return [f"{method} {PREFIX}{_readable(pattern)}" for method, pattern, _ in _ROUTES]


def _readable(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.replace(r"(\d{1,18})", "{campaignId}")
