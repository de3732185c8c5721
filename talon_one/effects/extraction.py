"""Get the effects out of a response, and the props out of an effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from talon_one._core.hooks import logger
from talon_one._schema.access import fields_of
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ApiTypeError, ApiValueError
from talon_one.models import Effect

if TYPE_CHECKING:
    from typing import Protocol, TypeAlias

    class HasEffects(Protocol):
        """A response that lists effects."""

        @property
        def effects(self) -> Sequence[Effect] | None:
            """The effects; null if the server lists none."""

    EffectSource: TypeAlias = HasEffects | Iterable[Effect | dict[str, Any]]

_NOT_V1 = "effects of V1 responses are lists; read them from response.event.effects"


def effects_of(response: EffectSource | None) -> list[Effect]:
    """Return the effects in a response, in a list, or in any object with the attribute `effects`.

    Entries that are not JSON objects, such as nulls, are skipped, and the logger ``talon_one``
    reports them.

    Raises:
        ApiTypeError: *response* is ``None``, a response of a V1 operation, or something else
            without effects.
    """
    listed: Any = response
    if isinstance(response, Model):
        if "effects" not in fields_of(response):
            hint = f"; {_NOT_V1}" if "event" in fields_of(response) else ""
            raise ApiTypeError(f"{type(response).__name__} has no effects{hint}")
        # Servers send null, or nothing, instead of an empty list.
        listed = [] if response.get("effects") is None else response["effects"]
    elif response is None:
        raise ApiTypeError("there is no response; to get one for an event, pass silent='no'")
    elif not isinstance(response, Iterable):
        # Such as the `StateChange` of a closed session.
        with guarded("the response"):
            listed = getattr(response, "effects", response)
        listed = [] if listed is None else listed
    if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Iterable):
        raise ApiTypeError(f"effects come from a response or a list, not {type(listed).__name__}")
    with guarded("the list of effects"):
        entries = list(listed)
    found = [_effect(entry) for entry in entries if isinstance(entry, (Effect, dict))]
    if len(found) < len(entries):
        others = [entry for entry in entries if not isinstance(entry, (Effect, dict))]
        _skip(others, only_these=not found, from_server=isinstance(response, Model))
    return found


def props_of(effect: Effect) -> Any:
    """Return the props of an effect, as an object of the class for its type.

    Raises:
        ApiValueError: They are missing, or not an object.
    """
    props: object = effect.props
    if not isinstance(props, Model):
        raise ApiValueError(f"{place(effect)}: props is {quoted(props)}, not an object")
    return props


def place(effect: Effect) -> str:
    """Return a description of an effect that leads people to the rule behind it."""
    kind: object = effect.effect_type
    shown = kind if type(kind) is str else quoted(kind)
    return f"{shown} of campaign {quoted(effect.campaign_id)}, rule {quoted(effect.rule_name)}"


def _effect(entry: Effect | dict[str, Any]) -> Effect:
    return entry if isinstance(entry, Effect) else Effect.from_dict(entry)


def _skip(others: list[Any], only_these: bool, from_server: bool) -> None:
    """Log entries that are not effects, or refuse a list that contains nothing else.

    Args:
        others: The entries.
        only_these: Whether the list contains no effects.
        from_server: Whether a server sent the list, rather than the caller.
    """
    for other in others if only_these else ():
        hint = f"; {_NOT_V1}" if isinstance(other, (list, tuple)) else ""
        if hint or not (from_server or other is None):
            raise ApiTypeError(
                f"an effect is an Effect or a dict, not {type(other).__name__}{hint}"
            )
    logger.warning("skipped entries that are not effects: %s", quoted(others))
