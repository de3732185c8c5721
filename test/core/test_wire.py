"""JSON text and Python data: nothing is lost on the way in, nothing wrong is sent."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talon_one import NULL, ApiTypeError, ApiValueError, CartItem, wire

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture(params=["orjson", "json"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test with and without the faster library."""
    if request.param == "json":
        monkeypatch.setattr(wire, "orjson", None)
    else:
        assert wire.orjson is not None, "orjson is among the requirements of the tests"
    return str(request.param)


class Colour(Enum):
    RED = "red"


@given(JSON)
def test_what_was_encoded_decodes_to_the_same_data(data: Any) -> None:
    assert wire.decode(wire.encode(data)) == data


@given(JSON)
def test_what_another_library_wrote_decodes_to_the_same_data(data: Any) -> None:
    assert wire.decode(json.dumps(data).encode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "123456789012345678901234567890",
        "-123456789012345678901234567890",
        "18446744073709551616",
        '{"id": 99999999999999999999}',
        '["\\ud800"]',
        '"\\udfff\\ud83d"',
        "[0.1, 1e22, -0.0]",
        "\ufeff[1]",
    ],
)
def test_decoding_gives_what_the_standard_library_gives(text: str) -> None:
    expected = json.loads(text.removeprefix("\ufeff"))
    decoded = wire.decode(text.encode("utf-8", "surrogatepass"))
    assert decoded == expected
    assert type(decoded) is type(expected)


def test_deep_nesting_decodes_or_is_a_value_error() -> None:
    assert wire.decode(b"[" * 500 + b"]" * 500)
    with pytest.raises(ValueError, match="nested too deeply"):
        wire.decode(b"[" * 1_000_000 + b"]" * 1_000_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (CartItem(sku="A", quantity=2), '{"sku":"A","quantity":2}'),
        ([CartItem.from_dict({"sku": "A"})], '[{"sku":"A"}]'),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), '"2026-01-02T00:00:00Z"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (Decimal("10.10"), "10.1"),
        (Decimal("5"), "5"),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Colour.RED, '"red"'),
        (NULL, "null"),
        ({"a": NULL, "b": None}, '{"a":null,"b":null}'),
        (("a", 1), '["a",1]'),
        ({3}, "[3]"),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        ({7: "seven"}, '{"7":"seven"}'),
        (2**70, str(2**70)),
        ("grün 🎉", '"grün 🎉"'),
    ],
)
def test_every_value_that_json_has_a_form_for_is_written_in_it(value: Any, text: str) -> None:
    assert json.loads(wire.encode(value)) == json.loads(text)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, Decimal("NaN")])
def test_a_number_that_json_does_not_have_is_refused_with_its_path(number: Any) -> None:
    with pytest.raises(ApiValueError, match=r"at \$\.cart\[1\]\.price"):
        wire.encode({"cart": [{"price": 1}, {"price": number}]})


def test_a_naive_datetime_is_refused_with_its_path() -> None:
    with pytest.raises(ApiValueError, match=r"no time zone.* at \$\.when"):
        wire.encode({"when": datetime(2026, 1, 1)})


def test_a_value_that_json_cannot_express_is_refused_with_its_path() -> None:
    with pytest.raises(ApiTypeError, match=r"object cannot be written as JSON at \$\.a\[0\]"):
        wire.encode({"a": [object()]})


def test_data_that_contain_themselves_are_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ApiValueError, match="cannot be written as JSON"):
        wire.encode(loop)


def test_plain_data_keep_a_naive_datetime_as_text() -> None:
    moment = datetime(2026, 1, 1, 12)
    assert wire.plain({"when": moment}) == {"when": "2026-01-01T12:00:00"}


@given(JSON)
def test_plain_data_of_plain_data_are_the_same(data: Any) -> None:
    assert wire.plain(data) == data
