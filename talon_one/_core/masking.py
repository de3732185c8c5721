"""Mask the secrets in request and response bodies before they are logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one._core.secret import MASK
from talon_one._schema import json_codec
from talon_one._schema.access import data_of, fields_by_wire_name
from talon_one._schema.conversion import convert
from talon_one._schema.fields import NestedField, VariantField
from talon_one._schema.model import Model

# Properties that are secret even where the description does not know them: in raw calls, and among
# additional properties. In lower case, without underscores.
_NAMES = frozenset(
    {
        "accesstoken",
        "apikey",
        "authorization",
        "clientsecret",
        "credential",
        "credentials",
        "dataapikey",
        "invitetoken",
        "newpassword",
        "passcode",
        "password",
        "privatekey",
        "refreshtoken",
        "resettoken",
        "secret",
        "token",
    }
)
# Headers of webhooks and notifications: many hold a credential of the shop.
_HEADERS = "headers"


def masked(body: Any, written: Any, models: str) -> Any:
    """Return a body with its secrets masked.

    Args:
        body: Bytes of a request or response; anything else is returned as it is.
        written: Its type in the operation, such as ``LoginParams``, ``list[Coupon]``, ``Any``.
        models: Package in which names of models are looked up.

    Returns:
        The body, unchanged if it holds no secret.
    """
    if not isinstance(body, bytes) or not body:
        return body
    try:
        plain = json_codec.decode(body)
        shown = _masked(convert(plain, written or "Any", models))
        return body if shown == plain else json_codec.encode(shown)
    except (ValueError, TypeError, RecursionError):
        # Not JSON, such as a table; or JSON that cannot be searched for secrets.
        return body if body.lstrip()[:1] not in (b"{", b"[") else f"<{len(body)} bytes>"


def _masked(value: Any, cls: type[Model] | None = None) -> Any:
    if isinstance(value, Model):
        value, cls = data_of(value), type(value)
    if isinstance(value, Mapping):
        cls = cls and cls._class_of(value)
        return {key: _property(key, item, value, cls) for key, item in value.items()}
    return [_masked(item, cls) for item in value] if isinstance(value, list) else value


def _property(key: str, value: Any, around: Mapping[str, Any], cls: type[Model] | None) -> Any:
    declared = fields_by_wire_name(cls).get(key) if cls is not None else None
    if declared is None:
        if str(key).lower().replace("_", "").replace("-", "") in _NAMES:
            return None if value is None else MASK
    elif declared.secret:
        return None if value is None else MASK
    if key == _HEADERS:
        return _masked_headers(value)
    if isinstance(declared, NestedField):
        return _masked(value, declared.target)
    if isinstance(declared, VariantField):
        return _masked(value, declared.class_for(around.get(declared.by)))
    return _masked(value)


def _masked_headers(value: Any) -> Any:
    if isinstance(value, dict):
        return dict.fromkeys(value, MASK)
    if isinstance(value, list):
        return [
            f"{each.partition(':')[0]}: {MASK}" if isinstance(each, str) else _masked(each)
            for each in value
        ]
    return _masked(value)
