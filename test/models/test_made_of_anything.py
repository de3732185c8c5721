"""Whatever a model is made of, nothing but our own exceptions comes out of it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import talon_one
from support.hostile import assert_ours, can_be_key
from talon_one import IntegrationRequest, Model
from talon_one._schema.json_codec import NULL

REQUEST: Any = IntegrationRequest


def _session(value: Any) -> Any:
    made: Any = REQUEST(
        customer_session={"attributes": {"a": value}, "cartItems": [value], "state": value}
    )
    made["extra"] = value
    return made


def test_models_made_of_anything() -> None:
    model: Any = talon_one.NewCustomerSessionV2
    made: Any = model()
    coupons: Any = talon_one.NewCoupons.from_dict({})
    assert_ours(
        {
            "constructor": lambda v: model(v, attributes=v, cart_items=v, state=v),
            "unknown": lambda v: model(**{v: 1}) if type(v) is str else None,
            "from_dict": model.from_dict,
            "from_dict deep": lambda v: model.from_dict({"attributes": v, "cart_items": v}),
            "from_json": model.from_json,
            "set": lambda v: setattr(made, "attributes", v),
            "set moment": lambda v: setattr(coupons, "start_date", v),
            "get": lambda v: made.get(v) if can_be_key(v) else None,
            "item": lambda v: made[v] if can_be_key(v) else None,
            "contains": lambda v: v in made if can_be_key(v) else None,
        }
    )


def test_models_that_hold_anything() -> None:
    def twice(value: Any) -> None:
        one, other = _session(value), _session(value)
        assert isinstance(one, Model)
        one.__eq__(other)

    assert_ours(
        {
            "to_json": lambda v: _session(v).to_json(),
            "to_wire": lambda v: _session(v).to_wire(),
            "to_dict": lambda v: _session(v).to_dict(),
            "validate": lambda v: _session(v).validate(),
            "read": lambda v: [_session(v).customer_session.cart_items, _session(v).values()],
            "iterate": lambda v: dict(_session(v).items()),
            "NULL": lambda v: _session([NULL, v]).validate(),
            "equal": twice,
        },
        count=400,
    )


def test_models_that_hold_what_json_can_are_shown_and_copied() -> None:
    """What else they hold has a representation and a pickle of its own, which may raise."""

    def use(value: Any) -> None:
        made = IntegrationRequest.from_json(_session(value).to_json())
        repr(made)
        made.to_str()
        assert pickle.loads(pickle.dumps(made)) == made
        assert copy.deepcopy(made) == made.copy()

    assert_ours({"use": use}, count=400)
